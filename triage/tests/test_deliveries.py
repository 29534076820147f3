"""A term runs from when the words reached the firm (六（五）（六）): offers, the time to answer, and the time to say 未解决."""

from datetime import date, datetime, timedelta

import pytest
from django.test import override_settings

from appointments import booking, facts, letters
from appointments.facts import NotOpen
from appointments.lifecycle import Stage
from appointments.models import Appointment
from appointments.situation import FirmAct, Turn
from sessions_app import calendar
from sessions_app.models import Seat
from triage import closing, hearing, seating, standby, worklists
from triage.models import AssignmentState, Outcome, Reply
from triage.tests import factories as made
from triage.tests.factories import DAY, MEMORY, NOW
from zhoushan_consult.outbox import delivery, telephone
from zhoushan_consult.outbox.adapters import Adapter, TemporaryFailure
from zhoushan_consult.outbox.models import CallOutcome, Channel, Notice

pytestmark = pytest.mark.django_db


class DownAdapter(Adapter):
    """A gateway that does not answer."""

    def send(self, notice: Notice) -> str:
        raise TemporaryFailure("网关没有应答")


def at(text: str) -> datetime:
    """The instant "12-02 10:00": December is in 2026, January in 2027."""
    year = 2027 if text.startswith("0") else 2026
    return datetime.fromisoformat(f"{year}-{text}+08:00")


SECOND = at("12-02 10:00")


def sweep(*adapters: str, at: datetime) -> None:
    """One round of the outbox, over SMS and e-mail by these adapters."""
    sms, email = adapters
    with override_settings(OUTBOX_ADAPTERS={"sms": sms, "email": email}):
        delivery.deliver_due(at)


DOWN = f"{__name__}.DownAdapter"


def fresh(firm: Appointment) -> Appointment:
    return Appointment.objects.select_related("day", "seat").get(pk=firm.pk)


def run(duty, moment: datetime) -> int:
    return duty.run("", moment, moment)


@pytest.fixture
def listed(coordinator):
    """Eleven firms of which ten are offered a seat on the 2nd; nothing is sent yet."""
    firms = [made.appointment(n, stage=Stage.ACCEPTED) for n in range(1, 12)]
    for firm in firms:
        made.assignment(firm, "水处", by=coordinator)
    seating.settle(firms[0].day, by=coordinator, at=SECOND)
    return [fresh(firm) for firm in firms]


# --- An offer ---------------------------------------------------------------------------------------------------------
def test_offer_does_not_lapse_while_the_gateway_is_down(listed):
    """Two days and an hour without a gateway: no seat is lost, the firm can confirm, 综合处 sees it, and then it has its time."""
    first, waits = listed[0], listed[10]
    for hours in (0, 1, 24, 48, 49):
        sweep(DOWN, DOWN, at=SECOND + timedelta(hours=hours))
        run(seating.FILL, SECOND + timedelta(hours=hours))
    late = SECOND + timedelta(hours=49)
    assert {fresh(firm).stage for firm in listed[:10]} == {Stage.SEATED}
    assert fresh(first).seat.reply_by is None and fresh(waits).stage == Stage.DEFERRED
    known = facts.read(fresh(first), late)
    assert FirmAct.CONFIRM in known.firm_acts and known.next.turn == Turn.OFFICE
    assert list(worklists.undelivered_offers(late)) == listed[:10]

    back = SECOND + timedelta(days=3)
    sweep(MEMORY, MEMORY, at=back)
    assert {fresh(firm).seat.reply_by for firm in listed[:10]} == {at("12-07 10:00")}
    assert not worklists.undelivered_offers(back).exists()
    assert run(seating.FILL, at("12-07 10:00")) == 0
    run(seating.FILL, at("12-07 10:01"))
    assert fresh(first).stage == Stage.ACCEPTED and fresh(waits).stage == Stage.SEATED


def test_message_that_is_late_moves_the_end_of_the_offer(listed):
    sweep(MEMORY, MEMORY, at=SECOND + timedelta(hours=5))
    assert fresh(listed[0]).seat.reply_by == at("12-04 15:00")
    told = Notice.objects.get(kind="seat_offered", channel=Channel.SMS, about_id=str(listed[0].pk)).text
    assert "请在12月4日（周五）15:00前确认" in told


@pytest.mark.parametrize(
    ("delivered", "until"),
    [
        ("12-02 10:01", "12-04 11:00"),  # the next whole hour
        ("12-02 20:30", "12-05 08:00"),  # not at night
        ("12-08 09:00", "12-09 18:00"),  # never past the evening before
        ("12-09 17:59", "12-09 18:00"),
    ],
)
def test_letter_and_seat_name_the_same_end(listed, delivered, until):
    sweep(MEMORY, MEMORY, at=at(delivered))
    assert fresh(listed[0]).seat.reply_by == at(until)
    told = Notice.objects.get(kind="seat_offered", channel=Channel.SMS, about_id=str(listed[0].pk)).text
    assert f"请在{calendar.moment(at(until))}前确认" in told


