"""Which days are worked: pure, with the bureau's overrides passed in.

An override wins over the holidays that 国务院办公厅 announced (as chinesecalendar knows them), and those win over
Monday to Friday. The announcement for a year comes in the November before; until then its days are Monday to Friday,
and whoever shows a term in such a year says 节假日安排未公布.
"""

from collections.abc import Mapping
from datetime import date, timedelta
from types import MappingProxyType

from chinese_calendar import constants

NONE: Mapping[date, bool] = MappingProxyType({})


def is_workday(day: date, overrides: Mapping[date, bool] = NONE) -> bool:
    """Whether offices work on `day`; `overrides` maps a date to whether it is worked."""
    announced = day in constants.workdays or (day.weekday() < 5 and day not in constants.holidays)
    return overrides.get(day, announced)


def add_workdays(day: date, count: int, overrides: Mapping[date, bool] = NONE) -> date:
    """The `count`-th working day after `day`, which itself is not counted; before it, if `count` is negative.

    0 gives `day` itself, or the next working day if it is not one.
    """
    step = timedelta(days=-1 if count < 0 else 1)
    left = abs(count)
    while left or not is_workday(day, overrides):
        day += step
        left -= left > 0 and is_workday(day, overrides)
    return day


def published(year: int, overrides: Mapping[date, bool] = NONE) -> bool:
    """Whether the holidays of `year` are known.

    Told by National Day: every announcement closes with it, and one of 1 to 3 October is always off on a weekday. So
    a year whose holidays were typed in as overrides counts as well.
    """
    national_day = [date(year, 10, number) for number in (1, 2, 3)]
    return any(day in constants.holidays for day in national_day) or any(
        overrides.get(day) is False for day in national_day
    )
