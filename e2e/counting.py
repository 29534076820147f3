"""A gateway and a duty that keep a book of what was asked of them: a line each time, whatever the database says later."""

import os
import signal
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

from django.conf import settings

from zhoushan_consult.duties.kinds import Due, Kind, every
from zhoushan_consult.outbox.adapters import FileAdapter
from zhoushan_consult.outbox.models import Notice

LETTERS, RUNG, HELD = "letters.book", "rung.book", "held"
BELLS_A_SECOND = 40  # so many that the rounds of two workers overlap


def note(book: str, line: str) -> int:
    """Add a line to a book that several processes keep; returns how many it has now."""
    path = Path(settings.VAR_DIR) / book
    with path.open("a", encoding="utf-8") as file:  # one short write, at the end: lines never mix
        file.write(f"{line}\n")
    return path.read_text(encoding="utf-8").count("\n")


class Gateway(FileAdapter):
    """Takes every letter, except that it never ends the call of the one that HOLD names.

    HOLD is "before 3" or "after 3": the third letter, before or after it was taken.
    """

    taken = 0

    def send(self, notice: Notice) -> str:
        Gateway.taken += 1
        self._hold("before", notice)
        number = super().send(notice)
        note(LETTERS, notice.dedupe_key)
        self._hold("after", notice)
        return number

    def _hold(self, point: str, notice: Notice) -> None:
        if os.environ.get("HOLD") == f"{point} {self.taken}":
            note(HELD, notice.dedupe_key)
            signal.pause()


def _each_second(since: datetime, until: datetime) -> Iterator[Due]:
    for _, due_at in every(timedelta(seconds=1))(since, until):
        yield from ((f"{number:02}", due_at) for number in range(BELLS_A_SECOND))


def _ring(about: str, due_at: datetime, now: datetime) -> int:
    """The line stays in the book even if the round is taken back: two rounds at one bell are two lines."""
    note(RUNG, f"{due_at:%H:%M:%S} {about}")
    return 1


BELLS = Kind(name="bells", label="试钟", schedule=_each_second, run=_ring, useful_for=timedelta(hours=1))
