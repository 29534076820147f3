"""Classifier: a second opinion next to the rules, learnt from labelled texts. Only serving; it loads one file.

`appointments.training` fits the model (`manage.py train`). The rules know words; the classifier knows how firms
talk, and finds the division of a text in which no word of the rules occurs.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import cache, cached_property
from pathlib import Path
from typing import NamedTuple

import numpy

from appointments.similarity import embedding
from appointments.similarity.concepts import extract

from .labelled_texts import LabelledText
from .ridge_model import RidgeModel

SHIPPED = Path(__file__).with_name("data") / "classifier.npz"
# Examples offered as an explanation. The router tries them in order until the rules agree with one; each try costs as
# much as routing a text by rules.
_MAX_NEAREST = 5
# Separates the examples in the file. One example contains a line break, none contains this character.
_SEPARATOR = "\x1e"


class StaleClassifier(Exception):
    """The classifier was trained with another embedding, so its labels would belong to other known matters."""

    def __init__(self):
        super().__init__("classifier.npz 与 embedding.npz 不是同一次训练的，请运行 manage.py train。")


class Prediction(NamedTuple):
    """The best label for a text, and its `margin`: by how much its score exceeds the second best (0 to about 1)."""

    label: str
    margin: float


@dataclass(frozen=True, eq=False)
class Classifier:
    """`model` and the examples that it was trained on.

    `digest` names the training data. `texts` holds the examples, `text_labels` the index of each one's label.
    `known_labels` holds the index of the label of each known matter of the embedding whose digest is
    `embedding_digest`; it is empty if the classifier knows none.
    """

    digest: str
    embedding_digest: str
    texts: str
    text_labels: numpy.ndarray
    known_labels: numpy.ndarray
    model: RidgeModel

    def predict(self, *variants: str) -> Prediction | None:
        """The prediction for a normalised text, or for the mean of several variants of it. None if nothing is known."""
        vectors = [self.model.vector(text) for text in variants]
        scores = [self.model.scores(*vector) for vector in vectors if vector[0]]
        if not scores or len(self.model.labels) < 2:
            return None
        mean = numpy.mean(scores, axis=0)
        second, best = numpy.argsort(mean)[-2:]
        return Prediction(self.model.labels[best], float(mean[best] - mean[second]))

    def nearest(self, text: str, label: str) -> list[LabelledText]:
        """The few examples with `label` that are most similar to a normalised text, the most similar first."""
        similarities = self.model.similarities(*self.model.vector(text))
        similarities[self.text_labels != self.model.labels.index(label)] = 0
        # Stable, so that among equally similar examples the choice does not depend on numpy's version.
        order = numpy.argsort(-similarities, kind="stable")[:_MAX_NEAREST]
        return [LabelledText(self._examples[at], label) for at in order if similarities[at] > 0]

    def known_share(self, text: str, label: str) -> float | None:
        """The share of the known matters near `text` that have `label`, 0 to 1. None if no matter is known."""
        if not len(self.known_labels):
            return None
        known = embedding.load()
        shares = known.soft_assignment(known.encode(extract(text)))
        return float(shares[self.known_labels == self._index(label)].sum())

    def save(self, path: Path) -> None:
        columns = {name: getattr(self, name) for name in _COLUMNS} | {
            name: getattr(self.model, name) for name in _MODEL_COLUMNS
        }
        # Half precision saves a megabyte. Measured on the 2,397 texts of the project's own sets: scores change by at most
        # 0.0004, and no decision changes.
        columns["coef"] = self.model.coef.astype(numpy.float16)
        with path.open("wb") as file:
            numpy.savez_compressed(file, **columns)

    @classmethod
    def load(cls, path: Path) -> "Classifier":
        """Raises FileNotFoundError, or KeyError if the file is of another version."""
        with numpy.load(path, allow_pickle=False) as file:
            columns = {name: file[name] for name in (*_COLUMNS, *_MODEL_COLUMNS)}
        columns["coef"] = columns["coef"].astype(numpy.float32)
        columns["labels"] = tuple(map(str, columns["labels"]))
        for name in ("digest", "embedding_digest", "texts", "vocabulary"):
            columns[name] = str(columns[name])
        model = RidgeModel(**{name: columns[name] for name in _MODEL_COLUMNS})
        return cls(**{name: columns[name] for name in _COLUMNS}, model=model)

    @cached_property
    def _examples(self) -> list[str]:
        return self.texts.split(_SEPARATOR)

    def _index(self, label: str) -> int:
        """-1, which no known matter has, for a label that the classifier does not know."""
        return self.model.labels.index(label) if label in self.model.labels else -1


_COLUMNS = tuple(field.name for field in fields(Classifier) if field.name != "model")
_MODEL_COLUMNS = tuple(field.name for field in fields(RidgeModel))


def joined(texts: Sequence[str]) -> str:
    """`texts` as a Classifier keeps them."""
    return _SEPARATOR.join(texts)


@cache
def shipped_classifier() -> Classifier:
    """The classifier that comes with the service. Loaded once in a process.

    Raises StaleClassifier if the embedding was trained again without the classifier.
    """
    return checked(Classifier.load(SHIPPED))


def checked(classifier: Classifier) -> Classifier:
    """`classifier`. Raises StaleClassifier if its known matters are not those of the shipped embedding."""
    if classifier.embedding_digest != embedding.load().digest:
        raise StaleClassifier
    return classifier
