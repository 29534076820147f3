"""Neighbours: who answers the known matters that a text stands near, whatever words it uses. Pure."""

from collections.abc import Sequence

import numpy

from appointments.similarity.concepts import said
from appointments.similarity.embedding import learnt


class Neighbours:
    """``answers`` of the known matters of ``meaning``, in their order: the code of a division, or a scope that none has."""

    def __init__(self, answers: Sequence[str]):
        self._given = numpy.array(answers)
        self.digest = learnt().digest

    def share(self, text: str, answer: str) -> float:
        """How much of what is known near ``text`` has this ``answer``, 0 to 1."""
        shares = learnt().stands(learnt().direction(said(text))) ** 2
        return float(shares[self._given == answer].sum())
