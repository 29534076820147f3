"""Lexicon: every word of the rules found in a text in one pass."""

from collections.abc import Callable, Iterable
from typing import NamedTuple

_END = ""  # no character is the empty string, so it can mark a word's end in the tree


class Hit(NamedTuple):
    """``word`` stands in the plain text at ``[start, end)``."""

    start: int
    end: int
    word: str


class Lexicon:
    """A tree of characters. The cost of a scan grows with the text, hardly with the number of words."""

    def __init__(self, words: Iterable[str]):
        self._root: dict = {}
        for word in filter(None, words):
            node = self._root
            for character in word:
                node = node.setdefault(character, {})
            node[_END] = word

    def scan(self, text: str) -> list[Hit]:
        """All words in ``text``, those inside other words included, by where they start."""
        return [hit for start in range(len(text)) for hit in self._from(text, start)]

    def _from(self, text: str, start: int) -> Iterable[Hit]:
        node = self._root
        for place in range(start, len(text)):
            node = node.get(text[place])
            if node is None:
                return
            if _END in node:
                yield Hit(start, place + 1, node[_END])


def inside_longer(hits: Iterable[Hit], among: Iterable[Hit]) -> set[Hit]:
    """Those of ``hits`` that lie within a longer one of ``among``: 许可证 within 排水许可证."""
    return _shadowed(hits, among, lambda hit, reach: hit.end <= reach)


def begun_inside(hits: Iterable[Hit], among: Iterable[Hit]) -> set[Hit]:
    """Those that lie within, or begin within and outrun, one of ``among``: 许可证到期 in 取水许可证到期."""
    return _shadowed(hits, among, lambda hit, reach: hit.start < reach)


def _shadowed(hits: Iterable[Hit], among: Iterable[Hit], in_shadow: Callable[[Hit, int], bool]) -> set[Hit]:
    """One sweep: ``reach`` is how far the words that began before (or began here and are longer) stretch."""
    shadowed, reach = set(), 0
    longer = set(among)
    for hit in sorted({*hits, *longer}, key=lambda hit: (hit.start, -hit.end)):
        if in_shadow(hit, reach):
            shadowed.add(hit)
        if hit in longer:
            reach = max(reach, hit.end)
    return shadowed
