"""Precedents (标准例): labelled texts, asked for a second opinion where the rules find nothing sure.

A text is its runs of one and two characters, rare ones counting more. Each run speaks for the answers by weights that
least squares fits to all precedents (ridge regression), so that 的 and 我们 say nothing and 渣 says 土壤处. An opinion
says how far it is ahead of the next answer, and names the precedents that the text resembles most, so that an officer
can compare. The rules always come first.
"""

import hashlib
import math
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from heapq import nlargest

import numpy

from appointments.wording import plain

_PENALTY = 0.3  # of the regression: keeps a run that stands in few precedents from saying much
_SHARED = 2  # a run that stands in fewer precedents says nothing of other texts
_LEAST = 20.0  # a text with less weight, a few words, speaks the more softly the shorter it is
_NEAR = 5  # precedents named with an opinion
_MARKS = frozenset(",，。.?？!！:：;；、\n ()")


@dataclass(frozen=True)
class Precedent:
    """``text`` and its right ``answer``: the code of a division, or a scope that no division has."""

    text: str
    answer: str


@dataclass(frozen=True)
class Opinion:
    """What the precedents make of a text: the ``answer``, how far ``ahead`` of the next it is (0 to about 1)."""

    answer: str
    ahead: float


class Precedents:
    """Labelled texts. The weights are fitted at the first question (half a second for two thousand)."""

    def __init__(self, precedents: Iterable[Precedent] = ()):
        self._precedents = tuple(precedents)
        self.digest = hashlib.sha256(repr(self._precedents).encode("utf-8", "replace")).hexdigest()[:12]
        self._answers = sorted({precedent.answer for precedent in self._precedents})

    def opinion(self, text: str) -> Opinion | None:
        """Of a plain ``text``; None where no run of it is known, or there is only one answer to give."""
        runs = self._weighed(text)
        if not runs or len(self._answers) < 2:
            return None
        scores = self._usual + sum(weight * self._weights[run] for run, weight in runs.items())
        next_best, best = numpy.argsort(scores)[-2:]
        return Opinion(self._answers[best], float(scores[best] - scores[next_best]))

    def nearest(self, text: str, answer: str) -> list[Precedent]:
        """The few precedents with ``answer`` that plain ``text`` resembles most, the nearest first."""
        alike: dict[int, float] = defaultdict(float)
        for run, weight in self._weighed(text).items():
            for place, its_weight in self._standing[run]:
                alike[place] += weight * its_weight
        with_answer = [place for place in alike if self._precedents[place].answer == answer]
        return [self._precedents[place] for place in nlargest(_NEAR, with_answer, key=alike.__getitem__)]

    def _weighed(self, text: str) -> dict[str, float]:
        """The known runs of ``text``, each with its weight; their squares add up to 1, or less in a text of few words."""
        known = {run: count for run, count in _runs(text).items() if run in self._rarity}
        weights = {run: (1 + math.log(count)) * self._rarity[run] for run, count in known.items()}
        length = max(math.hypot(*weights.values()), _LEAST)
        return {run: weight / length for run, weight in weights.items()}

    @cached_property
    def _rarity(self) -> dict[str, float]:
        found = Counter(run for precedent in self._precedents for run in _runs(plain(precedent.text).text))
        whole = len(self._precedents)
        return {run: 1 + math.log((1 + whole) / (1 + n)) for run, n in found.items() if n >= _SHARED}

    @cached_property
    def _standing(self) -> dict[str, list[tuple[int, float]]]:
        """Where each run stands, and with what weight."""
        standing: dict[str, list[tuple[int, float]]] = {run: [] for run in self._rarity}
        for place, precedent in enumerate(self._precedents):
            for run, weight in self._weighed(plain(precedent.text).text).items():
                standing[run].append((place, weight))
        return standing

    @cached_property
    def _given(self) -> numpy.ndarray:
        """One row a precedent, one column an answer: 1 where it is given."""
        return numpy.array([[precedent.answer == answer for answer in self._answers] for precedent in self._precedents], float)  # fmt: skip

    @cached_property
    def _usual(self) -> numpy.ndarray:
        return self._given.mean(axis=0)

    @cached_property
    def _weights(self) -> dict[str, numpy.ndarray]:
        """What each run says of each answer: ridge regression, solved over the precedents (fewer than the runs)."""
        alike = _PENALTY * numpy.eye(len(self._precedents))
        columns = {run: _column(entries) for run, entries in self._standing.items()}
        for places, weights in columns.values():
            alike[numpy.ix_(places, places)] += numpy.outer(weights, weights)
        said = numpy.linalg.solve(alike, self._given - self._usual)
        return {run: weights @ said[places] for run, (places, weights) in columns.items()}


def _column(entries: list[tuple[int, float]]) -> tuple[list[int], numpy.ndarray]:
    return [place for place, _ in entries], numpy.array([weight for _, weight in entries])


def _runs(text: str) -> Counter[str]:
    runs = [*text, *(text[i : i + 2] for i in range(len(text) - 1))]
    return Counter(run for run in runs if not _MARKS.intersection(run))
