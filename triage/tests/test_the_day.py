"""The morning of the 10th at the door: the sheet, who came, how it ended, who was called in (六（五）)."""

import re
from datetime import datetime, timedelta

import pytest
import time_machine
from django.urls import reverse

from appointments import check_in_code
from appointments.lifecycle import Stage
from appointments.models import Appointment
from sessions_app.models import Seat
from triage import timetable
from triage.models import FollowUp, Hearing, Sitting
from triage.tests import factories as made
from triage.tests.desk import read
from zhoushan_consult.audit.models import Entry
from zhoushan_consult.audit.verbs import Verb
from zhoushan_consult.bureau.roles import Role
from zhoushan_consult.clock import SHANGHAI
from zhoushan_consult.duties import runner
from zhoushan_consult.outbox.models import Notice

pytestmark = pytest.mark.django_db

MORNING = datetime(2026, 12, 10, 8, 15, tzinfo=SHANGHAI)
PAPERS = ["run_sheet", "sign_in", "name_cards"]


@pytest.fixture(autouse=True)
def on_the_morning():
    with time_machine.travel(MORNING, tick=False) as clock:
        yield clock


@pytest.fixture
def browser(coordinator, signed_in):
    return signed_in(coordinator)


@pytest.fixture
def browser_at(coordinator, signed_in, on_the_morning):
    """综合处's browser at another moment: a login session ends overnight."""

    def move(at: datetime):
        on_the_morning.move_to(at)
        return signed_in(coordinator)

    return move


@pytest.fixture
def ten(coordinator):
    """The list of ten, confirmed, their questions with 水处 and 大气处 in turn; the day they are seated on."""
    for number in range(1, 11):
        firm = made.seated(number, confirmed=True)
        made.assignment(firm, "水处" if number % 2 else "大气处", by=coordinator)
    day = Appointment.objects.first().day
    day.settled_at = made.NOW
    day.save()
    return day


def firm(number: int) -> Appointment:
    return Appointment.objects.get(enterprise_name__contains=f"测试{number}号")


def page(name: str, *about) -> str:
    return reverse(
        f"admin:sessions_app_consultday_{name}", args=[getattr(each, "pk", each) for each in about]
    )


def conclude(browser, number: int, outcome: str, **said):
    of = firm(number)
    return browser.post(page("outcome", of.day, of), {"outcome": outcome, **said})


# --- The sheet -----------------------------------------------------------------------------------------------------
def test_run_sheet_shares_the_morning_among_ten_firms_at_two_tables(browser, ten):
    shown = read(browser.get(page("run_sheet", ten)))
    assert "每家 30 分钟，共 10 家" in shown
    assert (
        shown.index("08:30—09:00 1号桌 1号")
        < shown.index("08:30—09:00 2号桌 2号")
        < shown.index("10:30—11:00 2号桌 10号")
    )
    assert "同一时间没有处室需要到两桌" in shown


def test_run_sheet_needs_no_division_at_two_tables_at_once(browser, ten, coordinator):
    made.assignment(firm(2), "水处", by=coordinator, part="support")
    slots = timetable.schedule_of(ten).slots
    for turn in {slot.place.turn for slot in slots}:
        wanted = [each.name for slot in slots if slot.place.turn == turn for each in slot.divisions]
        assert len(wanted) == len(set(wanted))


def test_run_sheet_says_where_a_division_is_needed_twice(browser, ten, coordinator):
    timetable.freeze(ten, at=MORNING)
    made.assignment(firm(2), "水处", by=coordinator)
    shown = read(browser.get(page("run_sheet", ten)))
    assert "8:30 1号、2号都需要水处，没有能错开的场次。请水处派两人到场，或请其中一桌稍候。" in shown


def test_frozen_run_sheet_keeps_places_when_the_list_changes(ten):
    timetable.freeze(ten, at=MORNING)
    before = {slot.number: slot.place for slot in timetable.schedule_of(ten).slots}
    Appointment.objects.filter(pk=firm(4).pk).update(stage=Stage.WITHDRAWN, seat=None)
    after = {slot.number: slot.place for slot in timetable.schedule_of(ten).slots}
    assert after == {number: place for number, place in before.items() if number != 4}


def test_run_sheet_is_rearranged_by_a_click(browser, ten, coordinator, on_the_morning):
    timetable.freeze(ten, at=MORNING)
    made.assignment(firm(2), "水处", by=coordinator)
    assert browser.post(page("rearrange", ten)).status_code == 302
    assert timetable.schedule_of(ten).clashes == []
    assert Entry.objects.filter(verb=Verb.TIMETABLE_FIXED).count() == 2


