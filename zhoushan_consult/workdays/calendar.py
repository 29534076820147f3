"""Which days are worked. Pure: the bureau's overrides are passed in.

An override comes before the holidays that 国务院办公厅 announced (the data of chinesecalendar), and those come before
Monday to Friday. A year is announced in the November before. Until then it has the holidays that the law fixes for
every year, and a page that shows a term in that year says 节假日安排未公布.
"""

from collections.abc import Mapping, Set
from datetime import date, timedelta
from types import MappingProxyType

from chinese_calendar import constants

from . import statutory

# Immutable, because it is a default argument.
NO_OVERRIDES: Mapping[date, bool] = MappingProxyType({})
LAST_ANNOUNCED = max(constants.holidays).year


def is_workday(day: date, overrides: Mapping[date, bool] = NO_OVERRIDES) -> bool:
    """Whether offices work on `day`. `overrides` maps a date to whether it is worked."""
    if day in overrides:
        return overrides[day]
    return day in constants.workdays or (day.weekday() < 5 and day not in _holidays(day.year, overrides))


def _holidays(year: int, overrides: Mapping[date, bool]) -> Set[date]:
    if year <= LAST_ANNOUNCED:
        return constants.holidays.keys()
    if published(year, overrides):
        return statutory.holidays(year)  # the days in lieu are among the overrides, as they were announced
    return statutory.holidays(year) | statutory.in_lieu(year)


def add_workdays(day: date, count: int, overrides: Mapping[date, bool] = NO_OVERRIDES) -> date:
    """The `count`-th working day after `day`, or before `day` if `count` is negative. `day` itself is not counted.

    With 0: `day` itself if it is a working day, else the next one.
    """
    step = timedelta(days=-1 if count < 0 else 1)
    left = abs(count)
    while left or not is_workday(day, overrides):
        day += step
        left -= left > 0 and is_workday(day, overrides)
    return day


def published(year: int, overrides: Mapping[date, bool] = NO_OVERRIDES) -> bool:
    """Whether the holidays of `year` are known.

    The week of National Day answers this: every announcement ends with it. So a year is known as well once its days off
    from 1 to 7 October were entered as overrides.
    """
    week = [date(year, 10, number) for number in range(1, 8)]
    return any(day in constants.holidays or overrides.get(day) is False for day in week)
