"""A registration that ends takes 交办, 督办, letters and calls with it, in whichever way it ends; its neighbour keeps its own."""

from datetime import datetime, timedelta

import pytest
from django.conf import settings
from django.utils.module_loading import import_string

from appointments import booking, feedback, letters
from appointments.lifecycle import ENDED, Stage
from appointments.models import Appointment, Verdict
from sessions_app.models import Seat
from triage import closing, follow_up, limbo, review, seating, supplements
from triage.models import Assignment, AssignmentState, DeclineReason, FollowUp, Part
from triage.tests import acts, scenes
from triage.tests import factories as made
from triage.tests.scenes import EARLIER, MORNING, NOW, SECOND, Scene
from triage.work import UNFINISHED
from zhoushan_consult.bureau.roles import Role
from zhoushan_consult.outbox import delivery
from zhoushan_consult.outbox.models import OPEN, Channel, Notice, State

pytestmark = pytest.mark.django_db
WEEKS_LATER = datetime.fromisoformat("2026-12-28T10:00+08:00")
LANDLINE = "+865802021234"
TELLS_OF_THE_END = {
    "booking_withdrawn",
    "booking_voided",
    "closed",
    "deferral_closed",
    "feedback_closed",
    "review_declined",
    "seat_not_needed",
}


def busy(s: Scene, stage: Stage, **columns) -> None:
    """A firm without a mobile, at `stage`, with work in every state, a 督办, and letters and calls that wait."""
    s.firm = s.book(stage=Stage.ACCEPTED, phone=LANDLINE, **columns)
    s.answer(s.firm, "环评处")
    s.give(s.firm, question="待答复")
    s.give(s.firm, question="待审签", state=AssignmentState.DRAFTED)
    s.give(s.firm, "大气处", part=Part.SUPPORT)
    scenes.follow_up(s.firm)
    scenes.follow_up(s.firm, "综合处", origin=FollowUp.Origin.RATING)
    if stage == Stage.SEATED:
        s.seat(s.firm, told=False)
        letters.write("seat_offered", s.firm, at=EARLIER, **letters.seat_params(s.firm))
    Appointment.objects.filter(pk=s.firm.pk).update(stage=stage)
    s.firm.refresh_from_db()
    letters.write("review_accepted", s.firm, at=EARLIER)
    if stage == Stage.DEFERRED:
        letters.write("deferred", s.firm, at=EARLIER)


def fresh(firm: Appointment) -> Appointment:
    return Appointment.objects.select_related("day", "seat").get(pk=firm.pk)


def void(s: Scene) -> None:
    objection = acts.object_to(s)
    supplements.decide(objection, Verdict.VOID, "已核实", by=s.people.of(Role.COORDINATOR), at=s.at)


def close_last(s: Scene) -> None:
    for matter in FollowUp.objects.filter(appointment=s.firm):
        follow_up.close(matter, "已办", by=s.people.of(Role.COORDINATOR), at=s.at)


def decline(s: Scene) -> None:
    who = {"by": s.people.of(Role.COORDINATOR), "at": s.at}
    review.decline(s.firm, DeclineReason.COMPLAINT, "请拨12369", acts.REACHED, version=1, **who)


def close_registration(s: Scene) -> None:
    Assignment.objects.filter(appointment=s.firm, part=Part.LEAD, state__in=UNFINISHED).update(
        state=AssignmentState.RELEASED
    )
    closing.close_registration(s.firm, by=s.people.of(Role.COORDINATOR), at=s.at)


def silent(s: Scene) -> None:
    """The firm has its replies for weeks."""
    Assignment.objects.filter(appointment=s.firm, part=Part.LEAD).update(state=AssignmentState.RELEASED)
    theirs = Notice.objects.filter(about_id=str(s.firm.pk))
    theirs.filter(state__in=OPEN).update(state=State.SENT, sent_at=EARLIER, next_try_at=None)
    assert closing.close_unanswered("", WEEKS_LATER, WEEKS_LATER) == 1


WAYS = {
    "撤回，待初审": (Stage.SUBMITTED, lambda s: booking.withdraw(s.firm, at=s.at)),
    "撤回，通过初审": (Stage.ACCEPTED, lambda s: booking.withdraw(s.firm, at=s.at)),
    "撤回，有名额": (Stage.SEATED, lambda s: booking.withdraw(s.firm, at=s.at)),
    "撤回，先行书面答复": (Stage.DEFERRED, lambda s: booking.withdraw(s.firm, at=s.at)),
    "不予通过": (Stage.SUBMITTED, decline),
    "作废": (Stage.SEATED, void),
    "书面答复已够": (Stage.DEFERRED, lambda s: booking.written_reply_is_enough(s.firm, at=s.at)),
    "书面答复已够，不用来": (Stage.SEATED, lambda s: booking.written_reply_is_enough(s.firm, at=s.at)),
    "已解决，书面": (Stage.ANSWERED, lambda s: feedback.report_solved(s.firm, at=s.at)),
    "已解决，现场": (Stage.HEARD, lambda s: feedback.report_solved(s.firm, at=s.at)),
    "已解决，未到场": (Stage.ABSENT, lambda s: feedback.report_solved(s.firm, at=s.at)),
    "已解决，督办": (Stage.FOLLOWING, lambda s: feedback.report_solved(s.firm, at=s.at)),
    "督办办结": (Stage.FOLLOWING, close_last),
    "综合处办结": (Stage.HEARD, close_registration),
    "没有反馈，先行书面答复": (Stage.DEFERRED, silent),
    "没有反馈，书面": (Stage.ANSWERED, silent),
    "没有反馈，现场": (Stage.HEARD, silent),
}