def test_offer_told_on_the_telephone_runs_from_the_call(coordinator):
    firm = made.appointment(1, stage=Stage.ACCEPTED, phone="+865802021234")
    seating.settle(firm.day, by=coordinator, at=SECOND)
    call = Notice.objects.get(kind="seat_offered", channel=Channel.CALL)
    sweep(MEMORY, MEMORY, at=SECOND)
    telephone.record_call(
        [call], by=coordinator, at=at("12-03 09:00"), outcome=CallOutcome.NO_ANSWER, gist="无人接听"
    )
    assert fresh(firm).seat.reply_by is None
    telephone.record_call(
        [call], by=coordinator, at=at("12-03 14:20"), outcome=CallOutcome.REACHED, gist="已告知"
    )
    assert fresh(firm).seat.reply_by == at("12-05 15:00")


def test_offer_is_not_sent_once_it_could_not_be_answered_any_more(listed):
    sweep(MEMORY, MEMORY, at=at("12-09 18:00"))
    assert fresh(listed[0]).seat.reply_by is None
    assert (
        not Notice.objects.filter(kind="seat_offered", sent_at__isnull=False).exclude(channel="page").exists()
    )


def test_firm_that_the_offer_never_reached_keeps_its_right_and_the_seat_goes_on(listed, coordinator):
    """On the eve its seat is free for who waits at the door; the firm is told, and comes first next time."""
    first, prior = listed[0], listed[1]
    Appointment.objects.filter(pk=prior.pk).update(priority_since=at("11-11 12:00"))
    booking.confirm_seat(listed[2], at=at("12-03 09:00"))
    run(seating.FILL, at("12-09 18:00"))
    assert fresh(first).stage == Stage.SEATED
    run(seating.FILL, at("12-09 18:01"))
    assert [fresh(firm).stage for firm in (first, prior)] == [Stage.DEFERRED] * 2
    assert [fresh(firm).priority_since for firm in (first, prior)] == [SECOND, at("11-11 12:00")]
    assert fresh(listed[2]).stage == Stage.SEATED
    assert not Notice.objects.filter(kind="seat_lapsed").exists()
    told = Notice.objects.get(kind="deferred", channel=Channel.PAGE, about_id=str(first.pk)).text
    assert "现场已来不及安排" in told and "名额已满" not in told

    again = booking.ask_for_seat_again(fresh(first), at=at("12-09 19:00"))
    assert (again.day.date, again.priority_since) == (date(2027, 1, 10), SECOND)
    assert standby.call_in(fresh(listed[10]), by=coordinator, at=at("12-10 08:45")).number


def test_confirmed_seat_needs_no_delivery(listed):
    booking.confirm_seat(listed[0], at=SECOND)
    sweep(MEMORY, MEMORY, at=SECOND + timedelta(minutes=1))
    run(seating.FILL, at("12-09 18:01"))
    assert fresh(listed[0]).stage == Stage.SEATED
    assert not Notice.objects.filter(
        kind="seat_offered", about_id=str(listed[0].pk), channel=Channel.SMS, sent_at__isnull=False
    ).exists()


# --- The time to answer -----------------------------------------------------------------------------------------------
@pytest.fixture
def asked(coordinator):
    """A firm at each stage in which it is asked, with its reply; nothing of it is sent yet."""

    def make(stage: Stage) -> Appointment:
        number = list(Stage).index(stage)
        onsite = stage not in (Stage.ANSWERED,)
        firm = made.appointment(number, stage=stage, wants_onsite=onsite)
        given = made.assignment(
            firm, "水处", by=coordinator, state=AssignmentState.RELEASED, released_at=at("12-11 09:00")
        )
        Reply.objects.create(assignment=given, body="可以。", drafted_by=coordinator, drafted_at=NOW)
        letters.write("reply_released", firm, at=at("12-11 09:00"), assignment=given.pk)
        return firm

    return make


@pytest.mark.parametrize("stage", [Stage.DEFERRED, Stage.ANSWERED, Stage.HEARD, Stage.ABSENT])
def test_silence_closes_a_registration_after_its_time_from_delivery(asked, stage):
    firm, bystander = asked(stage), made.appointment(30, stage=stage)
    for day in ("12-11 09:00", "12-16 09:00"):
        sweep(DOWN, DOWN, at=at(day))
    assert facts.facts_of(fresh(firm), at("12-16 09:00")).answer_by is None
    assert run(closing.CLOSE_UNANSWERED, at("01-20 09:20")) == 0

    sweep(MEMORY, MEMORY, at=at("12-18 09:00"))
    assert facts.facts_of(fresh(firm), at("12-18 09:00")).answer_by == at("01-02 09:00")
    assert run(closing.CLOSE_UNANSWERED, at("01-02 09:00")) == 0
    assert run(closing.CLOSE_UNANSWERED, at("01-02 09:01")) == 1
    assert fresh(firm).stage == Stage.CLOSED and fresh(bystander).stage == stage


