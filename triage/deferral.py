"""顺延 (六（五）): firms beyond the ten are told first, answered in writing first, and asked 是否仍需现场."""

from collections.abc import Iterator
from contextlib import suppress
from datetime import date, datetime, timedelta

from django.db import transaction
from django.db.models import Exists, OuterRef

from appointments import letters, waiting_list
from appointments.facts import facts_of
from appointments.lifecycle import Stage
from appointments.models import Appointment, IllegalMove, StageMove
from sessions_app import calendar, policy
from sessions_app.models import ConsultDay
from zhoushan_consult.audit.trail import record
from zhoushan_consult.audit.verbs import Verb
from zhoushan_consult.bureau.models import Division, Officer
from zhoushan_consult.bureau.roles import Role
from zhoushan_consult.clock import local_date
from zhoushan_consult.duties.kinds import Kind, daily
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


WAITS_FOR_FIRM = (Stage.DEFERRED, Stage.ANSWERED, Stage.HEARD, Stage.ABSENT)
"""Stages in which the firm is asked, and its silence closes the registration after its time."""


def unanswered(now: datetime) -> Iterator[Appointment]:
    """Registrations whose firm has its answer and has not reacted in its time (`situation.Facts.answer_by`).

    The time runs from the instant at which the words reached the firm. A deferred firm is asked until its 咨询日 is over:
    before that a seat may come free for it.
    """
    asked = Appointment.objects.filter(stage__in=WAITS_FOR_FIRM, day__date__lt=local_date(now))
    # A first sieve, by an index: nothing that moved later can be due.
    long_ago = now - timedelta(days=policy.DEFERRAL_ANSWER_DAYS)
    recent = StageMove.objects.filter(appointment=OuterRef("pk"), at__gt=long_ago)
    for appointment in asked.exclude(Exists(recent)).select_related("day", "seat").order_by("pk"):
        facts = facts_of(appointment, now)
        if facts.is_answered and facts.answer_by and facts.answer_by < now:
            yield appointment


def close_unanswered(about: str, due_at: datetime, now: datetime) -> int:
    """Close them with a letter; 未解决 reopens as usual. Returns how many were closed."""
    days = policy.DEFERRAL_ANSWER_DAYS
    closed = 0
    for appointment in unanswered(now):
        deferred = appointment.stage == Stage.DEFERRED
        note = f"书面答复后{days}天未提出仍需现场咨询" if deferred else f"答复后{days}天没有反馈"
        # The firm answers at this instant: its answer stands.
        with suppress(IllegalMove), transaction.atomic():
            appointment.move_to(Stage.CLOSED, f"{note}，按已答复办结", by=None, at=now)
            letters.write(
                "deferral_closed" if deferred else "feedback_closed",
                appointment,
                at=now,
                key=letters.key_at(now),
            )
            closed += 1
    return closed


CLOSE_UNANSWERED = Kind(
    name="close_unanswered_deferrals",
    label="企业逾期没有反馈的办结",
    schedule=daily("09:20"),
    run=close_unanswered,
    useful_for=timedelta(hours=20),
)
