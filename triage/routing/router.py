"""Routing: which division answers what, by 实施方案 五（一）, and what 五（二） keeps out. Pure: no database, no clock.

What the topics find (``ruling``) is weighed against what the precedents say (``precedents``), of the whole text and of each of its
questions: agreed, it stands; else the firmer of the two does. What is not sure goes to 人工, never to a guess. Complaint and
outside are only suggested; an officer decides.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import replace
from math import inf

from appointments.text.firm_names import firm_name_spans
from appointments.text.negation import negated_spans
from appointments.text.normalize import NormalizedText, Span, normalize

from .classifier import Opinion, Precedents
from .clauses import DONE, Clause, Question, split, undivided
from .decision import CERTAIN, LIKELY, UNSURE, Decision, Finding, decided, primary
from .keyword_rules import Ruling, unworded
from .neighbours import Neighbours
from .topic import DIVISIONS, MANUAL, Topic

__all__ = ["CERTAIN", "LIKELY", "UNSURE", "Decision", "Finding", "RuleBook", "Topic"]

# How far ahead of the next answer the precedents must be (docs/routing.md tells by what each was measured):
_AGREED = 0.08  # to be believed where they say what the rules say
_FIRM = {CERTAIN: 0.25, LIKELY: 0.18, UNSURE: 0.18}  # to stand against a division that the rules name
_FIRM_AGAINST_NONE = 0.45  # against rules that find it not ours, or are certain that no division is named
_FIRM_AGAINST_NAME = 0.8  # against the full name of a thing
_SURE_PART = 0.15  # to name the division of one question of several
_REFUSED = 0.4  # to suggest that it is not ours
_CLEAR = 0.2  # to be believed whatever known matters stand near
_NEARBY = 0.05  # share of the known matters near a text that must be the division's
_REFUSES = ("outside", "complaint")
_NAME = 6  # characters from which a word is the full name of a thing: 辐射安全许可证
_PLAINEST = ("other", "medium", "matter", "outside", "complaint")


class RuleBook:
    """Topics, and the precedents beside them, which never outweigh what officials wrote themselves: the topics (by code)
    that they made or moved to another division, and the words that they added.

    Raises KeyError where a topic names an unknown word list (see ``topicbook.validate``).
    """

    def __init__(
        self,
        topics: Iterable[Topic],
        precedents: Precedents | None = None,
        neighbours: Neighbours | None = None,
        own_topics: Iterable[str] = (),
        own_words: Iterable[str] = (),
    ):
        self.topics = tuple(topics)
        self._precedents, self._neighbours = precedents or Precedents(), neighbours
        self.version = _digest(self.topics, self._precedents.digest, neighbours and neighbours.digest)
        self._ruling = Ruling(self.topics)
        self._own_topics = frozenset(own_topics)
        self._own_words = frozenset(normalize(word).text for word in own_words)
        self._known: dict[str, Finding] = {}

    def route(self, text: str, firm_name: str = "") -> Decision:
        """Judge ``text``. Any text whatever has a decision; nothing is raised."""
        written = normalize(text)
        names = firm_name_spans(written.text, firm_name)
        findings = self._ruling.find(written, names)
        opinion = self._precedents.opinion(*_readings(written.text, names))
        if opinion is None:
            return decided(findings, primary(findings), self.version)
        leading = self._settled(written, undivided(written.text), primary(findings, opinion.answer), opinion)
        asked = self._asked(written, names, findings) if leading.scope == "in" else []
        return decided(*self._borne_out(text, opinion, *_led(leading, asked)), self.version)

    def stands(self, word: str) -> bool:
        """Whether ``word`` is read as itself where a text is nothing else: no denial, firm's name or look-alike."""
        return self._ruling.stands(word)

    def _settled(
        self, written: NormalizedText, question: Question, finding: Finding, opinion: Opinion
    ) -> Finding:
        """What the rules found beside what the precedents say: agreed, or the firmer of the two, or nobody's guess."""
        if opinion.answer == _answer(finding):
            return finding if opinion.ahead >= _AGREED or self._by_name(finding) else _doubted(finding)
        if opinion.ahead >= self._firmness(finding):
            return self._likened(written, question, opinion)
        return finding if self._by_name(finding) else _doubted(finding)

    def _borne_out(
        self, text: str, opinion: Opinion, findings: list[Finding], leading: Finding
    ) -> tuple[list[Finding], Finding]:
        """What leads is left to a person where no known matter near the text is that division's, and little else says so."""
        clear = opinion.answer == leading.lead and opinion.ahead >= _CLEAR
        if not self._neighbours or leading.lead == MANUAL or clear or self._by_name(leading):
            return findings, leading
        if self._neighbours.share(text, leading.lead) >= _NEARBY:
            return findings, leading
        doubted = _doubted(leading)
        return [doubted if found is leading else found for found in findings], doubted

    def _by_name(self, finding: Finding) -> bool:
        """Whether the full name of a thing decided, or what officials wrote themselves."""
        named = any(len(normalize(word.text).text) >= _NAME for word in finding.words)
        return self._is_own(finding) or (finding.sure == CERTAIN and named)

    def _is_own(self, finding: Finding) -> bool:
        """Whether a topic that officials made or moved decided, or a word that they added."""
        if finding.code in self._own_topics:
            return finding.sure != UNSURE
        words = {normalize(word.text).text for word in finding.words}
        return finding.sure == CERTAIN and not self._own_words.isdisjoint(words)

    def _firmness(self, finding: Finding) -> float:
        """How far ahead the precedents must be to stand against ``finding``."""
        if self._is_own(finding):
            return inf
        if self._by_name(finding):
            return _FIRM_AGAINST_NAME
        if finding.scope in _REFUSES or (finding.lead == MANUAL and finding.sure == CERTAIN):
            return _FIRM_AGAINST_NONE
        return _FIRM[finding.sure]

    def _asked(
        self, written: NormalizedText, names: Sequence[Span], findings: Sequence[Finding]
    ) -> list[Finding]:
        """Question by question, where there are several: what is sure to belong to a division."""
        questions = split(written.text)
        if len(questions) < 2:
            return []
        return [
            found for question in questions if (found := self._asked_in(written, names, question, findings))
        ]

    def _asked_in(
        self, written: NormalizedText, names: Sequence[Span], question: Question, findings
    ) -> Finding | None:
        opinion = self._precedents.opinion(*_readings(written.text, names, question))
        start = written.quote(question.start, question.end)[1]
        ruled = next((found for found in findings if found.start == start), None)
        if ruled and opinion:
            ruled = self._settled(written, question, ruled, opinion)
        elif opinion and opinion.answer in DIVISIONS and opinion.ahead >= _SURE_PART:
            ruled = self._likened(written, question, opinion)
        return ruled if ruled and ruled.lead != MANUAL else None

    def _likened(self, written: NormalizedText, question: Question, opinion: Opinion) -> Finding:
        """What the rules say of the nearest precedent with this answer, of which they say the same."""
        text, start, end = written.quote(question.start, question.end)
        place = {"text": text, "start": start, "end": end, "words": (), "gave_way": (), "support": ()}
        if opinion.answer == "unclear" or (opinion.answer in _REFUSES and opinion.ahead < _REFUSED):
            return replace(unworded(written, self._ruling.unclear), **place)
        for precedent in self._precedents.nearest(
            written.text[question.start : question.end], opinion.answer
        ):
            told = self._told(precedent.text)
            if _answer(told) == opinion.answer:
                return replace(told, **place, sure=LIKELY, precedent=precedent.text)
        return replace(_by_topic(written, self._plainest(opinion.answer)), **place)

    def _told(self, text: str) -> Finding:
        """What the rules alone say of a precedent."""
        if text not in self._known:
            self._known[text] = primary(self._ruling.find(normalize(text), ()))
        return self._known[text]

    def _plainest(self, answer: str) -> Topic:
        """The topic that says no more than that a matter has this answer."""
        mine = [topic for topic in self.topics if _answer(topic) == answer and topic.layer in _PLAINEST]
        return min(mine, key=lambda topic: _PLAINEST.index(topic.layer), default=self._ruling.unclear)


