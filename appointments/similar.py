"""Similar questions: whether a question was already answered (五（二）：之前已明确予以解答的重复事项). Pure.

Two texts are compared by what they say (``sayings``), facet by facet: to name the same thing, permit or action brings them
together; to name different ones parts them, however many characters they share. 废油漆桶 is no 漆渣, 排污许可证延续 no
危废经营许可证延续. Shared characters only help where no concept is known.
"""

import math
from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator
from typing import Generic, NamedTuple, TypeVar

import numpy

from .sayings import Concept, Saying, said

Key = TypeVar("Key", bound=Hashable)


class _Facet(NamedTuple):
    """What a facet adds to the likeness (log-odds that one answers the other)."""

    shared: float  # both name the same
    contrary: float  # both name something, nothing in common
    unanswered: float  # only the question names something
    unasked: float  # only the answer does


# Fitted to pairs of a question and its right and wrong answers, and rounded (docs/answered.md).
_FACETS = {
    "thing": _Facet(1.8, -3.0, -0.6, -0.4),
    "permit": _Facet(1.4, -2.6, -1.2, -0.5),
    "facility": _Facet(1.2, -1.0, -0.5, 0.0),
    "pollutant": _Facet(1.1, -0.8, 0.0, -0.6),
    "action": _Facet(1.7, -1.3, -1.0, 0.0),
    "setting": _Facet(0.6, 0.0, 0.0, 0.0),
    "medium": _Facet(0.3, -0.7, -0.5, -0.5),
    "generic": _Facet(0.5, 0.0, -0.3, 0.0),
}
_COURSE = frozenset("申领 延续 变更 注销 补办 重新申请 转让".split())
_OTHER_COURSE = -2.5  # one step in the life of a permit is never another
_CHARACTERS, _PAIRS = 3.0, 0.5  # for all characters, all pairs in common
_FROM = -1.5  # likeness of two texts of which nothing is known
_ENOUGH = 0.55  # probability from which the same question is meant
_LOOKED_AT = 200  # candidates with most in common, which are compared in full
_NAMED = 3  # concepts named in the reason


class Match(NamedTuple, Generic[Key]):
    """An answered question like the one asked: its ``key``, ``score`` 0–1, and ``why`` in Chinese."""

    key: Key
    score: float
    why: str


class Index(Generic[Key]):
    """Answered questions, read once. ``pairs``: key and text."""

    def __init__(self, pairs: Iterable[tuple[Key, str]]):
        self._keys: list[Key] = []
        self._sayings: list[Saying] = []
        standing: dict[Concept | str, list[int]] = defaultdict(list)
        for key, text in pairs:
            saying = said(text)
            for part in _parts(saying):
                standing[part].append(len(self._keys))
            self._keys.append(key)
            self._sayings.append(saying)
        self._standing = {part: numpy.array(places) for part, places in standing.items()}

    def closest(self, text: str, limit: int = 5) -> list[Match[Key]]:
        """Those that answer ``text``, the likeliest first; [] where none does."""
        asked = said(text)
        ranked = sorted((self._match(asked, place) for place in self._candidates(asked)), key=_by_score)
        return [match for match in ranked[:limit] if match.score >= _ENOUGH]

    def _candidates(self, asked: Saying) -> list[int]:
        common = numpy.zeros(len(self._keys))
        for part in _parts(asked):
            if part in self._standing:
                common[self._standing[part]] += (
                    _FACETS[part.facet].shared if isinstance(part, Concept) else _PAIRS
                )
        most = numpy.argsort(-common, kind="stable")[:_LOOKED_AT]
        return [int(place) for place in most if common[place] > 0]

    def _match(self, asked: Saying, place: int) -> Match[Key]:
        answered = self._sayings[place]
        return Match(self._keys[place], likeness(asked, answered), _why(asked, answered))


def best(query: str, answered: list[str]) -> tuple[int, str]:
    """The place of the text in ``answered`` that answers ``query``, and why; -1 where none does."""
    closest = Index(enumerate(answered)).closest(query, limit=1)
    return (closest[0].key, closest[0].why) if closest else (-1, "没有同一件事的答复")


def likeness(asked: Saying, answered: Saying) -> float:
    """How probably what answers the one answers the other, 0 to 1."""
    odds = _FROM + sum(_facet(asked, answered, facet) for facet in _FACETS) + _course(asked, answered)
    odds += _CHARACTERS * _common(asked.characters, answered.characters)
    odds += _PAIRS * _common(asked.pairs, answered.pairs)
    return 1 / (1 + math.exp(-odds))


def _facet(asked: Saying, answered: Saying, facet: str) -> float:
    one, other = asked.concepts.get(facet), answered.concepts.get(facet)
    weights = _FACETS[facet]
    if one and other:
        common = len(one & other)
        return weights.shared * common / min(len(one), len(other)) if common else weights.contrary
    return weights.unanswered * bool(one) + weights.unasked * bool(other)


def _course(asked: Saying, answered: Saying) -> float:
    one, other = (_courses(saying) for saying in (asked, answered))
    return _OTHER_COURSE if one and other and not one & other else 0.0


def _courses(saying: Saying) -> set[str]:
    return {concept.name for concept in saying.concepts.get("action", ())} & _COURSE


def _common(one: frozenset[str], other: frozenset[str]) -> float:
    return len(one & other) / math.sqrt(len(one) * len(other)) if one and other else 0.0


def _parts(saying: Saying) -> Iterator[Concept | str]:
    for concepts in saying.concepts.values():
        yield from concepts
    yield from saying.pairs


def _by_score(match: Match) -> float:
    return -match.score


def _why(asked: Saying, answered: Saying) -> str:
    named = [
        concept.name
        for facet in _FACETS
        if facet not in ("medium", "generic")
        for concept in sorted(
            asked.concepts.get(facet, frozenset()) & answered.concepts.get(facet, frozenset())
        )
    ]
    return f"都说到{'、'.join(named[:_NAMED])}" if named else "用词相近"
