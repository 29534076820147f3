"""工作日调整 in the admin: 科监处 enters a year's holidays; and the letter that asks for them each November."""

import re
from datetime import date, datetime, timedelta

import pytest
from django.urls import reverse

from zhoushan_consult.audit.verbs import Verb
from zhoushan_consult.bureau.roles import Role
from zhoushan_consult.clock import SHANGHAI
from zhoushan_consult.duties import runner
from zhoushan_consult.duties.models import Heartbeat
from zhoushan_consult.outbox.models import Notice
from zhoushan_consult.tests.evidence import TRAIL, entries, name, refused, rows
from zhoushan_consult.workdays import adjusting, days
from zhoushan_consult.workdays.models import WorkdayOverride

pytestmark = pytest.mark.django_db

LIST = reverse("admin:workdays_workdayoverride_changelist")
ADD = reverse("admin:workdays_workdayoverride_add")
NOW = datetime(2026, 12, 1, 9, 30, tzinfo=SHANGHAI)
SPRING = {"works": "False", "first": "2027-02-05", "last": "2027-02-11", "note": "春节"}


@pytest.fixture(autouse=True)
def the_first_of_december(time_machine):
    time_machine.move_to(NOW, tick=False)


@pytest.fixture
def browser(keeper, signed_in):
    return signed_in(keeper)


@pytest.fixture
def bystander():
    """A day that was entered before, and must stay as it is."""
    return WorkdayOverride.objects.create(date=date(2027, 1, 4), works=False, note="旁边的一天")


def entered() -> dict[date, bool]:
    return dict(WorkdayOverride.objects.values_list("date", "works"))


def address(row: WorkdayOverride, act: str) -> str:
    return reverse(f"admin:workdays_workdayoverride_{act}", args=[row.pk])


def words(answer) -> str:
    return re.sub(r"<[^>]+>|\s+", "", answer.content.decode())


def at(text: str) -> datetime:
    return datetime.fromisoformat(f"{text}+08:00")


# --- Entering ---------------------------------------------------------------------------------
def test_period_is_entered_day_by_day_and_told_in_the_trail(browser, keeper, bystander):
    answer = browser.post(ADD, SPRING, follow=True)
    assert "已录入7天" in words(answer) and answer.redirect_chain == [(ADD, 302)]
    spring = [date(2027, 2, 5) + timedelta(number) for number in range(7)]
    assert entered() == {bystander.date: False} | dict.fromkeys(spring, False)
    made = WorkdayOverride.objects.filter(note="春节")
    assert entries() == [
        (Verb.WORKDAY_SET, name(row), keeper, NOW, "", {"date": str(row.date), "works": False})
        for row in made
    ]


def test_single_day_needs_no_last_day_and_may_be_typed_as_people_write_it(browser):
    browser.post(ADD, {"works": "True", "first": "2027年2月20日", "last": "", "note": ""})
    assert entered() == {date(2027, 2, 20): True}


def test_entered_day_counts_at_once(browser):
    assert days.add_workdays(date(2027, 2, 10), 1) == date(2027, 2, 11)
    browser.post(ADD, SPRING)
    assert days.add_workdays(date(2027, 2, 10), 1) == date(2027, 2, 12)


def test_second_click_enters_nothing_more(browser):
    browser.post(ADD, SPRING)
    before = rows()
    answer = browser.post(ADD, SPRING | {"note": "再点一次"}, follow=True)
    assert "没有重复录入" in words(answer)
    assert rows() == before


def test_period_that_contradicts_an_earlier_entry_is_refused_whole(browser, bystander):
    answer = browser.post(ADD, {"works": "True", "first": "2027-01-03", "last": "2027-01-04", "note": "调休"})
    assert "2027年1月4日放假，已经录入过" in words(answer) and 'value="2027-01-03"' in answer.content.decode()
    assert entered() == {bystander.date: False} and entries() == []


