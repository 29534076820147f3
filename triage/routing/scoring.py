"""Evidence: which topics speak for a question, by which words, and how strongly.

A word counts by its clause (asked > told > done, see ``questions``); one that only describes the word behind it
(废水 in “废水产生的污泥”) counts half; a hint that asks takes up its topic told before.
"""

import re
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from .clauses import ASKED, Question
from .combinations import NEAR, met
from .lexicon import Hit
from .matcher import Reading, Vocabulary
from .topic import MEDIA, Topic

CONTINUED = 0.9  # standing of a topic that a hint in an asking clause takes up
_DESCRIBES = 0.5
_BACK = 300  # characters before a question in which an exception may still find its other half
_HINT = 0.3  # what a hint adds to the total, beside a deciding word's standing
_DESCRIBING = re.compile(
    r"^$|产生|(?:的|里面?|中间?|内|时|时候|过程|后|上|出来|自带|配套|站|房|间|池|塔|口)的?$|的.{1,2}$"
)


@dataclass
class Evidence:
    """What speaks for ``topic`` in one question; ``strength`` 0–1 is that of its best deciding word."""

    topic: Topic
    deciding: dict[Hit, None] = field(default_factory=dict)  # a set that keeps its order
    supporting: dict[str, Hit] = field(default_factory=dict)  # each hint where it first stands
    strength: float = 0.0
    total: float = 0.0

    @property
    def score(self) -> float:
        """Other bureaus' matters count when asked about; told (已办消防验收) they are hardly more than background."""
        return self.topic.weight * self.strength ** (2 if self.topic.layer == "outside" else 1)

    @property
    def words(self) -> list[Hit]:
        """The words that decided, else those that support, by where they stand."""
        return sorted(self.deciding or self.supporting.values())


def hear(
    vocabulary: Vocabulary, reading: Reading, question: Question, continued: Sequence[Topic] = ()
) -> list[Evidence]:
    """The topics that speak in ``question``; ``continued``: what was asked about just before it."""
    listening = _Listening(vocabulary, reading, question)
    for hit in listening.standing:
        listening.decide(vocabulary.deciding.get(hit.word, ()), [hit], listening.weights[hit])
    listening.combine()
    listening.support({topic.code for topic in continued})
    return [evidence for evidence in listening.heard.values() if evidence.topic.layer != "complaint"]


def hear_stance(vocabulary: Vocabulary, reading: Reading) -> list[Evidence]:
    """The complaint topics that speak in the whole text.

    Here any longer word covers: 废气 in 废气处理设施 is nobody's complaint, 怎么 in 怎么没人管 no one's question.
    """
    heard: dict[str, Evidence] = {}
    voided = vocabulary.voided(reading, reading.longest)
    for hit in reading.longest:
        _decide(heard, vocabulary.deciding.get(hit.word, ()), [hit], ASKED)
    for topic, combination in vocabulary.combinations_begun(reading.longest):
        if topic.layer == "complaint" and not (combination.voidable and topic.code in voided):
            _decide(heard, [topic], met(combination, reading.longest, reading.text), ASKED)
    return [evidence for evidence in heard.values() if evidence.topic.layer == "complaint"]


def _decide(heard: dict[str, Evidence], topics: Iterable[Topic], hits: list[Hit], weight: float) -> None:
    for topic in topics if hits else ():
        evidence = heard.setdefault(topic.code, Evidence(topic))
        evidence.deciding.update(dict.fromkeys(hits))
        evidence.strength = max(evidence.strength, weight)
        evidence.total += weight


def _between(hits: Sequence[Hit], start: int, end: int) -> Sequence[Hit]:
    """Those of ``hits``, which are in order, that begin in ``[start, end)``."""
    return hits[bisect_left(hits, (start,)) : bisect_left(hits, (end,))]


class _Listening:
    """One question being listened to."""

    def __init__(self, vocabulary: Vocabulary, reading: Reading, question: Question):
        self.vocabulary, self.reading, self.question = vocabulary, reading, question
        self.heard: dict[str, Evidence] = {}
        self.standing = _between(reading.standing, question.start, question.end)
        self.weights = self._weights()
        self.context = _between(reading.hits, question.start - _BACK, question.end)
        self.voided = vocabulary.voided(reading, _between(reading.hits, question.start, question.end))

    def decide(self, topics: Iterable[Topic], hits: list[Hit], weight: float) -> None:
        _decide(self.heard, topics, hits, weight)

    def combine(self) -> None:
        """An exception may reach back to what was told before the question; other combinations stay in it."""
        for topic, combination in self.vocabulary.combinations_begun(self.context):
            if topic.layer != "complaint" and not (combination.voidable and topic.code in self.voided):
                within = self.context if topic.layer == "exception" else self.standing
                found = met(combination, within, self.reading.text)
                here = [hit for hit in found if hit.start >= self.question.start]
                if here:
                    self.decide(
                        [topic], found, sum(self.question.weight_at(hit.start) for hit in here) / len(here)
                    )

    def support(self, continued: set[str]) -> None:
        for hit in self.standing:
            for topic in self.vocabulary.supporting.get(hit.word, ()):
                if topic.code not in self.voided:
                    self._support(self.heard.setdefault(topic.code, Evidence(topic)), hit, continued)

    def _support(self, evidence: Evidence, hit: Hit, continued: set[str]) -> None:
        if hit.word not in evidence.supporting:
            evidence.total += _HINT
            evidence.supporting[hit.word] = hit
        if self.weights[hit] >= ASKED and (evidence.deciding or evidence.topic.code in continued):
            evidence.strength = max(evidence.strength, CONTINUED)

    def _weights(self) -> dict[Hit, float]:
        weights = {hit: self.question.weight_at(hit.start) for hit in self.standing}
        media = [hit for hit in self.standing if self._for_medium(hit)]
        for place, hit in enumerate(media):
            after = next((later for later in media[place + 1 :] if later.start >= hit.end), None)
            if after and self._describes(hit, after):
                weights[hit] *= _DESCRIBES
        return weights

    def _for_medium(self, hit: Hit) -> bool:
        return any(topic.layer in MEDIA for topic in self.vocabulary.deciding.get(hit.word, ()))

    def _describes(self, hit: Hit, after: Hit) -> bool:
        between = self.reading.text[hit.end : after.start]
        same_clause = self.question.clause_at(hit.start) == self.question.clause_at(after.start)
        return same_clause and len(between) <= NEAR and bool(_DESCRIBING.search(between))
