"""Embedding: a text as a vector, so that two ways of asking the same point the same way. Pure.

`appointments/training` learns a vector for every token from questions that are each asked in many ways: 换下来的炭 and
废活性炭 come to lie together, 漆桶 and 漆渣 apart. Texts are compared by cosine similarity, and by the known questions
that they lie near.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

import numpy

from .concepts import Features

EMBEDDING_FILE = Path(__file__).with_name("embedding.npz")
# Of the softmax over the known questions: the lower, the less a question further off counts. Chosen, like the numbers of
# `index`, on the pairs that were looked at (docs/manual/answered.md).
_TEMPERATURE = 0.05
_JOINED = ("tokens", "questions")


@dataclass(frozen=True, eq=False)
class Embedding:
    """The trained vectors. `digest` identifies the corpus that they come from.

    A row of `token_vectors` (int8) times its `token_scales` is the vector of that token. `questions` are the known
    questions in official words, and `centroids` (int8) the mean of all ways to ask each.
    """

    digest: str
    tokens: tuple[str, ...]
    token_vectors: numpy.ndarray
    token_scales: numpy.ndarray
    questions: tuple[str, ...]
    centroids: numpy.ndarray

    @property
    def size(self) -> int:
        """Numbers in a vector."""
        return self.token_vectors.shape[1]

    def encode(self, features: Features) -> numpy.ndarray:
        """The vector of a text, of length 1; of length 0 where no token is known."""
        # Sorted: the order of a set differs between processes, and with it the last bits of the sum.
        rows = sorted(self._rows[token] for token in features.tokens if token in self._rows)
        vectors = self.token_vectors[rows].astype(numpy.float32) * self.token_scales[rows, None]
        return _unit(vectors.sum(axis=0))

    def encode_all(self, texts: Iterable[Features]) -> numpy.ndarray:
        """One row a text."""
        vectors = [self.encode(features) for features in texts]
        return numpy.stack(vectors) if vectors else numpy.zeros((0, self.size), numpy.float32)

    def soft_assignment(self, vectors: numpy.ndarray) -> numpy.ndarray:
        """How much each vector belongs to each known question: shares that add up to 1 in a row."""
        logits = vectors @ self._unit_centroids.T / _TEMPERATURE
        return softmax(logits)

    def save(self, path: Path) -> None:
        columns = {name: getattr(self, name) for name in self.__dataclass_fields__}
        # As one text each: an array of texts takes the room of the longest for every one of them.
        columns |= {name: "\n".join(columns[name]) for name in _JOINED}
        with path.open("wb") as file:
            numpy.savez_compressed(file, **columns)

    @cached_property
    def _rows(self) -> dict[str, int]:
        return {token: row for row, token in enumerate(self.tokens)}

    @cached_property
    def _unit_centroids(self) -> numpy.ndarray:
        return _unit(self.centroids.astype(numpy.float32))


@cache
def load() -> Embedding:
    """The embedding that comes with the service. It is read once in a process."""
    with numpy.load(EMBEDDING_FILE, allow_pickle=False) as file:
        columns = {name: file[name] for name in Embedding.__dataclass_fields__}
    columns["digest"] = str(columns["digest"])
    return Embedding(**columns | {name: tuple(str(columns[name]).split("\n")) for name in _JOINED})


def softmax(logits: numpy.ndarray) -> numpy.ndarray:
    """Row by row. The largest is subtracted first, or `exp` would overflow."""
    powers = numpy.exp(logits - logits.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


def _unit(vectors: numpy.ndarray) -> numpy.ndarray:
    # The lower bound keeps a text without known tokens at 0 instead of dividing by it.
    return vectors / numpy.maximum(numpy.linalg.norm(vectors, axis=-1, keepdims=True), 1e-6)
