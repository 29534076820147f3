"""Similar questions: whether a question was already answered (五（二）：之前已明确予以解答的重复事项). Pure.

Two texts are the same question where they point the same way (``meaning``) and stand near the same known matters, whether or not
they share a character: 换下来的炭 asks of 废活性炭. What names another thing, permit or step is another question, however many
characters it shares: 废油漆桶 is no 漆渣, 排污许可证延续 no 危废经营许可证延续.
"""

import math
import re
from collections.abc import Hashable, Iterable, Iterator
from typing import Generic, NamedTuple, TypeVar

import numpy

from .concepts import Concept, Saying, said
from .embedding import learnt, stacked

Key = TypeVar("Key", bound=Hashable)

_MATTERS = 0.25  # for all known matters in common, beside 1 for pointing the same way
_CONTRARY = {"thing": 0.1, "permit": 0.2}  # taken off where both name one, and not the same
_COURSE = frozenset("申领 延续 变更 注销 补办 重新申请 转让".split())
_OTHER_COURSE = 0.2  # taken off where both name a step in the life of a permit, and not the same
_ENOUGH = 0.77  # likeness from which the same question is meant (docs/answered.md)
_SHARP = 12.0  # how soon that is sure
_LOOKED_AT = 20  # answers that point most the same way, which are compared in full
_PARTED = re.compile(r"[?？\n]+|(?=还有|另外|顺便|再问)")  # where one question ends and the next begins
_A_QUESTION = 6  # characters that a question has at least
_NAMED = 3  # concepts named in the reason
_FACETS = ("thing", "permit", "facility", "pollutant", "action", "setting")  # named in it, in this order
_ONE_MATTER = 0.2  # share from which a known matter is named in the reason


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
        for key, text in pairs:
            self._keys.append(key)
            self._sayings.append(said(text))
        self._directions = stacked(map(learnt().direction, self._sayings))

    def closest(self, text: str, limit: int = 5) -> list[Match[Key]]:
        """Those that answer ``text`` or one of its questions, the likeliest first; [] where none does."""
        found: dict[int, Match[Key]] = {}
        for reading in _readings(text):
            for place, match in self._near(said(reading)):
                if place not in found or found[place].score < match.score:
                    found[place] = match
        return sorted(found.values(), key=lambda match: -match.score)[:limit]

    def _near(self, asked: Saying) -> Iterator[tuple[int, Match[Key]]]:
        direction = learnt().direction(asked)
        same_way = self._directions @ direction
        places = numpy.argsort(-same_way, kind="stable")[:_LOOKED_AT]
        shared = learnt().stands(self._directions[places]) * learnt().stands(direction)
        for place, near, way in zip(places, shared, same_way[places], strict=True):
            answered = self._sayings[place]
            likeness = float(way + _MATTERS * near.sum()) - _contrary(asked, answered)
            if likeness >= _ENOUGH:
                yield int(place), Match(self._keys[place], _score(likeness), _why(asked, answered, near))


def _readings(text: str) -> list[str]:
    """The whole, and each of several questions in it."""
    parts = [part for part in _PARTED.split(text) if len(part) >= _A_QUESTION]
    return [text, *parts] if len(parts) > 1 else [text]


def best(query: str, answered: list[str]) -> tuple[int, str]:
    """The place of the text in ``answered`` that answers ``query``, and why; -1 where none does."""
    closest = Index(enumerate(answered)).closest(query, limit=1)
    return (closest[0].key, closest[0].why) if closest else (-1, "没有同一件事的答复")


def _score(likeness: float) -> float:
    return 1 / (1 + math.exp(-_SHARP * (likeness - _ENOUGH)))


def _contrary(asked: Saying, answered: Saying) -> float:
    """What the two name against one another."""
    off = sum(less for facet, less in _CONTRARY.items() if _apart(_of(asked, facet), _of(answered, facet)))
    return off + _OTHER_COURSE * _apart(_steps(asked), _steps(answered))


def _apart(one: set, other: set) -> bool:
    return bool(one and other) and one.isdisjoint(other)


def _of(saying: Saying, facet: str) -> set[Concept]:
    return {concept for concept in saying.concepts if concept.facet == facet}


def _steps(saying: Saying) -> set[str]:
    return {concept.name for concept in _of(saying, "action")} & _COURSE


def _why(asked: Saying, answered: Saying, shared: numpy.ndarray) -> str:
    both = [concept for concept in asked.concepts & answered.concepts if concept.facet in _FACETS]
    if both:
        both.sort(key=lambda concept: (_FACETS.index(concept.facet), concept.name))
        return f"都说到{'、'.join(concept.name for concept in both[:_NAMED])}"
    matter = int(shared.argmax())
    return f"都像在问“{learnt().named[matter]}”" if shared[matter] >= _ONE_MATTER else "用词相近"
