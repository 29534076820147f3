"""What this floor supplies about a registration (`appointments.upper_floor`): its work, and the end of that work."""

from datetime import datetime

from appointments.models import Appointment
from appointments.situation import Work
from zhoushan_consult.audit.trail import record
from zhoushan_consult.audit.verbs import Verb
from zhoushan_consult.bureau.models import Officer

from .models import Assignment, AssignmentState, FollowUp, Hearing, Part

UNANSWERED = frozenset({AssignmentState.OPEN, AssignmentState.DRAFTED})
"""States in which a division still owes a reply."""
UNFINISHED = UNANSWERED | {AssignmentState.RETURNED}


def work_of(appointment: Appointment) -> Work:
    """What the divisions do for this registration, in three queries."""
    given = Assignment.objects.filter(appointment=appointment).select_related("division")
    given = list(given.exclude(state=AssignmentState.CANCELLED))
    current = sorted(
        (one for one in given if one.state != AssignmentState.RETURNED), key=lambda one: one.part != Part.LEAD
    )
    open_ = [one for one in current if one.state in UNANSWERED]
    following = FollowUp.objects.filter(appointment=appointment, closed_at=None)
    following = list(following.exclude(origin=FollowUp.Origin.RATING).select_related("division"))
    return Work(
        divisions=_names(current),
        due_on=max((one.due_on for one in open_), default=None),
        open=len(open_),
        leads_open=sum(one.part == Part.LEAD for one in open_),
        returned=sum(one.state == AssignmentState.RETURNED for one in given),
        replied=sum(one.state == AssignmentState.RELEASED and one.part == Part.LEAD for one in current),
        checked_in=Hearing.objects.filter(appointment=appointment, checked_in_at__isnull=False).exists(),
        following=_names(following),
        follow_up_due_on=max((one.due_on for one in following), default=None),
    )


def _names(rows) -> tuple[str, ...]:
    return tuple(dict.fromkeys(row.division.name for row in rows))


def end_work(appointment: Appointment, *, by: Officer | None, at: datetime) -> None:
    """Cancel the 交办 that are not finished, and end the 督办 that are still open. Runs in the caller's transaction.

    A 差评回访 goes on: it is about the service, not about the matter.
    """
    cancel_assignments(appointment, by=by, at=at)
    open_ = FollowUp.objects.filter(appointment=appointment, closed_at=None)
    for follow_up in open_.exclude(origin=FollowUp.Origin.RATING).select_related("division"):
        ended = FollowUp.objects.filter(pk=follow_up.pk, closed_at=None)
        if ended.update(closed_at=at, closed_by=by, result=f"登记已{appointment.get_stage_display()}"):
            record(Verb.FOLLOW_UP_CLOSED, follow_up, by=by, at=at)


def cancel_assignments(appointment: Appointment, *, by: Officer | None, at: datetime) -> int:
    """Cancel every 交办 that is not finished. Returns how many. Runs in the caller's transaction."""
    unfinished = Assignment.objects.filter(appointment=appointment, state__in=UNFINISHED)
    cancelled = 0
    for assignment in unfinished.select_related("division").select_for_update(of=("self",), no_key=True):
        record(Verb.ASSIGNMENT_CANCELLED, assignment, by=by, at=at)
        cancelled += 1
    unfinished.update(state=AssignmentState.CANCELLED)
    update_firm_page(appointment)
    return cancelled


def update_firm_page(appointment: Appointment) -> None:
    """Copy to the registration who answers and until when, for lists and papers that may not read the rows of this floor."""
    work = work_of(appointment)
    appointment.handled_by, appointment.reply_due_on = "、".join(work.divisions), work.due_on
    appointment.save(update_fields=["handled_by", "reply_due_on"])
