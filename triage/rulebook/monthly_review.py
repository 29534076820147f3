"""每月规则复核: where people decided otherwise than the rules, what was learnt from it, and how often the rules were right."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet

from appointments.text.anonymity import identifying_details
from sessions_app.calendar import SHANGHAI
from triage.models import Assignment, Lesson, Part, RoutingLesson, RoutingTrace
from zhoushan_consult.audit.trail import record
from zhoushan_consult.bureau.models import Division, Officer
from zhoushan_consult.bureau.refusals import Refused
from zhoushan_consult.bureau.roles import Act

MONTHS_SHOWN = 12


class LearntAlready(Refused):
    def __init__(self):
        super().__init__("这一条已经有人复核过，请刷新后看下一条。")


def overridden(month: date) -> QuerySet[Assignment]:
    """交办 of a month that differ from the rules, or that a division gave back; the oldest first."""
    start, end = _bounds(month)
    within = Assignment.objects.filter(assigned_at__gte=start, assigned_at__lt=end)
    rows = within.filter(~Q(by_hand_reason="") | ~Q(return_reason=""))
    return rows.select_related("division", "appointment", "lesson").prefetch_related("appointment__traces").order_by("assigned_at", "pk")  # fmt: skip


def learn(
    assignment: Assignment, text: str, division: Division, *, by: Officer, at: datetime
) -> RoutingLesson:
    """Make a golden case of it. Raises ValidationError where `text` names somebody, LearntAlready the second time."""
    by.must(Act.RULES)
    firm = assignment.appointment
    if found := identifying_details(text, (firm.enterprise_name, firm.contact_name)):
        raise ValidationError({"text": f"标准例里不能有{'、'.join(found)}，请改成不指明是谁的说法。"})
    return _keep(assignment, Lesson.CASE, text=text, division=division, by=by, at=at)


def leave(assignment: Assignment, *, by: Officer, at: datetime) -> RoutingLesson:
    """The rules need no change for it. Raises LearntAlready the second time."""
    by.must(Act.RULES)
    return _keep(assignment, Lesson.FINE, by=by, at=at)


def _keep(assignment: Assignment, lesson: Lesson, *, by: Officer, at: datetime, **columns) -> RoutingLesson:
    try:
        with transaction.atomic():
            made = RoutingLesson.objects.create(assignment=assignment, lesson=lesson, by=by, at=at, **columns)
            record("规则复核", assignment, by=by, at=at, lesson=lesson)
            return made
    except IntegrityError:
        raise LearntAlready from None


# --- How often the rules were right ------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Hits:
    """Of how many registrations a topic led, and how many of them people left to the division that it named."""

    led: int = 0
    kept: int = 0

    @property
    def rate(self) -> int | None:
        """Percent; None where nothing was led."""
        return round(100 * self.kept / self.led) if self.led else None


@dataclass(frozen=True)
class HitTable:
    """By topic and month."""

    months: list[date]
    topics: list[tuple[str, list[Hits]]]
    overall: list[Hits]


def hits(now: datetime) -> HitTable:
    """The last twelve months, from what the rules said when each registration was accepted."""
    months = _months_before(now)
    led: Counter[tuple[str, date]] = Counter()
    kept: Counter[tuple[str, date]] = Counter()
    for topic, month, right in _judged(_bounds(months[0])[0]):
        led[topic, month] += 1
        kept[topic, month] += right
    names = sorted({topic for topic, _ in led}, key=lambda name: -sum(led[name, m] for m in months))
    topics = [(name, [Hits(led[name, m], kept[name, m]) for m in months]) for name in names]
    overall = [Hits(sum(led[n, m] for n in names), sum(kept[n, m] for n in names)) for m in months]
    return HitTable(months, topics, overall)


def _judged(since: datetime) -> Iterable[tuple[str, date, bool]]:
    """Topic, month and whether its division got the matter, for each registration that the rules sent somewhere."""
    traces = RoutingTrace.objects.filter(at__gte=since).order_by("appointment", "-at")
    leads: dict[int, set[str]] = {}
    given = Assignment.objects.filter(part=Part.LEAD, assigned_at__gte=since).exclude(
        state__in=["returned", "cancelled"]
    )
    for appointment, code in given.values_list("appointment", "division__code"):
        leads.setdefault(appointment, set()).add(code)
    for appointment, decision, at in traces.values_list("appointment", "decision", "at"):
        finding = next(
            (f for f in decision["findings"] if f["lead"] == decision["primary"] != "manual"), None
        )
        if finding:
            yield finding["name"], _month(at), decision["primary"] in leads.get(appointment, set())


def _month(at: datetime) -> date:
    return at.astimezone(SHANGHAI).date().replace(day=1)


def _months_before(now: datetime) -> list[date]:
    months = [_month(now)]
    while len(months) < MONTHS_SHOWN:
        months.append((months[-1] - timedelta(days=1)).replace(day=1))
    return months[::-1]


def _bounds(month: date) -> tuple[datetime, datetime]:
    start = datetime(month.year, month.month, 1, tzinfo=SHANGHAI)
    return start, (start + timedelta(days=32)).replace(day=1)
