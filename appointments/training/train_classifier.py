"""Train the classifier of 分办: ridge regression over tf-idf of n-grams, with scikit-learn.

Labelled texts come in as arguments, so this module knows no division. scikit-learn takes 160 MB and is needed only
here: the service computes scores with numpy (`triage.routing.ridge_model`).
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy
from scipy.sparse import csr_matrix
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import Ridge
from sklearn.utils.class_weight import compute_sample_weight
from sklearn.utils.extmath import row_norms

# L2 penalty: keeps the coefficient of an n-gram that occurs in few texts small.
_ALPHA = 1.0
# An n-gram in fewer texts says nothing about other texts, and would double the size of the file.
_MIN_DOCUMENTS = 2
# Relative error at which the solver stops. The coefficients are stored with half precision (1e-3), so a smaller error
# would be lost.
_TOLERANCE = 1e-6


class TrainedRidge(NamedTuple):
    """What `triage.routing.ridge_model.RidgeModel` is made of; see there for the meaning of each field."""

    labels: tuple[str, ...]
    vocabulary: str
    idf: numpy.ndarray
    intercept: numpy.ndarray
    coef: numpy.ndarray
    offsets: numpy.ndarray
    postings: numpy.ndarray
    norms: numpy.ndarray


def train(
    texts: Sequence[str],
    labels: Sequence[str],
    *,
    analyzer: Callable[[str], list[str]],
    min_norm: float,
) -> TrainedRidge:
    """Fit `labels` to `texts`: some seconds for twenty thousand. The same texts give the same numbers.

    `analyzer` gives the n-grams of a text, with repetitions; serving must use the same one. A text's vector is divided
    by its norm, but at least by `min_norm`.
    """
    vectorizer = TfidfVectorizer(analyzer=analyzer, min_df=_MIN_DOCUMENTS, sublinear_tf=True, norm=None)
    tfidf = vectorizer.fit_transform(texts)
    norms = numpy.maximum(row_norms(tfidf), min_norm)
    classes = tuple(sorted(set(labels)))
    intercept, coef = _fit(tfidf.multiply(1 / norms[:, None]).tocsr(), labels, classes)
    # The columns of the matrix are the inverted index: for each n-gram, the texts in which it occurs.
    columns = tfidf.tocsc()
    columns.sort_indices()
    return TrainedRidge(
        classes,
        " ".join(vectorizer.get_feature_names_out()),
        vectorizer.idf_.astype(numpy.float32),
        intercept,
        coef,
        columns.indptr.astype(numpy.uint32),
        columns.indices.astype(numpy.uint32),
        norms.astype(numpy.float32),
    )


def _fit(
    vectors: csr_matrix, labels: Sequence[str], classes: tuple[str, ...]
) -> tuple[numpy.ndarray, numpy.ndarray]:
    """The intercept of each class, and the coefficients, one row for each n-gram."""
    # Without weights, divisions with few texts would never be predicted.
    weights = compute_sample_weight("balanced", labels)
    targets = numpy.stack([numpy.array(labels) == name for name in classes], axis=1).astype(float)
    # The intercept is the weighted mean, not fitted with the rest: centring would make the sparse matrix dense.
    intercept = numpy.average(targets, axis=0, weights=weights)
    # lsqr is deterministic and works on a sparse matrix; "auto" may choose another solver in another version.
    ridge = Ridge(alpha=_ALPHA, fit_intercept=False, solver="lsqr", tol=_TOLERANCE)
    ridge.fit(vectors, targets - intercept, sample_weight=weights)
    return intercept, ridge.coef_.T
