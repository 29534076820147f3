"""Calls as officers meet them: work lists, the form for several letters, wrong numbers, what a firm decided on the telephone."""

import re
from datetime import date, timedelta
from html import unescape

import pytest
import time_machine
from django.urls import reverse

from appointments import letters
from appointments.facts import facts_of
from appointments.lifecycle import Stage
from appointments.models import Appointment
from sessions_app.models import Seat
from triage import calls, limbo, worklists
from triage.models import CallOutcome, CallRecord
from triage.tests import factories as made
from zhoushan_consult.audit.models import Entry
from zhoushan_consult.audit.verbs import Verb
from zhoushan_consult.outbox import delivery
from zhoushan_consult.outbox.models import Channel, Notice, NoticeCall, State
from zhoushan_consult.outbox.posting import address_index

pytestmark = pytest.mark.django_db

NOW, DAY = made.NOW, timedelta(days=1)
# An officer who does nothing for half an hour is logged out.
SOON = timedelta(minutes=10)
LAND_LINE, OTHER_LINE, RIGHT = "+865802000123", "+865802000456", "+8613900000009"
WHY = "企业来电说明换了号码"


@pytest.fixture(autouse=True)
def at_now():
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def browser(coordinator, signed_in):
    return signed_in(coordinator)


def address(firm, act="change") -> str:
    return reverse(f"admin:appointments_appointment_{act}", args=[firm.pk])


def press(browser, firm, act, **typed):
    return browser.post(address(firm, act), typed)


def show(browser, firm) -> str:
    return browser.get(address(firm)).content.decode()


def panel(page: str, act: str) -> str:
    """The panel of one action on a screen; "" if it is not offered."""
    found = re.search(rf'(?s)<details [^>]*id="panel-{act}".*?</details>', page)
    return found[0] if found else ""


def worklist(browser, code: str) -> str:
    page = browser.get("/admin/").content.decode()
    found = re.search(rf'(?s)<(section|div) [^>]*id="worklist-{code}".*?</\1>', page)
    return unescape(found[0]) if found else ""


def waiting(number=1, *kinds, phone=LAND_LINE, **columns) -> Appointment:
    """A firm without a mobile, for which letters wait to be told."""
    firm = made.appointment(number, phone=phone, **columns)
    for kind in kinds or ("booking_received", "review_reopened"):
        letters.write(kind, firm, at=NOW)
    return firm


def to_tell(*firms) -> list[str]:
    """The keys of the letters that wait for a call, as the form sends them."""
    ids = [str(firm.pk) for firm in firms]
    found = Notice.objects.filter(channel=Channel.CALL, state=State.WAITING, about_id__in=ids)
    return [str(pk) for pk in found.order_by("pk").values_list("pk", flat=True)]


def told(browser, firm, outcome="reached", keys=None):
    return press(browser, firm, "notified", letters=keys or to_tell(firm), outcome=outcome, gist="都说清楚了")


# --- 待电话联系 ------------------------------------------------------------------------------------------------------
def test_firm_with_several_letters_is_one_row_with_their_number(browser):
    firm, other = waiting(1), waiting(2, "booking_received", phone=OTHER_LINE)
    shown = worklist(browser, "call")
    assert shown.count("<li>") == 2
    assert re.search(rf"{firm.enterprise_name}.*?2 条通知.*?登记已收到、登记重新审核", shown, re.S)
    assert re.search(rf"{other.enterprise_name}.*?1 条通知", shown, re.S)
    assert f'href="{address(firm)}#panel-notified"' in shown


def test_two_registrations_of_a_firm_with_one_telephone_are_one_call(browser):
    firm = waiting(1, "booking_received")
    waiting(1, "booking_received", on=date(2027, 1, 10))
    waiting(1, "booking_received", on=date(2027, 2, 10), phone=OTHER_LINE)
    shown = worklist(browser, "call")
    assert shown.count("<li>") == 2
    assert re.search(r"2 条通知.*?1 条通知", shown, re.S)
    assert panel(show(browser, firm), "notified").count('type="checkbox"') == 2