def _digest(*rules: object) -> str:
    return hashlib.sha256(repr(rules).encode("utf-8", "replace")).hexdigest()[:12]


def _answer(found: Finding | Topic) -> str:
    """As precedents are labelled: a division, or a scope that no division has."""
    return found.lead if found.scope == "in" else found.scope


def _led(leading: Finding, asked: list[Finding]) -> tuple[list[Finding], Finding]:
    """The findings of all questions, and the one that leads: the first of several, or that of the whole text."""
    several = len({found.lead for found in asked}) > 1
    if asked and (several or leading.sure == UNSURE):
        return asked, asked[0]
    mine = next((found for found in asked if found.lead == leading.lead), None)
    return (asked, mine) if mine else ([leading, *asked], leading)


def _readings(text: str, names: Sequence[Span], question: Question | None = None) -> tuple[str, str]:
    """A plain ``text``, or one question of it, without firms' names; and also without what it denies or has done already."""
    clauses = [clause for one in ([question] if question else split(text)) for clause in one.clauses]
    left = [clause for clause in clauses if clause.weight > DONE] or clauses
    whole = _without(text, clauses, names)
    return whole, _without(text, left, [*names, *negated_spans(text)]) or whole


def _without(text: str, clauses: Iterable[Clause], spans: Iterable[Span]) -> str:
    """The ``clauses`` of ``text`` but for what stands in ``spans``."""
    out = [False] * len(text)
    for start, end in spans:
        out[start:end] = [True] * (end - start)
    return "".join(text[at] for clause in clauses for at in range(clause.start, clause.end) if not out[at])


def _doubted(finding: Finding) -> Finding:
    """``finding`` left to a person."""
    return replace(finding, lead=MANUAL, support=(), sure=UNSURE)


def _by_topic(written: NormalizedText, topic: Topic) -> Finding:
    """A finding by no word and no precedent."""
    return replace(unworded(written, topic), lead=topic.lead, sure=LIKELY)
