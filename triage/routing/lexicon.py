"""Lexicon: every word of the rules found in a text in one pass."""

from collections.abc import Iterable
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
    inside, reach = set(), 0
    longer = set(among)
    for hit in sorted({*hits, *longer}, key=lambda hit: (hit.start, -hit.end)):
        if hit.end <= reach:
            inside.add(hit)
        if hit in longer:
            reach = max(reach, hit.end)
    return inside


def encroaching(hits: Iterable[Hit], on: Iterable[Hit]) -> set[Hit]:
    """Those that share characters with one of ``on`` without holding it whole: 换水 and 水 on 水性, in 换水性漆."""
    ends: dict[int, int] = {}
    for taken in on:
        ends[taken.start] = max(taken.end, ends.get(taken.start, 0))
    reach = _reach(ends)
    return {
        hit
        for hit in hits
        if reach.get(hit.start, 0) > hit.start
        or any(ends.get(place, 0) > hit.end for place in range(hit.start, hit.end))
    }


def _reach(ends: dict[int, int]) -> dict[int, int]:
    """For each place: the end of a word that began before it and stretches over it."""
    reach: dict[int, int] = {}
    for start, end in ends.items():
        for place in range(start + 1, end):
            reach[place] = max(end, reach.get(place, 0))
    return reach
