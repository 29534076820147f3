"""活动方案 in the admin: 综合处 writes, 局领导 decides, the portal shows (六（一）)."""

from datetime import date, datetime

import pytest
import time_machine
from django.urls import reverse

from sessions_app.days import day_on
from sessions_app.models import ConsultDay, Plan, Reception
from zhoushan_consult.audit.models import Entry
from zhoushan_consult.bureau.models import Area, Division
from zhoushan_consult.bureau.roles import Role
from zhoushan_consult.clock import SHANGHAI

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 11, 20, 10, tzinfo=SHANGHAI)
PLAN = {"theme": "雨污分流", "partners": "市水务局", "place": "一楼大厅", "note": "请带环评批复"}
NO_RECEPTIONS = {"row-TOTAL_FORMS": 0, "row-INITIAL_FORMS": 0}


@pytest.fixture(autouse=True)
def at_now():
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def day(db):
    return day_on(date(2026, 12, 10))


@pytest.fixture
def browser(coordinator, signed_in):
    return signed_in(coordinator)


def address(day, act="change"):
    return reverse(f"admin:sessions_app_consultday_{act}", args=[day.pk])


def press(browser, day, act, **typed):
    """A button of the screen, by someone who reads the plan as it is saved now (or as `version` says)."""
    typed.setdefault("version", ConsultDay.objects.get(pk=day.pk).version)
    answer = browser.post(address(day, act), typed)
    day.refresh_from_db()
    return answer


def test_month_without_a_plan_can_be_begun(browser):
    page = browser.get(reverse("admin:sessions_app_consultday_add")).content.decode()
    assert "2026年12月10日（周四）" in page
    assert not ConsultDay.objects.exists()  # looking makes nothing
    answer = browser.post(reverse("admin:sessions_app_consultday_add"), {"day": "2026-12"})
    day = ConsultDay.objects.get()
    assert answer.url == address(day)
    assert day.seats.count() == 10


@pytest.mark.parametrize("slug", ["2026-11", "2030-01", "1999-01", "x", ""])
def test_other_months_cannot_be_begun(browser, slug):
    assert browser.post(reverse("admin:sessions_app_consultday_add"), {"day": slug}).status_code == 200
    assert not ConsultDay.objects.exists()


def test_plan_is_saved_with_its_receptions(browser, day):
    people = {
        "row-TOTAL_FORMS": 3,
        "row-INITIAL_FORMS": 0,
        "row-0-name": "王海",
        "row-0-title": "副局长",
        "row-1-name": "李江",
        "row-1-title": "处长",
        "row-1-unit": f"d{Division.objects.get(name='水处').pk}",
        "row-2-name": "陈岛",
        "row-2-title": "副主任",
        "row-2-unit": f"a{Area.objects.get(name='六横管委会').pk}",
    }
    press(browser, day, "edit", **PLAN, **people)
    assert (day.theme, day.place) == ("雨污分流", "一楼大厅")
    assert [str(person.division or person.area) for person in day.receptions.all()] == [
        "None",
        "水处",
        "六横管委会",
    ]
    page = browser.get(address(day)).content.decode()
    assert 'value="王海"' in page


def test_saving_replaces_the_receptions(browser, day):
    Reception.objects.create(day=day, name="王海", title="副局长")
    press(browser, day, "edit", **PLAN, **NO_RECEPTIONS)
    assert not day.receptions.exists()


def test_plan_without_theme_or_place_cannot_be_submitted(browser, day):
    page = press(browser, day, "submit").content.decode()
    assert "服务主题：送审前请填写。" in page
    assert "服务地点：送审前请填写。" in page
    assert day.plan == Plan.DRAFT


def test_plan_goes_from_draft_to_the_portal(browser, day, signed_in, leader):
    press(browser, day, "edit", **PLAN, **NO_RECEPTIONS)
    press(browser, day, "submit")
    assert day.plan == Plan.SUBMITTED
    press(signed_in(leader), day, "approve")
    assert day.is_published
    assert day.published_at == NOW
    assert "雨污分流" in browser.get(day.get_absolute_url()).content.decode()
    assert list(Entry.objects.order_by("pk").values_list("actor__name", flat=True)) == [
        "钟和",
        "钟和",
        "方局",
    ]


