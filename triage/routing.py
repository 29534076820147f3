"""Routing: which division answers what, by 实施方案 五（一）, and what 五（二） keeps out. Pure: no database, no clock.

A text is made plain (``wording``), parted into questions (``questions``), and every question is judged by itself:
the topics that speak in it (``evidence``) are ranked by layer and standing, those that give way step back, the first
leads. What is not sure goes to 人工, never to a guess. Complaint and outside are only suggested; an officer decides.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import asdict, dataclass

from .evidence import CONTINUED, Evidence, hear, hear_stance
from .lexicon import Hit
from .questions import ASKED, TOLD, Clause, Question, split
from .topic import DIVISIONS, MANUAL, SCOPES, Topic
from .vocabulary import Reading, Vocabulary
from .wording import Plain, denials, firm_names, plain

CERTAIN, LIKELY, UNSURE = "certain", "likely", "unsure"
_RIVAL = 0.8  # a topic of another division this near in score makes the lead only likely
_ENOUGH_HINTS = 2  # different supporting words that together make a likely lead


@dataclass(frozen=True)
class Word:
    """A word that decided, as it stands in the original text at ``[start, end)``."""

    text: str
    start: int
    end: int


@dataclass(frozen=True)
class GaveWay:
    """A topic that also spoke, and why it does not lead."""

    code: str
    name: str
    why: str


@dataclass(frozen=True)
class Finding:
    """One question judged: ``[start, end)`` of the original, its topic, who leads, what decided."""

    text: str
    start: int
    end: int
    code: str
    name: str
    clause: str
    lead: str
    support: tuple[str, ...]
    scope: str
    sure: str
    words: tuple[Word, ...]
    gave_way: tuple[GaveWay, ...]


@dataclass(frozen=True)
class Decision:
    """A text judged. ``primary`` and ``co`` are division codes (``manual`` = 人工), ``version`` that of the rules."""

    primary: str
    co: tuple[str, ...]
    scope: str
    sure: str
    findings: tuple[Finding, ...]
    why: str
    version: str

    def as_dict(self) -> dict:
        """JSON-ready, for a RoutingTrace."""
        return asdict(self)


class RuleBook:
    """Topics compiled once. Raises KeyError where a combination names an unknown @词表 (see ``topicbook.validate``)."""

    def __init__(self, topics: Iterable[Topic]):
        self.topics = tuple(topics)
        self.version = hashlib.sha256(repr(self.topics).encode("utf-8", "replace")).hexdigest()[:12]
        self._vocabulary = Vocabulary(self.topics)
        self._unclear = next((topic for topic in self.topics if topic.layer == "unclear"), _UNCLEAR)

    def route(self, text: str, firm_name: str = "") -> Decision:
        """Judge ``text``. Any text whatever has a decision; nothing is raised."""
        written = plain(text)
        names = firm_names(written.text, firm_name)
        return self._complaint(text, written, names) or self._matters(text, written, names)

    def _complaint(self, text: str, written: Plain, names) -> Decision | None:
        if not written.text:
            return None
        whole = Question((Clause(0, len(written.text), ASKED, False, True),))
        heard = hear_stance(self._vocabulary, self._vocabulary.read(written.text, names))
        if not heard:
            return None
        leading = max(heard, key=lambda evidence: len(evidence.deciding))
        finding = _finding(text, written, whole, leading, (), CERTAIN if len(leading.deciding) > 1 else LIKELY)
        return self._decision((finding,))

    def _matters(self, text: str, written: Plain, names) -> Decision:
        questions = split(written.text)
        denied = denials(written.text)
        findings = self._judged(text, written, questions, self._vocabulary.read(written.text, [*names, *denied]))
        if not findings and denied:  # only what it denies is left to go by
            findings = self._judged(text, written, questions, self._vocabulary.read(written.text, names))
        return self._decision(findings or (_nothing(text, self._unclear),))

    def _judged(self, text: str, written: Plain, questions: tuple[Question, ...], reading: Reading) -> tuple[Finding, ...]:
        findings, before = [], ()
        for question in questions:
            ranked, stood_back = _ranked(hear(self._vocabulary, reading, question, before))
            if ranked:
                findings.append(_judge(text, written, question, ranked, stood_back))
                before = tuple(evidence.topic for evidence in ranked[:1])
        return tuple(findings) or self._guided(text, written, questions, reading)

    def _guided(self, text: str, written: Plain, questions: tuple[Question, ...], reading: Reading) -> tuple[Finding, ...]:
        """No deciding word anywhere: supporting words together may make a likely lead; one alone never does."""
        if not questions:
            return ()
        whole = Question(tuple(clause for question in questions for clause in question.clauses))
        heard = sorted(hear(self._vocabulary, reading, whole), key=lambda evidence: (-evidence.total, evidence.first))
        if not heard:
            return ()
        kinds = [len({hit.word for hit in evidence.supporting}) for evidence in heard]
        alone = len(heard) == 1 or kinds[1] < kinds[0]
        sure = LIKELY if kinds[0] >= _ENOUGH_HINTS and alone else UNSURE
        return (_finding(text, written, whole, heard[0], (), sure),)

    def _decision(self, findings: tuple[Finding, ...]) -> Decision:
        primary = _primary(findings)
        leads = [primary.lead, *(lead for finding in findings for lead in (finding.lead, *finding.support))]
        co = tuple(dict.fromkeys(lead for lead in leads if lead not in (MANUAL, primary.lead)))
        return Decision(primary.lead, co, primary.scope, primary.sure, findings, _why(primary, co), self.version)


_UNCLEAR = Topic("unclear", "事项不明", "六（三）对不明事项与咨询对象电话沟通", "unclear", scope="unclear")


def _ranked(heard: list[Evidence]) -> tuple[list[Evidence], list[tuple[Evidence, Evidence]]]:
    """Those with a deciding word by score, and those that stepped back, each with the one it stepped back for."""
    heard = [evidence for evidence in heard if evidence.strength]
    back = [(one, other) for one in heard for other in heard if one is not other and one.topic.yields_to(other.topic)]
    stepped = {id(one) for one, _ in back}
    standing = [evidence for evidence in heard if id(evidence) not in stepped]
    standing.sort(key=_rank)
    return standing, back


def _rank(evidence: Evidence) -> tuple:
    """Score; a division before 人工; among matters the one named first, among others the one with more words."""
    words = 0.0 if evidence.topic.layer == "matter" else -evidence.total
    return (-evidence.score, evidence.topic.lead == MANUAL, words, evidence.first)


def _judge(text: str, written: Plain, question: Question, ranked: list[Evidence], back) -> Finding:
    leading, *others = ranked
    support = tuple(dict.fromkeys([*leading.topic.support, *(e.topic.lead for e in others if _asked_too(e, leading))]))
    rival = any(e.topic.lead != leading.topic.lead and e.score >= _RIVAL * leading.score for e in others)
    sure = _sure(leading, rival)
    gave_way = [GaveWay(e.topic.code, e.topic.name, f"让位于“{for_.topic.name}”") for e, for_ in back]
    gave_way += [GaveWay(e.topic.code, e.topic.name, _behind(e, leading)) for e in others]
    return _finding(text, written, question, leading, tuple(gave_way), sure, support)


def _sure(leading: Evidence, rival: bool) -> str:
    """A loose word is never certain, and decides nothing against a rival."""
    if leading.topic.layer == "trace":
        return UNSURE if rival else LIKELY
    return CERTAIN if leading.strength >= CONTINUED and not rival else LIKELY


def _asked_too(evidence: Evidence, leading: Evidence) -> bool:
    """Whether a topic behind the lead deserves 协办: a matter asked about as well, or a medium beside a medium."""
    if evidence.topic.scope != "in" or evidence.topic.lead in (MANUAL, leading.topic.lead) or leading.topic.scope != "in":
        return False
    if evidence.topic.layer == "matter":
        return evidence.strength >= TOLD
    return evidence.topic.weight >= leading.topic.weight and evidence.strength >= min(CONTINUED, leading.strength)


def _behind(evidence: Evidence, leading: Evidence) -> str:
    if evidence.topic.weight < leading.topic.weight:
        return f"“{leading.topic.name}”先于它"
    return "只在背景中提到" if evidence.strength < leading.strength else "同问，列为协办或由主办统筹"


def _finding(
    text: str, written: Plain, question: Question, evidence: Evidence, gave_way: tuple[GaveWay, ...], sure: str, support=()
) -> Finding:
    topic = evidence.topic
    start, end = written.original(question.start, question.end)
    words = tuple(_word(text, written, hit) for hit in sorted(set(evidence.deciding or evidence.supporting)))
    lead, scope = (topic.lead, topic.scope) if sure != UNSURE else (MANUAL, "in" if topic.scope == "in" else "unclear")
    support = tuple(division for division in support if division != lead)
    return Finding(
        text[start:end], start, end, topic.code, topic.name, topic.clause, lead, support, scope, sure, words, gave_way
    )


def _word(text: str, written: Plain, hit: Hit) -> Word:
    start, end = written.original(hit.start, hit.end)
    return Word(text[start:end], start, end)


def _nothing(text: str, topic: Topic) -> Finding:
    return Finding(text, 0, len(text), topic.code, topic.name, topic.clause, MANUAL, (), topic.scope, UNSURE, (), ())


def _primary(findings: tuple[Finding, ...]) -> Finding:
    """The first question for a division leads; else the first in scope; else the first."""
    inside = [finding for finding in findings if finding.scope == "in"]
    routed = [finding for finding in inside if finding.lead != MANUAL]
    return next(iter(routed or inside or findings))


def _why(finding: Finding, co: tuple[str, ...]) -> str:
    words = "、".join(f"“{word}”" for word in dict.fromkeys(word.text for word in finding.words))
    ground = f"依据{words}，" if words else ""
    support = f"，{'、'.join(DIVISIONS[division] for division in co)}协办" if co else ""
    if finding.scope == "unclear":
        return f"{ground}未能判明咨询事项，请综合处电话核实（{finding.clause}）。"
    if finding.scope != "in":
        return f"{ground}像是“{finding.name}”，属{SCOPES[finding.scope]}（{finding.clause}），请综合处核实后决定。"
    if finding.lead == MANUAL:
        return f"{ground}归入“{finding.name}”，不能确定责任处室，请综合处人工确定（{finding.clause}）{support}。"
    return f"{ground}归入“{finding.name}”，按实施方案{finding.clause}，由{DIVISIONS[finding.lead]}办理{support}。"
