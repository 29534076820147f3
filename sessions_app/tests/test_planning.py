"""The month's plan by itself (六（一）): begun from the last one, asked for until it is there, written by two at once."""

from datetime import date, datetime

import pytest
import time_machine
from django.urls import reverse

from sessions_app import planning
from sessions_app.days import day_on
from sessions_app.models import ConsultDay, Plan, Reception
from zhoushan_consult.bureau.models import Division
from zhoushan_consult.bureau.roles import Role
from zhoushan_consult.clock import SHANGHAI
from zhoushan_consult.duties import runner
from zhoushan_consult.duties.models import Duty, State
from zhoushan_consult.outbox.models import Channel, Notice

pytestmark = pytest.mark.django_db

NOVEMBER, DECEMBER = date(2026, 11, 10), date(2026, 12, 10)
LAST = {"theme": "雨污分流", "partners": "市水务局", "place": "三楼会议室", "note": "请从东门进"}
NOW = datetime(2026, 11, 16, 10, tzinfo=SHANGHAI)


def make_rounds(text: str) -> None:
    """Twice, because the second must change nothing. No duty may fail."""
    for _ in range(2):
        runner.run_due(datetime.fromisoformat(f"{text}:00+08:00"))
    assert not Duty.objects.filter(state=State.FAILED).exists()


def told(kind: str, who) -> int:
    return Notice.objects.filter(kind=kind, channel=Channel.SMS, to_name=who.name).count()


@pytest.fixture(autouse=True)
def crew(officer):
    return {
        role: officer(role, "综合处", name=f"{role}甲", phone=f"1380000000{number}")
        for number, role in enumerate((Role.COORDINATOR, Role.LEADER, Role.WATCH))
    }


@pytest.fixture
def last(db):
    """November's plan, published, with one who receives and has confirmed."""
    day = day_on(NOVEMBER)
    ConsultDay.objects.filter(pk=day.pk).update(plan=Plan.PUBLISHED, **LAST)
    water = Division.objects.get(name="水处")
    Reception.objects.create(day=day, name="李江", title="处长", division=water, confirmed_at=NOW)
    return day


def written(day) -> dict:
    return ConsultDay.objects.filter(pk=day.pk).values(*planning.TEXTS).get()


# --- Begun from the last one -----------------------------------------------------------------------------------------
def test_next_draft_is_prepared_from_the_last_published_plan(last, crew):
    make_rounds("2026-11-15 08:55")
    assert not ConsultDay.objects.filter(date=DECEMBER).exclude(theme="").exists()
    make_rounds("2026-11-15 09:05")
    day = ConsultDay.objects.get(date=DECEMBER)
    person = day.receptions.get()
    assert written(day) == LAST
    assert day.plan == Plan.DRAFT
    assert (person.name, person.division.name, person.confirmed_at) == ("李江", "水处", None)
    assert told("plan_prepared", crew[Role.COORDINATOR]) == 1


@pytest.mark.parametrize(
    "typed", [{"place": "一楼大厅"}, {"theme": "审批"}, {"plan": Plan.SUBMITTED, "place": "厅"}]
)
def test_preparation_never_changes_what_someone_typed(last, typed):
    day = day_on(DECEMBER)
    ConsultDay.objects.filter(pk=day.pk).update(**typed)
    before = written(day)
    make_rounds("2026-11-15 09:05")
    assert written(day) == before


def test_plan_emptied_on_purpose_is_not_prepared(last):
    day = day_on(DECEMBER)
    ConsultDay.objects.filter(pk=day.pk).update(version=3)
    make_rounds("2026-11-15 09:05")
    assert written(day)["theme"] == ""


def test_nothing_is_prepared_without_an_earlier_plan():
    make_rounds("2026-11-15 09:05")
    assert written(day_on(DECEMBER))["theme"] == ""


def test_copying_at_a_click_fills_only_the_blanks(last, coordinator, signed_in):
    day = day_on(DECEMBER)
    ConsultDay.objects.filter(pk=day.pk).update(place="一楼大厅")
    with time_machine.travel(NOW, tick=False):
        browser = signed_in(coordinator)
        assert (
            browser.post(reverse("admin:sessions_app_consultday_copy_last", args=[day.pk])).status_code == 302
        )
    assert written(day) == LAST | {"place": "一楼大厅"}
    assert day.receptions.get().name == "李江"


def test_copying_without_an_earlier_plan_is_refused_with_a_reason(coordinator, signed_in):
    day = day_on(DECEMBER)
    answer = signed_in(coordinator).post(reverse("admin:sessions_app_consultday_copy_last", args=[day.pk]))
    assert answer.status_code == 409
    assert "没有可以照抄的上期方案" in answer.content.decode()


# --- Asked for until it is there -------------------------------------------------------------------------------------
def test_plan_is_requested_from_its_holder_until_it_is_published(crew, coordinator, leader):
    drafts, decides = crew[Role.COORDINATOR], crew[Role.LEADER]
    make_rounds("2026-11-20 09:05")
    assert (told("plan_wanted", drafts), told("plan_wanted", decides)) == (1, 0)
    day = day_on(DECEMBER)
    ConsultDay.objects.filter(pk=day.pk).update(theme="一", place="二")
    day.refresh_from_db()
    planning.submit(day, by=coordinator, at=NOW)
    make_rounds("2026-11-21 09:05")
    assert (told("plan_wanted", drafts), told("plan_wanted", decides)) == (1, 1)
    planning.send_back(day, "再改", by=leader, at=NOW)
    make_rounds("2026-11-22 09:05")
    assert (told("plan_wanted", drafts), told("plan_wanted", decides)) == (2, 1)
    planning.submit(day, by=coordinator, at=NOW)
    planning.approve(day, by=leader, at=NOW)
    for text in ("2026-11-23 09:05", "2026-11-30 09:05", "2026-12-01 09:05", "2026-12-05 09:05"):
        make_rounds(text)
    assert (told("plan_wanted", drafts), told("plan_wanted", decides)) == (2, 1)
    assert told("plan_late", decides) == 0


