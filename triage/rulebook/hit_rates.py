"""命中率: how often the division that the rules suggested answered in the end, by topic and month."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from triage.models import Assignment, Part, Review
from triage.routing.topic import MANUAL
from zhoushan_consult.clock import local_date, local_datetime

# A year, so that each month can be compared with the same season.
MONTHS_SHOWN = 12


@dataclass(frozen=True)
class HitRate:
    """`suggested`: registrations for which a topic led. `kept`: how many of them its division answered in the end."""

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


def compute(now: datetime) -> HitRateTable:
    """The last twelve months, from what the rules said when each registration was accepted."""
    months = _months_before(now)
    suggested: Counter[tuple[str, date]] = Counter()
    kept: Counter[tuple[str, date]] = Counter()
    for topic, month, right in _suggestions(local_datetime(months[0])):
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
    """The month of `now` and those before it, the oldest first."""
    months = [_month(now)]
    while len(months) < MONTHS_SHOWN:
        months.append((months[-1] - timedelta(days=1)).replace(day=1))
    return months[::-1]
