"""Routing: which division answers what, by 实施方案 五（一）, and what 五（二） keeps out. Pure: no database, no clock.

A text is made plain (``wording``), parted into questions (``questions``), and every question is judged by itself:
the topics that speak in it (``evidence``) are ranked by layer and standing, those that give way step back, the first
leads. Where the rules find nothing sure, the precedents are asked (``precedents``); what is still not sure goes to
人工, never to a guess. Complaint and outside are only suggested; an officer decides.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import replace

from appointments.wording import Plain, Span, denials, firm_names, plain

from .decision import CERTAIN, LIKELY, UNSURE, Decision, Finding, GaveWay, Word, decided, primary
from .evidence import CONTINUED, Evidence, hear, hear_stance
from .lexicon import Hit
from .precedents import Opinion, Precedents
from .questions import DONE, TOLD, Clause, Question, split, undivided
from .topic import DIVISIONS, MANUAL, Topic
from .vocabulary import Reading, Vocabulary

__all__ = ["CERTAIN", "LIKELY", "UNSURE", "Decision", "Finding", "RuleBook", "Topic"]

_RIVAL = 0.8  # another division's topic this near in score leaves the lead only likely
# How far ahead of the next answer the precedents must be (docs/routing.md tells what each was measured by):
_AGREED = 0.05  # to be believed where they say what the rules say
_FIRM = {CERTAIN: 0.2, LIKELY: 0.12, UNSURE: 0.12}  # to stand against a division that the rules name
_FIRM_AGAINST_NONE = (
    0.25  # against rules that find it not ours, or are certain that 五（一） names no division
)
_FIRM_AGAINST_NAME = 0.8  # against the full name of a thing
_SURE_PART = 0.12  # to name the division of one question of several
_REFUSED = 0.3  # to suggest that it is not ours
_REFUSES = ("outside", "complaint")
_NAME = 6  # characters from which a word is the full name of a thing: 辐射安全许可证
_PLAINEST = ("medium", "matter", "other", "outside", "complaint")
_LENGTH = 3  # words of a medium for each of a matter that is only background
_ENOUGH_HINTS = 2  # different supporting words that together make a likely lead
_UNCLEAR = Topic("unclear", "事项不明", "六（三）对不明事项与咨询对象电话沟通", "unclear", scope="unclear")


class RuleBook:
    """Topics, and the precedents beside them, compiled once. ``own``: words that officials added, which no precedent outweighs.

    Raises KeyError where a topic names an unknown word list (see ``topicbook.validate``).
    """

    def __init__(
        self, topics: Iterable[Topic], precedents: Precedents | None = None, own: Iterable[str] = ()
    ):
        self.topics = tuple(topics)
        self._precedents = precedents or Precedents()
        self.version = _digest(self.topics, self._precedents.digest)
        self._vocabulary = Vocabulary(self.topics)
        self._own = frozenset(plain(word).text for word in own)
        self._known: dict[str, Finding] = {}
        self._unclear = next((topic for topic in self.topics if topic.layer == "unclear"), _UNCLEAR)

    def route(self, text: str, firm_name: str = "") -> Decision:
        """Judge ``text``. Any text whatever has a decision; nothing is raised."""
        written = plain(text)
        names = firm_names(written.text, firm_name)
        findings = self._ruled(written, names)
        opinion = self._precedents.opinion(*_readings(written.text, names))
        if opinion is None:
            return decided(findings, primary(findings), self.version)
        leading = self._settled(written, undivided(written.text), primary(findings, opinion.answer), opinion)
        asked = self._asked(written, names, findings) if leading.scope == "in" else []
        return decided(*_led(leading, asked), self.version)

    def stands(self, word: str) -> bool:
        """Whether ``word`` is read as itself where a text is nothing else: no denial, firm's name or look-alike."""
        text = plain(word).text
        reading = self._vocabulary.read(text, [*firm_names(text), *denials(text)])
        return any(hit.word == text for hit in reading.standing)

    def _ruled(self, written: Plain, names: Sequence[Span]) -> list[Finding]:
        findings = self._complaint(written, names) or self._matters(written, names)
        return findings or [_nothing(written, self._unclear)]

    # --- Beside the precedents ---------------------------------------------------------------------------------------
    def _settled(self, written: Plain, question: Question, finding: Finding, opinion: Opinion) -> Finding:
        """What the rules found beside what the precedents say: agreed, or the firmer of the two, or nobody's guess."""
        if opinion.answer == _answer(finding):
            return finding if opinion.ahead >= _AGREED or self._by_name(finding) else _doubted(finding)
        if opinion.ahead >= self._firmness(finding):
            return self._likened(written, question, opinion)
        return finding if self._by_name(finding) else _doubted(finding)

    def _by_name(self, finding: Finding) -> bool:
        """Whether the full name of a thing decided, or a word that officials added."""
        words = {plain(word.text).text for word in finding.words}
        named = any(len(word) >= _NAME for word in words)
        return finding.sure == CERTAIN and (named or not self._own.isdisjoint(words))

    def _firmness(self, finding: Finding) -> float:
        """How far ahead the precedents must be to stand against ``finding``."""
        if self._by_name(finding):
            return _FIRM_AGAINST_NAME
        if finding.scope in _REFUSES or (finding.lead == MANUAL and finding.sure == CERTAIN):
            return _FIRM_AGAINST_NONE
        return _FIRM[finding.sure]

    def _asked(self, written: Plain, names: Sequence[Span], findings: Sequence[Finding]) -> list[Finding]:
        """Question by question, where there are several: what is sure to belong to a division."""
        questions = split(written.text)
        if len(questions) < 2:
            return []
        return [
            found for question in questions if (found := self._asked_in(written, names, question, findings))
        ]

    def _asked_in(
        self, written: Plain, names: Sequence[Span], question: Question, findings
    ) -> Finding | None:
        opinion = self._precedents.opinion(*_readings(written.text, names, question))
        start = written.quote(question.start, question.end)[1]
        ruled = next((found for found in findings if found.start == start), None)
        if ruled and opinion:
            ruled = self._settled(written, question, ruled, opinion)
        elif opinion and opinion.answer in DIVISIONS and opinion.ahead >= _SURE_PART:
            ruled = self._likened(written, question, opinion)
        return ruled if ruled and ruled.lead != MANUAL else None

    def _likened(self, written: Plain, question: Question, opinion: Opinion) -> Finding:
        """What the rules say of the nearest precedent with this answer, of which they say the same."""
        text, start, end = written.quote(question.start, question.end)
        place = {"text": text, "start": start, "end": end, "words": (), "gave_way": (), "support": ()}
        if opinion.answer == "unclear" or (opinion.answer in _REFUSES and opinion.ahead < _REFUSED):
            return replace(_nothing(written, self._unclear), **place)
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
            self._known[text] = primary(self._ruled(plain(text), ()))
        return self._known[text]

    def _plainest(self, answer: str) -> Topic:
        """The topic that says no more than that a matter has this answer."""
        mine = [
            topic for topic in self.topics if answer in (topic.scope, topic.lead) and topic.layer in _PLAINEST
        ]
        return min(mine, key=lambda topic: _PLAINEST.index(topic.layer), default=self._unclear)

    def _complaint(self, written: Plain, names) -> list[Finding]:
        heard = hear_stance(self._vocabulary, self._vocabulary.read(written.text, names))
        if not heard:
            return []
        leading = max(heard, key=lambda evidence: len(evidence.deciding))
        sure = CERTAIN if len(leading.deciding) > 1 else LIKELY
        return [_finding(written, undivided(written.text), leading, sure)]

    def _matters(self, written: Plain, names) -> list[Finding]:
        denied = denials(written.text)
        findings = self._judged(written, self._vocabulary.read(written.text, [*names, *denied]))
        if findings or not denied:
            return findings
        return self._judged(
            written, self._vocabulary.read(written.text, names)
        )  # only what it denies is left to go by

    def _judged(self, written: Plain, reading: Reading) -> list[Finding]:
        findings: list[Finding] = []
        before: Sequence[Topic] = ()
        for question in split(written.text):
            standing, back = _ranked(hear(self._vocabulary, reading, question, before))
            if standing:
                findings.append(_judge(written, question, standing, back))
                before = [standing[0].topic]
        return findings or self._guided(written, reading)

    def _guided(self, written: Plain, reading: Reading) -> list[Finding]:
        """No deciding word anywhere: supporting words together may make a likely lead; one alone never does."""
        whole = undivided(written.text)
        heard = sorted(
            hear(self._vocabulary, reading, whole), key=lambda evidence: (-evidence.total, evidence.words)
        )
        kinds = [len(evidence.supporting) for evidence in heard]
        sure = (
            LIKELY if kinds and kinds[0] >= _ENOUGH_HINTS and kinds[0] > max(kinds[1:], default=0) else UNSURE
        )
        return [_finding(written, whole, evidence, sure) for evidence in heard[:1]]


