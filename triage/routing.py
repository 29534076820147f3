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
from .precedents import Opinion, Precedent, Precedents
from .questions import TOLD, Question, split, undivided
from .topic import DIVISIONS, MANUAL, Topic
from .vocabulary import Reading, Vocabulary

__all__ = ["CERTAIN", "LIKELY", "UNSURE", "Decision", "Finding", "RuleBook", "Topic"]

_RIVAL = 0.8  # another division's topic this near in score leaves the lead only likely
# How far ahead of the next answer the precedents must be to stand against what the rules found (docs/routing.md).
_FIRM = {CERTAIN: 0.5, LIKELY: 0.3, UNSURE: 0.2}
_NAME = 6  # characters from which a word is the full name of a thing: 辐射安全许可证
_LOOSE = 0.2  # for a lead that is likely by a loose word or a process only
_LENGTH = 3  # words of a medium for each of a matter that is only background
_ENOUGH_HINTS = 2  # different supporting words that together make a likely lead
_UNCLEAR = Topic("unclear", "事项不明", "六（三）对不明事项与咨询对象电话沟通", "unclear", scope="unclear")


class RuleBook:
    """Topics, and the precedents beside them, compiled once.

    Raises KeyError where a topic names an unknown word list (see ``topicbook.validate``).
    """

    def __init__(self, topics: Iterable[Topic], precedents: Precedents | None = None):
        self.topics = tuple(topics)
        self._precedents = precedents or Precedents()
        self.version = _digest(self.topics, self._precedents.digest)
        self._vocabulary = Vocabulary(self.topics)
        self._layers = {topic.code: topic.layer for topic in self.topics}
        self._unclear = next((topic for topic in self.topics if topic.layer == "unclear"), _UNCLEAR)

    def route(self, text: str, firm_name: str = "") -> Decision:
        """Judge ``text``. Any text whatever has a decision; nothing is raised."""
        written = plain(text)
        names = firm_names(written.text, firm_name)
        findings = self._ruled(written, names)
        opinion = self._precedents.opinion(_without(written.text, names))
        weighed = self._weighed(written, findings, opinion) if opinion else findings
        return decided(weighed, self.version, opinion.answer if opinion else "")

    def stands(self, word: str) -> bool:
        """Whether ``word`` is read as itself where a text is nothing else: no denial, firm's name or look-alike."""
        text = plain(word).text
        reading = self._vocabulary.read(text, [*firm_names(text), *denials(text)])
        return any(hit.word == text for hit in reading.standing)

    def _ruled(self, written: Plain, names: Sequence[Span]) -> list[Finding]:
        findings = self._complaint(written, names) or self._matters(written, names)
        return findings or [_nothing(written, self._unclear)]

    def _weighed(self, written: Plain, findings: list[Finding], opinion: Opinion) -> list[Finding]:
        """The findings beside what the precedents say: only what is loosely found, or clearly contradicted, gives way."""
        leading = primary(findings, opinion.answer)
        if opinion.answer == leading.lead:
            return findings
        if opinion.ahead >= self._firmness(leading) and opinion.answer not in _named(findings):
            return self._instead(written, opinion, leading) or findings
        return [_doubted(f) for f in findings] if self._is_loose(leading) else findings

    def _instead(self, written: Plain, opinion: Opinion, leading: Finding) -> list[Finding]:
        if opinion.answer in DIVISIONS:
            return self._likened(written, opinion.answer)
        return [] if leading.lead == MANUAL else [_nothing(written, self._unclear)]

    def _firmness(self, finding: Finding) -> float:
        """How clear the precedents must be to stand against ``finding``."""
        if any(len(word.text) >= _NAME for word in finding.words):
            return _FIRM[CERTAIN]
        return _LOOSE if self._is_loose(finding) else _FIRM[finding.sure]

    def _is_loose(self, finding: Finding) -> bool:
        """Likely only by a loose word, or by the works that a text names."""
        return finding.sure == LIKELY and self._layers.get(finding.code) in ("process", "trace")

    def _likened(self, written: Plain, answer: str) -> list[Finding]:
        """What the rules say of the nearest precedent with ``answer``, of which they say the same."""
        for precedent in self._precedents.nearest(written.text, answer):
            told = self._ruled(plain(precedent.text), ())[0]
            if told.lead == answer:
                return [_likened(written, told, precedent)]
        return []

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


def _named(findings: Iterable[Finding]) -> set[str]:
    return {division for finding in findings for division in (finding.lead, *finding.support)}


def _without(text: str, names: Iterable[Span]) -> str:
    """``text`` but for the firm's own name."""
    for start, end in sorted(names, reverse=True):
        text = text[:start] + text[end:]
    return text


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
    """``finding`` left to a person."""
    return replace(finding, lead=MANUAL, support=(), sure=UNSURE)


def _likened(written: Plain, told: Finding, precedent: Precedent) -> Finding:
    """``told``, which the rules say of ``precedent``, said of the whole of ``written``."""
    whole = {"text": written.source, "start": 0, "end": len(written.source)}
    return replace(told, **whole, support=(), sure=LIKELY, words=(), gave_way=(), precedent=precedent.text)


def _word(written: Plain, hit: Hit) -> Word:
    return Word(*written.quote(hit.start, hit.end))


def _nothing(written: Plain, topic: Topic) -> Finding:
    text = written.source
    return Finding(
        text, 0, len(text), topic.code, topic.name, topic.clause, MANUAL, (), topic.scope, UNSURE, (), ()
    )
