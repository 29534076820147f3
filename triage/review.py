"""初审 (六（三）): accept, decline with a reason and a recorded call, reconsider. 交办 is in `assignment`."""

from datetime import datetime

from django.db import IntegrityError, transaction

from appointments import letters, seat_moves
from appointments.facts import NotOpen, require
from appointments.lifecycle import Stage
from appointments.models import Appointment
from appointments.situation import OTHER_LIVE_STAFF, StaffAct
from sessions_app import calendar
from sessions_app.days import accepts_firms, first_open_day, lock_day
from zhoushan_consult.audit.trail import record
from zhoushan_consult.audit.verbs import Verb
from zhoushan_consult.bureau.models import Officer
from zhoushan_consult.bureau.refusals import Refused
from zhoushan_consult.bureau.roles import Act

from . import assignment, calls, work
from .calls import Call, CallFirst
from .models import CallOutcome, DeclineReason, Review, RoutingTrace


class ChangedMeanwhile(Refused):
    def __init__(self):
        super().__init__("企业刚刚修改了登记内容，本次操作没有生效。请重新查看后再决定。")


@transaction.atomic
def accept(
    appointment: Appointment,
    portions: list[assignment.AssignmentItem],
    *,
    trace: RoutingTrace,
    by: Officer,
    at: datetime,
) -> None:
    """通过初审 and 交办 in one act, each question with its division. Raises NotOpen, ChangedMeanwhile, NotAllowed.

    `trace`: the routing that the officer saw. It also tells which text they read.
    """
    by.must(Act.REVIEW)
    require(appointment, StaffAct.ACCEPT, at)
    if trace.appointment_id != appointment.pk:
        raise ChangedMeanwhile
    _must_be_unchanged(appointment, trace.appointment_version)
    appointment.move_to(Stage.ACCEPTED, by=by, at=at)
    Review.objects.create(appointment=appointment, accepted=True, trace=trace, by=by, at=at)
    assignment.assign(appointment, portions, trace, by=by, at=at)
    letters.write("review_accepted", appointment, at=at, key=_review_number(appointment))


@transaction.atomic
def decline(
    appointment: Appointment,
    reason: DeclineReason,
    explanation: str,
    call: Call,
    *,
    version: int,
    by: Officer,
    at: datetime,
) -> None:
    """不予通过: only after the firm was reached by telephone and told the reason. Raises CallFirst, NotOpen, ChangedMeanwhile."""
    by.must(Act.REVIEW)
    if call.outcome != CallOutcome.REACHED:
        raise CallFirst
    require(appointment, StaffAct.DECLINE, at)
    _must_be_unchanged(appointment, version)
    appointment.move_to(Stage.DECLINED, DeclineReason(reason).label, by=by, at=at)
    spoken = calls.store(appointment, call, by=by, at=at)
    made = Review.objects.create(
        appointment=appointment,
        accepted=False,
        reason=reason,
        explanation=explanation,
        call=spoken,
        by=by,
        at=at,
    )
    seat_moves.return_priority(appointment, by=by, at=at)
    letters.write("review_declined", appointment, at=at, key=_review_number(appointment), review=made.pk)
    calls.settle_heard(appointment, {"review_declined"}, call, by=by, at=at)


@transaction.atomic
def reconsider(appointment: Appointment, why: str, *, by: Officer, at: datetime) -> None:
    """Back to 待初审: a declined firm objected with reason, or an acceptance was wrong. Open 交办 are cancelled; the firm is told.

    Where the list of its day is closed by now, the registration joins the next one. Raises NotOpen: also where the firm
    has registered for that day again, because then that registration goes on.
    """
    by.must(Act.REVIEW)
    require(appointment, StaffAct.RECONSIDER, at)
    day = lock_day(appointment.day)
    if not accepts_firms(day, at=at):
        day = first_open_day(calendar.following(day.date), at=at)
    try:
        with transaction.atomic():
            appointment.move_to(Stage.SUBMITTED, "重新审核", by=by, at=at, day=day)
    except IntegrityError:
        raise NotOpen(OTHER_LIVE_STAFF) from None
    work.cancel_assignments(appointment, by=by, at=at)
    record(Verb.RECONSIDERED, appointment, by=by, at=at, why=why)
    letters.write("review_reopened", appointment, at=at, key=letters.key_at(at))


def _must_be_unchanged(appointment: Appointment, version: int) -> None:
    """The officer decides on the text they read. The row is locked, so that it cannot change before the act is written."""
    current = Appointment.objects.select_for_update().values_list("version", flat=True).get(pk=appointment.pk)
    if current != version:
        raise ChangedMeanwhile


def _review_number(appointment: Appointment) -> str:
    """The key of the result letter: after a reconsideration the new result is a letter of its own."""
    return str(appointment.reviews.count())