@pytest.mark.parametrize(
    "typed, said",
    [
        ({"first": ""}, "请填写日期。"),
        ({"first": "2月5日"}, "请填写正确的日期"),
        ({"first": "2027-02-30"}, "请填写正确的日期"),
        ({"last": "2027-02-04"}, "最后一天不能早于第一天"),
        ({"last": "2027-02-20"}, "一次最多录入15天"),
        ({"first": "2072-02-05", "last": ""}, "只能录入2026年和2027年的日期"),
        ({"first": "2025-12-31", "last": ""}, "只能录入2026年和2027年的日期"),
        ({"first": "2027-12-28", "last": "2028-01-01"}, "只能录入2026年和2027年的日期"),
        ({"works": ""}, "请选择放假还是上班。"),
        ({"works": "也许"}, "请选择放假还是上班。"),
        ({"note": "长" * 101}, "说明最多100字"),
    ],
)
def test_period_that_cannot_be_meant_is_refused_with_the_reason(browser, typed, said):
    answer = browser.post(ADD, SPRING | typed)
    assert answer.status_code == 200 and said in words(answer)
    kept = (SPRING | typed)["note"]
    assert kept in answer.content.decode()
    assert entered() == {} and entries() == []


def test_longest_period_and_both_years_are_taken(browser):
    browser.post(ADD, SPRING | {"last": "2027-02-19"})
    assert len(entered()) == 15
    browser.post(ADD, SPRING | {"first": "2026-12-31", "last": "2027-01-01"})
    assert len(entered()) == 17


# --- Changing and removing ---------------------------------------------------------------------
def test_entered_day_is_changed_once_however_often_it_is_saved(browser, keeper, bystander):
    browser.post(ADD, SPRING | {"last": ""})
    row = WorkdayOverride.objects.get(note="春节")
    for _ in range(2):
        answer = browser.post(address(row, "change_day"), {"works": "True", "note": "调休"}, follow=True)
        assert "已经告知的期限不变" in words(answer)
    row.refresh_from_db()
    assert (row.works, row.note) == (True, "调休")
    assert entered()[bystander.date] is False
    changed = (Verb.WORKDAY_CHANGED, name(row), keeper, NOW, "", {"date": "2027-02-05", "works": True})
    assert entries()[1:] == [changed]


def test_removed_day_is_gone_and_a_second_click_says_so(browser, keeper, bystander):
    browser.post(ADD, SPRING | {"last": ""})
    row = WorkdayOverride.objects.get(note="春节")
    removed = browser.post(address(row, "remove_day"), follow=True)
    assert removed.redirect_chain[-1][0] == LIST and "这一天按原来的日历计算" in words(removed)
    again = browser.post(address(row, "remove_day"), follow=True)
    assert again.status_code == 200 and "已经删除" in words(again)
    assert entered() == {bystander.date: False}
    gone = (Verb.WORKDAY_REMOVED, name(row), keeper, NOW, "", {"date": "2027-02-05", "works": False})
    assert entries()[1:] == [gone]


def test_address_of_an_act_that_is_opened_removes_nothing(browser, bystander):
    answer = browser.get(address(bystander, "remove_day"))
    assert answer.url == address(bystander, "change")
    assert entered() == {bystander.date: False}


# --- Rights, and all or nothing ----------------------------------------------------------------
@pytest.mark.parametrize("role", [role for role in Role if role != Role.SYSTEM])
def test_workdays_are_closed_to_every_other_role(role, officer, signed_in, bystander):
    browser = signed_in(officer(role, "水处", area="定海区"))
    before = rows()
    assert browser.get(LIST).status_code in (302, 403)
    assert browser.post(ADD, SPRING).status_code in (302, 403)
    for act in ("change_day", "remove_day"):
        assert browser.post(address(bystander, act), {"works": "True"}).status_code in (302, 403)
    assert rows() == before


ACTS = [
    lambda row, **who: adjusting.set_days(date(2027, 2, 5), date(2027, 2, 6), works=False, **who),
    lambda row, **who: adjusting.change(row, works=True, **who),
    lambda row, **who: adjusting.remove(row, **who),
]


