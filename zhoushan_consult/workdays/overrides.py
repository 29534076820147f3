"""The bureau's overrides as the database holds them, kept in memory for a minute."""

import time
from collections.abc import Mapping
from datetime import date

from django.db import connection

from .models import WorkdayOverride

KEPT = 60  # seconds that a page may tell a term by the overrides of before

_kept: tuple[float, Mapping[date, bool]] | None = None


def in_force() -> Mapping[date, bool]:
    """Date → whether it is worked. Inside a transaction always as the database has it: there terms are set."""
    global _kept
    if connection.in_atomic_block:
        return _read()
    if _kept is None or abs(time.monotonic() - _kept[0]) > KEPT:
        _kept = (time.monotonic(), _read())
    return _kept[1]


def _read() -> Mapping[date, bool]:
    return dict(WorkdayOverride.objects.values_list("date", "works"))
