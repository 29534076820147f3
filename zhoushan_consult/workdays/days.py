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


# The month from which the holidays of the next year are waited for.
ANNOUNCED_FROM = 11


def year_wanted(today: date) -> int | None:
    """The coming year, if it is November or later and its holidays are not known yet."""
    return today.year + 1 if today.month >= ANNOUNCED_FROM and not published(today.year + 1) else None