@pytest.mark.parametrize("name", PAPERS)
def test_papers_list_every_firm_without_personal_numbers(browser, ten, name):
    shown = read(browser.get(page(name, ten)))
    for of in Appointment.objects.all():
        assert of.enterprise_name in shown
        for private in (of.id_number.open(), of.masked_id, of.uscc, of.phone.as_e164[3:]):
            assert private not in shown


@pytest.mark.parametrize("name", [*PAPERS, "check_in_list"])
def test_printouts_and_check_in_list_are_linked_from_the_day_screen(browser, ten, name):
    screen = browser.get(reverse("admin:sessions_app_consultday_change", args=[ten.pk])).content.decode()
    assert page(name, ten) in screen


@pytest.mark.parametrize("days, shown", [(-2, False), (-1, True), (0, True), (1, False)])
def test_first_page_links_the_check_in_list_on_the_day_and_the_day_before(browser_at, ten, days, shown):
    first_page = browser_at(MORNING + timedelta(days=days)).get("/admin/").content.decode()
    assert (f'href="{page("check_in_list", ten)}"' in first_page) is shown


@pytest.mark.parametrize("name", [*PAPERS, "check_in_list"])
@pytest.mark.parametrize("role", sorted(set(Role) - {Role.COORDINATOR}))
def test_printouts_and_check_in_list_are_for_those_who_run_the_day(officer, signed_in, ten, role, name):
    assert signed_in(officer(role, "水处", area="定海区")).get(page(name, ten)).status_code == 403


def test_run_sheet_uses_a_fixed_number_of_queries(browser, ten, django_assert_max_num_queries):
    with django_assert_max_num_queries(9):
        shown = read(browser.get(page("run_sheet", ten)))
    assert "测试1号" in shown and "测试10号" in shown


# --- The divisions -------------------------------------------------------------------------------------------------
def test_division_sees_only_its_own_firms_on_the_run_sheet(handler, signed_in, ten):
    shown = read(signed_in(handler).get("/desk/run-sheet/"))
    assert "水处需到场 5 场" in shown
    assert "测试1号" in shown and "测试2号" not in shown


def test_division_sees_no_run_sheet_before_the_list_is_settled(handler, signed_in, ten):
    ten.settled_at = None
    ten.save()
    assert "现场名单确定后" in read(signed_in(handler).get("/desk/run-sheet/"))


def test_divisions_are_told_three_days_and_one_day_before(ten, handler, other_handler, on_the_morning):
    for who, phone in ((handler, "13800000001"), (other_handler, "13800000002")):
        who.phone = phone
        who.save()
    told = []
    for date in (6, 7, 8, 9, 10):
        for hour in (9, 10):
            runner.run_due(datetime(2026, 12, date, hour, 15, tzinfo=SHANGHAI))
        told.append(Notice.objects.filter(kind="run_sheet_ready", channel="sms").count())
    assert told == [0, 2, 2, 4, 4]
    texts = {notice.text.split("http")[0] for notice in Notice.objects.filter(kind="run_sheet_ready")}
    assert texts == {
        "12月10日咨询日，水处需到场答复5家企业，最早08:30开始。现场安排表：",
        "12月10日咨询日，大气处需到场答复5家企业，最早08:30开始。现场安排表：",
    }
    assert Sitting.objects.count() == 10


# --- Who came ------------------------------------------------------------------------------------------------------
def test_firm_is_checked_in_with_one_click(browser, ten):
    browser.post(page("check_in", ten, firm(3)))
    assert firm(3).hearing.checked_in_at == MORNING
    assert "08:15 签到" in read(browser.get(page("check_in_list", ten)))


@pytest.mark.parametrize("typed", ["测试7号", "{0.reference}", " {0.reference} "])
def test_search_opens_the_firm(browser, ten, typed):
    of = firm(7)
    answer = browser.get(page("check_in_list", ten), {"q": typed.format(of)})
    assert answer["Location"] == page("check_in_firm", ten, of)


def test_search_finds_a_seated_firm_by_the_last_digits_of_its_telephone(browser, ten):
    Appointment.objects.filter(pk=firm(7).pk).update(phone="+8613857204321")
    answer = browser.get(page("check_in_list", ten), {"q": "4321"})
    assert answer["Location"] == page("check_in_firm", ten, firm(7))


def test_search_at_the_entrance_does_not_read_the_questions(browser, ten):
    Appointment.objects.filter(pk=firm(3).pk).update(summary="测试7号的问题")
    answer = browser.get(page("check_in_list", ten), {"q": "测试7号"})
    assert answer["Location"] == page("check_in_firm", ten, firm(7))


def test_search_says_when_a_firm_is_not_on_the_list(browser, ten):
    assert "不在这一天的名单和候补里" in read(browser.get(page("check_in_list", ten), {"q": "没有这家"}))


