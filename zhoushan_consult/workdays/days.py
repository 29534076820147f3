"""Working days of the bureau: the calendar, with the overrides in force."""

from datetime import date

from . import calendar, overrides


def is_workday(day: date) -> bool:
    """Whether offices work on `day`."""
    return calendar.is_workday(day, overrides.in_force())


def add_workdays(day: date, count: int) -> date:
    """The `count`-th working day after `day`, before it if negative. With 0: `day`, or else the next working day."""
    return calendar.add_workdays(day, count, overrides.in_force())


def published(year: int) -> bool:
    """Whether the holidays of `year` are known. If not, a page that shows a term says 节假日安排未公布."""
    return calendar.published(year, overrides.in_force())
