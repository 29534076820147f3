"""KeywordRules: what the topics alone find in a text, question by question (五（一）(二)). Pure: no database, no clock.

In each question the matching topics (`scoring`) are ranked by layer and strength. Those that give way step back, and
the first one leads. What is not sure goes to 人工.
"""

from collections.abc import Iterable, Sequence

from appointments.text.firm_names import firm_name_spans
from appointments.text.negation import negated_spans
from appointments.text.normalize import NormalizedText, Span, normalize

from .clauses import BACKGROUND, Question, split_questions, whole_text
from .decision import CERTAIN, LIKELY, UNSURE, Finding, GaveWay, Word
from .lexicon import Hit
from .matcher import MatchedText, Matcher
from .scoring import CONTINUED, Evidence, score_complaints, score_topics
from .topic import MANUAL, Topic

# Tuned by hand on the labelled texts (labelled.jsonl); the golden cases guard them (test_routing_golden).
# Another division's topic with this share of the leading score makes the lead only likely.
_RIVAL_SHARE = 0.8
# A matter in the background loses to a medium that has this many words for each word of the matter.
_MEDIUM_WORDS_PER_MATTER_WORD = 3
# Different hints that together make a likely lead. One hint alone is too often wrong.
_MIN_HINTS = 2
# Used if no topic of the layer `unclear` is in the rules.
_UNCLEAR = Topic("unclear", "事项不明", "六（三）对不明事项与咨询对象电话沟通", "unclear", scope="unclear")


class KeywordRules:
    """Topics compiled once. Raises KeyError if a topic names an unknown word list (see `validation.validate`)."""

    def __init__(self, topics: Sequence[Topic]):
        self._matcher = Matcher(topics)
        self.unclear = next((topic for topic in topics if topic.layer == "unclear"), _UNCLEAR)

    def find(self, written: NormalizedText, names: Sequence[Span]) -> list[Finding]:
        """At least one finding: a complaint of the whole text, or a topic for each question that has one.

        `names`: where the text names a firm. Words in a firm's name say nothing about its question.
        """
        findings = self._complaint(written, names) or self._topics(written, names)
        return findings or [finding_without_words(written, self.unclear)]

    def matches_alone(self, word: str) -> bool:
        """Whether a text that is only `word` matches it: it is no denial, firm's name or look-alike."""
        text = normalize(word).text
        matched = self._matcher.match(text, [*firm_name_spans(text), *negated_spans(text)])
        return any(hit.word == text for hit in matched.uncovered)

    def _complaint(self, written: NormalizedText, names: Sequence[Span]) -> list[Finding]:
        complaints = score_complaints(self._matcher, self._matcher.match(written.text, names))
        if not complaints:
            return []
        # The text has one stance, so the kind of complaint with most words stands for it.
        leading = max(complaints, key=lambda evidence: len(evidence.deciding))
        sure = CERTAIN if len(leading.deciding) > 1 else LIKELY
        return [_finding(written, whole_text(written.text), leading, sure)]

    def _topics(self, written: NormalizedText, names: Sequence[Span]) -> list[Finding]:
        denied = negated_spans(written.text)
        findings = self._judge_questions(written, self._matcher.match(written.text, [*names, *denied]))
        if findings or not denied:
            return findings
        # “生产废水不外排，可以吗？”: the text says nothing else, so it is about what it denies.
        return self._judge_questions(written, self._matcher.match(written.text, names))

    def _judge_questions(self, written: NormalizedText, matched: MatchedText) -> list[Finding]:
        findings: list[Finding] = []
        continued: Sequence[Topic] = ()
        for question in split_questions(written.text):
            ranked, stepped_back = _ranked(score_topics(self._matcher, matched, question, continued))
            if ranked:
                findings.append(_judge(written, question, ranked, stepped_back))
                # “需要多大？” after a question about 危废仓库 still asks about it.
                continued = [ranked[0].topic]
        return findings or self._judge_by_hints(written, matched)

    def _judge_by_hints(self, written: NormalizedText, matched: MatchedText) -> list[Finding]:
        """No deciding word anywhere: several hints together make a likely lead; one alone never does."""
        whole = whole_text(written.text)
        evidence = score_topics(self._matcher, matched, whole)
        evidence.sort(key=lambda one: (-one.total, one.words))
        counts = [len(one.supporting) for one in evidence]
        enough = counts and counts[0] >= _MIN_HINTS and counts[0] > max(counts[1:], default=0)
        return [_finding(written, whole, one, LIKELY if enough else UNSURE) for one in evidence[:1]]


