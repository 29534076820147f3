"""顺延 (六（五）): firms beyond the ten are told first, answered in writing first, and asked 是否仍需现场."""

from contextlib import suppress
from datetime import date, datetime

from django.db import transaction

from appointments import letters, waiting_list
from appointments.lifecycle import Stage
from appointments.models import Appointment, IllegalMove
from sessions_app import calendar
from sessions_app.models import ConsultDay
from zhoushan_consult.audit.trail import record
from zhoushan_consult.audit.verbs import Verb
from zhoushan_consult.bureau.models import Division, Officer
from zhoushan_consult.bureau.roles import Role
from zhoushan_consult.clock import local_date
from zhoushan_consult.workdays.days import add_workdays

from . import notifications
from .models import Assignment
from .work import UNANSWERED, update_firm_pages


def defer(appointment: Appointment, place: int, *, by: Officer | None, at: datetime) -> None:
    """The firm at position `place` gets no seat this time. Raises IllegalMove where it left the list meanwhile."""
    day = appointment.day
    with transaction.atomic():
        facts = waiting_list.seat_facts(day, place=place, **waiting_list.basis(appointment))
        appointment.move_to(Stage.DEFERRED, "没有排上现场，先行书面答复", by=by, at=at, facts=facts)
        letters.write("deferred", appointment, at=at, key=letters.key_at(at))


def defer_remaining(day: ConsultDay, *, after: int = 0, by: Officer | None, at: datetime) -> int:
    """Defer the firms that wait without a free seat, in order, `after` so many that got one. Returns how many. Safe to repeat."""
    waiting, deferred = waiting_list.waiting(day), 0
    if not waiting.filter(stage=Stage.ACCEPTED).exists():
        return 0
    # Firms deferred before keep their positions: one accepted since takes its own among them.
    for place, appointment in enumerate(waiting.select_related("day"), after + 1):
        if appointment.stage != Stage.ACCEPTED:
            continue
        # Withdrawn at this instant.
        with suppress(IllegalMove):
            defer(appointment, place, by=by, at=at)
            deferred += 1
    return deferred


def shorten_terms(day: ConsultDay, *, by: Officer | None, at: datetime) -> int:
    """先予书面回复: the questions of deferred firms fall due on the last working day before the 咨询日.

    A term is only ever shortened, and not after the day: then the firm has nothing to read before it comes. Each division gets one
    notification with the number. Returns how many 交办 changed.
    """
    if at >= calendar.ends_at(day.date):
        return 0
    last = _written_first_by(day, at)
    open_ = Assignment.objects.filter(state__in=UNANSWERED, due_on__gt=last)
    theirs = open_.filter(appointment__day=day, appointment__stage=Stage.DEFERRED)
    # Locked: a reply that is signed at this instant must not get another term.
    theirs = theirs.select_for_update(of=("self",), no_key=True)
    slow = list(theirs.select_related("division", "appointment").order_by("pk"))
    if not slow:
        return 0
    for assignment in slow:
        record(Verb.TERM_SHORTENED, assignment, by=by, at=at, was=assignment.due_on, due_on=last)
    Assignment.objects.filter(pk__in=[assignment.pk for assignment in slow]).update(due_on=last)
    update_firm_pages({assignment.appointment for assignment in slow})
    _tell_divisions(day, {assignment.division for assignment in slow}, last, at=at)
    return len(slow)


def _written_first_by(day: ConsultDay, at: datetime) -> date:
    """The last working day before the 咨询日; today where that is past."""
    return max(add_workdays(day.date, -1), local_date(at))


def _tell_divisions(day: ConsultDay, divisions: set[Division], last: date, *, at: datetime) -> None:
    for division in sorted(divisions, key=lambda division: division.order):
        notifications.to_role(
            Role.HANDLER,
            "replies_hastened",
            day,
            at=at,
            key=f"{division.code}:{letters.key_at(at)}",
            division=division,
            last=str(last),
        )
