"""What a question is about, in any words: its concepts, and its characters as n-grams. Pure.

`concepts.toml` lists concepts by facet (the thing, the permit, the pollutant, the action …), each with the ways in which
firms and officials say it.
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

CONCEPTS_FILE = Path(__file__).with_name("concepts.toml")
_MAX_GAP = 6  # characters between the two halves of “漆…桶”
_SEGMENT = re.compile(r"[^,，。.?？!！:：;；、\n ()\[\]]+")
# Both halves of “漆…桶” must stand in one clause: in “喷漆车间，空桶” they speak of two things.
_CLAUSE_END = re.compile(r"[,，。.?？!！;；\n]")


class Concept(NamedTuple):
    """A concept of a facet, such as (thing, 废油漆桶)."""

    facet: str
    name: str


@dataclass(frozen=True)
class Features:
    """What a text says: its concepts, and its character n-grams of one and two."""

    concepts: frozenset[Concept]
    ngrams: frozenset[str]

    @property
    def tokens(self) -> Iterator[str]:
        """All features by name, as the embedding knows them: 漆桶, @thing:废油漆桶."""
        yield from self.ngrams
        # The “@” keeps a concept apart from an n-gram with the same characters (污泥).
        yield from (f"@{concept.facet}:{concept.name}" for concept in self.concepts)


def extract(text: str) -> Features:
    """The features of `text`. Takes any text and never raises."""
    normalized = normalize(text).text
    segments = _SEGMENT.findall(normalized)
    # No bigram across a punctuation mark: its characters only meet by chance.
    bigrams = (first + second for segment in segments for first, second in pairwise(segment))
    named = _find_concepts(normalized)
    broader = {_broader()[concept] for concept in named if concept in _broader()}
    return Features(frozenset(named | broader), frozenset("".join(segments)).union(bigrams))


def _find_concepts(text: str) -> set[Concept]:
    """The concepts of a normalized text. A longer word hides the shorter ones inside it."""
    lexicon = _lexicon()
    found: set[Concept] = set()
    position = 0
    while position < len(text):
        position, concepts = _longest_match(lexicon, text, position)
        found.update(concepts)
    return found


_Entry = tuple[str, str, tuple[Concept, ...]]
_Lexicon = dict[str, list[_Entry]]


def _longest_match(lexicon: _Lexicon, text: str, start: int) -> tuple[int, tuple[Concept, ...]]:
    """Where to go on, and the concepts of the longest word that begins at `start`."""
    for first, second, concepts in lexicon.get(text[start], ()):
        if text.startswith(first, start):
            after = start + len(first)
            if not second:
                return after, concepts
            position = text.find(second, after, after + _MAX_GAP + len(second))
            if position >= 0 and not _CLAUSE_END.search(text, after, position):
                # What stands between the halves is still read: 水帘…渣 must not hide the word inside it.
                return after, concepts
    return start + 1, ()


@cache
def _lexicon() -> _Lexicon:
    """Words by their first character, longer ones first: both halves of a word (the second may be ""), and its concepts."""
    concepts_of: dict[str, list[Concept]] = defaultdict(list)
    for facet, name, _, words in _lines():
        for word in [name, *words.split()]:
            concepts_of[word].append(Concept(facet, name))
    by_first: _Lexicon = defaultdict(list)
    for word, concepts in sorted(concepts_of.items(), key=lambda item: -len(item[0])):
        first, _, second = (normalize(part).text for part in word.partition("…"))
        by_first[first[0]].append((first, second, tuple(concepts)))
    return dict(by_first)


@cache
def _broader() -> dict[Concept, Concept]:
    """The broader concept that a concept implies: 环评报告表 → 环评, 废油漆桶 → 危险废物."""
    by_name = {name: Concept(facet, name) for facet, name, _, _ in _lines()}
    return {Concept(facet, name): by_name[broader] for facet, name, broader, _ in _lines() if broader}


@cache
def _lines() -> tuple[tuple[str, str, str, str], ...]:
    """Of each line of the file: facet, name, broader concept or "", and words."""
    facets = tomllib.loads(CONCEPTS_FILE.read_text(encoding="utf-8")).items()
    lines = ((facet, line.partition("：")) for facet, text in facets for line in text.strip().splitlines())
    return tuple((facet, *_name_and_broader(heading), words) for facet, (heading, _, words) in lines)


def _name_and_broader(heading: str) -> tuple[str, str]:
    name, _, broader = heading.partition("<")
    return name, broader
