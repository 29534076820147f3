"""The portal as a visitor reads it (六（一）)."""

from datetime import date, datetime

import pytest

from sessions_app import planning
from sessions_app.days import day_on
from sessions_app.models import ConsultDay, Plan, Seat
from zhoushan_consult.clock import SHANGHAI

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def the_twentieth(time_machine):
    time_machine.move_to("2026-11-20T10:00:00+08:00", tick=False)


@pytest.fixture
def published():
    day = day_on(date(2026, 12, 10))
    ConsultDay.objects.filter(pk=day.pk).update(theme="排污许可", place="三楼会议室", plan=Plan.PUBLISHED)
    return day


def test_front_page_shows_plan_days_left_and_day_to_register_for(client, published):
    page = client.get("/").content.decode()
    assert "三楼会议室" in page
    assert "12月10日（周四）" in page
    assert "<b>11</b>" in page


def test_front_page_says_when_the_plan_is_not_published(client):
    day_on(date(2026, 12, 10))
    assert "12月方案尚未公布" in client.get("/").content.decode()


def test_unapproved_plan_is_not_shown(client):
    day_on(date(2026, 12, 10))
    assert client.get("/days/2026-12/").status_code == 404


def test_published_plan_is_shown_at_its_address(client, published):
    assert "三楼会议室" in client.get("/days/2026-12/").content.decode()
    assert "三楼会议室" in client.get("/days/").content.decode()


@pytest.mark.parametrize("path", ["/help/", "/privacy/", "/sitemap/", "/days/"])
def test_public_pages_are_served(client, path):
    assert client.get(path).status_code == 200


@pytest.mark.parametrize(
    ("path", "status"),
    [("/days/2026-13/", 404), ("/days/%00/", 400), ("/days/latest/", 404), ("/nothing/", 404)],
)
def test_wrong_address_is_answered_in_chinese(client, path, status):
    answer = client.get(path)
    assert answer.status_code == status
    assert "首页" in answer.content.decode()


def test_day_gets_its_ten_seats_once(published):
    assert day_on(published.date) == published
    assert Seat.objects.filter(day=published).count() == 10


def test_plan_approved_by_局领导_is_published(client, coordinator, leader):
    now = datetime(2026, 11, 20, 10, tzinfo=SHANGHAI)
    day = day_on(date(2026, 12, 10))
    day.theme, day.place = "排污许可", "三楼会议室"
    day.save()
    planning.submit(day, by=coordinator, at=now)
    planning.approve(day, by=leader, at=now)
    assert client.get("/days/2026-12/").status_code == 200


def test_only_one_of_two_leaders_decides(coordinator, leader):
    now = datetime(2026, 11, 20, 10, tzinfo=SHANGHAI)
    day = day_on(date(2026, 12, 10))
    ConsultDay.objects.filter(pk=day.pk).update(plan=Plan.SUBMITTED, theme="一", place="二")
    mine, other = ConsultDay.objects.get(pk=day.pk), ConsultDay.objects.get(pk=day.pk)
    planning.approve(mine, by=leader, at=now)
    with pytest.raises(planning.PlanStateChanged):
        planning.send_back(other, "再改", by=leader, at=now)
