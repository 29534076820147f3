"""Similar questions: whether a question was already answered (五（二）：之前已明确予以解答的重复事项). Pure.

Two texts are alike as far as they say the same (``sayings``): the thing and the permit count most, then the pollutant and
the action, the words left over least. Where they name different things, permits or actions, they are not the same
question however many characters they share: 废油漆桶 is no 漆渣, 排污许可证延续 no 危废经营许可证延续.
"""

from collections import defaultdict
from collections.abc import Hashable, Iterable
from typing import Generic, NamedTuple, TypeVar

import numpy

from .sayings import Concept, Saying, said

Key = TypeVar("Key", bound=Hashable)

_WEIGHTS = {"thing": 3.0, "permit": 2.6, "facility": 1.6, "pollutant": 1.6, "action": 1.5, "setting": 0.5, "generic": 0.3}  # fmt: skip
_PAIR = 0.4  # of a pair of characters that belongs to no concept
# What is left of the likeness where both texts name something of the facet, and nothing in common.
_CONFLICT = {"thing": 0.35, "permit": 0.35, "facility": 0.7, "pollutant": 0.55, "action": 0.7}
_COURSE = frozenset("申领 延续 变更 注销 补办 重新申请 转让".split())  # of a permit: one is never another
_COURSE_CONFLICT = 0.5
_ANSWERED, _ASKED = (
    0.55,
    0.45,
)  # how much it counts that the answered question is covered, and that the new one is
_ENOUGH = 0.36  # likeness from which the same question is meant
_LOOKED_AT = 60  # best candidates that are compared for conflicts
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
        self._sizes = numpy.array([_size(saying) for saying in self._sayings])

    def closest(self, text: str, limit: int = 5) -> list[Match[Key]]:
        """Those that answer ``text``, the likeliest first; [] where none does."""
        return [match for match in self._ranked(said(text))[:limit] if match.score >= _ENOUGH]

    def _ranked(self, asked: Saying) -> list[Match[Key]]:
        if not self._keys or not (size := _size(asked)):
            return []
        shared = numpy.zeros(len(self._keys))
        for part in _parts(asked):
            if part in self._standing:
                shared[self._standing[part]] += _weight(part)
        likeness = shared * (_ANSWERED / numpy.maximum(self._sizes, 1.0) + _ASKED / size)
        best = numpy.argsort(-likeness, kind="stable")[:_LOOKED_AT]
        matches = [self._match(place, float(likeness[place]), asked) for place in best if likeness[place] > 0]
        return sorted(matches, key=lambda match: -match.score)

    def _match(self, place: int, likeness: float, asked: Saying) -> Match[Key]:
        answered = self._sayings[place]
        return Match(self._keys[place], likeness * _agreement(asked, answered), _why(asked, answered))


def best(query: str, answered: list[str]) -> tuple[int, str]:
    """The place of the text in ``answered`` that answers ``query``, and why; -1 where none does."""
    closest = Index(enumerate(answered)).closest(query, limit=1)
    return (closest[0].key, closest[0].why) if closest else (-1, "没有同一件事的答复")


def _parts(saying: Saying) -> Iterable[Concept | str]:
    yield from saying.concepts
    yield from saying.pairs


def _weight(part: Concept | str) -> float:
    return _WEIGHTS[part.facet] if isinstance(part, Concept) else _PAIR


def _size(saying: Saying) -> float:
    return sum(_weight(part) for part in _parts(saying))


def _agreement(asked: Saying, answered: Saying) -> float:
    """1 where nothing contradicts; less for each facet of which they name different concepts."""
    agreement = 1.0
    for facet, left in _CONFLICT.items():
        one, other = asked.of(facet), answered.of(facet)
        if one and other and not one & other:
            courses = facet == "action" and _courses(one) and _courses(other)
            agreement *= _COURSE_CONFLICT if courses else left
    return agreement


def _courses(actions: Iterable[Concept]) -> bool:
    return any(action.name in _COURSE for action in actions)


def _why(asked: Saying, answered: Saying) -> str:
    common = sorted(
        asked.concepts & answered.concepts, key=lambda concept: (-_WEIGHTS[concept.facet], concept.name)
    )
    named = [concept.name for concept in common if concept.facet != "generic"][:_NAMED]
    return f"都说到{'、'.join(named)}" if named else "用词相近"
