"""What this floor supplies about a registration (`appointments.upper_floor`): its work. `follow_up.end_work` ends it."""

from collections import defaultdict
from collections.abc import Collection
from datetime import datetime

from django.db.models import Count, Exists, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce

from appointments.lifecycle import Stage
from appointments.models import Appointment, Supplement
from appointments.situation import Work
from zhoushan_consult.audit.trail import record
from zhoushan_consult.audit.verbs import Verb
from zhoushan_consult.bureau.models import Officer

from .models import Assignment, AssignmentState, FollowUp, Hearing, Part, Reply, ReplyKind

UNANSWERED = frozenset({AssignmentState.OPEN, AssignmentState.DRAFTED})
"""States in which a division still owes a reply."""
UNFINISHED = UNANSWERED | {AssignmentState.RETURNED}
NOT_IN_FORCE = frozenset({AssignmentState.RETURNED, AssignmentState.CANCELLED})
"""States in which the division has no part in the matter any more."""


def work_of(appointment: Appointment) -> Work:
    """What the divisions do for this registration, in three queries."""
    return works_of([appointment])[appointment.pk]


def works_of(appointments: Collection[Appointment]) -> dict[int, Work]:
    """The same of many registrations, by their keys, in three queries."""
    given = defaultdict(list)
    rows = Assignment.objects.filter(appointment__in=appointments).exclude(state=AssignmentState.CANCELLED)
    for assignment in rows.select_related("division"):
        given[assignment.appointment_id].append(assignment)
    following = defaultdict(list)
    matters = FollowUp.objects.filter(appointment__in=appointments, closed_at=None)
    for matter in matters.exclude(origin=FollowUp.Origin.RATING).select_related("division"):
        following[matter.appointment_id].append(matter)
    more = waiting_supplements().filter(appointment=OuterRef("pk")).order_by().values("appointment")
    heard = Hearing.objects.filter(appointment=OuterRef("pk"), checked_in_at__isnull=False)
    known = Appointment.objects.filter(pk__in=[one.pk for one in appointments]).annotate(
        unassigned=Coalesce(Subquery(more.annotate(count=Count("pk")).values("count")), 0),
        checked_in=Exists(heard),
    )
    return {
        pk: _work(given[pk], following[pk], unassigned, checked_in)
        for pk, unassigned, checked_in in known.values_list("pk", "unassigned", "checked_in")
    }


def waiting_supplements() -> QuerySet[Supplement]:
    """补充问题 that 综合处 has not dealt with: what a firm asked after its acceptance is owed an answer too."""
    return Supplement.objects.filter(handled_at=None)


def _work(given: list[Assignment], following: list[FollowUp], unassigned: int, checked_in: bool) -> Work:
    current = sorted(
        (one for one in given if one.state != AssignmentState.RETURNED), key=lambda one: one.part != Part.LEAD
    )
    open_ = [one for one in current if one.state in UNANSWERED]
    return Work(
        divisions=_names(current),
        studying=_names(open_),
        due_on=max((one.due_on for one in open_), default=None),
        open=len(open_),
        leads_open=sum(one.part == Part.LEAD for one in open_),
        returned=sum(one.state == AssignmentState.RETURNED for one in given),
        unassigned=unassigned,
        replied=sum(one.state == AssignmentState.RELEASED and one.part == Part.LEAD for one in current),
        checked_in=checked_in,
        following=_names(following),
        follow_up_due_on=max((one.due_on for one in following), default=None),
    )


def _names(rows) -> tuple[str, ...]:
    return tuple(dict.fromkeys(row.division.name for row in rows))


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


SILENT_TO_FIRM = frozenset({Stage.WITHDRAWN, Stage.DECLINED})
"""Stages in which nothing more is said to the firm. A closed registration is still told what was wrong."""


def revisions_in_hand() -> QuerySet[Reply]:
    """更正 and 补充 that are drafted or wait for their signature, the first due first."""
    in_hand = Reply.objects.filter(signed_at=None, dropped_at=None).exclude(kind=ReplyKind.FIRST)
    return in_hand.order_by("due_on", "pk")


def drop_revisions(appointment: Appointment, *, by: Officer | None, at: datetime) -> None:
    """Where nothing more is said to the firm, its 更正 and 补充 in hand are dropped. Runs in the caller's transaction."""
    if appointment.stage not in SILENT_TO_FIRM:
        return
    for reply in revisions_in_hand().filter(assignment__appointment=appointment).select_related("assignment"):
        # Its division may drop it at this instant.
        if Reply.objects.filter(pk=reply.pk, signed_at=None, dropped_at=None).update(dropped_at=at):
            facts = {"kind": reply.kind, "version": reply.version}
            record(Verb.REVISION_DROPPED, reply.assignment, by=by, at=at, **facts)


def update_firm_page(appointment: Appointment) -> None:
    """Copy to the registration who answers and until when, for lists and papers that may not read the rows of this floor."""
    update_firm_pages([appointment])


def update_firm_pages(appointments: Collection[Appointment]) -> None:
    """The same for many, with one UPDATE for each hundred."""
    works = works_of(appointments)
    for appointment in appointments:
        work = works[appointment.pk]
        appointment.handled_by, appointment.reply_due_on = "、".join(work.divisions), work.due_on
    Appointment.objects.bulk_update(appointments, ["handled_by", "reply_due_on"], batch_size=100)
