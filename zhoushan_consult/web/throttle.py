"""Limits how often a visitor may do the same thing. All web processes count together, in the database."""

import logging
from datetime import datetime, timedelta

from django.db import DatabaseError, connection
from django.db.models import F
from django.utils.crypto import salted_hmac

from zhoushan_consult.duties.kinds import EPOCH, Kind, daily

from .models import Hit

# A window lasts at most one day.
KEEP_FOR = timedelta(days=2)

log = logging.getLogger(__name__)


def allow(bucket: str, limit: int, per: timedelta, now: datetime, *, when_down: bool = False) -> bool:
    """Count one more in `bucket`. Returns whether the count is within `limit` for the window of length `per`.

    `bucket` says what and who, for example "register 203.0.113.7"; only a keyed hash of it is stored. `per` is at most a
    day. Windows are fixed, so around their border twice the limit can pass. `when_down` is the result if the database
    cannot count: True for a registration, which must not fail because of a counter; False for attempts to guess a
    secret. Call it outside the transaction of the act: a rollback would also undo the count.
    """
    # Only the hash is stored: a copy of the database must not say from which address a firm registered.
    try:
        return count(bucket, per, now) <= limit
    except DatabaseError as error:
        log.error("cannot count: %s", type(error).__name__)
        return when_down


def count(bucket: str, per: timedelta, now: datetime) -> int:
    """Count one more in `bucket`, and return the count of the window. Raises DatabaseError."""
    return _count(_hashed(bucket), _window_start(now, per))


def uncount(buckets: list[str], per: timedelta, now: datetime) -> None:
    """Take back one count of each bucket: the act was no failure after all. Raises DatabaseError."""
    counted = Hit.objects.filter(bucket__in=map(_hashed, buckets), window_start=_window_start(now, per))
    counted.filter(count__gt=0).update(count=F("count") - 1)


def reached(limits: dict[str, int], per: timedelta, now: datetime) -> bool:
    """Whether one of the buckets, each with its own limit, is full. One query; nothing is counted. Raises DatabaseError."""
    by_hash = {_hashed(bucket): limit for bucket, limit in limits.items()}
    counted = Hit.objects.filter(bucket__in=by_hash, window_start=_window_start(now, per))
    return any(count >= by_hash[bucket] for bucket, count in counted.values_list("bucket", "count"))


def exhausted(buckets: list[str], limit: int, per: timedelta, now: datetime) -> bool:
    """Whether one of `buckets` has reached `limit` in the present window. Nothing is counted.

    For acts of which only the failed ones count, by `allow`. True if the database does not answer.
    """
    try:
        full = Hit.objects.filter(bucket__in=map(_hashed, buckets), count__gte=limit)
        return full.filter(window_start=_window_start(now, per)).exists()
    except DatabaseError as error:
        log.error("cannot read counts: %s", type(error).__name__)
        return True


def purge(now: datetime) -> int:
    """Delete the counts of windows that are over. Returns how many."""
    return Hit.objects.filter(window_start__lt=now - KEEP_FOR).delete()[0]


def _hashed(bucket: str) -> str:
    return salted_hmac(__name__, bucket, algorithm="sha256").hexdigest()


def _window_start(now: datetime, per: timedelta) -> datetime:
    return EPOCH + (now - EPOCH) // per * per


def _count(bucket: str, window_start: datetime) -> int:
    """In one statement, so that two requests never read the same count (PostgreSQL, and SQLite from 3.35)."""
    start = Hit._meta.get_field("window_start").get_db_prep_value(window_start, connection)
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO web_hit (bucket, window_start, count) VALUES (%s, %s, 1)"
            " ON CONFLICT (bucket, window_start) DO UPDATE SET count = web_hit.count + 1 RETURNING count",
            [bucket, start],
        )
        return cursor.fetchone()[0]


PURGE = Kind(
    name="throttle_purge",
    label="清理访问计数",
    schedule=daily("04:10"),
    run=lambda about, due_at, now: purge(now),
    useful_for=timedelta(hours=20),
)
