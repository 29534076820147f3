"""Learning: how the examples become a ``Meaning``. A minute's work, done when they have changed (``manage.py learn``).

Each matter is shown in two of its ways of saying, beside many others; what a mark contributes is moved so that the two come
nearer than all the rest (contrastive learning, with the steps of Adam).
"""

import math
import random
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import cache

import numpy

from appointments.similarity.concepts import WORDS, said
from appointments.similarity.embedding import Meaning

from .corpus_files import Apart, digest, said_in_many_ways, told_apart

_SIZE = 192  # numbers in a direction
_ROUNDS = 30
_AT_A_TIME = 384  # matters shown beside one another
_BLOCK = 24  # neighbours in the files, alike as siblings, are shown together
_KNOWN_FROM = 3  # texts in which a mark must stand
_OVERLOOKED = 0.5  # share of its marks that a text is shown without: no single one may decide
_SMALL = 5e-4  # pull towards nothing
_STEP = 3e-3


def learn_all(tell: Callable[[str], None] = lambda line: None) -> Meaning:
    """The Meaning of all examples; ``tell`` is told how far it has come."""
    return learn([line["texts"] for line in said_in_many_ways()], list(told_apart()), tell)


def source() -> str:
    """Changes whenever what is learnt from does."""
    return digest(WORDS)


def learn(
    groups: list[list[str]], apart: list[Apart], tell: Callable[[str], None] = lambda line: None
) -> Meaning:
    """The Meaning of ``groups``, told apart from their likes. The same texts give the same numbers."""
    pupil = _Pupil([text for group in groups for text in group] + [text for one in apart for text in (one.query, *one.same, *one.near)])  # fmt: skip
    chance = random.Random(1)
    for round_ in range(_ROUNDS):
        loss = [pupil.study(*lesson, chance) for lesson in _lessons(groups, apart, chance)]
        tell(f"{round_ + 1}/{_ROUNDS} {sum(loss) / len(loss):.2f}")
    return pupil.meaning(groups)


_Lesson = tuple[list[str], list[str], list[str]]


