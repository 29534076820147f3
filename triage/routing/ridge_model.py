"""RidgeModel: ridge regression over the n-grams of a text. Only serving; `appointments.training` fits it.

The n-grams of a text are its single characters and pairs of characters, weighted by tf-idf. Chinese has no blanks
between words, and pairs come close to words without a dictionary that would have to be maintained.
"""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy

# A vector is divided by its norm, but at least by this: about the norm of a text of five characters (median over the
# project's own sets). So “废水” alone gets a short vector and a small margin, and says too little to overrule the rules.
MIN_NORM = 20.0
_PUNCTUATION = frozenset(",，。.?？!！:：;；、\n ()")


def ngrams(text: str) -> list[str]:
    """The single characters and the pairs of characters of a normalised text, with repetitions."""
    found = [*text, *(text[start : start + 2] for start in range(len(text) - 1))]
    return [ngram for ngram in found if not _PUNCTUATION.intersection(ngram)]


@dataclass(frozen=True, eq=False)
class RidgeModel:
    """The score of a label is `intercept[label]` + Σ weight × `coef[n-gram, label]`.

    `vocabulary`: the n-grams, separated by blanks. `idf`: one number for each of them.
    An inverted index finds the examples that share n-grams with a text: n-gram *i* occurs in the examples
    `postings[offsets[i]:offsets[i + 1]]`, and `norms` holds the norm of each example's vector.
    """

    labels: tuple[str, ...]
    vocabulary: str
    idf: numpy.ndarray
    intercept: numpy.ndarray
    coef: numpy.ndarray
    offsets: numpy.ndarray
    postings: numpy.ndarray
    norms: numpy.ndarray

    @cached_property
    def _index(self) -> dict[str, int]:
        return (
            {ngram: index for index, ngram in enumerate(self.vocabulary.split(" "))}
            if self.vocabulary
            else {}
        )

    def vector(self, text: str) -> tuple[list[int], numpy.ndarray]:
        """The known n-grams of a normalised text as a sparse vector: indices and weights."""
        counts = [
            (self._index[ngram], n) for ngram, n in Counter(ngrams(text)).items() if ngram in self._index
        ]
        indices = [index for index, _ in counts]
        weights = self.idf[indices] * [1 + math.log(n) for _, n in counts]
        return indices, weights / max(float(numpy.linalg.norm(weights)), MIN_NORM)

    def scores(self, indices: Sequence[int], weights: numpy.ndarray) -> numpy.ndarray:
        """One score for each label."""
        return self.intercept + weights @ self.coef[indices]

    def similarities(self, indices: Sequence[int], weights: numpy.ndarray) -> numpy.ndarray:
        """How similar each example is to a vector, 0 to 1."""
        # An example counts a shared n-gram once, even if it repeats it: the index then needs no weights of its own.
        result = numpy.zeros(len(self.norms))
        for index, weight in zip(indices, weights * self.idf[indices], strict=True):
            result[self.postings[self.offsets[index] : self.offsets[index + 1]]] += weight
        return result / self.norms
