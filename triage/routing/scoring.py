"""Score topics: which topics match a question, by which words, and how strongly.

A word counts by its clause (asking > background > done, see `clauses`). A word that only describes the word after it
(废水 in “废水产生的污泥”) counts half. A hint in a clause that asks takes up a topic of the clauses before.
"""

import re
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from .clauses import ASKING, Question
from .combinations import MAX_GAP, hits_of
from .lexicon import Hit
from .matcher import MatchedText, Matcher
from .topic import MEDIA, Topic

# These numbers were tuned by hand on the labelled texts (labelled.jsonl). The golden cases, which were not used for
# that, guard them (test_routing_golden).

# Strength of a topic that a hint in a clause that asks takes up (“危废仓库……要多大？”): just below a word that is
# asked about itself (1.0), and above background (0.6).
CONTINUED = 0.9
_MODIFIER_FACTOR = 0.5
# Characters before a question in which an exception may find its other half. A firm often tells the sea first and asks
# for the 环评 some sentences later. A limit keeps the work proportional to the text.
_LOOKBACK = 300
# What a hint adds to the total. It only breaks ties, so it must stay below one deciding word in the background (0.6).
_HINT_TOTAL = 0.3
_MODIFIER = re.compile(
    r"^$|产生|(?:的|里面?|中间?|内|时|时候|过程|后|上|出来|自带|配套|站|房|间|池|塔|口)的?$|的.{1,2}$"
)


@dataclass
class Evidence:
    """The words that match `topic` in one question. `strength` (0–1) is that of its best deciding word.

    `total` adds up all words; it ranks topics of the same score.
    """

    topic: Topic
    # A dict as an ordered set: the order of the words must not depend on hashes.
    deciding: dict[Hit, None] = field(default_factory=dict)
    # Each hint with its first occurrence.
    supporting: dict[str, Hit] = field(default_factory=dict)
    strength: float = 0.0
    total: float = 0.0

    @property
    def score(self) -> float:
        """Weight × strength. The strength of another bureau's topic is squared.

        Such a topic counts when it is asked about. In the background (已办消防验收) it must lose to our own topics.
        """
        return self.topic.weight * self.strength ** (2 if self.topic.layer == "outside" else 1)

    @property
    def words(self) -> list[Hit]:
        """The deciding words, else the supporting words, ordered by position."""
        return sorted(self.deciding or self.supporting.values())


def score_topics(
    matcher: Matcher, matched: MatchedText, question: Question, continued: Sequence[Topic] = ()
) -> list[Evidence]:
    """The topics that match in `question`. `continued`: the topic of the question before it."""
    scorer = _QuestionScorer(matcher, matched, question)
    for hit in scorer.hits:
        scorer.add_deciding(matcher.deciding.get(hit.word, ()), [hit], scorer.weights[hit])
    scorer.add_combinations()
    scorer.add_hints({topic.code for topic in continued})
    return [evidence for evidence in scorer.evidence.values() if evidence.topic.layer != "complaint"]


def score_complaints(matcher: Matcher, matched: MatchedText) -> list[Evidence]:
    """The complaint topics that match in the whole text.

    Here any longer word covers a shorter one: 废气 in 废气处理设施 is no complaint, 怎么 in 怎么没人管 no question.
    """
    evidence: dict[str, Evidence] = {}
    cancelled = matcher.cancelled_codes(matched, matched.longest)
    for hit in matched.longest:
        _add_deciding(evidence, matcher.deciding.get(hit.word, ()), [hit], ASKING)
    for topic, combination in matcher.candidate_combinations(matched.longest):
        if topic.layer == "complaint" and not (combination.cancellable and topic.code in cancelled):
            _add_deciding(evidence, [topic], hits_of(combination, matched.longest, matched.text), ASKING)
    return [one for one in evidence.values() if one.topic.layer == "complaint"]


def _add_deciding(
    evidence: dict[str, Evidence], topics: Iterable[Topic], hits: list[Hit], weight: float
) -> None:
    for topic in topics if hits else ():
        one = evidence.setdefault(topic.code, Evidence(topic))
        one.deciding.update(dict.fromkeys(hits))
        one.strength = max(one.strength, weight)
        one.total += weight


def _between(hits: Sequence[Hit], start: int, end: int) -> Sequence[Hit]:
    """Those of `hits` (ordered by start) that begin in `[start, end)`."""
    return hits[bisect_left(hits, (start,)) : bisect_left(hits, (end,))]


class _QuestionScorer:
    """Collects the evidence of one question."""

    def __init__(self, matcher: Matcher, matched: MatchedText, question: Question):
        self.matcher, self.matched, self.question = matcher, matched, question
        self.evidence: dict[str, Evidence] = {}
        self.hits = _between(matched.uncovered, question.start, question.end)
        self.weights = self._weights()
        self.context = _between(matched.hits, question.start - _LOOKBACK, question.end)
        inside = _between(matched.hits, question.start, question.end)
        self.cancelled = matcher.cancelled_codes(matched, inside)
        self.cancelled_in_context = self.cancelled | matcher.cancelled_codes(matched, self.context)

    def add_deciding(self, topics: Iterable[Topic], hits: list[Hit], weight: float) -> None:
        _add_deciding(self.evidence, topics, hits, weight)

    def add_combinations(self) -> None:
        """An exception may reach back to the text before the question; other combinations stay in it."""
        for topic, combination in self.matcher.candidate_combinations(self.context):
            if topic.layer != "complaint" and not (combination.cancellable and topic.code in self.cancelled):
                hits = self.context if topic.layer == "exception" else self.hits
                found = hits_of(combination, hits, self.matched.text)
                inside = [hit for hit in found if hit.start >= self.question.start]
                # Words that cancel it may stand before the question too, where it reaches back.
                cancelled = len(inside) < len(found) and topic.code in self.cancelled_in_context
                if inside and not cancelled:
                    weight = sum(self.question.weight_at(hit.start) for hit in inside) / len(inside)
                    self.add_deciding([topic], found, weight)

    def add_hints(self, continued: set[str]) -> None:
        for hit in self.hits:
            for topic in self.matcher.supporting.get(hit.word, ()):
                if topic.code not in self.cancelled:
                    self._add_hint(self.evidence.setdefault(topic.code, Evidence(topic)), hit, continued)

    def _add_hint(self, evidence: Evidence, hit: Hit, continued: set[str]) -> None:
        if hit.word not in evidence.supporting:
            evidence.total += _HINT_TOTAL
            evidence.supporting[hit.word] = hit
        if self.weights[hit] >= ASKING and (evidence.deciding or evidence.topic.code in continued):
            evidence.strength = max(evidence.strength, CONTINUED)

    def _weights(self) -> dict[Hit, float]:
        weights = {hit: self.question.weight_at(hit.start) for hit in self.hits}
        media = [hit for hit in self.hits if self._is_medium(hit)]
        for index, hit in enumerate(media):
            following = next((later for later in media[index + 1 :] if later.start >= hit.end), None)
            if following and self._describes(hit, following):
                weights[hit] *= _MODIFIER_FACTOR
        return weights

    def _is_medium(self, hit: Hit) -> bool:
        return any(topic.layer in MEDIA for topic in self.matcher.deciding.get(hit.word, ()))

    def _describes(self, hit: Hit, following: Hit) -> bool:
        between = self.matched.text[hit.end : following.start]
        same_clause = self.question.clause_at(hit.start) == self.question.clause_at(following.start)
        return same_clause and len(between) <= MAX_GAP and bool(_MODIFIER.search(between))