def test_later_reply_gives_the_firm_its_time_again(asked, coordinator):
    firm = asked(Stage.ANSWERED)
    sweep(MEMORY, MEMORY, at=at("12-11 09:00"))
    given = made.assignment(
        firm, "大气处", by=coordinator, state=AssignmentState.RELEASED, released_at=at("12-20 09:00")
    )
    Reply.objects.create(assignment=given, body="补充。", drafted_by=coordinator, drafted_at=NOW)
    letters.write("reply_released", firm, at=at("12-20 09:00"), key="2", assignment=given.pk)
    assert facts.facts_of(firm, at("12-20 09:00")).answer_by is None
    sweep(MEMORY, MEMORY, at=at("12-20 09:30"))
    assert facts.facts_of(firm, at("12-20 10:00")).answer_by == at("01-04 10:00")


def test_firm_heard_on_the_day_is_asked_from_when_the_result_reached_it(coordinator):
    firm = made.seated(1, confirmed=True)
    hearing.conclude(firm, Outcome.SOLVED, "已说明", [], by=coordinator, at=at("12-10 10:00"))
    assert facts.read(fresh(firm), at("12-10 11:00")).next.by is None
    sweep(MEMORY, MEMORY, at=at("12-12 10:30"))
    assert facts.read(fresh(firm), at("12-12 11:00")).next.by == at("12-27 11:00")
    assert run(closing.CLOSE_UNANSWERED, at("12-27 11:01")) == 1


# --- The time to say 未解决 ---------------------------------------------------------------------------------------------
def test_time_to_say_unsolved_begins_when_the_closing_has_reached_the_firm(asked):
    firm = asked(Stage.ANSWERED)
    sweep(MEMORY, MEMORY, at=at("12-11 09:00"))
    assert run(closing.CLOSE_UNANSWERED, at("12-27 09:20")) == 1
    sweep(DOWN, DOWN, at=at("12-27 09:20"))
    known = facts.read(fresh(firm), at("02-10 09:00"))
    assert FirmAct.UNSOLVED in known.firm_acts
    assert "如仍未解决，可以在本页反馈" in known.next.what

    sweep(MEMORY, MEMORY, at=at("02-10 09:10"))
    known = facts.read(fresh(firm), at("02-11 09:00"))
    assert "如仍未解决，3月12日（周五）10:00前可以在本页反馈" in known.next.what
    assert FirmAct.UNSOLVED in facts.read(fresh(firm), at("03-12 10:00")).firm_acts
    assert FirmAct.UNSOLVED not in facts.read(fresh(firm), at("03-12 10:01")).firm_acts


def test_firm_that_closed_its_registration_itself_knows_it_at_once(asked):
    firm = asked(Stage.DEFERRED)
    booking.written_reply_is_enough(firm, at=at("12-11 10:00"))
    assert facts.facts_of(fresh(firm), at("12-11 10:00")).reopen_until == at("01-10 10:00")


# --- On both screens -----------------------------------------------------------------------------------------------------
def test_offers_that_did_not_arrive_stand_first_on_the_first_page(
    listed, coordinator, signed_in, time_machine
):
    time_machine.move_to(SECOND + timedelta(hours=3), tick=False)
    browser = signed_in(coordinator)
    page = browser.get("/admin/").content.decode()
    assert page.index("名额通知未送达") < page.index("待初审")
    assert page.count("没有送达之前，确认期限不开始计算") == worklists.PREVIEW_ROWS
    day = browser.get(f"/admin/sessions_app/consultday/{listed[0].day_id}/change/").content.decode()
    assert day.count("通知还没有送达") == 10
    sweep(MEMORY, MEMORY, at=SECOND + timedelta(hours=3))
    page = browser.get("/admin/").content.decode()
    assert "没有送达之前，确认期限不开始计算" not in page


def test_offer_is_among_those_that_did_not_arrive_until_the_day_begins(listed):
    Seat.objects.filter(day__date=DAY).exclude(number=1).update(confirmed_at=SECOND)
    assert list(worklists.undelivered_offers(at("12-10 08:29"))) == listed[:1]
    assert not worklists.undelivered_offers(at("12-10 08:30")).exists()
    assert not worklists.undelivered_offers(at("12-11 09:00")).exists()
    with pytest.raises(NotOpen):
        booking.confirm_seat(listed[0], at=at("12-10 08:30"))
