"""What a scheduled duty is, and when it is due. All times are of Zhoushan, also if the server is in another zone."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from django.conf import settings
from django.utils.module_loading import import_string

from zhoushan_consult.clock import SHANGHAI, local_date, local_datetime

# `every` and the windows of web.throttle count whole periods from here.
EPOCH = datetime(2019, 1, 1, tzinfo=SHANGHAI).astimezone(UTC)

Due = tuple[str, datetime]
"""The period ("2026-12", "2026-12-01", or "" if the time says enough), and when the duty is due."""

Schedule = Callable[[datetime, datetime], Iterable[Due]]
"""`schedule(since, until)` returns every Due after `since` and up to `until`, in order of time."""


@dataclass(frozen=True)
class Kind:
    """A recurring duty.

    `run(about, due_at, now)` is called inside a transaction and returns the number of rows that it changed. A second
    call must change nothing. It may only write rows, because a rehearsal runs it on a copy of the database: a message
    to a person is posted as a letter. A duty that has not run within `useful_for` is marked as missed. The row of a
    run that changed nothing is deleted after the next run, unless `keep_empty_runs` is set.
    """

    name: str
    label: str
    schedule: Schedule
    run: Callable[[str, datetime, datetime], int]
    useful_for: timedelta
    keep_empty_runs: bool = False


def kinds() -> list[Kind]:
    """The kinds named in settings.DUTIES, in that order. Raises ImportError if one does not exist."""
    return [import_string(path) for path in settings.DUTIES]


def next_due(kind: Kind, now: datetime) -> datetime | None:
    """The next due time after `now`. None if that is more than three months away."""
    # `every` returns only the last due time of a span. Spans that double from one minute find the first one: a span
    # holds one due time before it holds two. 2**17 minutes are 91 days, so the longest span is about three months.
    for exponent in range(18):
        for _, due_at in kind.schedule(now, now + timedelta(minutes=2**exponent)):
            return due_at
    return None


def monthly(day: int, at: str) -> Schedule:
    """Each month on `day` (1 to 28, which every month has) at `at` ("00:05"). `about` is the month: "2026-12"."""
    if not 1 <= day <= 28:
        raise ValueError("a monthly duty needs a day that every month has: 1 to 28")
    return _on_days("%Y-%m", at, lambda today: today.day == day)


def yearly(month: int, day: int, at: str) -> Schedule:
    """Each year on a date at `at`. `about` is the year: "2026"."""
    return _on_days("%Y", at, lambda today: (today.month, today.day) == (month, day))


def daily(at: str) -> Schedule:
    """Each day at `at` ("09:00"). `about` is the date: "2026-12-01"."""
    return _on_days("%Y-%m-%d", at, lambda today: True)


def every(period: timedelta) -> Schedule:
    """Once in each `period`. After a pause only the latest is due: the earlier ones would do the same again."""

    def latest(since: datetime, until: datetime) -> Iterator[Due]:
        # A fixed grid from EPOCH, so that all workers compute the same due times.
        tick = EPOCH + (until - EPOCH) // period * period
        if since < tick:
            yield "", tick

    return latest


def _on_days(about: str, at: str, wanted: Callable[[date], bool]) -> Schedule:
    time_of_day = time.fromisoformat(at)

    def schedule(since: datetime, until: datetime) -> Iterator[Due]:
        today = local_date(since)
        while (due_at := local_datetime(today, time_of_day)) <= until:
            if since < due_at and wanted(today):
                yield today.strftime(about), due_at
            today += timedelta(days=1)

    return schedule
