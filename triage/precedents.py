"""Precedents (标准例): labelled texts, asked for a second opinion where the rules find nothing sure.

Each run of one to three characters speaks for the answers of the precedents it stands in (naive Bayes). An opinion
counts only when it is far ahead of the next one; it names the precedent that the text resembles most, so that an
officer can compare the two. The rules always come first: an opinion fills a silence, it overrules no topic.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from heapq import nlargest

from .wording import plain

_LONGEST = 3  # characters of a run
_AHEAD = 6.0  # log-odds before the next answer: right nine times in ten on texts never seen (docs/routing.md)
_SMOOTHING = 0.3
_TEMPER = 0.5  # runs overlap, so each says less than if it stood alone
_ONCE = 1  # a run that stands in one precedent only says nothing about other texts
_NEAR = 5  # precedents looked at, until the rules say of one what its label says
_MARKS = frozenset(",，。.?？!！:：;；、\n ()")


@dataclass(frozen=True)
class Precedent:
    """``text`` and its right ``answer``: the code of a division, or a scope that no division has."""

    text: str
    answer: str


class Precedents:
    """Labelled texts compiled once."""

    def __init__(self, precedents: Iterable[Precedent]):
        self._precedents = tuple(precedents)
        self._answers = Counter(precedent.answer for precedent in self._precedents)
        self._runs: dict[str, list[int]] = defaultdict(list)
        for place, precedent in enumerate(self._precedents):
            for run in _runs(plain(precedent.text).text):
                self._runs[run].append(place)

    def opinion(self, text: str) -> str:
        """The answer that stands far ahead of the next for a plain ``text``; "" where none does."""
        return self._answer(self._heard(text))

    def nearest(self, text: str) -> list[Precedent]:
        """A few precedents that plain ``text`` resembles most, of those with the answer far ahead; [] where none is."""
        heard = self._heard(text)
        answer = self._answer(heard)
        return self._nearest(heard, answer) if answer else []

    def _heard(self, text: str) -> list[list[int]]:
        """Where each run of ``text`` stands that several precedents share."""
        return [self._runs[run] for run in _runs(text) if len(self._runs.get(run, ())) > _ONCE]

    def _answer(self, heard: list[list[int]]) -> str:
        if not heard or len(self._answers) < 2:
            return ""
        ranked = sorted(self._scores(heard).items(), key=lambda item: -item[1])
        (answer, score), (_, next_score) = ranked[:2]
        return answer if score - next_score >= _AHEAD else ""

    def _scores(self, heard: list[list[int]]) -> dict[str, float]:
        scores = dict(self._prior)
        for places in heard:
            counts = Counter(self._precedents[place].answer for place in places)
            for answer, silent in self._silent.items():
                scores[answer] += self._speaks(counts[answer], answer) if answer in counts else silent
        return scores

    @cached_property
    def _prior(self) -> dict[str, float]:
        return {answer: math.log(count / len(self._precedents)) for answer, count in self._answers.items()}

    @cached_property
    def _silent(self) -> dict[str, float]:
        """What a run says of each answer in whose precedents it never stands."""
        return {answer: self._speaks(0, answer) for answer in self._answers}

    def _speaks(self, count: int, answer: str) -> float:
        return _TEMPER * math.log((count + _SMOOTHING) / (self._answers[answer] + 2 * _SMOOTHING))

    def _nearest(self, heard: list[list[int]], answer: str) -> list[Precedent]:
        """Those with ``answer`` that share most runs, rare ones counting more."""
        shared: dict[int, float] = defaultdict(float)
        for places in heard:
            for place in places:
                shared[place] += 1 / len(places)
        with_answer = [place for place in shared if self._precedents[place].answer == answer]
        return [self._precedents[place] for place in nlargest(_NEAR, with_answer, key=shared.__getitem__)]


def _runs(text: str) -> set[str]:
    runs = {text[i : i + n] for n in range(1, _LONGEST + 1) for i in range(len(text) - n + 1)}
    return {run for run in runs if not _MARKS.intersection(run)}
