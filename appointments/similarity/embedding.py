"""Meaning: where a question stands among all that firms ask, whatever words it uses. Pure.

``matters/`` holds matters, each said in many ways, as officials write and as firms talk. From them is learnt (``learning``) what
every mark of a text contributes to its direction, so that 换下来的炭 and 废活性炭 point the same way, 漆桶 and 漆渣 do not. Two texts
are compared by their directions, and by the known matters that they stand near.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

import numpy

from .concepts import Saying

LEARNT = Path(__file__).with_name("embedding.npz")
_NEARBY = 0.05  # how quickly a matter further off counts less


@dataclass(frozen=True, eq=False)
class Meaning:
    """``marks`` and the ``matters`` in official words, a line each, with their directions as bytes and a scale.

    ``digest`` tells from which texts it was learnt.
    """

    digest: str
    marks: str
    contributed: numpy.ndarray
    scale: numpy.ndarray
    matters: str
    directions: numpy.ndarray

    @cached_property
    def _numbers(self) -> dict[str, int]:
        return {mark: number for number, mark in enumerate(self.marks.split("\n"))}

    @cached_property
    def _matters(self) -> numpy.ndarray:
        return _unit(self.directions.astype(numpy.float32))

    @cached_property
    def named(self) -> list[str]:
        """The known matters in official words."""
        return self.matters.split("\n")

    def direction(self, saying: Saying) -> numpy.ndarray:
        """Of length 1; of length 0 where nothing said is known."""
        numbers = [self._numbers[mark] for mark in saying.marks if mark in self._numbers]
        parts = self.contributed[numbers].astype(numpy.float32) * self.scale[numbers, None]
        return _unit(parts.sum(axis=0))

    def stands(self, directions: numpy.ndarray) -> numpy.ndarray:
        """For each direction how near each known matter is, as shares of 1 under the root: their product is what two share."""
        near = directions @ self._matters.T / _NEARBY
        shares = numpy.exp(near - near.max(axis=-1, keepdims=True))
        return numpy.sqrt(shares / shares.sum(axis=-1, keepdims=True))

    def save(self, path: Path) -> None:
        with path.open("wb") as file:
            numpy.savez_compressed(file, **{name: getattr(self, name) for name in self.__dataclass_fields__})


@cache
def learnt() -> Meaning:
    """What comes with the service; loaded once."""
    with numpy.load(LEARNT, allow_pickle=False) as kept:
        columns = {name: kept[name] for name in Meaning.__dataclass_fields__}
    return Meaning(**columns | {name: str(columns[name]) for name in ("digest", "marks", "matters")})


def stacked(directions: Iterable[numpy.ndarray]) -> numpy.ndarray:
    """One row a direction."""
    rows = list(directions)
    return numpy.stack(rows) if rows else numpy.zeros((0, learnt().contributed.shape[1]), numpy.float32)


def _unit(vectors: numpy.ndarray) -> numpy.ndarray:
    return vectors / numpy.maximum(numpy.linalg.norm(vectors, axis=-1, keepdims=True), 1e-6)