def _lessons(groups: list[list[str]], apart: list[Apart], chance: random.Random) -> Iterator[_Lesson]:
    """Questions, an answer to each, and answers to none of them."""
    blocks = [groups[start : start + _BLOCK] for start in range(0, len(groups), _BLOCK)]
    chance.shuffle(blocks)
    shown = [group for block in blocks for group in block]
    apart = chance.sample(apart, len(apart))
    count = max(1, len(shown) // _AT_A_TIME)
    for turn in range(count):
        pairs = [_two_ways(group, chance) for group in shown[turn * _AT_A_TIME : (turn + 1) * _AT_A_TIME]]
        beside = apart[turn::count]
        pairs += [(one.query, chance.choice(one.same)) for one in beside]
        near = [text for one in beside for text in chance.sample(one.near, min(3, len(one.near)))]
        yield [query for query, _ in pairs], [answer for _, answer in pairs], near


def _two_ways(group: list[str], chance: random.Random) -> tuple[str, str]:
    """Mostly as a firm asks and as an official writes."""
    if chance.random() < 0.4:
        one, other = chance.sample(group, 2)
        return one, other
    return chance.choice(group[1:]), group[0]


class _Pupil:
    """What is learnt so far: a direction and a weight for every mark, and how sharply to tell apart."""

    def __init__(self, texts: Sequence[str]):
        found = Counter(mark for text in texts for mark in marks_of(text))
        self.marks = [mark for mark, count in found.items() if count >= _KNOWN_FROM]
        self.numbers = {mark: number for number, mark in enumerate(self.marks)}
        chance = numpy.random.default_rng(1)
        rare = [math.log((1 + len(texts)) / (1 + found[mark])) + 0.2 for mark in self.marks]
        named = [2.0 if mark.startswith("@") else 1.0 for mark in self.marks]
        directions = chance.normal(0, 1 / math.sqrt(_SIZE), (len(self.marks), _SIZE))
        self.directions = _Learnt(directions.astype(numpy.float32))
        self.weights = _Learnt(numpy.log(numpy.array(rare) * named / 5).astype(numpy.float32)[:, None])
        self.sharpness = _Learnt(numpy.array([[math.log(15.0)]], numpy.float32))
        self.steps = 0

    def study(self, queries: list[str], answers: list[str], near: list[str], chance: random.Random) -> float:
        """One step; the loss before it."""
        asked, told = self._bag(queries, chance), self._bag(answers + near, chance)
        sharp = math.exp(self.sharpness.values[0, 0])
        likeness = sharp * asked.units @ told.units.T
        slope, loss = _slope(likeness, len(queries))
        self.steps += 1
        rows = numpy.concatenate(
            [asked.turned(sharp * slope @ told.units), told.turned(sharp * slope.T @ asked.units)]
        )
        numbers = numpy.concatenate([asked.numbers, told.numbers])
        here = self.directions.values[numbers]
        weight = numpy.exp(self.weights.values[numbers])
        self.weights.move(numbers, weight * (here * rows).sum(axis=1, keepdims=True), self.steps)
        self.directions.move(numbers, weight * rows, self.steps, _SMALL)
        self.sharpness.move(
            numpy.array([0]), numpy.array([[(slope * likeness).sum()]], numpy.float32), self.steps
        )
        return loss

    def _bag(self, texts: list[str], chance: random.Random) -> "_Bag":
        kept = [[number for number in self._known(text) if chance.random() > _OVERLOOKED] or self._known(text)[:1] or [0] for text in texts]  # fmt: skip
        numbers = numpy.array([number for numbers in kept for number in numbers])
        lengths = [len(numbers) for numbers in kept]
        parts = self.directions.values[numbers] * numpy.exp(self.weights.values[numbers])
        sums = numpy.add.reduceat(parts, numpy.cumsum([0, *lengths[:-1]]))
        return _Bag(numbers, numpy.repeat(numpy.arange(len(texts)), lengths), sums)

    def _known(self, text: str) -> list[int]:
        return [self.numbers[mark] for mark in marks_of(text) if mark in self.numbers]

    def meaning(self, groups: list[list[str]]) -> Meaning:
        """Each number as a byte; the matters that were learnt from, each by the middle of its ways of saying."""
        contributed = self.directions.values * numpy.exp(self.weights.values)
        scale = numpy.maximum(numpy.abs(contributed).max(axis=1), 1e-6) / 127
        made = Meaning(
            source(),
            "\n".join(self.marks),
            numpy.round(contributed / scale[:, None]).astype(numpy.int8),
            scale.astype(numpy.float32),
            "\n".join(group[0] for group in groups),
            numpy.zeros((0, _SIZE), numpy.int8),
        )
        middles = [numpy.mean([made.direction(said(text)) for text in group], axis=0) for group in groups]
        largest = numpy.abs(middles).max(axis=1, keepdims=True)
        return replace(made, directions=numpy.round(middles / largest * 127).astype(numpy.int8))


class _Bag:
    """Texts as sums of their marks' contributions: ``numbers`` of marks, ``texts`` in which they stand, directions of length 1."""

    def __init__(self, numbers: numpy.ndarray, texts: numpy.ndarray, sums: numpy.ndarray):
        self.numbers, self.texts = numbers, texts
        self._lengths = numpy.linalg.norm(sums, axis=1, keepdims=True) + 1e-6
        self.units = sums / self._lengths

    def turned(self, slopes: numpy.ndarray) -> numpy.ndarray:
        """For each mark the slope that its text's direction has: along the text itself nothing changes."""
        along = (slopes * self.units).sum(axis=1, keepdims=True)
        return ((slopes - along * self.units) / self._lengths)[self.texts]


class _Learnt:
    """Numbers that are moved, row by row, by the steps of Adam."""

    def __init__(self, values: numpy.ndarray):
        self.values = values
        self._mean, self._spread = numpy.zeros_like(values), numpy.zeros_like(values)

    def move(self, numbers: numpy.ndarray, slopes: numpy.ndarray, step: int, small: float = 0.0) -> None:
        """Against ``slopes``, those of one row added up."""
        order = numpy.argsort(numbers, kind="stable")
        starts = numpy.flatnonzero(numpy.diff(numbers[order], prepend=-1))
        rows = numbers[order][starts]
        slope = numpy.add.reduceat(slopes[order], starts) + small * self.values[rows]
        self._mean[rows] = 0.9 * self._mean[rows] + 0.1 * slope
        self._spread[rows] = 0.999 * self._spread[rows] + 0.001 * slope * slope
        mean = self._mean[rows] / (1 - 0.9**step)
        spread = numpy.sqrt(self._spread[rows] / (1 - 0.999**step)) + 1e-8
        self.values[rows] -= _STEP * mean / spread


def _slope(likeness: numpy.ndarray, count: int) -> tuple[numpy.ndarray, float]:
    """Of the loss: each question should be most like its answer, each answer most like its question."""
    own = numpy.arange(count)
    by_question = _shares(likeness)
    by_answer = _shares(likeness[:, :count].T).T
    loss = -numpy.log(by_question[own, own] + 1e-9).mean() - numpy.log(by_answer[own, own] + 1e-9).mean()
    by_question[own, own] -= 1
    by_answer[own, own] -= 1
    by_question[:, :count] += by_answer
    return by_question / count, float(loss)


def _shares(values: numpy.ndarray) -> numpy.ndarray:
    raised = numpy.exp(values - values.max(axis=1, keepdims=True))
    return raised / raised.sum(axis=1, keepdims=True)


@cache
def marks_of(text: str) -> tuple[str, ...]:
    """In order, so that the same texts are learnt in the same way."""
    return tuple(sorted(said(text).marks))