@pytest.fixture
def ended(request) -> tuple[Scene, Scene]:
    """The registration after its end, and another that was in the same state and goes on."""
    stage, end = WAYS[request.param]
    people = scenes.world()
    own, other = Scene(people, 1), Scene(people, 2)
    for each in (own, other):
        busy(each, stage)
        each.at = SECOND
    if end is silent:
        # The neighbour waits for a reply.
        other.give(other.firm, "土壤处", question="还要答复")
    end(own)
    assert fresh(own.firm).stage in ENDED
    return own, other


each_way = pytest.mark.parametrize("ended", WAYS, indirect=True)


def unfinished(s: Scene) -> int:
    return Assignment.objects.filter(appointment=s.firm, state__in=UNFINISHED).count()


def followed(s: Scene) -> set[str]:
    return set(FollowUp.objects.filter(appointment=s.firm, closed_at=None).values_list("origin", flat=True))


def waiting_letters(s: Scene) -> set[str]:
    about = Notice.objects.filter(about_kind="appointments.appointment", about_id=str(s.firm.pk))
    return set(about.filter(state__in=OPEN).values_list("kind", flat=True))


@each_way
def test_work_ends_with_the_registration(ended):
    own, other = ended
    assert unfinished(own) == 0
    assert followed(own) - {FollowUp.Origin.RATING} == set()
    assert unfinished(other) >= 3
    assert followed(other) == {FollowUp.Origin.DAY, FollowUp.Origin.RATING}
    assert Assignment.objects.filter(appointment=own.firm, state=AssignmentState.RELEASED).exists()


@each_way
def test_letters_and_calls_that_are_not_true_any_more_go_with_the_registration(ended):
    own, other = ended
    there = waiting_letters(other)
    made.deliver(WEEKS_LATER)
    retract(WEEKS_LATER)
    assert waiting_letters(own) <= TELLS_OF_THE_END
    assert waiting_letters(other) <= there
    calls = {call.kind for call in delivery.calls_to_make() if call.about_id == str(own.firm.pk)}
    assert calls <= TELLS_OF_THE_END


def retract(at: datetime) -> None:
    (duty,) = [
        kind for kind in map(import_string, settings.DUTIES) if kind.name == "retract_outdated_letters"
    ]
    duty.run("", at, at)


@each_way
def test_nothing_is_left_with_nobody_when_a_registration_has_ended(ended):
    own, _ = ended
    left = {found.hole.name for found in limbo.search(WEEKS_LATER) if of(found.record) == own.firm.pk}
    assert left == set()


def of(record) -> int:
    return record.pk if isinstance(record, Appointment) else getattr(record, "appointment_id", 0)


@each_way
def test_seat_of_a_registration_that_has_ended_is_free(ended):
    own, other = ended
    assert not Seat.objects.filter(uscc=own.firm.uscc).exists()
    assert Seat.objects.filter(uscc=other.firm.uscc).exists() == (fresh(other.firm).stage == Stage.SEATED)


def test_reply_is_not_sent_to_a_firm_that_withdrew_before_it_left(coordinator):
    """Signed in the evening, withdrawn at night: in the morning no telephone rings for it."""
    firm = made.appointment(1, stage=Stage.ACCEPTED)
    given = made.released(firm, "水处", "可以。", by=coordinator)
    letters.write("reply_released", firm, at=NOW.replace(hour=22), assignment=given.pk)
    booking.withdraw(firm, at=NOW.replace(hour=23))
    made.deliver(NOW + timedelta(days=1))
    (sms,) = Notice.objects.filter(kind="reply_released", channel=Channel.SMS)
    assert (sms.state, sms.sent_at) == (State.CANCELLED, None)
    assert "已撤回" in sms.last_error


def test_written_reply_that_is_enough_frees_the_seat_for_the_next_firm_until_the_doors_open(coordinator):
    firms = [made.appointment(n, stage=Stage.ACCEPTED) for n in range(1, 12)]
    day = firms[0].day
    seating.settle(day, by=coordinator, at=SECOND)
    made.deliver(SECOND)
    first, waits = fresh(firms[0]), firms[10]
    for firm in firms[:10]:
        booking.confirm_seat(fresh(firm), at=SECOND)
    made.released(first, "水处", "可以。", by=coordinator)
    booking.written_reply_is_enough(fresh(first), at=SECOND + timedelta(hours=1))
    assert fresh(first).stage == Stage.CLOSED
    seating.fill(day, at=SECOND + timedelta(hours=1, minutes=1))
    assert fresh(waits).stage == Stage.SEATED
    second = fresh(firms[1])
    made.released(second, "水处", "可以。", by=coordinator)
    booking.written_reply_is_enough(second, at=MORNING)
    assert fresh(second).stage == Stage.CLOSED and not Seat.objects.filter(uscc=second.uscc).exists()
    assert Notice.objects.filter(kind="seat_not_needed", channel=Channel.SMS).count() == 2
