"""A value that each process keeps in memory, and loads again soon after its source changed."""

import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from threading import Lock
from typing import Generic, TypeVar

Value = TypeVar("Value")


@dataclass(frozen=True)
class _Entry(Generic[Value]):
    value: Value
    edition: Hashable
    checked_at: float


class RefreshedCache(Generic[Value]):
    """Keeps the value that `load()` returned.

    At most once in `every` seconds it asks `edition()`, and loads again if the answer changed. `edition()` must change
    whenever the value would, and should be one cheap query. If `edition` is None, the value is loaded again each time.
    `clock` returns seconds and is monotonic; a test passes its own.
    """

    def __init__(
        self,
        load: Callable[..., Value],
        edition: Callable[..., Hashable] | None,
        every: float,
        *,
        clock: Callable[[], float] = time.monotonic,
    ):
        self._load, self._edition_of, self._every = load, edition, every
        self._clock = clock
        self._entry: _Entry[Value] | None = None
        self._invalidations = 0
        self._lock = Lock()

    def get(self, *args) -> Value:
        """The value. `args` go to `edition()` and `load()`, for example the time of the request.

        Raises what `edition()` or `load()` raises; the next call then tries again.
        """
        entry = self._entry
        if entry and self._is_fresh(entry):
            return entry.value
        # While one thread refreshes, the others use the previous value: a slow load must not stop every request.
        if not self._lock.acquire(blocking=entry is None):
            return entry.value
        try:
            return self._refresh(args)
        finally:
            self._lock.release()

    def invalidate(self) -> None:
        """Forget the value, so that this process sees its own change at once."""
        self._invalidations += 1
        self._entry = None

    def _is_fresh(self, entry: _Entry[Value]) -> bool:
        # A clock that went back (in a test) would otherwise make the value fresh for a long time.
        return 0 <= self._clock() - entry.checked_at < self._every

    def _refresh(self, args: tuple) -> Value:
        entry = self._entry
        if entry and self._is_fresh(entry):  # the thread that held the lock before has just done it
            return entry.value
        invalidations = self._invalidations
        # The edition is read before the value: a change between the two is then found at the next check.
        edition = self._edition_of(*args) if self._edition_of else None
        unchanged = entry and self._edition_of and entry.edition == edition
        value = entry.value if unchanged else self._load(*args)
        # A value that was invalidated while it was loaded may be the old one, and must not be kept.
        if invalidations == self._invalidations:
            self._entry = _Entry(value, edition, self._clock())
        return value
