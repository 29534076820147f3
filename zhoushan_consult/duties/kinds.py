"""What a scheduled duty is, and when it falls due: by the clock of Zhoushan, whatever the server's is."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings
from django.utils.module_loading import import_string

SHANGHAI = ZoneInfo("Asia/Shanghai")
EPOCH = datetime(2019, 1, 1, tzinfo=SHANGHAI).astimezone(UTC)  # `every` counts from here

Due = tuple[str, datetime]
"""What it is about ("2026-12", "2026-12-01", or "" where the moment says all), and when it falls due."""

Schedule = Callable[[datetime, datetime], Iterable[Due]]
"""Given (since, until): every Due after `since` and no later than `until`, in order of time."""


@dataclass(frozen=True)
class Kind:
    """A duty that comes back.

    `run(about, due_at, now)` does it inside a transaction and returns the number of rows it touched; run
    twice, it changes nothing the second time. Its effects are rows alone, for a rehearsal plays it on a copy of
    them: what is to leave the house is written as a letter. After `useful_for` a duty that has not been done is `missed`.
    A run that found nothing to do is forgotten when the next has run, unless `record_quiet`.
    """

    name: str
    label: str
    schedule: Schedule
    run: Callable[[str, datetime, datetime], int]
    useful_for: timedelta
    record_quiet: bool = False


def kinds() -> list[Kind]:
    """The kinds that settings.DUTIES names, in its order. Raises ImportError where one is not found."""
    return [import_string(path) for path in settings.DUTIES]


def next_due(kind: Kind, now: datetime) -> datetime | None:
    """When the kind falls due next after `now`; None where that is more than half a year off."""
    # `every` tells the last moment of a span; a span that doubles cannot hold two before it has held one.
    for doubled in range(18):
        for _, due_at in kind.schedule(now, now + timedelta(minutes=2**doubled)):
            return due_at
    return None


def monthly(day: int, at: str) -> Schedule:
    """Each month on `day` (1 to 28: no month lacks it) at `at` ("00:05"); about the month, "2026-12"."""
    if not 1 <= day <= 28:
        raise ValueError("a monthly duty needs a day that every month has: 1 to 28")
    return _on_days("%Y-%m", at, lambda today: today.day == day)


def daily(at: str) -> Schedule:
    """Each day at `at` ("09:00"); about the day, "2026-12-01"."""
    return _on_days("%Y-%m-%d", at, lambda today: True)


def every(period: timedelta) -> Schedule:
    """Once a `period`. Of many slept through only the latest falls due: the others would repeat it."""

    def latest(since: datetime, until: datetime) -> Iterator[Due]:
        tick = EPOCH + (until - EPOCH) // period * period
        if since < tick:
            yield "", tick

    return latest


def _on_days(about: str, at: str, wanted: Callable[[date], bool]) -> Schedule:
    clock = time.fromisoformat(at)

    def schedule(since: datetime, until: datetime) -> Iterator[Due]:
        today = since.astimezone(SHANGHAI).date()
        while (due_at := datetime.combine(today, clock, SHANGHAI)) <= until:
            if since < due_at and wanted(today):
                yield today.strftime(about), due_at
            today += timedelta(days=1)

    return schedule