def test_check_in_is_refused_before_the_day(browser_at, ten):
    browser = browser_at(MORNING - timedelta(days=1))
    answer = browser.post(page("check_in", ten, firm(1)), follow=True)
    assert "当天才能签到和记录结果" in read(answer)
    assert not Hearing.objects.exists()


# --- The code on the firm's phone ----------------------------------------------------------------------------------
def test_only_a_seated_firm_sees_its_check_in_code(client, ten, on_the_morning):
    on_the_morning.move_to(made.NOW + timedelta(days=14))
    of, waits = firm(1), made.appointment(20, stage=Stage.ACCEPTED)
    for who, shown in ((of, True), (waits, False)):
        client.post("/status/", {"reference": who.reference, "phone": who.phone_number})
        assert ("data:image/svg+xml" in client.get("/status/").content.decode()) is shown


def test_code_opens_the_firm_and_a_button_checks_it_in(browser, ten):
    of = firm(5)
    answer = browser.get(page("check_in_by_code", check_in_code.token(of)))
    assert answer["Location"] == page("check_in_firm", ten, of)
    assert "企业已到，签到" in read(browser.get(answer["Location"]))
    assert not Hearing.objects.exists()
    browser.post(page("check_in", ten, of), {"stay": "1"})
    assert "08:15 签到" in read(browser.get(answer["Location"]))


def test_code_opened_without_signing_in_leads_to_the_login(client, ten):
    answer = client.get(page("check_in_by_code", check_in_code.token(firm(5))))
    assert answer["Location"].startswith("/admin/login/")


def test_firm_is_not_signed_in_after_its_day_and_its_result_still_recorded(browser_at, ten):
    browser = browser_at(MORNING + timedelta(days=1))
    shown = read(browser.get(page("check_in_firm", ten, firm(1))))
    assert "企业已到，签到" not in shown and "现场结果" in shown
    assert "签到 " + firm(1).enterprise_name not in read(browser.get(page("check_in_list", ten)))
    answer = browser.post(page("check_in", ten, firm(1)), follow=True)
    assert "请直接记录现场结果" in read(answer)
    conclude(browser, 1, "absent")
    assert firm(1).stage == Stage.ABSENT and not firm(1).hearing.checked_in_at


def test_unknown_code_or_code_of_another_day_is_refused(browser, browser_at, ten):
    code = page("check_in_by_code", check_in_code.token(firm(5)))
    assert "这个签到码不在今天的名单上" in read(browser.get(page("check_in_by_code", "0" * 32), follow=True))
    assert "这个签到码不在今天的名单上" in read(
        browser_at(MORNING + timedelta(days=1)).get(code, follow=True)
    )


def test_code_is_unique_to_one_registration_and_one_day(ten):
    codes = {check_in_code.token(of) for of in Appointment.objects.select_related("day")}
    assert len(codes) == 10
    assert all(re.fullmatch("[0-9a-f]{32}", code) for code in codes)
    of = firm(1)
    before = check_in_code.token(of)
    of.day.date += timedelta(days=31)
    assert check_in_code.token(of) != before


# --- How it ended --------------------------------------------------------------------------------------------------
def test_outcome_is_recorded_in_two_clicks(browser, ten):
    assert "现场解决" in read(browser.get(page("check_in_firm", ten, firm(1))))
    answer = conclude(browser, 1, "solved", gist="已当面说明")
    assert answer["Location"] == page("check_in_list", ten)
    assert (firm(1).stage, firm(1).hearing.outcome) == (Stage.HEARD, "solved")


def test_follow_up_form_suggests_the_question_and_its_division(browser, ten):
    shown = browser.get(page("check_in_firm", ten, firm(2))).content.decode()
    assert re.search(r'<option value="air" selected\s*>大气处</option>', shown)
    assert f"{made.WATER}</textarea>" in shown
    conclude(browser, 2, "follow", division="air", text=made.WATER)
    assert (FollowUp.objects.get().division.name, firm(2).stage) == ("大气处", Stage.FOLLOWING)


def test_follow_up_needs_a_text_and_keeps_what_was_typed(browser, ten):
    answer = conclude(browser, 2, "follow", division="air", text="", gist="谈了半小时")
    assert answer.status_code == 409
    assert "请写明督办事项和责任处室" in read(answer)
    assert "谈了半小时" in read(answer)
    assert firm(2).stage == Stage.SEATED


def test_second_outcome_is_refused(browser, ten):
    conclude(browser, 1, "solved")
    answer = conclude(browser, 1, "absent")
    assert answer.status_code == 409
    assert firm(1).hearing.outcome == "solved"


