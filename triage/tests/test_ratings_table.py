"""好差评 counted: which month, which grade, whose lead, and what a division may see, one condition at a time."""

from datetime import date, datetime, timedelta

import pytest

from appointments.lifecycle import Stage
from appointments.models import Grade, Rating
from sessions_app import policy
from triage import ratings
from triage.models import AssignmentState, Part
from triage.ratings import RatingFact
from zhoushan_consult.bureau.models import Division

from .factories import NOW, appointment, assignment, division

WATER, AIR = 1, 2
"""Keys of two divisions, where no row is needed."""
TWENTIETH = datetime.fromisoformat("2026-11-20T10:00+08:00")


def rated(month: str, grade: Grade = Grade.GOOD, *divisions: int) -> RatingFact:
    """ "2026-10" of the divisions with these keys, 水处's if no division is named."""
    return RatingFact(date.fromisoformat(f"{month}-01"), grade, frozenset(divisions or [WATER]))


# --- Totals ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("grades", "counts", "content"),
    [
        ([], (0, 0, 0, 0, 0), "—"),
        ([Grade.VERY_GOOD], (1, 0, 0, 0, 0), "100%"),
        ([Grade.GOOD], (0, 1, 0, 0, 0), "100%"),
        ([Grade.FAIR], (0, 0, 1, 0, 0), "100%"),
        ([Grade.POOR], (0, 0, 0, 1, 0), "0%"),
        ([Grade.VERY_POOR], (0, 0, 0, 0, 1), "0%"),
        ([Grade.GOOD, Grade.GOOD, Grade.VERY_POOR], (0, 2, 0, 0, 1), "67%"),
        (list(Grade), (1, 1, 1, 1, 1), "60%"),
    ],
)
def test_a_tally_counts_each_grade_and_the_first_three_as_content(grades, counts, content):
    found = ratings.tally("水处", [rated("2026-10", grade) for grade in grades], "water")
    assert (found.label, found.code, found.counts) == ("水处", "water", counts)
    assert (found.total, found.satisfaction_rate) == (len(grades), content)


@pytest.mark.parametrize(
    ("moment", "month"),
    [
        ("2026-10-31T15:59:59+00:00", "2026-10-01"),
        ("2026-10-31T16:00:00+00:00", "2026-11-01"),  # midnight in Zhoushan
        ("2026-12-31T16:00:00+00:00", "2027-01-01"),
    ],
)
def test_a_month_begins_at_midnight_in_zhoushan(moment, month):
    assert ratings.month_of(datetime.fromisoformat(moment)) == date.fromisoformat(month)


@pytest.mark.parametrize(
    ("now", "first", "last"),
    [
        ("2026-11-20", "2025-12-01", "2026-11-01"),
        ("2026-12-01", "2026-01-01", "2026-12-01"),
        ("2027-01-31", "2026-02-01", "2027-01-01"),
    ],
)
def test_the_last_twelve_months_include_this_one(now, first, last):
    found = ratings.months(datetime.fromisoformat(f"{now}T10:00+08:00"))
    assert (found[0], found[-1]) == (date.fromisoformat(first), date.fromisoformat(last))
    assert len(set(found)) == 12 and found == sorted(found)


# --- Whose rating it is -----------------------------------------------------------------------------------------------


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("part", "state", "names"),
    [
        (Part.LEAD, AssignmentState.OPEN, {"水处"}),
        (Part.LEAD, AssignmentState.DRAFTED, {"水处"}),
        (Part.LEAD, AssignmentState.RELEASED, {"水处"}),
        (Part.LEAD, AssignmentState.RETURNED, {"综合处"}),
        (Part.LEAD, AssignmentState.CANCELLED, {"综合处"}),
        (Part.SUPPORT, AssignmentState.RELEASED, {"综合处"}),
    ],
)
def test_a_rating_is_of_the_divisions_whose_lead_stands(part, state, names, coordinator):
    firm, other = (appointment(number, stage=Stage.CLOSED, closed_at=NOW) for number in (1, 2))
    assignment(firm, "水处", by=coordinator, part=part, state=state)
    assignment(other, "大气处", by=coordinator)
    assignment(other, "土壤处", by=coordinator)
    for rated_firm, grade in ((firm, Grade.POOR), (other, Grade.GOOD)):
        Rating.objects.create(appointment=rated_firm, grade=grade, at=NOW)
    keys = dict(Division.objects.values_list("pk", "name"))
    found = {one.grade: {keys[pk] for pk in one.divisions} for one in ratings.load_ratings()}
    assert found == {Grade.POOR: names, Grade.GOOD: {"大气处", "土壤处"}}


