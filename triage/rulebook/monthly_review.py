"""每月规则复核: where people overrode the rules, and what 综合处 made of it. How often they were right: `hit_rates`."""

from datetime import date, datetime, timedelta

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet

from appointments.text.anonymity import identifying_details
from triage.models import Assignment, Lesson, RoutingLesson
from zhoushan_consult.audit.trail import record
from zhoushan_consult.audit.verbs import Verb
from zhoushan_consult.bureau.models import Division, Officer
from zhoushan_consult.bureau.refusals import Refused
from zhoushan_consult.bureau.roles import Act
from zhoushan_consult.clock import SHANGHAI


class AlreadyReviewed(Refused):
    def __init__(self):
        super().__init__("这一条已经有人复核过，请刷新后看下一条。")


def overridden(month: date) -> QuerySet[Assignment]:
    """交办 of a month that differ from the rules, or that a division gave back, the oldest first."""
    start, end = _bounds(month)
    within = Assignment.objects.filter(assigned_at__gte=start, assigned_at__lt=end)
    rows = within.filter(~Q(by_hand_reason="") | ~Q(return_reason=""))
    rows = rows.select_related("division", "appointment", "lesson").prefetch_related("appointment__traces")
    return rows.order_by("assigned_at", "pk")


def add_golden_case(
    assignment: Assignment, text: str, division: Division, *, by: Officer, at: datetime
) -> RoutingLesson:
    """Make `text` a golden case, with which each later version of the rules is measured.

    Raises ValidationError if `text` names a person or a firm, and AlreadyReviewed the second time.
    """
    by.must(Act.RULES)
    firm = assignment.appointment
    # A case is kept, and shown to all who edit the rules, so it must name no person and no firm.
    if found := identifying_details(text, (firm.enterprise_name, firm.contact_name)):
        raise ValidationError({"text": f"标准例里不能有{'、'.join(found)}，请改成不指明是谁的说法。"})
    return _save_lesson(assignment, Lesson.CASE, text=text, division=division, by=by, at=at)


def dismiss(assignment: Assignment, *, by: Officer, at: datetime) -> RoutingLesson:
    """Record that the rules need no change for this one. Raises AlreadyReviewed the second time."""
    by.must(Act.RULES)
    return _save_lesson(assignment, Lesson.FINE, by=by, at=at)


def _save_lesson(
    assignment: Assignment, lesson: Lesson, *, by: Officer, at: datetime, **columns
) -> RoutingLesson:
    try:
        with transaction.atomic():
            row = RoutingLesson.objects.create(assignment=assignment, lesson=lesson, by=by, at=at, **columns)
            record(Verb.ROUTING_REVIEWED, assignment, by=by, at=at, lesson=lesson)
            return row
    except IntegrityError:
        # An assignment has at most one lesson: the second of two clicks ends here.
        raise AlreadyReviewed from None


def _bounds(month: date) -> tuple[datetime, datetime]:
    start = datetime(month.year, month.month, 1, tzinfo=SHANGHAI)
    # 32 days after the first of a month is always in the next month.
    return start, (start + timedelta(days=32)).replace(day=1)
