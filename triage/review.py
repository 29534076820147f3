"""初审 (六（三）): accept, decline with a reason and a recorded call, reconsider. 交办 is in `assignment`."""

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from appointments import letters
from appointments.lifecycle import Stage
from appointments.models import Appointment, IllegalMove
from zhoushan_consult.audit.trail import record
from zhoushan_consult.audit.verbs import Verb
from zhoushan_consult.bureau.models import Officer
from zhoushan_consult.bureau.refusals import Refused
from zhoushan_consult.bureau.roles import Act

from . import assignment
from .models import CallOutcome, CallRecord, DeclineReason, Review, RoutingTrace


class ChangedMeanwhile(Refused):
    def __init__(self):
        super().__init__("企业刚刚修改了登记内容，本次操作没有生效。请重新查看后再决定。")


class CallFirst(Refused):
    def __init__(self):
        super().__init__("请先电话沟通：接通并告知理由后，才能不予通过（实施方案六（三））。")


@dataclass(frozen=True)
class Call:
    """A telephone call, as the officer reports it."""

    outcome: CallOutcome
    gist: str


@transaction.atomic
def accept(
    appointment: Appointment,
    portions: list[assignment.AssignmentItem],
    *,
    trace: RoutingTrace,
    by: Officer,
    at: datetime,
) -> None:
    """通过初审 and 交办 in one act, each question with its division. Raises IllegalMove, ChangedMeanwhile, NotAllowed.

    `trace`: the routing that the officer saw. It also tells which text they read.
    """
    by.must(Act.REVIEW)
    # The table of moves lets a seated or deferred firm come back to ACCEPTED too, but by other acts than this one.
    if appointment.stage != Stage.SUBMITTED:
        raise IllegalMove
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
    """不予通过: only after the firm was reached by telephone and told the reason. Raises CallFirst, IllegalMove, ChangedMeanwhile."""
    by.must(Act.REVIEW)
    if call.outcome != CallOutcome.REACHED:
        raise CallFirst
    _must_be_unchanged(appointment, version)
    appointment.move_to(Stage.DECLINED, DeclineReason(reason).label, by=by, at=at)
    spoken = _store_call(appointment, call, by=by, at=at)
    Review.objects.create(
        appointment=appointment,
        accepted=False,
        reason=reason,
        explanation=explanation,
        call=spoken,
        by=by,
        at=at,
    )
    letters.write(
        "review_declined",
        appointment,
        at=at,
        key=_review_number(appointment),
        reason=DeclineReason(reason).label,
        explanation=explanation,
    )


@transaction.atomic
def record_call(appointment: Appointment, call: Call, *, by: Officer, at: datetime) -> CallRecord:
    """Record a call that decides nothing: no answer, or a question clarified."""
    by.must(Act.CALL)
    return _store_call(appointment, call, by=by, at=at)


@transaction.atomic
def reconsider(appointment: Appointment, why: str, *, by: Officer, at: datetime) -> None:
    """Back to 待初审: a declined firm objected with reason, or an acceptance was wrong. Open 交办 are cancelled."""
    by.must(Act.REVIEW)
    if appointment.stage not in {Stage.DECLINED, Stage.ACCEPTED}:
        raise IllegalMove
    appointment.move_to(Stage.SUBMITTED, "重新审核", by=by, at=at)
    assignment.cancel_open_assignments(appointment, by=by, at=at)
    record(Verb.RECONSIDERED, appointment, by=by, at=at, why=why)


def _store_call(appointment: Appointment, call: Call, *, by: Officer, at: datetime) -> CallRecord:
    record(Verb.CALLED, appointment, by=by, at=at, outcome=call.outcome)
    return CallRecord.objects.create(
        appointment=appointment, by=by, at=at, outcome=call.outcome, gist=call.gist
    )


def _must_be_unchanged(appointment: Appointment, version: int) -> None:
    """The officer decides on the text they read. The row is locked, so that it cannot change before the act is written."""
    current = Appointment.objects.select_for_update().values_list("version", flat=True).get(pk=appointment.pk)
    if current != version:
        raise ChangedMeanwhile


def _review_number(appointment: Appointment) -> str:
    """The key of the result letter: after a reconsideration the new result is a letter of its own."""
    return str(appointment.reviews.count())
