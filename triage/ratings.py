"""好差评 in totals: by division and month for the roles that oversee all; for the rated division, never by firm.

A rating counts for every division with the lead in its registration, otherwise for 综合处. A division sees
months that are over, put together until each span holds `policy.RATINGS_SHOWN_FROM` ratings: fewer could show whose they are.
Spans do not overlap and do not move later: otherwise the difference between two of them could show a single rating.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

from django.db.models import Q

from appointments.models import Grade, Rating
from sessions_app import policy
from zhoushan_consult.bureau.models import Division
from zhoushan_consult.clock import local_date

from .models import Assignment, Part
from .work import NOT_IN_FORCE

# Months shown, this one included; also the number of spans that a division sees.
MONTHS = 12
GRADES = tuple(sorted(Grade, reverse=True))
SATISFIED = frozenset({Grade.VERY_GOOD, Grade.GOOD, Grade.FAIR})


@dataclass(frozen=True)
class RatingFact:
    """A rating reduced to what a total needs: month, grade, divisions."""

    month: date
    grade: int
    divisions: frozenset[int]


@dataclass(frozen=True)
class GradeCount:
    """Ratings counted by grade: `counts` in the fixed order of GRADES, best first."""

    label: str
    counts: tuple[int, ...]
    code: str = ""

    @property
    def total(self) -> int:
        return sum(self.counts)

    @property
    def satisfaction_rate(self) -> str:
        """满意率: the share of the first three grades."""
        well = sum(count for grade, count in zip(GRADES, self.counts, strict=True) if grade in SATISFIED)
        return f"{100 * well / self.total:.0f}%" if self.total else "—"


def load_ratings(since: datetime | None = None) -> list[RatingFact]:
    """The ratings since an instant, or all of them, in three queries."""
    rows = Rating.objects.filter(at__gte=since) if since else Rating.objects.all()
    given = Assignment.objects.filter(_leading(), appointment__in=rows.values("appointment"))
    leads = defaultdict(set)
    for firm, division in given.values_list("appointment_id", "division_id"):
        leads[firm].add(division)
    general = Division.objects.get(code="general").pk
    return [
        RatingFact(month_of(at), grade, frozenset(leads[firm] or {general}))
        for firm, grade, at in rows.order_by("at").values_list("appointment_id", "grade", "at")
    ]


def _leading() -> Q:
    return Q(part=Part.LEAD) & ~Q(state__in=NOT_IN_FORCE)


def month_of(at: datetime) -> date:
    """The first of the month of an instant, in Zhoushan."""
    return local_date(at).replace(day=1)


def months(now: datetime) -> list[date]:
    """The first days of the last MONTHS months, the oldest first."""
    last = month_of(now)
    counted = [last.year * 12 + last.month - 1 - back for back in range(MONTHS)]
    return [date(number // 12, number % 12 + 1, 1) for number in reversed(counted)]


def tally(label: str, ratings: Iterable[RatingFact], code: str = "") -> GradeCount:
    """The ratings counted by grade."""
    grades = [rating.grade for rating in ratings]
    return GradeCount(label, tuple(grades.count(grade) for grade in GRADES), code)


def by_division(ratings: list[RatingFact], divisions: Iterable[Division]) -> list[GradeCount]:
    """Each division, whether rated or not."""
    return [
        tally(division.name, [one for one in ratings if division.pk in one.divisions], division.code)
        for division in divisions
    ]


def spans_of(ratings: list[RatingFact], division_id: int, now: datetime) -> list[GradeCount]:
    """What a division may see of its own ratings: spans of past months, each with enough ratings, newest first.

    They are counted off from the first rating ever (`ratings` are all, in order of time), so that no span moves later.
    """
    mine = [one for one in ratings if division_id in one.divisions and one.month < month_of(now)]
    spans, held = [], []
    for place, one in enumerate(mine):
        held.append(one)
        month_is_over = place + 1 == len(mine) or mine[place + 1].month > one.month
        if month_is_over and len(held) >= policy.RATINGS_SHOWN_FROM:
            spans.append(tally(_span(held[0].month, one.month), held))
            held = []
    return spans[::-1][:MONTHS]


def _span(begins: date, ends: date) -> str:
    first = f"{begins.year}年{begins.month}月"
    if begins == ends:
        return first
    return f"{first}—{ends.month}月" if begins.year == ends.year else f"{first}—{ends.year}年{ends.month}月"
