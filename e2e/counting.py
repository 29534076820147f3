"""A gateway and a duty that keep a book of what was asked of them: a line each time, whatever the database says later."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

from django.conf import settings

from zhoushan_consult.duties.kinds import Due, Kind, every
from zhoushan_consult.outbox.adapters import FileAdapter
from zhoushan_consult.outbox.models import Notice

LETTERS, RUNG = "letters.book", "rung.book"
BELLS_A_SECOND = 40  # so many that the rounds of several workers overlap


def note(book: str, line: str) -> None:
    """Add a line to a book that several processes keep."""
    path = Path(settings.VAR_DIR) / book
    with path.open("a", encoding="utf-8") as file:  # one short write, at the end: lines never mix
        file.write(f"{line}\n")


class Gateway(FileAdapter):
    """Takes every letter."""

    def send(self, notice: Notice) -> str:
        number = super().send(notice)
        note(LETTERS, notice.dedupe_key)
        return number


def _each_second(since: datetime, until: datetime) -> Iterator[Due]:
    for _, due_at in every(timedelta(seconds=1))(since, until):
        yield from ((f"{number:02}", due_at) for number in range(BELLS_A_SECOND))


def _ring(about: str, due_at: datetime, now: datetime) -> int:
    """The line stays in the book even if the round is taken back: two rounds at one bell are two lines."""
    note(RUNG, f"{due_at:%H:%M:%S} {about}")
    return 1


BELLS = Kind(name="bells", label="试钟", schedule=_each_second, run=_ring, useful_for=timedelta(hours=1))