def _digest(*rules: object) -> str:
    return hashlib.sha256(repr(rules).encode("utf-8", "replace")).hexdigest()[:12]


def _answer(finding: Finding) -> str:
    """As precedents are labelled: a division, or a scope that no division has."""
    return finding.lead if finding.scope == "in" else finding.scope


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
    return whole, _without(text, left, [*names, *denials(text)]) or whole


def _without(text: str, clauses: Iterable[Clause], spans: Iterable[Span]) -> str:
    """The ``clauses`` of ``text`` but for what stands in ``spans``."""
    out = [False] * len(text)
    for start, end in spans:
        out[start:end] = [True] * (end - start)
    return "".join(text[at] for clause in clauses for at in range(clause.start, clause.end) if not out[at])


_Back = list[tuple[Evidence, Evidence]]


def _only_background(evidence: Evidence, heard: list[Evidence]) -> Evidence | None:
    """The medium for which a matter steps back that is told in passing (手续都齐), while the medium is told at length."""
    if evidence.topic.layer != "matter" or evidence.strength > TOLD:
        return None
    at_length = (
        other for other in heard if other.topic.layer == "medium" and other.strength >= evidence.strength
    )
    return next(
        (other for other in at_length if len(other.deciding) >= _LENGTH * len(evidence.deciding)), None
    )


