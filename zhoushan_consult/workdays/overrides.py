"""The bureau's overrides as the database holds them. A process keeps them for a minute."""

from collections.abc import Mapping
from datetime import date

from django.db import connection

from zhoushan_consult.refreshed_cache import RefreshedCache

from .models import WorkdayOverride


def load() -> Mapping[date, bool]:
    """Date → whether it is worked, as the database has it now."""
    return dict(WorkdayOverride.objects.values_list("date", "works"))


# For so many seconds a page may still show a term by the previous overrides.
EVERY = 60
# The table has a few dozen rows: to load it costs no more than to ask for an edition.
cache = RefreshedCache(load, None, EVERY)


def in_force() -> Mapping[date, bool]:
    """Date → whether it is worked.

    Inside a transaction this reads the database: a term that is stored must not come from an old override.
    """
    return load() if connection.in_atomic_block else cache.get()