def test_number_of_calls_is_that_of_the_firms(browser):
    for number in range(1, 9):
        waiting(number, phone=f"+86580200000{number}")
    assert len(worklists.to_call(NOW)) == 8
    assert re.search(r'class="badge">8<', worklist(browser, "call"))


def test_letter_to_somebody_else_is_a_call_of_its_own(browser, coordinator):
    coordinator.phone = LAND_LINE
    coordinator.save()
    waiting(1, "booking_received")
    Notice.objects.create(
        kind="settle_wanted", channel=Channel.CALL, about_kind="sessions_app.consultday", about_id="1",
        dedupe_key="x", to=LAND_LINE, to_index=address_index(LAND_LINE), to_name="钟和", body="请确定名单。", created_at=NOW, due_at=NOW,
    )  # fmt: skip
    assert [len(call.letters) for call in worklists.to_call(NOW)] == [1, 1]


def test_row_of_a_firm_that_got_no_sms_leads_to_the_correction(browser):
    firm, other = made.appointment(1), waiting(2)
    letters.write("booking_received", firm, at=NOW)
    sms = Notice.objects.get(channel=Channel.SMS)
    Notice.objects.filter(pk=sms.pk).update(state=State.FAILED)
    delivery.add_to_call_list(sms, NOW)
    shown = worklist(browser, "call")
    assert f'href="{address(firm)}#panel-contact"' in shown
    assert f'href="{address(other)}#panel-contact"' not in shown


def test_letter_that_is_not_true_any_more_need_not_be_told(browser):
    firm = waiting(1)
    Appointment.objects.update(stage=Stage.WITHDRAWN)
    assert "不用再打" in worklist(browser, "call")
    assert not panel(show(browser, firm), "notified")


# --- 记录电话通知 ----------------------------------------------------------------------------------------------------
def test_form_lists_all_letters_with_their_texts_as_of_now(browser):
    firm = waiting(1)
    Appointment.objects.filter(pk=firm.pk).update(wants_onsite=False)
    shown = panel(show(browser, firm), "notified")
    assert shown.count("checked") == 2
    assert "处室研究后书面答复" in shown and "登记到" not in shown.partition("review")[0]
    assert "已退回" in shown or "重新审核" in shown


def test_one_call_settles_all_letters_of_the_firm(browser, coordinator):
    firm, other = waiting(1), waiting(2, phone=OTHER_LINE)
    assert told(browser, firm).status_code == 302
    assert (to_tell(firm), len(to_tell(other))) == ([], 2)
    (call,) = NoticeCall.objects.all()
    assert (call.by, call.notices.count(), call.gist.open()) == (coordinator, 2, "都说清楚了")
    assert not CallRecord.objects.exists()


def test_letter_that_was_not_told_keeps_waiting(browser):
    firm = waiting(1)
    first, second = to_tell(firm)
    told(browser, firm, keys=[second])
    assert to_tell(firm) == [first]


def test_letter_of_another_firm_cannot_be_settled(browser):
    firm, other = waiting(1), waiting(2, phone=OTHER_LINE)
    answer = told(browser, firm, keys=to_tell(other))
    assert answer.status_code == 200
    assert len(to_tell(firm, other)) == 4


def test_call_without_gist_is_explained_and_the_choice_is_kept(browser):
    firm = waiting(1)
    first, _ = to_tell(firm)
    shown = panel(
        press(browser, firm, "notified", letters=[first], outcome="reached", gist="").content.decode(),
        "notified",
    )
    assert shown.count(" checked") == 2  # the letter, and the outcome
    assert len(to_tell(firm)) == 2


def test_every_attempt_is_shown_the_latest_first(browser):
    firm = waiting(1, "booking_received")
    told(browser, firm, outcome="no_answer")
    with time_machine.travel(NOW + SOON, tick=False):
        press(browser, firm, "call", outcome="no_answer", gist="仍无人接")
    with time_machine.travel(NOW + 2 * SOON, tick=False):
        told(browser, firm)
    page = show(browser, firm)
    shown = re.findall(r"\d+月\d+日 \d\d:\d\d", page[page.index('id="calls"') :].partition("</section>")[0])
    assert shown == ["11月20日 10:20", "11月20日 10:10", "11月20日 10:00"]
    assert "已接通并告知：登记已收到" in page


