"""优先资格 (六（五）：可在下次活动时予以优先安排): it goes where it can be used, and is lost only by use or by the firm's own act."""

from datetime import date, datetime

import pytest

from appointments import booking, facts
from appointments.facts import NotOpen
from appointments.lifecycle import Stage
from appointments.models import Appointment, Verdict
from appointments.situation import FirmAct, consequence
from sessions_app.days import day_on
from triage import closing, limbo, plan_changes, replies, review, seating, supplements, work
from triage.models import Assignment, AssignmentState, DeclineReason
from triage.tests import acts
from triage.tests import factories as made
from zhoushan_consult.outbox.models import Channel, Notice

pytestmark = pytest.mark.django_db
DAY, JANUARY, FEBRUARY = made.DAY, date(2027, 1, 10), date(2027, 2, 10)


def at(text: str) -> datetime:
    """The instant "12-02 10:00": December is in 2026, January in 2027."""
    year = 2027 if text.startswith("0") else 2026
    return datetime.fromisoformat(f"{year}-{text}+08:00")


ASKED = at("12-03 12:00")


def fresh(firm: Appointment) -> Appointment:
    return Appointment.objects.select_related("day", "seat", "handed_to__day").get(pk=firm.pk)


@pytest.fixture
def deferred(coordinator):
    """A firm that got no seat on 10 December; its question is open at 水处."""
    firm = made.appointment(1, stage=Stage.DEFERRED)
    made.assignment(firm, "水处", by=coordinator)
    return firm


def own(deferred: Appointment, on: date = JANUARY, **columns) -> Appointment:
    """The registration that the same firm made for a later day."""
    return made.appointment(1, **({"on": on, "submitted_at": at("12-01 09:00")} | columns))


def ask(firm: Appointment, when: datetime = ASKED) -> Appointment:
    return booking.ask_for_seat_again(fresh(firm), at=when)


def told(kind: str, firm: Appointment) -> str:
    return Notice.objects.get(kind=kind, channel=Channel.PAGE, about_id=str(firm.pk)).text


# --- Where it goes --------------------------------------------------------------------------------------------------------
def test_firm_without_another_registration_is_carried_over(deferred):
    assert ask(deferred) == deferred
    carried = fresh(deferred)
    assert (carried.day.date, carried.stage, carried.priority_since) == (JANUARY, Stage.ACCEPTED, ASKED)
    assert Assignment.objects.get(appointment=carried).state == AssignmentState.OPEN


def test_own_registration_takes_the_priority_and_the_first_question_is_still_answered(deferred, coordinator):
    later, bystander = own(deferred), made.appointment(2, on=JANUARY)
    assert ask(deferred) == later
    first = fresh(deferred)
    assert (first.day.date, first.stage, first.wants_onsite) == (DAY, Stage.ACCEPTED, False)
    assert (fresh(later).priority_since, fresh(bystander).priority_since) == (ASKED, None)
    assert Assignment.objects.get(appointment=first).state == AssignmentState.OPEN
    assert later.reference in told("priority_moved", first)
    # Answered in writing, as every firm that was accepted.
    Assignment.objects.filter(appointment=first).update(state=AssignmentState.RELEASED)
    assert replies.mark_answered(at=at("12-04 12:00")) == 1
    assert fresh(first).stage == Stage.ANSWERED


@pytest.mark.parametrize(
    "cannot",
    [
        {"wants_onsite": False},
        {"stage": Stage.ANSWERED, "wants_onsite": False},
        {"stage": Stage.DEFERRED},
        {"stage": Stage.FOLLOWING},
    ],
    ids=["in writing", "answered", "deferred", "followed"],
)
def test_registration_that_cannot_use_the_priority_is_passed_over(deferred, cannot):
    later = own(deferred, **cannot)
    assert ask(deferred) == deferred
    assert (fresh(deferred).day.date, fresh(deferred).priority_since) == (FEBRUARY, ASKED)
    assert fresh(later).priority_since is None and fresh(later).wants_onsite == later.wants_onsite
    assert "2月10日（周三）" in told("priority_granted", deferred)


def test_page_promises_the_day_to_which_the_firm_would_be_carried(deferred):
    own(deferred, wants_onsite=False)
    assert "2月10日（周三）优先安排" in facts.read(deferred, ASKED).next.what


def test_earlier_claim_of_the_own_registration_stays(deferred):
    later = own(deferred, priority_since=at("11-11 12:00"))
    ask(deferred)
    assert fresh(later).priority_since == at("11-11 12:00")


