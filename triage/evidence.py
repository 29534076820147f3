"""Evidence: which topics speak for a question, by which words, and how strongly.

A word counts by its clause (asked > told > done, see ``questions``); a word inside a longer one does not count
(许可证 in 排水许可证), nor one that denies or belongs to a firm's name; 废水 in “废水产生的污泥” only describes.
"""

import re
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from itertools import pairwise

from .lexicon import Hit, Lexicon, begun_inside, inside_longer
from .questions import ASKED, Question, inquires
from .topic import Combination, Topic, as_written, combinations

MEDIA = "要素"  # the one word list that is not written but gathered
INQUIRY = "提问"  # to exclude: a text that asks something to be answered
INQUIRY_MARK = "\0"  # stands for it among the words; no plain text has this character
NEAR = 12  # characters between the parts of “A…B”
CONTINUED = 0.9  # a hint in an asking clause takes up a topic named before it
DESCRIBES = 0.5  # a medium's word that only describes the one behind it
_DESCRIBING = re.compile(r"^$|产生|(?:的|里面?|中间?|内|时|时候|过程|后|上|出来|自带|配套|站|房|间|池|塔|口)的?$")
_SENTENCE = re.compile(r"[。;；?？!！\n]")


@dataclass
class Evidence:
    """What speaks for ``topic`` in one question; ``strength`` 0–1 is that of its best deciding word."""

    topic: Topic
    deciding: list[Hit] = field(default_factory=list)
    supporting: list[Hit] = field(default_factory=list)
    strength: float = 0.0
    total: float = 0.0

    @property
    def score(self) -> float:
        return self.topic.weight * self.strength

    @property
    def first(self) -> int:
        return min(hit.start for hit in self.deciding or self.supporting)

    def decide(self, hits: Iterable[Hit], weight: float) -> None:
        self.deciding.extend(hit for hit in hits if hit not in self.deciding)
        self.strength = max(self.strength, weight)


@dataclass(frozen=True)
class Reading:
    """A text as the rules see it: every word found, and those that stand for themselves (not in a longer word)."""

    text: str
    hits: tuple[Hit, ...]
    standing: tuple[Hit, ...]

    def within(self, question: Question) -> list[Hit]:
        return [hit for hit in self.standing if question.start <= hit.start < question.end]


