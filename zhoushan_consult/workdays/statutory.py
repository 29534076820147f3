"""The holidays that the law fixes for every year, known before any announcement. Pure.

《全国年节及纪念日放假办法》, in force since 2025: thirteen days, those of the lunar calendar among them. A day that falls on
a weekend is made up for on a working day (第六条).
"""

from collections.abc import Iterator
from datetime import date, timedelta
from functools import cache

from borax.calendars.lunardate import LunarDate, TermUtils


@cache
def festivals(year: int) -> dict[str, tuple[date, ...]]:
    """Name → its days off by law, without the weekends around them. For 1901 to 2099."""
    return {
        "元旦": _days(date(year, 1, 1), 1),
        "春节": _days(_lunar(year, 1, 1) - timedelta(days=1), 4),
        "清明节": _days(TermUtils.nth_term_day(year, term_name="清明"), 1),
        "劳动节": _days(date(year, 5, 1), 2),
        "端午节": _days(_lunar(year, 5, 5), 1),
        "中秋节": _days(_lunar(year, 8, 15), 1),
        "国庆节": _days(date(year, 10, 1), 3),
    }


@cache
def holidays(year: int) -> frozenset[date]:
    """Every day off by law."""
    return frozenset(day for days in festivals(year).values() for day in days)


@cache
def in_lieu(year: int) -> frozenset[date]:
    """The working days most likely off in lieu of holidays on a weekend: the next ones. The announcement may name others."""
    return frozenset(_next_weekdays(year))


def _next_weekdays(year: int) -> Iterator[date]:
    taken = set(holidays(year))
    for day in sorted(holidays(year)):
        if day.weekday() < 5:
            continue
        while day in taken or day.weekday() >= 5:
            day += timedelta(days=1)
        taken.add(day)
        yield day


def _days(first: date, count: int) -> tuple[date, ...]:
    return tuple(first + timedelta(days=number) for number in range(count))


def _lunar(year: int, month: int, day: int) -> date:
    return LunarDate(year, month, day).to_solar_date()