def test_screen_of_one_firm_does_not_show_the_calls_of_another(browser):
    firm, other = waiting(1), waiting(2, phone=OTHER_LINE)
    told(browser, firm)
    assert "还没有通话记录" in show(browser, other)


# --- Confirmed and given up on the telephone -------------------------------------------------------------------------
@pytest.mark.parametrize("act, stage", [("confirm_seat", Stage.SEATED), ("give_up", Stage.ACCEPTED)])
def test_act_on_behalf_of_a_firm_keeps_the_call(browser, coordinator, act, stage):
    firm, other = made.seated(1), made.seated(2)
    assert press(browser, firm, act, outcome="reached", gist="王经理说的").status_code == 302
    firm.refresh_from_db()
    record = CallRecord.objects.get()
    assert (firm.stage, record.appointment, record.by, record.gist) == (
        stage,
        firm,
        coordinator,
        "王经理说的",
    )
    assert bool(firm.seat and firm.seat.confirmed_at) == (act == "confirm_seat")
    assert Entry.objects.filter(verb=Verb.CALLED, about_id=str(firm.pk)).count() == 1
    assert not Seat.objects.get(pk=other.seat_id).confirmed_at


@pytest.mark.parametrize("act", ["confirm_seat", "give_up"])
@pytest.mark.parametrize("typed", [{}, {"outcome": "reached"}, {"gist": "王经理说的"}])
def test_act_on_behalf_of_a_firm_needs_outcome_and_gist(browser, act, typed):
    firm = made.seated(1)
    answer = press(browser, firm, act, **typed)
    assert answer.status_code == 200
    assert "需要修改" in panel(answer.content.decode(), act)
    assert Seat.objects.get(pk=firm.seat_id).uscc and not CallRecord.objects.exists()


@pytest.mark.parametrize("act", ["confirm_seat", "give_up"])
@pytest.mark.parametrize("outcome", ["no_answer", "wrong_number"])
def test_act_on_behalf_of_a_firm_that_was_not_reached_is_refused(browser, act, outcome):
    firm = made.seated(1)
    answer = press(browser, firm, act, outcome=outcome, gist="没人接，下午再打")
    shown = panel(answer.content.decode(), act)
    assert answer.status_code == 409
    assert "请先电话沟通" in shown and "电话记录" in shown and "没人接，下午再打" in shown
    assert not Seat.objects.get(pk=firm.seat_id).confirmed_at and not CallRecord.objects.exists()


def test_firm_without_mobile_needs_no_second_call_for_what_it_said(browser):
    firm = made.seated(1, phone=LAND_LINE)
    press(browser, firm, "confirm_seat", outcome="reached", gist="参加，时间地点已复述")
    assert to_tell(firm) == []
    page = show(browser, firm)
    assert page.count("参加，时间地点已复述") == 1


def test_declined_firm_without_mobile_needs_no_second_call(browser):
    firm = made.appointment(1, phone=LAND_LINE)
    typed = {"reason": "complaint", "explanation": "请拨打12345。", "version": 1}
    press(browser, firm, "decline", outcome="reached", gist="已说明理由", **typed)
    assert (Appointment.objects.get().stage, to_tell(firm)) == (Stage.DECLINED, [])


# --- 号码有误 --------------------------------------------------------------------------------------------------------
def wrong_number_of_letters(browser, firm):
    told(browser, firm, outcome="wrong_number")


def wrong_number_of_a_call(browser, firm):
    press(browser, firm, "call", outcome="wrong_number", gist="对方说打错了")


WRONG = [wrong_number_of_letters, wrong_number_of_a_call]


def correct(browser, firm, **changes):
    values = {"contact_name": firm.contact_name, "phone": RIGHT, "email": "", "address": "", "postcode": ""}
    return press(browser, firm, "contact", **values | {"reason": WHY} | changes)


