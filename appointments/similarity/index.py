"""Whether a question was already answered (五（二）：之前已明确予以解答的重复事项): a search by vectors. Pure.

Two texts ask the same if their vectors point the same way (`embedding`) and lie near the same known questions. They may
share no character: 换下来的炭 asks about 废活性炭. If they name different things, permits or steps, they ask different
questions, however many characters they share: 废油漆桶 is not 漆渣, 排污许可证延续 not 危废经营许可证延续.
"""

import math
import re
from collections.abc import Hashable, Iterable, Iterator
from typing import Generic, NamedTuple, TypeVar

import numpy

from .concepts import Concept, Features, extract
from .embedding import load

Key = TypeVar("Key", bound=Hashable)

# Similarity is the cosine, plus a bonus for a shared neighbourhood, less the penalties. The numbers were chosen on
# appointments/tests/data/similar_looked_at.jsonl and similar_hard_looked_at.jsonl (docs/manual/answered.md).
_NEIGHBOURHOOD_BONUS = 0.25  # if both lie near the same known questions
_CONFLICT_PENALTY = {"thing": 0.1, "permit": 0.2}  # by facet, if both name a concept of it and none in common
_PERMIT_STEPS = frozenset("申领 延续 变更 注销 补办 重新申请 转让".split())
_STEP_PENALTY = 0.2  # if both name a step in the life of a permit and none in common
# From here on, the same question is meant. Raised once, after the untouched pairs were measured, by the looked-at pairs
# alone: an answer that is missed costs nothing, a wrong one misleads (docs/manual/answered.md).
_THRESHOLD = 0.77
_SIGMOID_SLOPE = 12.0  # the score is 0.5 at the threshold and 0.94 when the similarity is 1
_CANDIDATES = 20  # the highest by cosine are compared in full: to compare all would be slow among 50 000
_QUESTION_END = re.compile(r"[?？\n]+|(?=还有|另外|顺便|再问)")
_MIN_QUESTION = 6  # characters; a shorter part (“谢谢”) is no question
_REASON_FACETS = ("thing", "permit", "facility", "pollutant", "action", "setting")  # the most telling first
_MAX_REASON_CONCEPTS = 3
_MIN_REASON_SHARE = 0.2  # a known question that both lie less near is no reason that convinces


class Match(NamedTuple, Generic[Key]):
    """An answered question like the one asked: its `key`, `score` 0–1, and `why` in Chinese."""

    key: Key
    score: float
    why: str


class Index(Generic[Key]):
    """Answered questions, encoded once. `pairs`: key and text."""

    def __init__(self, pairs: Iterable[tuple[Key, str]]):
        self._keys: list[Key] = []
        self._features: list[Features] = []
        for key, text in pairs:
            self._keys.append(key)
            self._features.append(extract(text))
        self._vectors = load().encode_all(self._features)

    def search(self, text: str, limit: int = 5) -> list[Match[Key]]:
        """Those that answer `text` or one of its questions, the most similar first; [] if none does."""
        best: dict[int, Match[Key]] = {}
        for query in _queries(text):
            for position, match in self._matches(extract(query)):
                if position not in best or best[position].score < match.score:
                    best[position] = match
        return sorted(best.values(), key=lambda match: -match.score)[:limit]

    def _matches(self, query: Features) -> Iterator[tuple[int, Match[Key]]]:
        embedding = load()
        vector = embedding.encode(query)
        cosines = self._vectors @ vector
        # Stable, so that equal questions keep their order and the same search gives the same list.
        candidates = numpy.argsort(-cosines, kind="stable")[:_CANDIDATES]
        # The Bhattacharyya coefficient of two soft assignments: 1 if they are the same, 0 if they have nothing in common.
        query_roots = numpy.sqrt(embedding.soft_assignment(vector))
        shared = numpy.sqrt(embedding.soft_assignment(self._vectors[candidates])) * query_roots
        for position, shares, cosine in zip(candidates, shared, cosines[candidates], strict=True):
            answered = self._features[position]
            similarity = float(cosine + _NEIGHBOURHOOD_BONUS * shares.sum()) - _penalty(query, answered)
            if similarity >= _THRESHOLD:
                why = _why(query, answered, shares)
                yield int(position), Match(self._keys[position], _score(similarity), why)


def _queries(text: str) -> list[str]:
    """The whole text, and each question of it if there are several."""
    parts = [part for part in _QUESTION_END.split(text) if len(part) >= _MIN_QUESTION]
    return [text, *parts] if len(parts) > 1 else [text]


def best_match(query: str, answered: list[str]) -> tuple[int, str]:
    """The position of the text in `answered` that answers `query`, and why; -1 if none does."""
    matches = Index(enumerate(answered)).search(query, limit=1)
    return (matches[0].key, matches[0].why) if matches else (-1, "没有同一件事的答复")


def _score(similarity: float) -> float:
    return 1 / (1 + math.exp(-_SIGMOID_SLOPE * (similarity - _THRESHOLD)))


def _penalty(query: Features, answered: Features) -> float:
    """What the two name that contradicts."""
    conflicts = sum(
        penalty
        for facet, penalty in _CONFLICT_PENALTY.items()
        if _conflict(_of_facet(query, facet), _of_facet(answered, facet))
    )
    return conflicts + _STEP_PENALTY * _conflict(_permit_steps(query), _permit_steps(answered))


def _conflict(one: set, other: set) -> bool:
    return bool(one and other) and one.isdisjoint(other)


def _of_facet(features: Features, facet: str) -> set[Concept]:
    return {concept for concept in features.concepts if concept.facet == facet}


def _permit_steps(features: Features) -> set[str]:
    return {concept.name for concept in _of_facet(features, "action")} & _PERMIT_STEPS


def _why(query: Features, answered: Features, shares: numpy.ndarray) -> str:
    common = [concept for concept in query.concepts & answered.concepts if concept.facet in _REASON_FACETS]
    if common:
        common.sort(key=lambda concept: (_REASON_FACETS.index(concept.facet), concept.name))
        return f"都说到{'、'.join(concept.name for concept in common[:_MAX_REASON_CONCEPTS])}"
    nearest = int(shares.argmax())
    if shares[nearest] < _MIN_REASON_SHARE:
        return "用词相近"
    return f"都像在问“{load().questions[nearest]}”"
