"""Which days are worked. Pure: the bureau's overrides are passed in.

An override comes before the holidays that 国务院办公厅 announced (the data of chinesecalendar), and those come before
Monday to Friday. A year is announced in the November before. Until then its working days are Monday to Friday, and a
page that shows a term in that year says 节假日安排未公布.
"""

from collections.abc import Mapping
from datetime import date, timedelta
from types import MappingProxyType

from chinese_calendar import constants

# Immutable, because it is a default argument.
NO_OVERRIDES: Mapping[date, bool] = MappingProxyType({})


def is_workday(day: date, overrides: Mapping[date, bool] = NO_OVERRIDES) -> bool:
    """Whether offices work on `day`. `overrides` maps a date to whether it is worked."""
    announced = day in constants.workdays or (day.weekday() < 5 and day not in constants.holidays)
    return overrides.get(day, announced)


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

    National Day answers this: every announcement ends with it, and one of 1 to 3 October is always a weekday off. So
    a year whose holidays were entered as overrides is known as well.
    """
    national_day = [date(year, 10, number) for number in (1, 2, 3)]
    return any(day in constants.holidays for day in national_day) or any(
        overrides.get(day) is False for day in national_day
    )