# Each topic that stepped back, with the topic that it stepped back for.
_SteppedBack = list[tuple[Evidence, Evidence]]


def _ranked(evidence: list[Evidence]) -> tuple[list[Evidence], _SteppedBack]:
    """Those with a deciding word, the leading one first; and those that stepped back."""
    decided = [one for one in evidence if one.strength]
    stepped_back = [
        (one, other)
        for one in decided
        for other in decided
        if one is not other and one.topic.yields_to(other.topic)
    ]
    stepped_back += [(one, other) for one in decided if (other := _more_detailed_medium(one, decided))]
    codes = {one.topic.code for one, _ in stepped_back}
    return sorted((one for one in decided if one.topic.code not in codes), key=_rank), stepped_back


def _more_detailed_medium(matter: Evidence, evidence: list[Evidence]) -> Evidence | None:
    """The medium that the text describes at length while it only mentions the matter (手续都齐)."""
    if matter.topic.layer != "matter" or matter.strength > BACKGROUND:
        return None
    media = (one for one in evidence if one.topic.layer == "medium" and one.strength >= matter.strength)
    enough = _MEDIUM_WORDS_PER_MATTER_WORD * len(matter.deciding)
    return next((medium for medium in media if len(medium.deciding) >= enough), None)


def _rank(evidence: Evidence) -> tuple:
    """Sort key: score, then a division before 人工. Among matters the first in the text, else the one with more words."""
    total = 0.0 if evidence.topic.layer == "matter" else -evidence.total
    return (-evidence.score, evidence.topic.lead == MANUAL, total, evidence.words[0])


def _judge(
    written: NormalizedText, question: Question, ranked: list[Evidence], stepped_back: _SteppedBack
) -> Finding:
    leading, *others = ranked
    rival = any(
        one.topic.lead != leading.topic.lead and one.score >= _RIVAL_SHARE * leading.score for one in others
    )
    support = [one.topic.lead for one in others if _deserves_support(one, leading)]
    gave_way = [
        GaveWay(one.topic.code, one.topic.name, f"让位于“{other.topic.name}”") for one, other in stepped_back
    ]
    gave_way += [GaveWay(one.topic.code, one.topic.name, _why_behind(one, leading)) for one in others]
    return _finding(written, question, leading, _sure(leading, rival), support, gave_way)


def _sure(leading: Evidence, rival: bool) -> str:
    """A loose word (`trace`) is never certain, and does not decide against a rival."""
    if leading.topic.layer == "trace":
        return UNSURE if rival else LIKELY
    return CERTAIN if leading.strength >= CONTINUED and not rival else LIKELY


def _deserves_support(evidence: Evidence, leading: Evidence) -> bool:
    """Whether a topic behind the leading one gets 协办: another matter, or another medium of the same rank."""
    if leading.topic.scope != "in" or evidence.topic.scope != "in":
        return False
    if evidence.topic.layer == "matter":
        return evidence.strength >= BACKGROUND
    same_rank = evidence.topic.weight >= leading.topic.weight
    return same_rank and evidence.strength >= min(CONTINUED, leading.strength)


def _why_behind(evidence: Evidence, leading: Evidence) -> str:
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
    lead = MANUAL if sure == UNSURE else topic.lead
    support = [code for code in dict.fromkeys([*topic.support, *asked_too]) if code not in (lead, MANUAL)]
    text, start, end = written.quote(question.start, question.end)
    return Finding(
        text,
        start,
        end,
        topic.code,
        topic.name,
        topic.clause,
        lead,
        tuple(support),
        # A doubtful complaint or outside matter must not suggest a refusal.
        "unclear" if sure == UNSURE and topic.scope != "in" else topic.scope,
        sure,
        tuple(_word(written, hit) for hit in evidence.words),
        tuple(gave_way),
    )


def _word(written: NormalizedText, hit: Hit) -> Word:
    return Word(*written.quote(hit.start, hit.end))


def finding_without_words(written: NormalizedText, topic: Topic) -> Finding:
    """The whole text, left to a person under `topic`."""
    text = written.source
    return Finding(
        text, 0, len(text), topic.code, topic.name, topic.clause, MANUAL, (), topic.scope, UNSURE, (), ()
    )
