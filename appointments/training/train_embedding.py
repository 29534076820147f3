"""Train the embedding on the corpus: some minutes, needed after the corpus or `concepts.toml` changed.

Contrastive learning. A batch holds two ways to ask each of many questions. The vectors of the tokens are moved so that
the two come nearer to each other than to everything else in the batch (InfoNCE loss, Adam).
"""

import math
import random
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import cache
from typing import NamedTuple

import numpy

from appointments.similarity.concepts import CONCEPTS_FILE, extract
from appointments.similarity.embedding import Embedding, softmax

from . import corpus_files
from .corpus_files import HardNegative

_SIZE = 192  # numbers in a vector
_EPOCHS = 30
_BATCH_SIZE = 384  # questions; each is a negative for all others, so a larger batch is a harder one
# Neighbours in the corpus are siblings. As blocks they come into the same batch, where they are hard negatives.
_BLOCK_SIZE = 24
_NEGATIVES_PER_QUERY = 3
_OFFICIAL_WORDING = (
    0.6  # share of the pairs that are a firm's way to ask and the official wording; the rest are any two
)
_MIN_TEXTS = 3  # a token in fewer texts is left out: it would only be learnt by heart
_DROPOUT = 0.5  # share of the tokens that a text is shown without, so that no single one decides
_SEED = 1

_LEARNING_RATE = 3e-3
_WEIGHT_DECAY = 5e-4
_BETA1, _BETA2 = 0.9, 0.999  # decay of Adam's means of the gradient and of its square
_EPSILON = 1e-8
_INITIAL_SCALE = 15.0  # the inverse of the temperature, which is trained too

_CONCEPT_WEIGHT = 2.0  # at the start; a concept says more than an n-gram
_WEIGHT_UNIT = 5.0  # the idf of a usual token, so that its first weight is about 1

Report = Callable[[str], None]


def _no_report(line: str) -> None:
    """Training is silent unless it is asked to report."""


def train_from_corpus(report: Report = _no_report) -> Embedding:
    """The embedding of the whole corpus. `report` is called once an epoch, with its number and its mean loss."""
    groups = [example["texts"] for example in corpus_files.paraphrased_examples()]
    return train(groups, corpus_files.hard_negatives(), report)


def corpus_digest() -> str:
    """Identifies what is trained on. If it differs from the digest of the shipped embedding, training is due."""
    return corpus_files.digest(CONCEPTS_FILE)


def train(
    groups: list[list[str]], hard_negatives: list[HardNegative], report: Report = _no_report
) -> Embedding:
    """The embedding of `groups`, each the ways to ask one question, the official wording first.

    The same texts in the same order give the same numbers.
    """
    texts = [text for group in groups for text in group]
    texts += [text for each in hard_negatives for text in (each.query, *each.positives, *each.negatives)]
    trainer = Trainer(texts)
    rng = random.Random(_SEED)
    for epoch in range(_EPOCHS):
        losses = [trainer.step(batch, rng) for batch in _batches(groups, hard_negatives, rng)]
        report(f"{epoch + 1}/{_EPOCHS} {sum(losses) / len(losses):.2f}")
    return trainer.embedding(groups)


class Batch(NamedTuple):
    """`positives[i]` asks the same as `queries[i]`. `negatives` ask the same as none of them."""

    queries: list[str]
    positives: list[str]
    negatives: list[str]


