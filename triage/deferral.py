"""顺延 (六（五）): firms beyond the ten are told first, answered in writing first, and asked 是否仍需现场."""

from collections import Counter
from contextlib import suppress
from datetime import date, datetime, timedelta

from django.db import transaction
from django.db.models import Exists, Max, OuterRef, Q, QuerySet

from appointments import letters, waiting_list
from appointments.lifecycle import Stage
from appointments.models import Appointment, IllegalMove
from sessions_app import calendar, policy
from sessions_app.models import ConsultDay
from zhoushan_consult.audit.trail import record
from zhoushan_consult.audit.verbs import Verb
from zhoushan_consult.bureau.models import Officer
from zhoushan_consult.bureau.roles import Role
from zhoushan_consult.clock import local_date
from zhoushan_consult.duties.kinds import Kind, daily
from zhoushan_consult.workdays.days import add_workdays

from . import notifications
from .assignment import update_firm_page
from .models import Assignment, AssignmentState, Part


def defer(appointment: Appointment, place: int, *, by: Officer | None, at: datetime) -> None:
    """The firm at position `place` gets no seat this time. Raises IllegalMove where it left the list meanwhile."""
    day = appointment.day
    with transaction.atomic():
        facts = waiting_list.seat_facts(day, place=place, **waiting_list.basis(appointment))
        appointment.move_to(Stage.DEFERRED, "名额已满，先行书面答复", by=by, at=at, facts=facts)
        letters.write(
            "deferred",
            appointment,
            at=at,
            key=calendar.slug(day.date),
            next_day=calendar.short(calendar.following(day.date)),
            answer_days=policy.DEFERRAL_ANSWER_DAYS,
        )


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

    A term is only ever shortened. Each division gets one notification with the number. Returns how many 交办 changed.
    """
    last = _written_first_by(day, at)
    open_ = Assignment.objects.filter(
        state__in=[AssignmentState.OPEN, AssignmentState.DRAFTED], due_on__gt=last
    )
    theirs = open_.filter(appointment__day=day, appointment__stage=Stage.DEFERRED)
    slow = list(theirs.select_related("division", "appointment"))
    for assignment in slow:
        record(Verb.TERM_SHORTENED, assignment, by=by, at=at, was=assignment.due_on, due_on=last)
    Assignment.objects.filter(pk__in=[assignment.pk for assignment in slow]).update(due_on=last)
    for appointment in {assignment.appointment for assignment in slow}:
        update_firm_page(appointment)
    _tell_divisions(day, Counter(assignment.division for assignment in slow), last, at=at)
    return len(slow)


def _written_first_by(day: ConsultDay, at: datetime) -> date:
    """The last working day before the 咨询日; today where that is past."""
    return max(add_workdays(day.date, -1), local_date(at))


def _tell_divisions(day: ConsultDay, counts: Counter, last: date, *, at: datetime) -> None:
    for division, count in counts.items():
        notifications.to_role(
            Role.HANDLER,
            "replies_hastened",
            day,
            at=at,
            key=f"{division.code}:{at:%Y%m%d%H%M}",
            division=division,
            day=day,
            count=count,
            last=last,
        )


def unanswered(now: datetime) -> QuerySet[Appointment]:
    """Deferred firms that have a written reply and have not said for DEFERRAL_ANSWER_DAYS whether they still want to come.

    Only after their 咨询日: until then a seat may come free for them.
    """
    long_ago = now - timedelta(days=policy.DEFERRAL_ANSWER_DAYS)
    leads = Assignment.objects.filter(appointment=OuterRef("pk"), part=Part.LEAD)
    today = local_date(now)
    asked = Appointment.objects.filter(stage=Stage.DEFERRED, day__date__lt=today).annotate(
        asked_at=Max("moves__at", filter=Q(moves__new=Stage.DEFERRED)),
        answered_at=Max("assignments__released_at", filter=Q(assignments__part=Part.LEAD)),
    )
    answered = asked.exclude(
        Exists(leads.exclude(state__in=[AssignmentState.RELEASED, AssignmentState.CANCELLED]))
    )
    return answered.filter(asked_at__lt=long_ago, answered_at__lt=long_ago)


def close_unanswered(about: str, due_at: datetime, now: datetime) -> int:
    """Close them with a letter; 未解决 reopens as usual. Returns how many were closed."""
    days = policy.DEFERRAL_ANSWER_DAYS
    closed = 0
    for appointment in unanswered(now).select_related("day"):
        # The firm answers at this instant: its answer stands.
        with suppress(IllegalMove), transaction.atomic():
            note = f"书面答复后{days}天未提出仍需现场咨询，按已答复办结"
            appointment.move_to(Stage.CLOSED, note, by=None, at=now)
            letters.write(
                "deferral_closed", appointment, at=now, key=calendar.slug(appointment.day.date), days=days
            )
            closed += 1
    return closed


CLOSE_UNANSWERED = Kind(
    name="close_unanswered_deferrals",
    label="顺延企业逾期未选择的办结",
    schedule=daily("09:20"),
    run=close_unanswered,
    useful_for=timedelta(hours=20),
)
