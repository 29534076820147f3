"""workdays: what 国务院办公厅 announced, what the bureau typed in, and what the law fixes beyond."""

from datetime import date, timedelta

import pytest
from django.core.exceptions import ValidationError

from zhoushan_consult.refreshed_cache import RefreshedCache
from zhoushan_consult.workdays import calendar, days, overrides, statutory
from zhoushan_consult.workdays.models import WorkdayOverride

FRIDAY_BEFORE_FESTIVAL = date(
    2026, 2, 13
)  # 2026-02-14 is worked in lieu, 02-15 to 02-23 is off, 02-28 is worked


@pytest.mark.parametrize(
    "day, worked",
    [
        (date(2026, 11, 23), True),  # a Monday
        (date(2026, 11, 22), False),  # a Sunday
        (date(2026, 10, 1), False),  # National Day, a Thursday
        (date(2026, 2, 14), True),  # a Saturday worked in lieu
        (date(2026, 2, 23), False),  # a Monday of the Spring Festival
        (date(2027, 1, 1), False),  # not announced, but off by law: a Friday
        (date(2027, 1, 2), False),  # a Saturday
        (date(2027, 2, 8), False),  # the third day of the Spring Festival, a Monday
        (date(2027, 2, 10), False),  # most likely off in lieu of 6 and 7 February, a weekend
        (date(2027, 2, 11), True),
        (date(2027, 9, 15), False),  # 中秋
        (date(2027, 10, 8), True),  # not announced: a Friday like any other
        (date(1999, 10, 1), True),
    ],
)
def test_workday_follows_announced_holidays_and_otherwise_those_of_the_law(day, worked):
    assert calendar.is_workday(day) is worked


@pytest.mark.parametrize(
    "year, name, first, last",
    [
        (2027, "元旦", (1, 1), (1, 1)),
        (2027, "春节", (2, 5), (2, 8)),  # 除夕 to 初三
        (2027, "清明节", (4, 5), (4, 5)),
        (2027, "劳动节", (5, 1), (5, 2)),
        (2027, "端午节", (6, 9), (6, 9)),
        (2027, "中秋节", (9, 15), (9, 15)),
        (2027, "国庆节", (10, 1), (10, 3)),
        (2028, "春节", (1, 25), (1, 28)),
        (2028, "清明节", (4, 4), (4, 4)),
        (2033, "中秋节", (9, 8), (9, 8)),  # a year with a leap month after it
    ],
)
def test_festivals_of_a_year_are_known_before_any_announcement(year, name, first, last):
    days = statutory.festivals(year)[name]
    assert (days[0], days[-1]) == (date(year, *first), date(year, *last))


@pytest.mark.parametrize("year", [2025, 2026])
def test_law_gives_as_many_workdays_as_the_announcement(year):
    days = [date(year, 1, 1) + timedelta(number) for number in range(365)]
    off = statutory.holidays(year) | statutory.in_lieu(year)
    assert sum(day.weekday() < 5 and day not in off for day in days) == sum(map(calendar.is_workday, days))
    assert not any(map(calendar.is_workday, statutory.holidays(year)))


def test_five_workdays_after_28_december_2026_end_on_5_january():
    assert calendar.add_workdays(date(2026, 12, 28), 5) == date(2027, 1, 5)


def test_override_decides_whether_a_day_is_a_workday():
    overrides = {date(2027, 10, 8): False, date(2027, 10, 9): True, date(2026, 2, 14): False}
    assert [calendar.is_workday(day, overrides) for day in overrides] == [False, True, False]


@pytest.mark.parametrize(
    "count, day",
    [
        (0, FRIDAY_BEFORE_FESTIVAL),
        (1, date(2026, 2, 14)),
        (2, date(2026, 2, 24)),
        (5, date(2026, 2, 27)),
        (6, date(2026, 2, 28)),
        (7, date(2026, 3, 2)),
        (-1, date(2026, 2, 12)),
    ],
)
def test_add_workdays_counts_from_the_day_after(count, day):
    assert calendar.add_workdays(FRIDAY_BEFORE_FESTIVAL, count) == day


def test_add_workdays_from_a_day_off_does_not_count_it():
    festival = date(2026, 2, 17)
    assert calendar.add_workdays(festival, 0) == calendar.add_workdays(festival, 1) == date(2026, 2, 24)
    assert calendar.add_workdays(festival, -1) == date(2026, 2, 14)


def test_add_workdays_forward_and_back_returns_to_the_same_day():
    for offset in range(60):
        day = calendar.add_workdays(date(2026, 12, 1) + timedelta(offset), 0)
        assert calendar.add_workdays(calendar.add_workdays(day, 15), -15) == day


def test_year_is_published_once_its_holidays_are_announced_or_entered():
    assert calendar.published(2026) and not calendar.published(2027) and not calendar.published(2003)
    assert not calendar.published(2027, {date(2027, 1, 1): False})  # New Year alone is no whole year
    assert not calendar.published(2027, {date(2027, 9, 30): False, date(2027, 10, 8): False})
    assert not calendar.published(2027, {date(2027, 10, 2): True})
    assert calendar.published(2027, {date(2027, 10, 1): False})
    assert calendar.published(2027, {date(2027, 10, 7): False})


def test_days_in_lieu_are_supposed_only_until_the_year_is_entered():
    supposed, by_law = date(2027, 2, 10), date(2027, 2, 8)
    entered = {date(2027, 10, 1): False}
    assert not calendar.is_workday(supposed, {date(2027, 1, 1): False})
    assert calendar.is_workday(supposed, entered) and not calendar.is_workday(by_law, entered)


def holiday(day, works=False):
    return WorkdayOverride.objects.create(date=day, works=works, note="测试")


@pytest.mark.django_db
def test_override_applies_at_once_where_a_deadline_is_set():
    assert days.is_workday(date(2027, 10, 6)) and not days.published(2027)
    holiday(date(2027, 10, 6))
    assert not days.is_workday(date(2027, 10, 6)) and days.published(2027)
    assert days.add_workdays(date(2027, 10, 5), 1) == date(2027, 10, 7)


@pytest.fixture
def clock(monkeypatch):
    """Seconds that only the test moves. The cache is the test's own."""
    seconds = [0.0]
    cache = RefreshedCache(overrides.load, None, overrides.EVERY, clock=lambda: seconds[0])
    monkeypatch.setattr(overrides, "cache", cache)
    return seconds


@pytest.mark.django_db(transaction=True)
def test_overrides_are_loaded_once_a_minute(clock, django_assert_num_queries):
    with django_assert_num_queries(1):
        assert all(days.is_workday(date(2027, 10, 8)) for _ in range(5))
    holiday(date(2027, 10, 8))
    assert days.is_workday(date(2027, 10, 8))
    clock[0] = overrides.EVERY + 1
    assert not days.is_workday(date(2027, 10, 8))


@pytest.mark.django_db
def test_second_override_of_a_date_is_refused_with_advice():
    holiday(date(2027, 10, 1))
    with pytest.raises(ValidationError, match="请直接修改那一条"):
        WorkdayOverride(date=date(2027, 10, 1), works=True).full_clean()
    assert str(WorkdayOverride(date=date(2027, 10, 9), works=True)) == "2027年10月9日 上班"