@pytest.mark.django_db
def test_ratings_are_read_in_order_of_time_from_an_instant_on():
    moments = [NOW + timedelta(days=40), NOW - timedelta(seconds=1), NOW]
    for number, moment in enumerate(moments, 1):
        firm = appointment(number, stage=Stage.CLOSED, closed_at=NOW)
        Rating.objects.create(appointment=firm, grade=number, at=moment)
    assert [one.grade for one in ratings.load_ratings()] == [2, 3, 1]
    assert [one.grade for one in ratings.load_ratings(NOW)] == [3, 1]
    assert [one.month for one in ratings.load_ratings(NOW)] == [date(2026, 11, 1), date(2026, 12, 1)]


@pytest.mark.django_db
def test_each_division_counts_its_own_ratings_whether_rated_or_not():
    water, air, soil = (division(name) for name in ("水处", "大气处", "土壤处"))
    found = ratings.by_division(
        [
            rated("2026-10", Grade.GOOD, water.pk, air.pk),
            rated("2026-10", Grade.POOR, air.pk),
        ],
        [water, air, soil],
    )
    assert [(one.label, one.code, one.counts) for one in found] == [
        ("水处", "water", (0, 1, 0, 0, 0)),
        ("大气处", "air", (0, 1, 0, 1, 0)),
        ("土壤处", "soil", (0, 0, 0, 0, 0)),
    ]


# --- What a division sees of itself -----------------------------------------------------------------------------------


def spans(*months: str, now: datetime = TWENTIETH) -> list[tuple[str, int]]:
    """The spans of 水处 and how many ratings each holds; 大气处 was rated as often, in the same months."""
    given = [one for month in months for one in (rated(month), rated(month, Grade.VERY_POOR, AIR))]
    found = ratings.spans_of(given, WATER, now)
    assert all(span.counts == (0, span.total, 0, 0, 0) for span in found)
    return [(span.label, span.total) for span in found]


OCTOBER, NOVEMBER = "2026-10", "2026-11"


def test_a_span_needs_three_ratings_of_months_that_are_over():
    assert policy.RATINGS_SHOWN_FROM == 3
    assert spans(OCTOBER, OCTOBER) == []
    assert spans(OCTOBER, OCTOBER, OCTOBER) == [("2026年10月", 3)]
    assert spans(OCTOBER, OCTOBER, NOVEMBER) == []
    assert spans(NOVEMBER, NOVEMBER, NOVEMBER) == []
    december = datetime.fromisoformat("2026-12-01T00:00+08:00")
    assert spans(OCTOBER, OCTOBER, NOVEMBER, now=december) == [("2026年10月—11月", 3)]


def test_a_month_is_never_divided_between_two_spans():
    assert spans(*[OCTOBER] * 5) == [("2026年10月", 5)]
    assert spans("2026-08", *["2026-09"] * 4, *[OCTOBER] * 3) == [("2026年10月", 3), ("2026年8月—9月", 5)]


def test_what_is_left_over_waits_for_the_next_months():
    assert spans(*["2026-08"] * 3, "2026-09", OCTOBER) == [("2026年8月", 3)]


def test_a_span_over_new_year_names_both_years():
    assert spans("2025-12", "2026-01", "2026-02") == [("2025年12月—2026年2月", 3)]


def test_a_division_sees_the_newest_twelve_spans():
    months = [f"{year}-{month:02}" for year in (2024, 2025) for month in range(1, 13)][:14]
    found = spans(*[month for month in months for _ in range(3)])
    assert [label for label, _ in found] == [
        f"{month[:4]}年{int(month[5:])}月" for month in reversed(months[2:])
    ]