def test_handed_over_registration_says_so_and_asks_for_no_seat(deferred):
    own(deferred)
    ask(deferred)
    known = facts.read(fresh(deferred), at("12-04 09:00"))
    assert known.standing == "现场咨询的优先资格已转到贵单位1月10日（周日）的登记。"
    assert FirmAct.STILL_ONSITE not in known.firm_acts
    assert "优先资格" not in asked_once(deferred, at("12-04 09:00"))


def asked_once(firm: Appointment, now: datetime) -> str:
    """What the page names before the firm withdraws."""
    return consequence(FirmAct.WITHDRAW, facts.facts_of(fresh(firm), now))


# --- When it comes back ---------------------------------------------------------------------------------------------------
def withdrawn(later, coordinator):
    booking.withdraw(fresh(later), at=at("12-20 10:00"))


def declined(later, coordinator):
    who = {"by": coordinator, "at": at("12-20 10:00")}
    review.decline(fresh(later), DeclineReason.COMPLAINT, "请拨12369", acts.REACHED, version=1, **who)


def voided(later, coordinator):
    caller = {"contact_name": "李四", "phone": "+8613700000001", "text": "不是我们"}
    objection = acts.additions.object_to(fresh(later), **caller, at=at("12-20 09:00"))
    supplements.decide(objection, Verdict.VOID, "已核实", by=coordinator, at=at("12-20 10:00"))


each_end = pytest.mark.parametrize("end", [withdrawn, declined, voided])


@each_end
@pytest.mark.parametrize("stage", [Stage.ACCEPTED, Stage.ANSWERED, Stage.CLOSED])
def test_priority_comes_back_where_the_own_registration_ends_unused(deferred, coordinator, end, stage):
    later = own(deferred)
    ask(deferred)
    Appointment.objects.filter(pk=deferred.pk).update(stage=stage)
    end(later, coordinator)
    first = fresh(deferred)
    assert (first.stage, first.wants_onsite, first.handed_to) == (Stage.DEFERRED, True, None)
    assert first.priority_since == ASKED
    assert "优先资格退回到本登记" in told("priority_returned", first)
    # And can be used: with the date from which it counts.
    again = ask(first, at("12-21 10:00"))
    assert (again, fresh(again).day.date, fresh(again).priority_since) == (first, JANUARY, ASKED)


def test_firm_has_its_time_to_answer_again_when_the_priority_comes_back(deferred, coordinator):
    made.deliver(at("12-04 09:00"))
    later = own(deferred)
    ask(deferred)
    Assignment.objects.filter(appointment=deferred).update(state=AssignmentState.RELEASED)
    declined(later, coordinator)
    assert facts.read(fresh(deferred), at("12-20 10:01")).next.by is None
    made.deliver(at("12-20 10:05"))
    assert facts.read(fresh(deferred), at("12-20 10:10")).next.by == at("01-04 11:00")
    assert closing.close_unanswered("", at("01-04 11:00"), at("01-04 11:00")) == 0
    assert closing.close_unanswered("", at("01-04 11:01"), at("01-04 11:01")) == 1


def test_page_that_asks_before_withdrawing_says_that_the_priority_comes_back(deferred):
    later = own(deferred)
    ask(deferred)
    says = asked_once(later, at("12-20 10:00"))
    assert "优先资格退回到贵单位12月10日（周四）的登记" in says and "用完" not in says


@pytest.mark.parametrize("leave", [booking.withdraw, booking.give_up_seat])
def test_priority_that_got_a_seat_does_not_come_back(deferred, coordinator, leave):
    later = own(deferred, stage=Stage.ACCEPTED)
    ask(deferred)
    seating.settle(later.day, by=coordinator, at=at("01-02 10:00"))
    assert fresh(later).stage == Stage.SEATED
    leave(fresh(later), at=at("01-03 10:00"))
    assert fresh(deferred).stage == Stage.ACCEPTED
    assert not Notice.objects.filter(kind="priority_returned").exists()


def test_priority_of_a_registration_that_the_firm_withdrew_does_not_come_back(deferred, coordinator):
    later = own(deferred)
    ask(deferred)
    booking.withdraw(fresh(deferred), at=at("12-10 12:00"))
    declined(later, coordinator)
    assert fresh(deferred).stage == Stage.WITHDRAWN


def test_priority_goes_with_the_own_registration_where_its_day_is_cancelled(deferred, leader):
    later = own(deferred, stage=Stage.ACCEPTED)
    ask(deferred)
    plan_changes.cancel(day_on(JANUARY), "台风", by=leader, at=at("01-05 10:00"))
    assert (fresh(later).day.date, fresh(later).priority_since) == (FEBRUARY, ASKED)
    booking.withdraw(fresh(later), at=at("01-06 10:00"))
    assert fresh(deferred).stage == Stage.DEFERRED


