"""Find every word of a word list in a text in one pass (a trie)."""

from collections.abc import Iterable
from typing import NamedTuple

# Marks the end of a word in the trie. No character is the empty string, so it cannot collide with one.
_END = ""


class Hit(NamedTuple):
    """`word` occurs in the normalised text at `[start, end)`."""

    start: int
    end: int
    word: str


class Lexicon:
    """A trie. The cost of a scan grows with the text, and hardly with the number of words."""

    def __init__(self, words: Iterable[str]):
        self._root: dict = {}
        for word in filter(None, words):
            node = self._root
            for character in word:
                node = node.setdefault(character, {})
            node[_END] = word

    def scan(self, text: str) -> list[Hit]:
        """All words in `text` ordered by start, including words inside other words."""
        return [hit for start in range(len(text)) for hit in self._words_at(text, start)]

    def _words_at(self, text: str, start: int) -> Iterable[Hit]:
        node = self._root
        for position in range(start, len(text)):
            node = node.get(text[position])
            if node is None:
                return
            if _END in node:
                yield Hit(start, position + 1, node[_END])


def inside_longer(hits: Iterable[Hit], among: Iterable[Hit]) -> set[Hit]:
    """Those of `hits` that lie within a longer hit of `among`: 许可证 within 排水许可证."""
    inside, reach = set(), 0
    longer = set(among)
    for hit in sorted({*hits, *longer}, key=lambda hit: (hit.start, -hit.end)):
        if hit.end <= reach:
            inside.add(hit)
        if hit in longer:
            reach = max(reach, hit.end)
    return inside


def overlapping(hits: Iterable[Hit], others: Iterable[Hit]) -> set[Hit]:
    """Those of `hits` that share characters with one of `others` but do not contain it.

    In 换水性漆, both 换水 and 水 overlap 水性.
    """
    ends: dict[int, int] = {}
    for other in others:
        ends[other.start] = max(other.end, ends.get(other.start, 0))
    ends_over = _ends_over(ends)
    return {
        hit
        for hit in hits
        if ends_over.get(hit.start, 0) > hit.start
        or any(ends.get(position, 0) > hit.end for position in range(hit.start, hit.end))
    }


def _ends_over(ends: dict[int, int]) -> dict[int, int]:
    """For each position: the end of a word that began before it and covers it."""
    ends_over: dict[int, int] = {}
    for start, end in ends.items():
        for position in range(start + 1, end):
            ends_over[position] = max(end, ends_over.get(position, 0))
    return ends_over