@pytest.mark.parametrize("wrong", WRONG)
def test_firm_with_a_wrong_number_stands_in_the_list_until_it_is_corrected(browser, wrong):
    firm, other = waiting(1), waiting(2, phone=OTHER_LINE)
    wrong(browser, firm)
    shown = worklist(browser, "unreachable")
    assert f'href="{address(firm)}#panel-contact"' in shown
    assert other.enterprise_name not in shown
    assert " open" in panel(show(browser, firm), "contact").partition(">")[0]
    with time_machine.travel(NOW + SOON, tick=False):
        assert correct(browser, firm).status_code == 302
        assert "没有联系不上的企业" in worklist(browser, "unreachable")


@pytest.mark.parametrize("wrong", WRONG)
def test_firm_with_a_wrong_number_stands_in_the_list_until_it_is_dismissed(browser, wrong):
    firm = waiting(1)
    wrong(browser, firm)
    press(browser, firm, "unreachable", reason="查不到别的号码")
    assert "没有联系不上的企业" in worklist(browser, "unreachable")
    entry = Entry.objects.get(verb=Verb.UNREACHABLE_DISMISSED)
    assert entry.facts == {"reason": "查不到别的号码"}
    assert not panel(show(browser, firm), "unreachable")


def test_firm_that_is_reached_after_all_leaves_the_list(browser):
    firm = waiting(1)
    wrong_number_of_a_call(browser, firm)
    with time_machine.travel(NOW + SOON, tick=False):
        press(browser, firm, "call", outcome="no_answer", gist="没人接")
        assert firm.enterprise_name in worklist(browser, "unreachable")
        press(browser, firm, "call", outcome="reached", gist="原来按错了键")
        assert firm.enterprise_name not in worklist(browser, "unreachable")


def test_firm_that_hears_its_letters_after_all_leaves_the_list(browser):
    firm, other = waiting(1), waiting(2, phone=OTHER_LINE)
    wrong_number_of_a_call(browser, firm)
    with time_machine.travel(NOW + SOON, tick=False):
        told(browser, other)
        assert firm.enterprise_name in worklist(browser, "unreachable")
        told(browser, firm)
        assert firm.enterprise_name not in worklist(browser, "unreachable")


def test_correction_of_the_address_alone_does_not_find_the_firm(browser):
    firm = waiting(1)
    wrong_number_of_a_call(browser, firm)
    with time_machine.travel(NOW + SOON, tick=False):
        correct(browser, firm, phone="0580-2000123", address="新路1号")
        assert firm.enterprise_name in worklist(browser, "unreachable")


def test_firm_that_amends_its_telephone_leaves_the_list(browser):
    firm = waiting(1)
    wrong_number_of_a_call(browser, firm)
    Appointment.objects.update(amended_at=NOW + SOON)
    assert firm.enterprise_name not in worklist(browser, "unreachable")


def test_ended_registration_without_letters_is_not_searched_for(browser):
    firm = made.appointment(1, stage=Stage.ACCEPTED)
    wrong_number_of_a_call(browser, firm)
    Appointment.objects.update(stage=Stage.WITHDRAWN)
    assert "没有联系不上的企业" in worklist(browser, "unreachable")


def test_corrected_number_gets_what_could_not_be_told(browser):
    firm, other = waiting(1, "review_reopened"), waiting(2, "review_reopened", phone=OTHER_LINE)
    wrong_number_of_letters(browser, firm)
    correct(browser, firm)
    found = [letter for letter in Notice.objects.filter(channel=Channel.SMS) if letter.to.open() == RIGHT]
    assert {letter.kind for letter in found} == {"review_reopened", "contact_corrected"}
    assert len(to_tell(other)) == 1


