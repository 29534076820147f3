"""Ruling: what the topics alone find in a text, question by question (五（一）(二)). Pure: no database, no clock.

Every question is judged by itself: the topics that speak in it (``evidence``) are ranked by layer and standing, those
that give way step back, the first leads. What is not sure goes to 人工.
"""

from collections.abc import Iterable, Sequence

from appointments.text.firm_names import firm_name_spans
from appointments.text.negation import negated_spans
from appointments.text.normalize import NormalizedText, Span, normalize

from .clauses import TOLD, Question, split, undivided
from .decision import CERTAIN, LIKELY, UNSURE, Finding, GaveWay, Word
from .lexicon import Hit
from .matcher import Reading, Vocabulary
from .scoring import CONTINUED, Evidence, hear, hear_stance
from .topic import MANUAL, Topic

_RIVAL = 0.8  # another division's topic this near in score leaves the lead only likely
_LENGTH = 3  # words of a medium for each of a matter that is only background
_ENOUGH_HINTS = 2  # different supporting words that together make a likely lead
_UNCLEAR = Topic("unclear", "事项不明", "六（三）对不明事项与咨询对象电话沟通", "unclear", scope="unclear")


class Ruling:
    """Topics compiled once. Raises KeyError where a topic names an unknown word list (see ``topicbook.validate``)."""

    def __init__(self, topics: Sequence[Topic]):
        self._vocabulary = Vocabulary(topics)
        self.unclear = next((topic for topic in topics if topic.layer == "unclear"), _UNCLEAR)

    def find(self, written: NormalizedText, names: Sequence[Span]) -> list[Finding]:
        """At least one finding: a complaint of the whole text, or a matter for each question that has one."""
        findings = self._complaint(written, names) or self._matters(written, names)
        return findings or [unworded(written, self.unclear)]

    def stands(self, word: str) -> bool:
        """Whether ``word`` is read as itself where a text is nothing else: no denial, firm's name or look-alike."""
        text = normalize(word).text
        reading = self._vocabulary.read(text, [*firm_name_spans(text), *negated_spans(text)])
        return any(hit.word == text for hit in reading.standing)

    def _complaint(self, written: NormalizedText, names) -> list[Finding]:
        heard = hear_stance(self._vocabulary, self._vocabulary.read(written.text, names))
        if not heard:
            return []
        leading = max(heard, key=lambda evidence: len(evidence.deciding))
        sure = CERTAIN if len(leading.deciding) > 1 else LIKELY
        return [_finding(written, undivided(written.text), leading, sure)]

    def _matters(self, written: NormalizedText, names) -> list[Finding]:
        denied = negated_spans(written.text)
        findings = self._judged(written, self._vocabulary.read(written.text, [*names, *denied]))
        if findings or not denied:
            return findings
        return self._judged(
            written, self._vocabulary.read(written.text, names)
        )  # only what it denies is left to go by

    def _judged(self, written: NormalizedText, reading: Reading) -> list[Finding]:
        findings: list[Finding] = []
        before: Sequence[Topic] = ()
        for question in split(written.text):
            standing, back = _ranked(hear(self._vocabulary, reading, question, before))
            if standing:
                findings.append(_judge(written, question, standing, back))
                before = [standing[0].topic]
        return findings or self._guided(written, reading)

    def _guided(self, written: NormalizedText, reading: Reading) -> list[Finding]:
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


def _judge(written: NormalizedText, question: Question, standing: list[Evidence], back: _Back) -> Finding:
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
    written: NormalizedText,
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


def _word(written: NormalizedText, hit: Hit) -> Word:
    return Word(*written.quote(hit.start, hit.end))


def unworded(written: NormalizedText, topic: Topic) -> Finding:
    text = written.source
    return Finding(
        text, 0, len(text), topic.code, topic.name, topic.clause, MANUAL, (), topic.scope, UNSURE, (), ()
    )
