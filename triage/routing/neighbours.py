"""Neighbours: who answers the known matters that a text stands near, whatever words it uses. Pure."""

from collections.abc import Sequence

import numpy

from appointments.similarity.concepts import extract
from appointments.similarity.embedding import load


class Neighbours:
    """``answers`` of the known questions of the embedding, in their order: the code of a division, or a scope that none has."""

    def __init__(self, answers: Sequence[str]):
        self._given = numpy.array(answers)
        self.digest = load().digest

    def share(self, text: str, answer: str) -> float:
        """How much of what is known near ``text`` has this ``answer``, 0 to 1."""
        shares = load().soft_assignment(load().encode(extract(text)))
        return float(shares[self._given == answer].sum())
