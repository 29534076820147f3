"""The duty that cancels what waits and need not reach anybody any more. What is due is checked when it leaves."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from django.conf import settings

from zhoushan_consult.duties.kinds import Kind, every

from . import delivery
from .models import Notice, State
from .records import records_of
from .validity import retract, why_not_of_many

# The letters whose records are read at a time.
BATCH_SIZE = 200


def retract_outdated(about: str, due_at: datetime, now: datetime) -> int:
    """Cancel the letters that are not true or of no use any more. Returns how many."""
    return sum(_retract_outdated(batch, now) for batch in _batches(_waiting(now)))


def _waiting(now: datetime) -> list[Notice]:
    """The calls on the list, the failed letters that wait for a decision, and what a gateway gets later."""
    later = Notice.objects.filter(
        state__in=[State.WAITING, State.RETRY], channel__in=settings.OUTBOX_ADAPTERS, next_try_at__gt=now
    )
    return [
        notice
        for waiting in (delivery.calls_to_make(), delivery.failed(), later)
        for notice in waiting.defer("to", "body", "calendar", "gist")
    ]


def _batches(notices: list[Notice]) -> Iterator[list[Notice]]:
    for start in range(0, len(notices), BATCH_SIZE):
        yield notices[start : start + BATCH_SIZE]


def _retract_outdated(notices: list[Notice], now: datetime) -> int:
    records = records_of(notices)
    return sum(_is_retracted(notice, records[notice.pk], now) for notice in notices)


def _is_retracted(notice: Notice, about, now: datetime) -> bool:
    reason = why_not_of_many(notice, about, now)
    return bool(reason) and retract(notice, about, reason, now)


RETRACT = Kind(
    name="retract_outdated_letters",
    label="撤下已不属实的通知",
    schedule=every(timedelta(minutes=5)),
    run=retract_outdated,
    useful_for=timedelta(hours=1),
)