@pytest.mark.parametrize("stage", [Stage.SUBMITTED, Stage.ACCEPTED])
def test_priority_from_a_cancelled_day_comes_back_too(coordinator, leader, stage):
    """The firm registered for both days; the first is cancelled, the second registration declined."""
    firm = made.appointment(1, stage=stage, priority_since=at("11-11 12:00"))
    later = own(firm)
    plan_changes.cancel(day_on(DAY), "台风", by=leader, at=at("12-05 10:00"))
    assert fresh(firm).handed_to == later and fresh(later).priority_since == at("11-11 12:00")
    declined(later, coordinator)
    plan_changes.carry_latecomers(at=at("12-20 10:05"))
    first = fresh(firm)
    assert first.wants_onsite and first.priority_since == at("11-11 12:00")
    if stage == Stage.SUBMITTED:
        assert (first.day.date, first.stage) == (JANUARY, Stage.SUBMITTED)
    else:
        assert ask(first, at("12-21 10:00")).day.date == JANUARY


@pytest.mark.parametrize("onsite", [True, False])
def test_cancellation_passes_over_a_registration_in_writing(leader, onsite):
    firm = made.appointment(1, stage=Stage.ACCEPTED)
    later = own(firm, wants_onsite=onsite)
    plan_changes.cancel(day_on(DAY), "台风", by=leader, at=at("12-05 10:00"))
    carried = fresh(firm)
    assert (carried.day.date, carried.wants_onsite) == ((DAY, False) if onsite else (FEBRUARY, True))
    assert bool(fresh(later).priority_since) is onsite and fresh(later).wants_onsite is onsite


def test_cancellation_reaches_a_holder_who_had_asked_in_writing(leader):
    """局领导 gave it a seat; it must not stand before a closed door."""
    firm, bystander = (
        made.seated(1, confirmed=True, wants_onsite=False),
        made.appointment(2, wants_onsite=False),
    )
    plan_changes.cancel(day_on(DAY), "台风", by=leader, at=at("12-05 10:00"))
    carried = fresh(firm)
    assert (carried.day.date, carried.stage, carried.seat) == (JANUARY, Stage.ACCEPTED, None)
    assert carried.wants_onsite and carried.priority_since == made.NOW
    assert "12月10日（周四）的企业环保咨询日活动取消" in told("day_cancelled", carried)
    assert fresh(bystander).day.date == DAY


# --- Taking up again ------------------------------------------------------------------------------------------------------
def test_reconsidered_after_its_day_the_registration_joins_the_next_list(coordinator):
    firm = made.appointment(1, stage=Stage.DECLINED)
    review.reconsider(fresh(firm), "企业有异议", by=coordinator, at=at("12-11 09:00"))
    again = fresh(firm)
    assert (again.day.date, again.stage) == (JANUARY, Stage.SUBMITTED)
    assert "登记到1月10日（周日）这一期" in told("review_reopened", again)


def test_reconsidered_on_a_settled_list_the_registration_joins_the_next_one(coordinator):
    waits = made.appointment(2, stage=Stage.ACCEPTED)
    firm = made.appointment(1, stage=Stage.DECLINED)
    seating.settle(waits.day, by=coordinator, at=at("12-02 10:00"))
    review.reconsider(fresh(firm), "企业有异议", by=coordinator, at=at("12-03 09:00"))
    assert fresh(firm).day.date == JANUARY


@pytest.mark.parametrize("on", [DAY, JANUARY])
def test_reconsidering_a_firm_that_registered_anew_is_an_ordinary_sentence(coordinator, on, signed_in):
    firm = made.appointment(1, stage=Stage.DECLINED)
    own(firm, on=on)
    when = at("11-21 10:00") if on == DAY else at("12-11 09:00")
    with pytest.raises(NotOpen, match="另有一份登记正在办理，请在那份登记里继续办理"):
        review.reconsider(fresh(firm), "企业有异议", by=coordinator, at=when)
    assert fresh(firm).stage == Stage.DECLINED


def test_firm_accepted_after_its_day_is_told_and_asked_as_the_others(coordinator):
    firm = made.appointment(1, stage=Stage.SUBMITTED)
    day = day_on(DAY)
    day.settled_at = at("12-02 10:00")
    day.save()
    review.accept(fresh(firm), [acts.portion()], trace=made.trace(firm), by=coordinator, at=at("12-11 09:00"))
    seating.FILL.run("", at("12-11 09:01"), at("12-11 09:01"))
    assert fresh(firm).stage == Stage.DEFERRED
    assert "12月10日（周四）的活动已结束，贵单位没有排上现场" in told("deferred", firm)
    assert ask(firm, at("12-12 10:00")).day.date == JANUARY
    assert {found.hole.name for found in limbo.search(at("12-14 10:00"))} <= {"without_officer"}
    assert work.work_of(firm).open == 1