def _batches(
    groups: list[list[str]], hard_negatives: list[HardNegative], rng: random.Random
) -> Iterator[Batch]:
    """The batches of one epoch: each holds other groups, and its part of the hard negatives."""
    blocks = [groups[start : start + _BLOCK_SIZE] for start in range(0, len(groups), _BLOCK_SIZE)]
    rng.shuffle(blocks)
    shuffled = [group for block in blocks for group in block]
    hard_negatives = rng.sample(hard_negatives, len(hard_negatives))
    count = max(1, len(shuffled) // _BATCH_SIZE)
    for number in range(count):
        pairs = [_pair(group, rng) for group in shuffled[number * _BATCH_SIZE : (number + 1) * _BATCH_SIZE]]
        hard = hard_negatives[number::count]
        pairs += [(each.query, rng.choice(each.positives)) for each in hard]
        negatives = [
            text
            for each in hard
            for text in rng.sample(each.negatives, min(_NEGATIVES_PER_QUERY, len(each.negatives)))
        ]
        yield Batch([query for query, _ in pairs], [positive for _, positive in pairs], negatives)


def _pair(group: list[str], rng: random.Random) -> tuple[str, str]:
    """Mostly a firm's way to ask and the official wording, because answers are published in official words."""
    if rng.random() < 1 - _OFFICIAL_WORDING:
        query, positive = rng.sample(group, 2)
        return query, positive
    return rng.choice(group[1:]), group[0]


class Trainer:
    """The parameters as trained so far: a vector and a log-weight for each token, and the log of the scale of the loss."""

    def __init__(self, texts: Sequence[str]):
        document_frequency = Counter(token for text in texts for token in _tokens(text))
        self._tokens = tuple(token for token, count in document_frequency.items() if count >= _MIN_TEXTS)
        self._rows = {token: row for row, token in enumerate(self._tokens)}
        rng = numpy.random.default_rng(_SEED)
        vectors = rng.normal(0, 1 / math.sqrt(_SIZE), (len(self._tokens), _SIZE))
        self._vectors = AdamParameter(vectors.astype(numpy.float32), _WEIGHT_DECAY)
        idf = [math.log((1 + len(texts)) / (1 + document_frequency[token])) + 0.2 for token in self._tokens]
        kind = [_CONCEPT_WEIGHT if token.startswith("@") else 1.0 for token in self._tokens]
        log_weights = numpy.log(numpy.array(idf) * kind / _WEIGHT_UNIT).astype(numpy.float32)
        self._log_weights = AdamParameter(log_weights[:, None])
        self._log_scale = AdamParameter(numpy.array([[math.log(_INITIAL_SCALE)]], numpy.float32))
        self._steps = 0

    def step(self, batch: Batch, rng: random.Random) -> float:
        """One step of gradient descent; the loss before it."""
        queries = self._encode(batch.queries, rng)
        answers = self._encode(batch.positives + batch.negatives, rng)
        scale = math.exp(self._log_scale.values[0, 0])
        logits = scale * queries.vectors @ answers.vectors.T
        loss, gradient = contrastive_loss(logits)
        self._steps += 1
        token_gradients = numpy.concatenate(
            [
                queries.token_gradients(scale * gradient @ answers.vectors),
                answers.token_gradients(scale * gradient.T @ queries.vectors),
            ]
        )
        self._update_tokens(numpy.concatenate([queries.rows, answers.rows]), token_gradients)
        scale_gradient = numpy.array([[(gradient * logits).sum()]], numpy.float32)
        self._log_scale.step(numpy.array([0]), scale_gradient, self._steps)
        return loss

    def _update_tokens(self, rows: numpy.ndarray, gradients: numpy.ndarray) -> None:
        """`gradients`: of the weighted vector of the token in each of `rows`. A token may occur in several texts."""
        vectors = self._vectors.values[rows]
        weights = numpy.exp(self._log_weights.values[rows])
        weight_gradients = weights * (vectors * gradients).sum(axis=1, keepdims=True)
        self._log_weights.step(rows, weight_gradients, self._steps)
        self._vectors.step(rows, weights * gradients, self._steps)

    def _encode(self, texts: list[str], rng: random.Random) -> "EncodedTexts":
        rows_of = [self._dropout(self._known_rows(text), rng) for text in texts]
        lengths = [len(rows) for rows in rows_of]
        rows = numpy.array([row for rows in rows_of for row in rows])
        weighted = self._vectors.values[rows] * numpy.exp(self._log_weights.values[rows])
        sums = numpy.add.reduceat(weighted, numpy.cumsum([0, *lengths[:-1]]))
        return EncodedTexts(rows, numpy.repeat(numpy.arange(len(texts)), lengths), sums)

    @staticmethod
    def _dropout(rows: list[int], rng: random.Random) -> list[int]:
        kept = [row for row in rows if rng.random() > _DROPOUT]
        # reduceat needs at least one row a text; a text without any known token borrows the first of all.
        return kept or rows[:1] or [0]

    def _known_rows(self, text: str) -> list[int]:
        return [self._rows[token] for token in _tokens(text) if token in self._rows]

    def embedding(self, groups: list[list[str]]) -> Embedding:
        """The vectors as int8, a fourth of the size, and the centroid of each group."""
        vectors = self._vectors.values * numpy.exp(self._log_weights.values)
        scales = numpy.maximum(numpy.abs(vectors).max(axis=1), 1e-6) / 127
        embedding = Embedding(
            corpus_digest(),
            self._tokens,
            numpy.round(vectors / scales[:, None]).astype(numpy.int8),
            scales.astype(numpy.float32),
            tuple(group[0] for group in groups),
            numpy.zeros((0, _SIZE), numpy.int8),
        )
        # Encoded by the embedding itself, so that rounding moves the centroids as it moves the texts.
        centroids = [embedding.encode_all(map(extract, group)).mean(axis=0) for group in groups]
        largest = numpy.abs(centroids).max(axis=1, keepdims=True)
        return replace(embedding, centroids=numpy.round(centroids / largest * 127).astype(numpy.int8))


class EncodedTexts:
    """Texts as unit `vectors`, each the normalized sum of its tokens. `rows`: all their tokens, text by text."""

    def __init__(self, rows: numpy.ndarray, text_of_row: numpy.ndarray, sums: numpy.ndarray):
        self.rows, self._text_of_row = rows, text_of_row
        self._norms = numpy.linalg.norm(sums, axis=1, keepdims=True) + 1e-6
        self.vectors = sums / self._norms

    def token_gradients(self, gradients: numpy.ndarray) -> numpy.ndarray:
        """The gradient for each of `rows`, from those of the vectors.

        The part along the vector itself is taken off: it would change the length only, which the norm takes back.
        """
        along = (gradients * self.vectors).sum(axis=1, keepdims=True)
        return ((gradients - along * self.vectors) / self._norms)[self._text_of_row]


class AdamParameter:
    """A matrix trained by Adam. Only the rows of a batch are updated, and their means with them (lazy Adam)."""

    def __init__(self, values: numpy.ndarray, weight_decay: float = 0.0):
        self.values = values
        self._weight_decay = weight_decay
        self._mean, self._mean_square = numpy.zeros_like(values), numpy.zeros_like(values)

    def step(self, rows: numpy.ndarray, gradients: numpy.ndarray, number: int) -> None:
        """Step `number`, from 1. `gradients[i]` belongs to row `rows[i]`; those of one row are added up."""
        # Sums over sorted rows: faster than numpy.add.at.
        order = numpy.argsort(rows, kind="stable")
        starts = numpy.flatnonzero(numpy.diff(rows[order], prepend=-1))
        rows = rows[order][starts]
        gradient = numpy.add.reduceat(gradients[order], starts) + self._weight_decay * self.values[rows]
        self._mean[rows] = _BETA1 * self._mean[rows] + (1 - _BETA1) * gradient
        self._mean_square[rows] = _BETA2 * self._mean_square[rows] + (1 - _BETA2) * gradient * gradient
        # Both means start at 0; early steps correct for that.
        mean = self._mean[rows] / (1 - _BETA1**number)
        root_mean_square = numpy.sqrt(self._mean_square[rows] / (1 - _BETA2**number)) + _EPSILON
        self.values[rows] -= _LEARNING_RATE * mean / root_mean_square


def contrastive_loss(logits: numpy.ndarray) -> tuple[float, numpy.ndarray]:
    """The InfoNCE loss in both directions, and its gradient with respect to `logits`.

    `logits[i, j]`: the scaled cosine of query i and answer j. Answer i is right for query i; the columns after those
    belong to no query.
    """
    count = len(logits)
    diagonal = numpy.arange(count)
    by_query = softmax(logits)
    by_answer = softmax(logits[:, :count].T).T
    # The small number keeps the logarithm finite where a share is rounded to 0.
    loss = sum(-numpy.log(shares[diagonal, diagonal] + 1e-9).mean() for shares in (by_query, by_answer))
    by_query[diagonal, diagonal] -= 1
    by_answer[diagonal, diagonal] -= 1
    by_query[:, :count] += by_answer
    return float(loss), by_query / count


# Each text is shown in many epochs, and extracting is slower than a step.
@cache
def _tokens(text: str) -> tuple[str, ...]:
    # Sorted, so that the same texts are trained on in the same order in every process.
    return tuple(sorted(extract(text).tokens))
