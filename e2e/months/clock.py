"""The one clock of a run: it stands still until the player moves it."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

import time_machine

from zhoushan_consult.clock import SHANGHAI


class Clock:
    """`now` is what the whole service reads as the present."""

    def __init__(self, traveller):
        self._traveller = traveller
        self.now = datetime.now(SHANGHAI)

    def move_to(self, instant: datetime) -> None:
        """Never back: a step of the past happens now."""
        if instant > self.now:
            self._traveller.move_to(instant)
            self.now = instant


@contextmanager
def standing_at(begin: datetime) -> Iterator[Clock]:
    """A clock that starts at `begin`. Afterwards the real time is back."""
    with time_machine.travel(begin, tick=False) as traveller:
        yield Clock(traveller)
