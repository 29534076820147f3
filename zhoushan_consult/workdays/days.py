"""Working days as the bureau keeps them: the calendar with the overrides that the database holds."""

import time
from collections.abc import Mapping
from datetime import date

from django.db import connection

from . import calendar
from .models import WorkdayOverride

KEPT = 60  # seconds that a page may tell a term by the overrides of before

_kept: tuple[float, Mapping[date, bool]] | None = None


def is_workday(day: date) -> bool:
    """Whether offices work on `day`."""
    return calendar.is_workday(day, overrides())


def add_workdays(day: date, count: int) -> date:
    """The `count`-th working day after `day` (before it, if negative); 0: `day` or the next working day."""
    return calendar.add_workdays(day, count, overrides())


def published(year: int) -> bool:
    """Whether the holidays of `year` are known; if not, a page that shows a term says 节假日安排未公布."""
    return calendar.published(year, overrides())


def overrides() -> Mapping[date, bool]:
    """Date → whether it is worked. Inside a transaction always as the database has it: there terms are set."""
    global _kept
    if connection.in_atomic_block:
        return _read()
    if _kept is None or abs(time.monotonic() - _kept[0]) > KEPT:
        _kept = (time.monotonic(), _read())
    return _kept[1]


def _read() -> Mapping[date, bool]:
    return dict(WorkdayOverride.objects.values_list("date", "works"))
