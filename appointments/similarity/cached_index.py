"""An index of answered questions that each process keeps in memory, and builds again soon after a change."""

from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Generic, TypeVar

from .index import Index, Key, Match

REFRESH_EVERY = timedelta(seconds=20)  # at most so late does a process see what another one changed
Value = TypeVar("Value")


class CachedIndex(Generic[Key]):
    """``edition()`` must change whenever ``pairs()``, key and question, would; it should be one cheap query."""

    def __init__(self, edition: Callable[[], Hashable], pairs: Callable[[], Iterable[tuple[Key, str]]]):
        self._cache: _RefreshedCache[Index[Key]] = _RefreshedCache(
            lambda: Index(pairs()), edition, REFRESH_EVERY
        )

    def search(self, text: str, now: datetime, limit: int) -> list[Match[Key]]:
        """Those that answer ``text``, the most similar first."""
        return self._cache.get(now).search(text, limit)

    def invalidate(self) -> None:
        """Let this process see at once what it has just changed itself."""
        self._cache.invalidate()


class _RefreshedCache(Generic[Value]):
    """The value of ``load()``, loaded again if ``edition()``, asked at most once in ``every``, has changed."""

    def __init__(self, load: Callable[[], Value], edition: Callable[[], Hashable], every: timedelta):
        self._load, self._edition_of, self._every = load, edition, every
        self._entry: _Entry[Value] | None = None

    def get(self, now: datetime) -> Value:
        entry = self._entry
        # A clock that went back would otherwise make the value fresh for a long time, hence abs().
        if entry is None or abs(now - entry.checked_at) >= self._every:
            entry = self._entry = self._refresh(entry, now)
        return entry.value

    def invalidate(self) -> None:
        self._entry = None

    def _refresh(self, entry: "_Entry[Value] | None", now: datetime) -> "_Entry[Value]":
        # The edition is read before the value: a change between the two is then found at the next check.
        edition = self._edition_of()
        if entry is None or entry.edition != edition:
            return _Entry(self._load(), edition, now)
        return _Entry(entry.value, edition, now)


@dataclass(frozen=True)
class _Entry(Generic[Value]):
    value: Value
    edition: Hashable
    checked_at: datetime