class Speakers:
    """The topics, compiled: from a word straight to the topics it speaks for."""

    def __init__(self, topics: Iterable[Topic]):
        self.topics = tuple(topics)
        lists = _lists(self.topics)
        self._deciding, self._supporting, self._shields = defaultdict(list), defaultdict(list), set()
        self._combined: dict[str, list[tuple[Topic, Combination]]] = defaultdict(list)
        self._voiding: dict[str, set[str]] = defaultdict(set)
        self._blinding: set[str] = set()
        for topic in self.topics:
            self._learn(topic, lists)
        self._lexicon = Lexicon({*self._deciding, *self._supporting, *self._combined, *self._voiding, *self._shields})

    def _learn(self, topic: Topic, lists: dict[str, tuple[str, ...]]) -> None:
        if topic.layer == "words":
            return
        whole = [as_written(word) for word in topic.include if "…" not in word]
        if topic.layer in ("lookalike", "outside"):
            self._blinding.update(whole)
        if topic.layer == "lookalike":
            self._shields.update(whole)
            return
        for word in whole:
            self._deciding[word].append(topic)
        for word in map(as_written, topic.hints):
            self._supporting[word].append(topic)
        for combination in combinations(topic, lists):
            for word in {word for group in combination.groups for word in group}:
                self._combined[word].append((topic, combination))
        for word in topic.exclude:
            for written in lists[word[1:]] if word.startswith("@") else (as_written(word),):
                self._voiding[written].add(topic.code)

    def read(self, text: str, masked: Iterable[tuple[int, int]] = ()) -> Reading:
        """Every word of the rules in ``text``, except where ``masked``."""
        hidden = bytearray(len(text))
        for start, end in masked:
            hidden[start:end] = b"\1" * (end - start)
        hits = [hit for hit in self._lexicon.scan(text) if not any(hidden[hit.start : hit.end])]
        whole = [hit for hit in hits if self._covers(hit.word)]
        blinding = [hit for hit in whole if hit.word in self._blinding]
        blinded = begun_inside(hits, blinding)
        hits = [hit for hit in hits if hit not in blinded]
        covered = inside_longer(hits, whole)
        hits = [hit for hit in hits if len(hit.word) > 1 or hit not in covered]
        return Reading(text, tuple(hits), tuple(hit for hit in hits if hit not in covered))

    def _covers(self, word: str) -> bool:
        topics = self._deciding.get(word, ()) or self._supporting.get(word, ())
        return word in self._shields or any(topic.layer != "complaint" for topic in topics)

    def hear(self, reading: Reading, question: Question, continued: Iterable[Topic] = ()) -> list[Evidence]:
        """The topics that speak in ``question``; ``continued``: those already asked about just before it."""
        heard: dict[str, Evidence] = {}
        standing = reading.within(question)
        weights = self._weights(reading.text, question, standing)
        self._hear_combinations(heard, reading, question, weights)
        for hit in standing:
            for topic in self._deciding.get(hit.word, ()):
                heard.setdefault(topic.code, Evidence(topic)).decide([hit], weights[hit])
        self._hear_hints(heard, standing, weights, {topic.code: topic for topic in continued}, self._voided(reading, question))
        for evidence in heard.values():
            words = {hit.word: weights.get(hit, 0.0) for hit in evidence.deciding}
            evidence.total = sum(words.values()) + 0.3 * len({hit.word for hit in evidence.supporting})
        return [evidence for evidence in heard.values() if evidence.topic.layer != "complaint"]

    def hear_stance(self, reading: Reading, question: Question) -> list[Evidence]:
        """The complaint topics that speak in the whole text, given as one ``question``.

        Here any longer word covers: 废气 in 废气处理设施 is nobody's complaint, 怎么 in 怎么没人管 no one's question.
        """
        heard: dict[str, Evidence] = {}
        covered = inside_longer(reading.hits, reading.hits)
        longest = tuple(hit for hit in reading.hits if hit not in covered)
        self._hear_combinations(heard, replace(reading, hits=longest), question, {})
        for hit in longest:
            for topic in self._deciding.get(hit.word, ()):
                heard.setdefault(topic.code, Evidence(topic)).decide([hit], ASKED)
        return [evidence for evidence in heard.values() if evidence.topic.layer == "complaint"]

    def _weights(self, text: str, question: Question, standing: list[Hit]) -> dict[Hit, float]:
        weights = {hit: question.weight_at(hit.start) for hit in standing}
        media = [hit for hit in standing if any(t.layer in ("medium", "trace") for t in self._deciding.get(hit.word, ()))]
        for hit, after in pairwise(media):
            if self._describes(text, question, hit, after):
                weights[hit] *= DESCRIBES
        return weights

    def _describes(self, text: str, question: Question, hit: Hit, after: Hit) -> bool:
        same_clause = question.clause_at(hit.start) == question.clause_at(after.start)
        between = text[hit.end : after.start]
        return same_clause and len(between) <= NEAR and bool(_DESCRIBING.search(between))

    def _voided(self, reading: Reading, question: Question) -> set[str]:
        codes: set[str] = set(self._voiding.get(INQUIRY_MARK, ()) if inquires(reading.text) else ())
        for hit in reading.hits:
            if question.start <= hit.start < question.end:
                codes |= self._voiding.get(hit.word, set())
        return codes

    def _hear_combinations(self, heard, reading: Reading, question: Question, weights: dict[Hit, float]) -> None:
        voided = self._voided(reading, question)
        places: dict[str, list[Hit]] = defaultdict(list)
        for hit in reading.hits:
            if hit.start < question.end:
                places[hit.word].append(hit)
        candidates = {(t.code, c): t for word in places for t, c in self._combined.get(word, ())}
        for (code, combination), topic in candidates.items():
            if code in voided and not combination.near:
                continue
            reach = 0 if topic.layer in ("exception", "complaint") else question.start
            found = _met(combination, places, reading.text, reach, question)
            if found:
                here = [hit for hit in found if hit.start >= question.start]
                weight = sum(question.weight_at(hit.start) for hit in here) / len(here)
                heard.setdefault(code, Evidence(topic)).decide(found, weight)

    def _hear_hints(self, heard, standing, weights, continued: dict[str, Topic], voided: set[str]) -> None:
        for hit in standing:
            for topic in self._supporting.get(hit.word, ()):
                if topic.code in voided:
                    continue
                evidence = heard.setdefault(topic.code, Evidence(topic))
                evidence.supporting.append(hit)
                taken_up = weights[hit] >= ASKED and (evidence.deciding or topic.code in continued)
                if taken_up:
                    evidence.strength = max(evidence.strength, CONTINUED)


def _lists(topics: Iterable[Topic]) -> dict[str, tuple[str, ...]]:
    """The word lists by name, and @要素: every word that decides for a medium, 水 气 土 and the like."""
    lists = {topic.code: tuple(map(as_written, topic.include)) for topic in topics if topic.layer == "words"}
    media = [word for topic in topics if topic.layer in ("medium", "trace") and topic.scope == "in" for word in topic.include]
    return {MEDIA: tuple(as_written(word) for word in media if "…" not in word), INQUIRY: (INQUIRY_MARK,), **lists}


def _met(combination: Combination, places, text: str, reach: int, question: Question) -> list[Hit]:
    """One hit for each group, at or after ``reach``, one of them in the question; nothing if a group is missing."""
    options = [sorted(hit for word in group for hit in places.get(word, ()) if hit.start >= reach) for group in combination.groups]
    if not all(options):
        return []
    found = _in_order(options, text) if combination.near else [group[-1] for group in options]
    return found if any(hit.start >= question.start for hit in found) else []


def _in_order(options: list[list[Hit]], text: str) -> list[Hit]:
    return next(filter(None, (_chain(first, options[1:], text) for first in options[0])), [])


def _chain(hit: Hit, later: list[list[Hit]], text: str) -> list[Hit]:
    """``hit`` and one follower out of each of ``later``, each close behind the one before in the same sentence."""
    if not later:
        return [hit]
    for follower in later[0][bisect_left(later[0], (hit.end,)) :]:
        between = text[hit.end : follower.start]
        if len(between) > NEAR or _SENTENCE.search(between):
            break
        rest = _chain(follower, later[1:], text)
        if rest:
            return [hit, *rest]
    return []
