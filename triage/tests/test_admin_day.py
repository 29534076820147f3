"""The screen of a 咨询日: the waiting list, settling in one click, and the settled list (六（五）)."""

from datetime import datetime

import pytest
import time_machine
from django.urls import reverse

from appointments.lifecycle import Stage
from appointments.models import Appointment
from sessions_app.days import day_on
from triage.tests import factories as made
from zhoushan_consult.bureau.roles import Role
from zhoushan_consult.clock import SHANGHAI

pytestmark = pytest.mark.django_db

SECOND = datetime(2026, 12, 2, 9, tzinfo=SHANGHAI)


@pytest.fixture(autouse=True)
def on_the_second():
    with time_machine.travel(SECOND, tick=False):
        yield


@pytest.fixture
def browser(coordinator, signed_in):
    return signed_in(coordinator)


@pytest.fixture
def day(db):
    return day_on(made.DAY)


def screen(browser, day) -> str:
    return browser.get(reverse("admin:sessions_app_consultday_change", args=[day.pk])).content.decode()


def settle(browser, day):
    return browser.post(reverse("admin:sessions_app_consultday_settle", args=[day.pk]))


def accepted(*numbers, **columns):
    return [made.appointment(number, stage=Stage.ACCEPTED, **columns) for number in numbers]


def test_day_screen_lists_firms_in_order_with_the_reason_for_each_place(browser, day):
    accepted(1, 2)
    accepted(3, priority_since=made.NOW)
    page = screen(browser, day)
    assert page.index("测试3号") < page.index("测试1号") < page.index("测试2号")
    assert "上期顺延，优先（11月20日取得）" in page
    assert "按登记时间（11月18日 09:01）" in page


def test_day_screen_previews_who_gets_a_seat_before_the_list_is_settled(browser, day):
    accepted(*range(1, 13))
    page = screen(browser, day)
    assert page.count("给出名额</span>") == 10
    assert page.count("先行书面答复，下期优先</span>") == 2


def test_settling_takes_one_click_and_shows_seats_and_waiting_list(browser, day):
    accepted(*range(1, 13))
    assert settle(browser, day).status_code == 302
    page = screen(browser, day)
    assert Appointment.objects.filter(stage=Stage.SEATED).count() == 10
    assert Appointment.objects.filter(stage=Stage.DEFERRED).count() == 2
    assert page.count("通知还没有送达") == 10
    assert "候补顺序" in page
    assert page.index("测试10号") < page.index("候补顺序") < page.index("测试11号")


def test_settled_list_shows_who_has_confirmed(browser, day):
    made.seated(1, confirmed=True, at=SECOND)
    day.settled_at = SECOND
    day.save()
    assert "已确认 12月2日 09:00" in screen(browser, day)


def test_settling_is_refused_while_registrations_wait_for_review(browser, day):
    accepted(1)
    made.appointment(2)
    answer = settle(browser, day)
    assert answer.status_code == 409
    assert "还有 1 条登记待初审" in answer.content.decode()


def test_settling_a_second_time_is_refused(browser, day):
    accepted(1)
    settle(browser, day)
    answer = settle(browser, day)
    assert answer.status_code == 409
    assert "本期名单已经确定" in answer.content.decode()


def test_settling_before_the_cutoff_is_neither_offered_nor_accepted(coordinator, signed_in, day):
    with time_machine.travel(made.NOW, tick=False):
        browser = signed_in(coordinator)
        assert "panel-settle" not in screen(browser, day)
        assert settle(browser, day).status_code == 409


@pytest.mark.parametrize("role", sorted(set(Role) - {Role.COORDINATOR}))
def test_settling_is_refused_to_every_role_but_the_coordinator(role, officer, signed_in, day):
    accepted(1)
    assert settle(signed_in(officer(role, "水处", area="定海区")), day).status_code == 403
    assert Appointment.objects.get().stage == Stage.ACCEPTED


def test_settled_list_shows_the_reason_for_an_extra_seat(browser, day, leader):
    from triage import seating

    accepted(*range(1, 11))
    settle(browser, day)
    late = accepted(11)[0]
    seating.add_seat(day, late, "省级督办项目", by=leader, at=SECOND)
    assert "增加的名额：省级督办项目" in screen(browser, day)


def test_day_screen_query_count_does_not_grow_with_the_number_of_firms(
    browser, day, django_assert_max_num_queries
):
    accepted(1)
    browser.get("/admin/")
    with django_assert_max_num_queries(12) as few:
        screen(browser, day)
    accepted(*range(2, 61))
    settle(browser, day)
    with django_assert_max_num_queries(12) as many:
        screen(browser, day)
    assert len(many) <= len(few) + 1
