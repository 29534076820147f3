"""An index of answered questions that each process keeps in memory, and builds again soon after a change."""

import time
from collections.abc import Callable, Hashable, Iterable
from typing import Generic

from zhoushan_consult.refreshed_cache import RefreshedCache

from .index import Index, Key, Match

# Seconds: at most so late does a process see what another one changed.
REFRESH_EVERY = 20


class CachedIndex(Generic[Key]):
    """`edition()` must change whenever `pairs()`, key and question, would; it should be one cheap query."""

    def __init__(
        self,
        edition: Callable[[], Hashable],
        pairs: Callable[[], Iterable[tuple[Key, str]]],
        *,
        clock: Callable[[], float] = time.monotonic,
    ):
        self._cache: RefreshedCache[Index[Key]] = RefreshedCache(
            lambda: Index(pairs()), edition, REFRESH_EVERY, clock=clock
        )

    def search(self, text: str, limit: int) -> list[Match[Key]]:
        """Those that answer `text`, the most similar first."""
        return self._cache.get().search(text, limit)

    def invalidate(self) -> None:
        """Let this process see at once what it has just changed itself."""
        self._cache.invalidate()