def test_plan_of_a_cancelled_day_is_not_requested(crew, leader):
    planning.cancel(day_on(DECEMBER), "场馆维修", by=leader, at=NOW)
    make_rounds("2026-11-20 09:05")
    make_rounds("2026-12-01 09:05")
    assert not Notice.objects.filter(kind__in=["plan_wanted", "plan_late"]).exists()


def test_late_plan_is_reported_once_to_局领导_when_the_month_begins(crew):
    make_rounds("2026-11-30 09:05")
    assert told("plan_late", crew[Role.LEADER]) == 0
    for day in ("01", "02", "03"):
        make_rounds(f"2026-12-{day} 09:05")
    assert told("plan_late", crew[Role.LEADER]) == 1  # once; 综合处 goes on being asked daily
    assert told("plan_wanted", crew[Role.COORDINATOR]) == 4


def test_late_plan_is_reported_to_局领导_even_after_missed_rounds(crew):
    make_rounds("2026-11-30 09:05")
    make_rounds("2026-12-04 09:05")
    assert told("plan_late", crew[Role.LEADER]) == 1


# --- Who receives ----------------------------------------------------------------------------------------------------
def test_办公室_is_reminded_from_five_days_before_until_all_have_answered(last, crew):
    ConsultDay.objects.filter(pk=last.pk).update(date=DECEMBER)
    Reception.objects.create(day=last, name="王海", title="副局长")
    make_rounds("2026-12-04 09:15")
    assert told("reception_open", crew[Role.WATCH]) == 0
    make_rounds("2026-12-05 09:15")
    make_rounds("2026-12-06 09:15")
    assert told("reception_open", crew[Role.WATCH]) == 2
    assert "还有1位接待人员" in Notice.objects.filter(kind="reception_open", channel=Channel.SMS)[0].text
    Reception.objects.filter(name="王海").update(declined="出差")
    make_rounds("2026-12-07 09:15")
    assert told("reception_open", crew[Role.WATCH]) == 2


# --- Written by two at once ------------------------------------------------------------------------------------------
MINE = {"theme": "排污许可", "partners": "市水务局", "place": "五楼", "note": "带公章"}
THEIRS = {"theme": "排污许可", "partners": "海事局", "place": "六楼", "note": "带公章"}
NO_RECEPTIONS = {"row-TOTAL_FORMS": 0, "row-INITIAL_FORMS": 0}
ONE_RECEPTION = {"row-TOTAL_FORMS": 1, "row-INITIAL_FORMS": 0, "row-0-name": "王海", "row-0-title": "副局长"}


@pytest.fixture
def save(coordinator, signed_in):
    day = day_on(DECEMBER)
    browser = signed_in(coordinator)

    def press(version, people=NO_RECEPTIONS, **texts):
        address = reverse("admin:sessions_app_consultday_edit", args=[day.pk])
        return browser.post(address, {"version": version, **texts, **people})

    return press


def test_second_save_shows_both_texts_and_loses_neither(save):
    save(1, ONE_RECEPTION, **MINE)
    answer = save(1, **THEIRS)
    page = answer.content.decode()
    assert answer.status_code == 409
    assert "钟和保存了另一份" in page
    for saved, typed in (("五楼", "六楼"), ("市水务局", "海事局"), ("王海（副局长）", "（空）")):
        assert f"已保存的</span> {saved}" in page
        assert f"您填写的</span> {typed}" in page
    assert page.count("排污许可") == 1  # the same in both: in the form only
    assert 'value="六楼"' in page
    assert written(day_on(DECEMBER)) == MINE


def test_second_click_saves_the_text_that_was_compared(save):
    save(1, **MINE)
    assert 'name="version" value="2"' in save(1, **THEIRS).content.decode()
    assert save(2, **THEIRS).status_code == 302
    assert written(day_on(DECEMBER)) == THEIRS


def test_double_click_saves_once(save):
    assert save(1, ONE_RECEPTION, **MINE).status_code == 302
    assert save(1, ONE_RECEPTION, **MINE).status_code == 302
    assert ConsultDay.objects.get().version == 2


@pytest.mark.parametrize(("act", "state"), [("submit", Plan.DRAFT), ("approve", Plan.SUBMITTED)])
def test_plan_is_not_submitted_or_approved_in_an_unread_version(act, state, coordinator, leader, signed_in):
    day = day_on(DECEMBER)
    ConsultDay.objects.filter(pk=day.pk).update(plan=state, version=5, **MINE)
    browser = signed_in(coordinator if act == "submit" else leader)
    address = reverse(f"admin:sessions_app_consultday_{act}", args=[day.pk])
    assert browser.post(address, {"version": 4}).status_code == 409
    assert browser.post(address, {"version": 5}).status_code == 302
