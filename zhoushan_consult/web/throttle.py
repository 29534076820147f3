"""How often the same visitor may do the same thing: counted in the database, so that all web processes count together."""

import logging
from datetime import datetime, timedelta

from django.db import DatabaseError, connection
from django.utils.crypto import salted_hmac

from zhoushan_consult.duties.kinds import EPOCH, Kind, daily

from .models import Hit

KEPT_FOR = timedelta(days=2)  # longer than any window

log = logging.getLogger(__name__)


def allow(bucket: str, limit: int, per: timedelta, now: datetime, *, when_down: bool = False) -> bool:
    """Count one more in `bucket`, and say whether it is within `limit` for this `per` (at most a day) of time.

    `bucket` says what and who, as "register 203.0.113.7"; only a keyed hash of it is kept. Windows are fixed, so
    around their edge twice the limit may pass. `when_down` is the answer if the database cannot count: True for a
    booking, which must not fail for a counter's sake, False for guesses at secrets. Call it outside the act's own
    transaction, which may be taken back.
    """
    try:
        return _count(_sealed(bucket), _window(now, per)) <= limit
    except DatabaseError as error:
        log.error("cannot count: %s", type(error).__name__)
        return when_down


def purge(now: datetime) -> int:
    """Forget the counts of windows that are over; returns how many."""
    return Hit.objects.filter(window_start__lt=now - KEPT_FOR).delete()[0]


def _sealed(bucket: str) -> str:
    return salted_hmac(__name__, bucket, algorithm="sha256").hexdigest()


def _window(now: datetime, per: timedelta) -> datetime:
    return EPOCH + (now - EPOCH) // per * per


def _count(bucket: str, window_start: datetime) -> int:
    """One statement, so that no two at once read the same count (PostgreSQL, and SQLite from 3.35)."""
    when = Hit._meta.get_field("window_start").get_db_prep_value(window_start, connection)
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO web_hit (bucket, window_start, count) VALUES (%s, %s, 1)"
            " ON CONFLICT (bucket, window_start) DO UPDATE SET count = web_hit.count + 1 RETURNING count",
            [bucket, when],
        )
        return cursor.fetchone()[0]


PURGE = Kind(
    name="throttle_purge",
    label="清理访问计数",
    schedule=daily("04:10"),
    run=lambda about, due_at, now: purge(now),
    useful_for=timedelta(hours=20),
)