def test_returned_plan_shows_the_remark_of_局领导(browser, day, signed_in, leader):
    press(browser, day, "edit", **PLAN, **NO_RECEPTIONS)
    press(browser, day, "submit")
    assert press(signed_in(leader), day, "send_back", remark="").status_code == 200
    press(signed_in(leader), day, "send_back", remark="请补充联动单位")
    assert day.plan == Plan.RETURNED
    assert "请补充联动单位" in browser.get(address(day)).content.decode()


def test_leader_does_not_send_back_a_plan_that_they_have_not_read(browser, day, signed_in, leader):
    press(browser, day, "edit", **PLAN, **NO_RECEPTIONS)
    press(browser, day, "submit")
    read = ConsultDay.objects.get().version
    chief = signed_in(leader)
    press(chief, day, "send_back", remark="请补充联动单位")
    press(browser, day, "edit", **(PLAN | {"partners": "市水务局和海事局"}), **NO_RECEPTIONS)
    press(browser, day, "submit")
    # The page of the first plan is still open in another tab.
    answer = press(chief, day, "send_back", remark="还缺说明", version=read)
    assert answer.status_code == 409 and day.plan == Plan.SUBMITTED
    assert "还缺说明</textarea>" in answer.content.decode()


def test_submitted_plan_cannot_be_edited_and_typed_text_is_kept(browser, day):
    ConsultDay.objects.update(plan=Plan.SUBMITTED, theme="原来的", place="大厅")
    answer = press(browser, day, "edit", **(PLAN | {"theme": "迟到的修改"}), **NO_RECEPTIONS)
    assert answer.status_code == 409
    assert "方案状态已被他人更改" in answer.content.decode()
    assert "迟到的修改" in answer.content.decode()
    assert day.theme == "原来的"


def test_second_leader_cannot_send_back_an_approved_plan(day, signed_in, leader):
    ConsultDay.objects.update(plan=Plan.SUBMITTED, theme="雨污分流", place="大厅")
    press(signed_in(leader), day, "approve")
    answer = press(signed_in(leader), day, "send_back", remark="再想想")
    assert answer.status_code == 409
    assert day.is_published


def test_overlong_theme_is_refused_and_kept_on_the_page(browser, day):
    answer = press(browser, day, "edit", **(PLAN | {"theme": "长" * 61}), **NO_RECEPTIONS)
    assert answer.status_code == 200
    assert "长" * 61 in answer.content.decode()
    assert day.theme == ""


ALLOWED = {
    Role.COORDINATOR: {"edit", "submit"},
    Role.LEADER: {"approve", "send_back"},
    Role.HANDLER: set(),
    Role.HEAD: set(),
    Role.WATCH: set(),
    Role.SYSTEM: set(),
    Role.COUNTY: set(),
}


MOVES = {
    "edit": (Plan.DRAFT, Plan.DRAFT),
    "submit": (Plan.DRAFT, Plan.SUBMITTED),
    "approve": (Plan.SUBMITTED, Plan.PUBLISHED),
    "send_back": (Plan.SUBMITTED, Plan.RETURNED),
}


@pytest.mark.parametrize("act", MOVES)
@pytest.mark.parametrize("role", ALLOWED)
def test_each_role_does_only_its_own_acts(role, act, day, officer, signed_in):
    begins, becomes = MOVES[act]
    saved = {"theme": "原来的", "place": "大厅", "plan": begins}
    ConsultDay.objects.filter(pk=day.pk).update(**saved)
    typed = PLAN | NO_RECEPTIONS | {"remark": "请补充"}
    answer = press(signed_in(officer(role, "水处", area="定海区")), day, act, **typed)
    if act in ALLOWED[role]:
        assert (answer.status_code, day.plan) == (302, becomes)
        assert (day.theme == PLAN["theme"]) == (act == "edit")
    else:
        assert answer.status_code == 403
        assert {name: getattr(day, name) for name in saved} == saved
