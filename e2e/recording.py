"""A gateway and a duty that log each call in a file. The file shows what was really done."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

from django.conf import settings

from zhoushan_consult.duties.kinds import Due, Kind, every
from zhoushan_consult.outbox.adapters import FileAdapter
from zhoushan_consult.outbox.models import Notice

SENT_LOG, TICK_LOG = "sent.log", "ticks.log"
# So many that the runs of several workers overlap.
TICKS_PER_SECOND = 40


def append_line(log: str, line: str) -> None:
    """Add a line to a log into which several processes write."""
    path = Path(settings.VAR_DIR) / log
    # One short write in append mode: the lines of two processes never mix.
    with path.open("a", encoding="utf-8") as file:
        file.write(f"{line}\n")


class RecordingGateway(FileAdapter):
    """Accepts every letter and logs its dedupe key."""

    def send(self, notice: Notice) -> str:
        number = super().send(notice)
        append_line(SENT_LOG, notice.dedupe_key)
        return number


def _each_second(since: datetime, until: datetime) -> Iterator[Due]:
    for _, due_at in every(timedelta(seconds=1))(since, until):
        yield from ((f"{number:02}", due_at) for number in range(TICKS_PER_SECOND))


def _tick(about: str, due_at: datetime, now: datetime) -> int:
    """The line stays even if the transaction is rolled back: a duty that ran twice has two lines."""
    append_line(TICK_LOG, f"{due_at:%H:%M:%S} {about}")
    return 1


TICKS = Kind(name="ticks", label="试钟", schedule=_each_second, run=_tick, useful_for=timedelta(hours=1))
