"""Precedents (标准例): labelled texts, asked for a second opinion beside what the rules find.

What each run of characters says of each answer is fitted to all of them (``weights``), so that 的 and 我们 say nothing
and 渣 says 土壤处. An opinion says how far it is ahead of the next answer; the precedents that a text resembles most are
named, so that an officer can compare.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy

from .ridge import Weights, fit

_NEAR = 5  # precedents named with an opinion


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
    """Labelled texts, and the ``weights`` that were fitted to them; fitted anew where those are of other texts."""

    def __init__(self, precedents: Iterable[Precedent] = (), weights: Weights | None = None):
        self._precedents = tuple(precedents)
        self._kept = weights
        said = "\n".join(f"{precedent.answer} {precedent.text}" for precedent in self._precedents)
        self.digest = hashlib.sha256(said.encode("utf-8", "replace")).hexdigest()[:12]

    def opinion(self, *readings: str) -> Opinion | None:
        """Of a plain text, in one reading or the mean of several; None where nothing in it is known."""
        heard = [self.weights.weighed(text) for text in readings]
        scores = [self.weights.scores(*weighed) for weighed in heard if weighed[0]]
        if not scores or len(self.weights.answers) < 2:
            return None
        mean = numpy.mean(scores, axis=0)
        next_best, best = numpy.argsort(mean)[-2:]
        return Opinion(self.weights.answers[best], float(mean[best] - mean[next_best]))

    def nearest(self, text: str, answer: str) -> list[Precedent]:
        """The few precedents with ``answer`` that plain ``text`` resembles most, the nearest first."""
        likeness = self.weights.alike(*self.weights.weighed(text))
        likeness[~self._answered[answer]] = 0
        return [self._precedents[place] for place in numpy.argsort(-likeness)[:_NEAR] if likeness[place] > 0]

    @cached_property
    def weights(self) -> Weights:
        if self._kept and self._kept.digest == self.digest:
            return self._kept
        answers = [precedent.answer for precedent in self._precedents]
        return fit([precedent.text for precedent in self._precedents], answers, self.digest)

    @cached_property
    def _answered(self) -> dict[str, numpy.ndarray]:
        given = numpy.array([precedent.answer for precedent in self._precedents])
        return {answer: given == answer for answer in self.weights.answers}
