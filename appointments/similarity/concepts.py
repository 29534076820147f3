"""Sayings: what a question is about, whatever words it uses. Pure.

``similar_words.toml`` lists, by facet (the thing, the permit, the pollutant, the action …), concepts and the ways in
which firms and officials say them. Reading a text gives its concepts, and its characters and pairs of characters.
"""

import re
import tomllib
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from appointments.text.normalize import normalize

WORDS = Path(__file__).with_name("concepts.toml")
_GAP = 6  # characters between the halves of “漆…桶”
_PARTS = re.compile(r"[^,，。.?？!！:：;；、\n ()\[\]]+")


class Concept(NamedTuple):
    """A concept of a facet: (thing, 废油漆桶)."""

    facet: str
    name: str


@dataclass(frozen=True)
class Saying:
    """What a text says: its concepts, and its runs of one and two characters."""

    concepts: frozenset[Concept]
    runs: frozenset[str]

    @property
    def marks(self) -> Iterator[str]:
        """All that it says, each under a name of its own: 漆桶, @thing:废油漆桶."""
        yield from self.runs
        yield from (f"@{concept.facet}:{concept.name}" for concept in self.concepts)


def said(text: str) -> Saying:
    """What ``text`` says. Any text whatever; nothing is raised."""
    written = normalize(text).text
    parts = _PARTS.findall(written)
    pairs = (one + two for part in parts for one, two in pairwise(part))
    named = _recognised(written)
    broader = {_implied()[concept] for concept in named if concept in _implied()}
    return Saying(frozenset(named | broader), frozenset("".join(parts)).union(pairs))


def _recognised(text: str) -> set[Concept]:
    """The concepts of a plain text, the long words first."""
    words = _vocabulary()
    found: set[Concept] = set()
    here = 0
    while here < len(text):
        here, concepts = _longest(words, text, here)
        found.update(concepts)
    return found


def _longest(words: "_Words", text: str, start: int) -> tuple[int, tuple[Concept, ...]]:
    for first, second, concepts in words.get(text[start], ()):
        if text.startswith(first, start):
            after = start + len(first)
            if not second:
                return after, concepts
            place = text.find(second, after, after + _GAP + len(second))
            if place >= 0 and not _PARTED.search(text, after, place):
                return after, concepts
    return start + 1, ()


_PARTED = re.compile(r"[,，。.?？!！;；\n]")
_Words = dict[str, list[tuple[str, str, tuple[Concept, ...]]]]


@cache
def _vocabulary() -> _Words:
    """Words by their first character, the longer first; each with what must follow closely, and its concepts."""
    named: dict[str, list[Concept]] = defaultdict(list)
    for concept, words in _entries():
        for word in words:
            named[word].append(concept)
    begun: _Words = defaultdict(list)
    for word, concepts in sorted(named.items(), key=lambda item: -len(item[0])):
        first, _, second = (normalize(part).text for part in word.partition("…"))
        begun[first[0]].append((first, second, tuple(concepts)))
    return dict(begun)


def _entries() -> Iterator[tuple[Concept, list[str]]]:
    for facet, name, _, words in _lines():
        yield Concept(facet, name), [name, *words.split()]


@cache
def _implied() -> dict[Concept, Concept]:
    """环评报告表 → 环评, 废油漆桶 → 危险废物."""
    named = {name: Concept(facet, name) for facet, name, _, _ in _lines()}
    return {Concept(facet, name): named[broad] for facet, name, broad, _ in _lines() if broad}


@cache
def _lines() -> tuple[tuple[str, str, str, str], ...]:
    """Facet, name, what it implies, and its words."""
    listed = tomllib.loads(WORDS.read_text(encoding="utf-8")).items()
    lines = ((facet, line.partition("：")) for facet, text in listed for line in text.strip().splitlines())
    return tuple(
        (facet, heading.partition("<")[0], heading.partition("<")[2], words)
        for facet, (heading, _, words) in lines
    )
