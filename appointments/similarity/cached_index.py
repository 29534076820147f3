"""A shelf of answered questions: their index, kept by each process and renewed soon after a change."""

from collections.abc import Callable, Hashable, Iterable
from datetime import datetime, timedelta
from typing import Generic

from .index import Index, Key, Match

LOOKED_AFTER = timedelta(seconds=20)  # a process sees a change this much later at the most


class Shelf(Generic[Key]):
    """``edition()`` changes whenever ``pairs()``, key and question, would; it should be one cheap query."""

    def __init__(self, edition: Callable[[], Hashable], pairs: Callable[[], Iterable[tuple[Key, str]]]):
        self._edition_now, self._pairs = edition, pairs
        self._index: Index[Key] = Index([])
        self._edition: Hashable = None
        self._looked_at: datetime | None = None

    def closest(self, text: str, now: datetime, limit: int) -> list[Match[Key]]:
        """Those that answer ``text``, the likeliest first."""
        if self._looked_at is None or abs(now - self._looked_at) >= LOOKED_AFTER:
            self._look(now)
        return self._index.closest(text, limit)

    def look_again(self) -> None:
        """Let this process see at once what was just changed in it."""
        self._looked_at = self._edition = None

    def _look(self, now: datetime) -> None:
        edition = self._edition_now()
        if edition != self._edition:
            self._index, self._edition = Index(self._pairs()), edition
        self._looked_at = now
