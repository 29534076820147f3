"""What each run of characters says of each answer: least squares over labelled texts (ridge regression). Pure.

A text is its runs of one and two characters, rare ones counting more. An answer that few texts have counts as much as
one that many have, or else the rare divisions would never be named.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy

from appointments.text.normalize import normalize

_PENALTY = 1.0  # of the regression: keeps a run that stands in few texts from saying much
_SHARED = 2  # a run that stands in fewer texts says nothing of other texts
_LEAST = 20.0  # a text with less weight, a few words, speaks the more softly the shorter it is
_STEPS = 60  # of the solution: more change nothing that counts
_MARKS = frozenset(",，。.?？!！:：;；、\n ()")


def runs_of(text: str) -> Counter[str]:
    """The runs of one and two characters of a plain text."""
    found = [*text, *(text[i : i + 2] for i in range(len(text) - 1))]
    return Counter(run for run in found if not _MARKS.intersection(run))


@dataclass(frozen=True, eq=False)
class Weights:
    """``said[run, answer]``, added to ``usual[answer]``; and in which texts each run stands, for finding like ones.

    ``runs`` are all known runs, joined by blanks; ``digest`` tells from which texts the numbers come.
    """

    digest: str
    answers: tuple[str, ...]
    runs: str
    rarity: numpy.ndarray
    usual: numpy.ndarray
    said: numpy.ndarray
    starts: numpy.ndarray
    places: numpy.ndarray
    lengths: numpy.ndarray

    @cached_property
    def _numbers(self) -> dict[str, int]:
        return {run: number for number, run in enumerate(self.runs.split(" "))} if self.runs else {}

    def weighed(self, text: str) -> tuple[list[int], numpy.ndarray]:
        """The known runs of a plain text, each with its weight; their squares add up to 1, or less in few words."""
        found = [(self._numbers[run], count) for run, count in runs_of(text).items() if run in self._numbers]
        numbers = [number for number, _ in found]
        weights = self.rarity[numbers] * [1 + math.log(count) for _, count in found]
        return numbers, weights / max(float(numpy.linalg.norm(weights)), _LEAST)

    def scores(self, numbers: Sequence[int], weights: numpy.ndarray) -> numpy.ndarray:
        """Of each answer."""
        return self.usual + weights @ self.said[numbers]

    def alike(self, numbers: Sequence[int], weights: numpy.ndarray) -> numpy.ndarray:
        """How much each of the texts resembles one with these runs."""
        likeness = numpy.zeros(len(self.lengths))
        for number, weight in zip(numbers, weights * self.rarity[numbers], strict=True):
            likeness[self.places[self.starts[number] : self.starts[number + 1]]] += weight
        return likeness / self.lengths

    def save(self, path: Path) -> None:
        with path.open("wb") as file:
            columns = {name: getattr(self, name) for name in self.__dataclass_fields__}
            numpy.savez_compressed(file, **columns | {"said": self.said.astype(numpy.float16)})

    @classmethod
    def load(cls, path: Path) -> "Weights":
        with numpy.load(path, allow_pickle=False) as kept:
            columns = {name: kept[name] for name in cls.__dataclass_fields__}
        columns["said"] = columns["said"].astype(numpy.float32)
        for name in ("digest", "runs"):
            columns[name] = str(columns[name])
        return cls(**columns | {"answers": tuple(map(str, columns["answers"]))})


def fit(texts: Sequence[str], labels: Sequence[str], digest: str) -> Weights:
    """The weights that ``texts`` with these ``labels`` give: some seconds for twenty thousand."""
    counted = [runs_of(normalize(text).text) for text in texts]
    found = Counter(run for runs in counted for run in runs)
    rarity = {run: 1 + math.log((1 + len(texts)) / (1 + n)) for run, n in found.items() if n >= _SHARED}
    numbers = {run: number for number, run in enumerate(rarity)}
    rows = [[(numbers[run], (1 + math.log(n)) * rarity[run]) for run, n in runs.items() if run in numbers] for runs in counted]  # fmt: skip
    lengths = numpy.array([max(math.hypot(*(weight for _, weight in row)), _LEAST) for row in rows])
    answers = tuple(sorted(set(labels)))
    usual, said = _solved(_Table(rows, lengths, len(numbers)), labels, answers)
    standing: dict[int, list[int]] = defaultdict(list)
    for place, row in enumerate(rows):
        for number, _ in row:
            standing[number].append(place)
    ordered = [standing[number] for number in range(len(numbers))]
    return Weights(
        digest,
        answers,
        " ".join(rarity),
        numpy.array(list(rarity.values()), numpy.float32),
        usual,
        said,
        numpy.cumsum([0, *map(len, ordered)]).astype(numpy.uint32),
        numpy.array([place for places in ordered for place in places], numpy.uint32),
        lengths.astype(numpy.float32),
    )


class _Table:
    """Texts by runs, most of it empty: what stands in it, by rows and by columns."""

    def __init__(self, rows: list[list[tuple[int, float]]], lengths: numpy.ndarray, width: int):
        self.shape = len(rows), width
        self._rows = numpy.repeat(numpy.arange(len(rows)), [len(row) for row in rows])
        self._columns = numpy.array([number for row in rows for number, _ in row], int)
        self._weights = numpy.array([weight for row in rows for _, weight in row]) / lengths[self._rows]
        self._by_column = numpy.argsort(self._columns, kind="stable")

    def times(self, columns: numpy.ndarray) -> numpy.ndarray:
        """The table times what each run says."""
        return _summed(self._rows, self._weights[:, None] * columns[self._columns], self.shape[0])

    def turned_times(self, rows: numpy.ndarray) -> numpy.ndarray:
        """The table, turned, times what is said of each text."""
        order = self._by_column
        parts = self._weights[order, None] * rows[self._rows[order]]
        return _summed(self._columns[order], parts, self.shape[1])


def _summed(places: numpy.ndarray, parts: numpy.ndarray, size: int) -> numpy.ndarray:
    """The sums of ``parts`` that go to the same place; ``places`` are in order."""
    result = numpy.zeros((size, parts.shape[1]))
    if len(places):
        starts = numpy.flatnonzero(numpy.diff(places, prepend=-1))
        result[places[starts]] = numpy.add.reduceat(parts, starts)
    return result


def _solved(
    table: _Table, labels: Sequence[str], answers: tuple[str, ...]
) -> tuple[numpy.ndarray, numpy.ndarray]:
    """What is usual, and what each run says beside it: conjugate gradients, all answers at once."""
    count = Counter(labels)
    weight = numpy.array([len(labels) / len(answers) / count[label] for label in labels])[:, None]
    given = numpy.array([[label == answer for answer in answers] for label in labels], float)
    usual = (weight * given).sum(axis=0) / weight.sum()
    said = numpy.zeros((table.shape[1], len(answers)))
    rest = table.turned_times(weight * (given - usual))
    going, size = rest.copy(), (rest * rest).sum(axis=0)
    for _ in range(_STEPS):
        ahead = table.turned_times(weight * table.times(going)) + _PENALTY * going
        step = size / numpy.maximum((going * ahead).sum(axis=0), 1e-12)
        said += step * going
        rest -= step * ahead
        before, size = size, (rest * rest).sum(axis=0)
        going = rest + size / numpy.maximum(before, 1e-12) * going
    return usual, said