def test_dismissal_begins_the_term_that_the_firm_could_not_be_told_of(browser):
    firm = made.seated(1, phone=LAND_LINE)
    Seat.objects.filter(pk=firm.seat_id).update(reply_by=None)
    letters.write("seat_offered", firm, at=NOW, **letters.seat_params(firm))
    told(browser, firm, outcome="wrong_number")
    assert Seat.objects.get(pk=firm.seat_id).reply_by is None
    press(browser, firm, "unreachable", reason="查不到别的号码")
    assert Seat.objects.get(pk=firm.seat_id).reply_by == NOW + 2 * DAY


def test_firm_that_cannot_be_asked_is_in_the_list_and_not_in_limbo(browser):
    firm = waiting(1, "deferred", stage=Stage.DEFERRED)
    made.released(firm, "水处", "请先办理排水许可。", by=made.officer("处室负责人", "水处"))
    Appointment.objects.filter(pk=firm.pk).update(submitted_at=NOW - 9 * DAY)
    firm.moves.update(at=NOW - 9 * DAY)
    told(browser, firm, outcome="wrong_number")
    holes = [found.hole.name for found in limbo.search(NOW) if found.record == firm]
    assert firm.enterprise_name in worklist(browser, "unreachable")
    assert holes == []
    press(browser, firm, "unreachable", reason="查不到别的号码")
    firm.refresh_from_db()
    assert facts_of(firm, NOW).answer_by
    assert [found.hole.name for found in limbo.search(NOW) if found.record == firm] == []


def test_firm_that_can_be_reached_cannot_be_dismissed(coordinator):
    with pytest.raises(calls.NotUnreachable):
        calls.dismiss(waiting(1), "不想打", by=coordinator, at=NOW)


# --- 更正联系方式 on the screen --------------------------------------------------------------------------------------
def test_correction_on_the_screen_is_shown_with_its_reason(browser, coordinator):
    firm = made.appointment(1)
    assert correct(browser, firm).status_code == 302
    page = show(browser, firm)
    assert "139 0000 0009" in page
    assert f"{WHY}" in page and coordinator.name in page


def test_wrong_input_of_a_correction_is_explained_and_kept(browser):
    firm = made.appointment(1)
    answer = correct(browser, firm, phone="139000", email="new@example", reason="")
    shown = panel(answer.content.decode(), "contact")
    assert "可以拨通的号码" in shown and "邮箱地址不完整" in shown
    assert 'value="139000"' in shown and 'value="new@example"' in shown


def test_reason_with_a_number_is_explained_at_its_field(browser):
    firm = made.appointment(1)
    shown = panel(correct(browser, firm, reason="打13800001234联系上的").content.decode(), "contact")
    assert "请不要写手机号码" in shown and "打13800001234联系上的" in shown


def test_officer_who_read_an_older_contact_decides_again(browser):
    firm = made.appointment(1)
    mark = re.search(r'name="version" value="(\w+)"', panel(show(browser, firm), "contact"))[1]
    correct(browser, firm)
    answer = correct(browser, firm, phone="0580-2000999", version=mark)
    shown = panel(answer.content.decode(), "contact")
    assert answer.status_code == 409
    assert "刚刚有变动" in shown and 'value="0580-2000999"' in shown
    again = re.search(r'name="version" value="(\w+)"', shown)[1]
    assert correct(browser, firm, phone="0580-2000999", version=again).status_code == 302


def test_only_those_who_telephone_see_the_number_in_full(browser, signed_in, leader):
    firm = made.appointment(1, phone=RIGHT, email="wang@example.com")
    assert "139 0000 0009" in show(browser, firm) and "wang@example.com" in show(browser, firm)
    page = show(signed_in(leader), firm)
    assert "139****0009" in page and "w***@example.com" in page
    assert "139 0000 0009" not in page and "tel:" not in page and "wang@" not in page


@pytest.mark.parametrize("outcome", CallOutcome)
def test_leader_is_offered_no_button_that_would_refuse(signed_in, leader, coordinator, outcome):
    firm = waiting(1)
    calls.record_call(firm, calls.Call(outcome, "谈过"), by=coordinator, at=NOW)
    page = show(signed_in(leader), firm)
    assert [act for act in ("notified", "call", "contact", "unreachable") if panel(page, act)] == []
