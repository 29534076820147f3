"""每月规则复核: where people overrode the rules, what 综合处 made of it, and how often the rules were right."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet

from appointments.text.anonymity import identifying_details
from triage.models import Assignment, Lesson, Part, Review, RoutingLesson
from triage.routing.topic import MANUAL
from zhoushan_consult.audit.trail import record
from zhoushan_consult.audit.verbs import Verb
from zhoushan_consult.bureau.models import Division, Officer
from zhoushan_consult.bureau.refusals import Refused
from zhoushan_consult.bureau.roles import Act
from zhoushan_consult.clock import SHANGHAI, local_date

# A year, so that each month can be compared with the same season.
MONTHS_SHOWN = 12


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
    """Make ``text`` a golden case, with which each later version of the rules is measured.

    Raises ValidationError if ``text`` names a person or a firm, and AlreadyReviewed the second time.
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


# --- How often the rules were right ------------------------------------------------------------------------------------
@dataclass(frozen=True)
class HitRate:
    """``suggested``: registrations for which a topic led. ``kept``: how many of them its division answered in the end."""

    suggested: int = 0
    kept: int = 0

    @property
    def percent(self) -> int | None:
        """None if nothing was suggested."""
        return round(100 * self.kept / self.suggested) if self.suggested else None


@dataclass(frozen=True)
class HitRateTable:
    """By topic and month."""

    months: list[date]
    topics: list[tuple[str, list[HitRate]]]
    overall: list[HitRate]


def hit_rates(now: datetime) -> HitRateTable:
    """The last twelve months, from what the rules said when each registration was accepted."""
    months = _months_before(now)
    suggested: Counter[tuple[str, date]] = Counter()
    kept: Counter[tuple[str, date]] = Counter()
    for topic, month, right in _suggestions(_bounds(months[0])[0]):
        suggested[topic, month] += 1
        kept[topic, month] += right
    names = sorted(
        {topic for topic, _ in suggested}, key=lambda name: (-sum(suggested[name, m] for m in months), name)
    )
    topics = [(name, [HitRate(suggested[name, m], kept[name, m]) for m in months]) for name in names]
    overall = [HitRate(sum(suggested[n, m] for n in names), sum(kept[n, m] for n in names)) for m in months]
    return HitRateTable(months, topics, overall)


def _suggestions(since: datetime) -> Iterable[tuple[str, date, bool]]:
    """For each registration with a suggested division: the topic, the month, and whether that division leads it now."""
    accepted = Review.objects.filter(accepted=True, trace__isnull=False, at__gte=since).order_by(
        "appointment", "-at"
    )
    leads: dict[int, set[str]] = {}
    assigned = Assignment.objects.filter(part=Part.LEAD, assigned_at__gte=since)
    # A division that gave the question back did not answer it.
    assigned = assigned.exclude(state__in=["returned", "cancelled"])
    for appointment, code in assigned.values_list("appointment", "division__code"):
        leads.setdefault(appointment, set()).add(code)
    for appointment, decision, at in accepted.values_list("appointment", "trace__decision", "at"):
        primary = decision["primary"]
        finding = next((each for each in decision["findings"] if each["lead"] == primary != MANUAL), None)
        if finding:
            yield finding["name"], _month(at), primary in leads.get(appointment, set())


def _month(at: datetime) -> date:
    return local_date(at).replace(day=1)


def _months_before(now: datetime) -> list[date]:
    """The month of ``now`` and those before it, the oldest first."""
    months = [_month(now)]
    while len(months) < MONTHS_SHOWN:
        months.append((months[-1] - timedelta(days=1)).replace(day=1))
    return months[::-1]


def _bounds(month: date) -> tuple[datetime, datetime]:
    start = datetime(month.year, month.month, 1, tzinfo=SHANGHAI)
    # 32 days after the first of a month is always in the next month.
    return start, (start + timedelta(days=32)).replace(day=1)