@pytest.mark.parametrize("do", ACTS)
def test_act_on_workdays_checks_the_right_itself(do, coordinator, bystander):
    before = rows()
    with pytest.raises(Exception, match="调整工作日"):
        do(bystander, by=coordinator, at=NOW)
    assert rows() == before


@pytest.mark.parametrize("do", ACTS)
def test_act_on_workdays_leaves_nothing_without_its_entry(do, keeper, bystander):
    before = rows()
    with refused(TRAIL):
        do(bystander, by=keeper, at=NOW)
    assert rows() == before


# --- What the list says ------------------------------------------------------------------------
def test_list_says_what_is_supposed_until_the_year_is_entered(browser):
    page = words(browser.get(LIST))
    assert "2026年：放假安排已有" in page and "2027年的放假安排还没有录入" in page
    assert "春节2月5日至2月8日、清明节4月5日" in page
    browser.post(ADD, SPRING | {"first": "2027-10-01", "last": "2027-10-07", "note": "国庆"})
    page = words(browser.get(LIST))
    assert "2027年：放假安排已有" in page
    assert "2027年10月1日（星期五）放假国庆" in page


def test_list_is_filtered_by_year(browser, bystander):
    WorkdayOverride.objects.create(date=date(2026, 12, 31), works=False)
    page = words(browser.get(LIST, {"year": "2026"}))
    assert "2026年12月31日" in page and "2027年1月4日（" not in page
    assert browser.get(LIST, {"year": "99999999999999999999"}, follow=True).status_code == 200


@pytest.mark.parametrize(
    "day, is_entered, listed",
    [
        ("2026-10-31T12:00", False, False),
        ("2026-11-01T00:00", False, True),
        ("2026-12-31T23:59", False, True),
        ("2027-01-01T00:00", False, False),
        ("2026-12-01T12:00", True, False),
    ],
)
def test_first_page_lists_the_coming_year_while_it_is_wanted(
    browser, time_machine, signed_in, keeper, day, is_entered, listed
):
    if is_entered:
        WorkdayOverride.objects.create(date=date(2027, 10, 1), works=False)
    time_machine.move_to(at(day), tick=False)
    assert ("2027年放假安排" in words(signed_in(keeper).get("/admin/"))) is listed


def test_first_page_of_another_role_has_no_holidays(signed_in, coordinator):
    assert "放假安排" not in words(signed_in(coordinator).get("/admin/"))


# --- The letter in November --------------------------------------------------------------------
@pytest.fixture
def rounds(settings, keeper):
    """Makes the rounds at an instant. Returns the letters about holidays by recipient and channel."""
    settings.DUTIES = ["zhoushan_consult.upkeep.holidays_wanted.HOLIDAYS_WANTED"]
    keeper.phone, keeper.email = "13857200000", "keeper@example.gov.cn"
    keeper.save()
    Heartbeat.objects.create(pk=1, at=at("2026-11-01T00:00"))

    def make(moment: str) -> dict[tuple[str, str], str]:
        runner.run_due(at(moment))
        found = Notice.objects.filter(kind="holidays_wanted")
        return {(notice.to_name, notice.channel): notice.text for notice in found}

    return make


def test_letter_asks_system_managers_once_each_november(rounds, keeper, coordinator):
    coordinator.phone = "13857200009"
    coordinator.save()
    assert rounds("2026-11-20T08:59") == {}
    letters = rounds("2026-11-20T09:01")
    assert set(letters) == {(keeper.name, "sms"), (keeper.name, "email")}
    assert "2027年放假安排尚未录入" in letters[keeper.name, "sms"]
    assert "“工作日调整”里逐段录入" in letters[keeper.name, "email"]
    rounds("2026-11-20T09:05")
    assert rounds("2026-12-31T23:00") == letters
    assert Notice.objects.filter(kind="holidays_wanted").count() == 2


def test_no_letter_asks_for_a_year_that_is_entered(rounds):
    WorkdayOverride.objects.create(date=date(2027, 10, 1), works=False)
    assert rounds("2026-11-20T09:01") == {}