# --- Who is called in ----------------------------------------------------------------------------------------------
@pytest.fixture
def three_wait(ten):
    return [made.appointment(number, stage=Stage.DEFERRED) for number in (11, 12, 13)]


def call_in(browser, number: int):
    of = firm(number)
    return browser.post(page("call_in", of.day, of), follow=True)


def test_first_in_line_is_called_to_the_seat_of_an_absent_firm(browser, ten, three_wait):
    assert "请候补企业入场" not in read(browser.get(page("check_in_list", ten)))
    conclude(browser, 3, "absent")
    assert "请候补企业入场" in read(browser.get(page("check_in_list", ten)))
    place = next(slot.place for slot in timetable.schedule_of(ten).slots if slot.number == 3)
    call_in(browser, 11)
    assert (firm(11).stage, firm(11).seat.number) == (Stage.SEATED, 3)
    assert firm(11).seat.confirmed_at == MORNING
    assert (firm(3).stage, firm(3).seat) == (Stage.ABSENT, None)
    assert next(slot.place for slot in timetable.schedule_of(ten).slots if slot.number == 3) == place
    assert Notice.objects.filter(kind="standby_called", channel="sms").count() == 1
    shown = read(browser.get(page("check_in_list", ten)))
    assert "未到场、名额已由候补企业使用： 舟山测试3号" in shown
    browser.post(page("check_in", ten, firm(11)))
    conclude(browser, 11, "solved")
    assert firm(11).stage == Stage.HEARD


def test_one_freed_seat_goes_to_one_firm(browser, ten, three_wait):
    conclude(browser, 3, "absent")
    call_in(browser, 11)
    assert "现在没有空出的名额" in read(call_in(browser, 12))
    assert "已被他人处理" in read(call_in(browser, 11))
    assert Seat.objects.exclude(uscc=None).count() == 10
    assert firm(12).stage == Stage.DEFERRED


def test_passed_over_firms_are_recorded(browser, ten, three_wait):
    conclude(browser, 3, "absent")
    call_in(browser, 12)
    shown = read(browser.get(reverse("admin:sessions_app_consultday_allocation", args=[ten.pk])))
    assert "现场候补入场，3号名额" in shown
    assert "排在前面的 1 家不在现场" in shown
    assert "未到场，让出3号名额" in shown


def test_call_in_is_refused_before_and_after_the_day(browser_at, ten, three_wait):
    Appointment.objects.filter(pk=firm(3).pk).update(stage=Stage.ACCEPTED, seat=None)
    Seat.objects.filter(number=3).update(uscc=None, confirmed_at=None)
    early, noon = MORNING - timedelta(days=1), MORNING.replace(hour=11, minute=30)
    for at, said in (
        (early, "候补入场只在12月10日（周四）当天办理"),
        (noon, "12月10日（周四）的活动已经结束"),
    ):
        assert said in read(call_in(browser_at(at), 11))
    assert firm(11).stage == Stage.DEFERRED


@pytest.mark.parametrize("minute, offered", [(29, True), (30, False)])
def test_call_in_is_offered_until_the_day_is_over(browser_at, ten, three_wait, minute, offered):
    Appointment.objects.filter(pk=firm(3).pk).update(stage=Stage.ACCEPTED, seat=None)
    Seat.objects.filter(number=3).update(uscc=None, confirmed_at=None)
    browser = browser_at(MORNING.replace(hour=11, minute=minute))
    assert ("请候补企业入场" in read(browser.get(page("check_in_list", ten)))) is offered


def test_firm_that_does_not_wait_cannot_be_called_in(browser, ten):
    made.appointment(14, stage=Stage.ACCEPTED, wants_onsite=False)
    conclude(browser, 3, "absent")
    call_in(browser, 14)
    assert firm(14).stage == Stage.ACCEPTED


def test_called_in_firm_keeps_its_seat_in_the_next_round(browser, ten, three_wait):
    from triage import seating

    conclude(browser, 3, "absent")
    call_in(browser, 11)
    seating.fill(ten, at=MORNING + timedelta(hours=5))
    assert firm(11).stage == Stage.SEATED


@pytest.mark.parametrize("name", ["check_in", "outcome", "call_in"])
def test_other_roles_cannot_act_at_the_door(head, signed_in, ten, name):
    waits = made.appointment(11, stage=Stage.DEFERRED)
    answer = signed_in(head).post(
        page(name, ten, waits if name == "call_in" else firm(1)), {"outcome": "solved"}
    )
    assert answer.status_code == 403
    assert not Hearing.objects.exists()
    assert (firm(1).stage, firm(11).stage) == (Stage.SEATED, Stage.DEFERRED)
