"""Router: which division answers what, by 实施方案 五（一）, and what 五（二） keeps out. Pure: no database, no clock.

The rules (`keyword_rules`) and the classifier each judge the whole text and each of its questions. If they agree, that
stands; if not, the classifier is followed only if its margin is large enough. What is not sure goes to 人工, never to a
guess. Complaint and outside are only suggestions; an officer decides.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import cache
from math import inf

from appointments.text.firm_names import firm_name_spans
from appointments.text.negation import negated_spans
from appointments.text.normalize import NormalizedText, Span, normalize

from .classifier import Classifier, Prediction, shipped_classifier
from .clauses import DONE, Clause, Question, split_questions, whole_text
from .decision import CERTAIN, LIKELY, UNSURE, Decision, Finding, decide, leading_finding
from .keyword_rules import KeywordRules, finding_without_words
from .reasoning import BOTH, CLASSIFIER, NEITHER, RULES, Comparison, KnownMatters, Reasoning
from .topic import DIVISIONS, MANUAL, Topic
from .topic_files import shipped_topics

# Margins of the classifier. They were read off the training examples: cut into four parts, trained on three, and the
# fourth measured, counting how often the rules and how often the classifier were right where the two disagreed
# (docs/manual/routing.md 四). Read them off again after a large change of the examples.

# At least this if the classifier says what the rules say. Below it even agreement is left to a person.
_MIN_MARGIN_AGREED = 0.08
# To follow the classifier against a division that the rules name. Below 0.25, certain rules and the classifier were
# right equally often; above it the classifier was right in more than seven of ten.
_MIN_MARGIN_TO_OVERRULE = {CERTAIN: 0.25, LIKELY: 0.18, UNSURE: 0.18}
# Against rules that find it out of scope, or are certain that no division is named in 五（一）.
_MIN_MARGIN_AGAINST_NO_DIVISION = 0.45
# Against the full name of a thing (辐射安全许可证), which says exactly what is asked.
_MIN_MARGIN_AGAINST_FULL_NAME = 0.8
# Against an exception of 五（一）. Where its words are asked about, a sentence of the 实施方案 is not outweighed by
# examples. Where they are partly background, firm dissent leaves it to a person.
_MIN_MARGIN_AGAINST_EXCEPTION = {CERTAIN: inf, LIKELY: 0.8}
# To name the division of one of several questions for which the rules find nothing.
_MIN_MARGIN_FOR_QUESTION = 0.15
# To suggest that a text is out of scope: a wrong suggestion could cost a firm its appointment.
_MIN_MARGIN_TO_REFUSE = 0.4

# The known matters near a text confirm a division. This check was added after the set unseen_looked_at_late had been
# run for the first time (docs/manual/routing.md 四).
# At least this share of them must belong to the division …
_MIN_KNOWN_SHARE = 0.05
# … unless the classifier names the same division by this margin.
_MIN_MARGIN_WITHOUT_KNOWN = 0.2

# Scopes that suggest a refusal (五（二）).
_REFUSALS = ("outside", "complaint")
# A word of at least this many characters is the full name of a thing: 辐射安全许可证.
_FULL_NAME_LENGTH = 6
# Layers ordered by how little their topics say beyond the division itself.
_MOST_GENERAL_LAYERS = ("other", "medium", "matter", "outside", "complaint")


class Router:
    """Topics, and the classifier as a second opinion.

    The classifier never overrules what officials wrote themselves, or an edit would have no effect: `edited_topics`
    (codes of topics that they made or moved to another division) and `added_words`.

    Raises KeyError if a topic names an unknown word list (see `validation.validate`).
    """

    def __init__(
        self,
        topics: Iterable[Topic],
        classifier: Classifier | None = None,
        edited_topics: Iterable[str] = (),
        added_words: Iterable[str] = (),
    ):
        self.topics = tuple(topics)
        self._classifier = classifier
        self.version = _digest(self.topics, classifier and classifier.digest)
        self._rules = KeywordRules(self.topics)
        # A topic with fixed support is the meeting of an exception with the general rule, and is weighed like any other.
        self._exceptions = frozenset(
            topic.code for topic in self.topics if topic.layer == "exception" and not topic.support
        )
        self._edited_topics = frozenset(edited_topics)
        self._added_words = frozenset(normalize(word).text for word in added_words)
        self._rules_on_example: dict[str, Finding] = {}

    def route(self, text: str, firm_name: str = "") -> Decision:
        """Judge `text`. Any text gets a decision; nothing is raised."""
        return self.explain(text, firm_name).decision

    def explain(self, text: str, firm_name: str = "") -> Reasoning:
        """The decision on `text` with each step that led to it."""
        written = normalize(text)
        names = firm_name_spans(written.text, firm_name)
        by_rules = self._rules.find(written, names)
        prediction = self._classifier and self._classifier.predict(*_variants(written.text, names))
        if prediction is None:
            decision = decide(by_rules, leading_finding(by_rules), self.version)
            return Reasoning(decision, tuple(by_rules))
        leading = leading_finding(by_rules, prediction.label)
        whole = self._compare(written, whole_text(written.text), leading, prediction)
        parts = self._compare_questions(written, names, by_rules) if whole.outcome.scope == "in" else []
        findings, leading = _combined(whole.outcome, [part.outcome for part in parts if part.outcome])
        known = self._check_known_matters(text, prediction, leading)
        if known and not known.confirmed:
            findings, leading = _leave_to_person(findings, leading)
        decision = decide(findings, leading, self.version)
        return Reasoning(decision, tuple(by_rules), (whole, *parts), known)

    def _compare(
        self, written: NormalizedText, question: Question, by_rules: Finding, prediction: Prediction
    ) -> Comparison:
        """Which of the two is followed: both if they agree, the surer one if not, or neither."""
        agreed = prediction.label == _label(by_rules)
        required = _MIN_MARGIN_AGREED if agreed else self._margin_to_overrule(by_rules)
        is_firm = prediction.margin >= required
        if is_firm and agreed:
            followed, outcome = BOTH, by_rules
        elif is_firm and not self._is_exception(by_rules):
            followed, outcome = CLASSIFIER, self._by_classifier(written, question, prediction)
        elif self._is_definite(by_rules) and not is_firm:
            followed, outcome = RULES, by_rules
        else:
            followed, outcome = NEITHER, _doubted(by_rules)
        return Comparison(_quote(written, question), by_rules, prediction, required, followed, outcome)

    def _check_known_matters(
        self, text: str, prediction: Prediction, leading: Finding
    ) -> KnownMatters | None:
        """Whether known matters near the text belong to the leading division. None if that need not be asked."""
        clear = prediction.label == leading.lead and prediction.margin >= _MIN_MARGIN_WITHOUT_KNOWN
        if leading.lead == MANUAL or clear or self._is_definite(leading):
            return None
        share = self._classifier.known_share(text, leading.lead)
        if share is None:
            return None
        return KnownMatters(leading.lead, share, _MIN_KNOWN_SHARE)

    def _is_definite(self, finding: Finding) -> bool:
        """Whether the full name of a thing decided, an exception of 五（一）, or what officials wrote themselves."""
        full_name = any(len(normalize(word.text).text) >= _FULL_NAME_LENGTH for word in finding.words)
        by_name = finding.sure == CERTAIN and full_name
        return by_name or self._is_by_officials(finding) or self._is_exception(finding)

    def _is_exception(self, finding: Finding) -> bool:
        """Whether an exception of 五（一） decided by words of the question itself, not of the text before it."""
        inside = all(word.start >= finding.start for word in finding.words)
        return finding.code in self._exceptions and finding.sure != UNSURE and inside

    def _is_by_officials(self, finding: Finding) -> bool:
        """Whether a topic that officials made or moved decided, or a word that they added."""
        if finding.code in self._edited_topics:
            return finding.sure != UNSURE
        words = {normalize(word.text).text for word in finding.words}
        return finding.sure == CERTAIN and not self._added_words.isdisjoint(words)

    def _margin_to_overrule(self, finding: Finding) -> float:
        """The margin that the classifier needs to be followed against `finding`."""
        if self._is_by_officials(finding):
            return inf
        if self._is_exception(finding):
            return _MIN_MARGIN_AGAINST_EXCEPTION[finding.sure]
        if self._is_definite(finding):
            return _MIN_MARGIN_AGAINST_FULL_NAME
        if finding.scope in _REFUSALS or (finding.lead == MANUAL and finding.sure == CERTAIN):
            return _MIN_MARGIN_AGAINST_NO_DIVISION
        return _MIN_MARGIN_TO_OVERRULE[finding.sure]

    def _compare_questions(
        self, written: NormalizedText, names: Sequence[Span], findings: Sequence[Finding]
    ) -> list[Comparison]:
        """One comparison for each question; [] if there is only one, which is the whole text."""
        questions = split_questions(written.text)
        if len(questions) < 2:
            return []
        return [self._compare_question(written, names, question, findings) for question in questions]

    def _compare_question(
        self, written: NormalizedText, names: Sequence[Span], question: Question, findings: Sequence[Finding]
    ) -> Comparison:
        """`outcome` is None if it is not sure which division answers this question."""
        prediction = self._classifier.predict(*_variants(written.text, names, question))
        # The rules judged the same questions, so their finding begins at the same character of the original text.
        start = written.quote(question.start, question.end)[1]
        by_rules = next((finding for finding in findings if finding.start == start), None)
        if by_rules and prediction:
            compared = self._compare(written, question, by_rules, prediction)
        else:
            compared = self._one_opinion(written, question, by_rules, prediction)
        if compared.outcome and compared.outcome.lead == MANUAL:
            return compared._replace(outcome=None)
        return compared

    def _one_opinion(
        self,
        written: NormalizedText,
        question: Question,
        by_rules: Finding | None,
        prediction: Prediction | None,
    ) -> Comparison:
        """For a question in which only the rules or only the classifier find something, or neither."""
        quote = _quote(written, question)
        if by_rules:
            return Comparison(quote, by_rules, prediction, 0.0, RULES, by_rules)
        required = _MIN_MARGIN_FOR_QUESTION
        if prediction and prediction.label in DIVISIONS and prediction.margin >= required:
            outcome = self._by_classifier(written, question, prediction)
            return Comparison(quote, None, prediction, required, CLASSIFIER, outcome)
        return Comparison(quote, None, prediction, required, NEITHER, None)

    def _by_classifier(self, written: NormalizedText, question: Question, prediction: Prediction) -> Finding:
        """The finding of the rules on the nearest example that has this label, if the rules agree with the label.

        It supplies the topic and the clause, which the classifier does not know.
        """
        text, start, end = written.quote(question.start, question.end)
        place = {"text": text, "start": start, "end": end, "words": (), "gave_way": (), "support": ()}
        unsure_refusal = prediction.label in _REFUSALS and prediction.margin < _MIN_MARGIN_TO_REFUSE
        if prediction.label == "unclear" or unsure_refusal:
            return replace(finding_without_words(written, self._rules.unclear), **place)
        words = written.text[question.start : question.end]
        for example in self._classifier.nearest(words, prediction.label):
            by_rules = self._judge_example(example.text)
            if _label(by_rules) == prediction.label:
                return replace(by_rules, **place, sure=LIKELY, precedent=example.text)
        return replace(_by_topic(written, self._most_general_topic(prediction.label)), **place)

    def _judge_example(self, text: str) -> Finding:
        """What the rules alone find in an example. Kept, because a few examples are near to many texts."""
        if text not in self._rules_on_example:
            self._rules_on_example[text] = leading_finding(self._rules.find(normalize(text), ()))
        return self._rules_on_example[text]

    def _most_general_topic(self, label: str) -> Topic:
        """The topic that says least beyond the label: no example would justify a more special one."""
        topics = [
            topic for topic in self.topics if _label(topic) == label and topic.layer in _MOST_GENERAL_LAYERS
        ]
        return min(
            topics,
            key=lambda topic: _MOST_GENERAL_LAYERS.index(topic.layer),
            default=self._rules.unclear,
        )


@cache
def shipped_router() -> Router:
    """The shipped rules with the shipped classifier. What officials saved is in `rulebook.versions.active_router`."""
    return Router(shipped_topics(), shipped_classifier())


def _digest(*parts: object) -> str:
    return hashlib.sha256(repr(parts).encode("utf-8", "replace")).hexdigest()[:12]


def _label(found: Finding | Topic) -> str:
    """As examples are labelled: a division, or a scope that no division has."""
    return found.lead if found.scope == "in" else found.scope


def _quote(written: NormalizedText, question: Question) -> str:
    return written.quote(question.start, question.end)[0]


def _combined(whole: Finding, parts: list[Finding]) -> tuple[list[Finding], Finding]:
    """The findings of all questions, and the one that leads: that of the whole text, or the first of several."""
    several = len({part.lead for part in parts}) > 1
    if parts and (several or whole.sure == UNSURE):
        return parts, parts[0]
    same = next((part for part in parts if part.lead == whole.lead), None)
    return (parts, same) if same else ([whole, *parts], whole)


def _leave_to_person(findings: list[Finding], leading: Finding) -> tuple[list[Finding], Finding]:
    doubted = _doubted(leading)
    return [doubted if finding is leading else finding for finding in findings], doubted


def _variants(text: str, names: Sequence[Span], question: Question | None = None) -> tuple[str, str]:
    """A normalised text, or one question of it, without firms' names; and also without what it denies or has done.

    The classifier takes the mean of both: background helps it, but must not outweigh what is asked.
    """
    questions = [question] if question else split_questions(text)
    clauses = [clause for one in questions for clause in one.clauses]
    open_clauses = [clause for clause in clauses if clause.weight > DONE] or clauses
    whole = _cut(text, clauses, names)
    return whole, _cut(text, open_clauses, [*names, *negated_spans(text)]) or whole


def _cut(text: str, clauses: Iterable[Clause], spans: Iterable[Span]) -> str:
    """The `clauses` of `text` without the `spans`."""
    removed = [False] * len(text)
    for start, end in spans:
        removed[start:end] = [True] * (end - start)
    return "".join(
        text[at] for clause in clauses for at in range(clause.start, clause.end) if not removed[at]
    )


def _doubted(finding: Finding) -> Finding:
    """`finding` left to a person."""
    return replace(finding, lead=MANUAL, support=(), sure=UNSURE)


def _by_topic(written: NormalizedText, topic: Topic) -> Finding:
    """A finding without words and without an example."""
    return replace(finding_without_words(written, topic), lead=topic.lead, sure=LIKELY)