def _ranked(heard: list[Evidence]) -> tuple[list[Evidence], _Back]:
    """Those with a deciding word, the leading one first; and those that stepped back, each with whom it did so for."""
    heard = [evidence for evidence in heard if evidence.strength]
    back = [
        (one, other)
        for one in heard
        for other in heard
        if one is not other and one.topic.yields_to(other.topic)
    ]
    back += [(one, other) for one in heard if (other := _only_background(one, heard))]
    stepped = {one.topic.code for one, _ in back}
    return sorted((evidence for evidence in heard if evidence.topic.code not in stepped), key=_rank), back


def _rank(evidence: Evidence) -> tuple:
    """Score; a division before 人工; among matters the one named first, among others the one with more words."""
    words = 0.0 if evidence.topic.layer == "matter" else -evidence.total
    return (-evidence.score, evidence.topic.lead == MANUAL, words, evidence.words[0])


def _judge(written: Plain, question: Question, standing: list[Evidence], back: _Back) -> Finding:
    leading, *others = standing
    rival = any(e.topic.lead != leading.topic.lead and e.score >= _RIVAL * leading.score for e in others)
    asked_too = [evidence.topic.lead for evidence in others if _asked_too(evidence, leading)]
    gave_way = [GaveWay(e.topic.code, e.topic.name, f"让位于“{before.topic.name}”") for e, before in back]
    gave_way += [GaveWay(e.topic.code, e.topic.name, _behind(e, leading)) for e in others]
    return _finding(written, question, leading, _sure(leading, rival), asked_too, gave_way)


def _sure(leading: Evidence, rival: bool) -> str:
    """A loose word is never certain, and decides nothing against a rival."""
    if leading.topic.layer == "trace":
        return UNSURE if rival else LIKELY
    return CERTAIN if leading.strength >= CONTINUED and not rival else LIKELY


def _asked_too(evidence: Evidence, leading: Evidence) -> bool:
    """Whether a topic behind the lead deserves 协办: a matter named as well, or a medium beside a medium."""
    if leading.topic.scope != "in" or evidence.topic.scope != "in":
        return False
    if evidence.topic.layer == "matter":
        return evidence.strength >= TOLD
    return evidence.topic.weight >= leading.topic.weight and evidence.strength >= min(
        CONTINUED, leading.strength
    )


def _behind(evidence: Evidence, leading: Evidence) -> str:
    if evidence.topic.weight < leading.topic.weight:
        return f"“{leading.topic.name}”先于它"
    return "只在背景中提到" if evidence.strength < leading.strength else "一并问到，主办之外协办"


def _finding(
    written: Plain,
    question: Question,
    evidence: Evidence,
    sure: str,
    asked_too: Iterable[str] = (),
    gave_way: Iterable[GaveWay] = (),
) -> Finding:
    topic = evidence.topic
    unsure = sure == UNSURE
    lead = MANUAL if unsure else topic.lead
    scope = "unclear" if unsure and topic.scope != "in" else topic.scope
    support = tuple(
        division for division in dict.fromkeys([*topic.support, *asked_too]) if division not in (lead, MANUAL)
    )
    text, start, end = written.quote(question.start, question.end)
    words = tuple(_word(written, hit) for hit in evidence.words)
    return Finding(
        text,
        start,
        end,
        topic.code,
        topic.name,
        topic.clause,
        lead,
        support,
        scope,
        sure,
        words,
        tuple(gave_way),
    )


def _doubted(finding: Finding) -> Finding:
    """``finding`` left to a person; that it is not ours is no longer suggested, unless it is certain."""
    scope = finding.scope if finding.scope == "in" or finding.sure == CERTAIN else "unclear"
    return replace(finding, lead=MANUAL, support=(), sure=UNSURE, scope=scope)


def _by_topic(written: Plain, topic: Topic) -> Finding:
    """A finding by no word and no precedent."""
    return replace(_nothing(written, topic), lead=topic.lead, sure=LIKELY)


def _word(written: Plain, hit: Hit) -> Word:
    return Word(*written.quote(hit.start, hit.end))


def _nothing(written: Plain, topic: Topic) -> Finding:
    text = written.source
    return Finding(
        text, 0, len(text), topic.code, topic.name, topic.clause, MANUAL, (), topic.scope, UNSURE, (), ()
    )
