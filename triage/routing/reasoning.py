"""Reasoning: each step that led to a decision, and how it reads in Chinese (`manage.py route --explain`)."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import isinf
from typing import NamedTuple

from .classifier import Prediction
from .decision import SURE_NAMES, Decision, Finding
from .topic import DIVISIONS, SCOPES

# Which opinion a comparison followed.
BOTH, RULES, CLASSIFIER, NEITHER = "both", "rules", "classifier", "neither"
_FOLLOWED_NAMES = {
    BOTH: "规则与标准例一致，照办",
    RULES: "照规则",
    CLASSIFIER: "照标准例",
    NEITHER: "都不够有把握，交人工",
}


class Comparison(NamedTuple):
    """The rules and the classifier compared, on the whole text or on one question of it (`quote`).

    `by_rules` or `prediction` is None if that side found nothing. `required`: the margin that the prediction needs
    to count. `outcome` is None if the question names no division for sure.
    """

    quote: str
    by_rules: Finding | None
    prediction: Prediction | None
    required: float
    followed: str
    outcome: Finding | None


class KnownMatters(NamedTuple):
    """The share of the known matters near the text that belong to the leading division, and the share required."""

    division: str
    share: float
    required: float

    @property
    def confirmed(self) -> bool:
        return self.share >= self.required


@dataclass(frozen=True)
class Reasoning:
    """A decision, what the rules found, and the comparisons: the whole text first, then each of several questions.

    `comparisons` is empty if the classifier knows nothing in the text. `known_matters` is None if they were not asked.
    """

    decision: Decision
    by_rules: tuple[Finding, ...]
    comparisons: tuple[Comparison, ...] = ()
    known_matters: KnownMatters | None = None


def lines(reasoning: Reasoning) -> Iterator[str]:
    """The reasoning in Chinese, step by step."""
    for number, finding in enumerate(reasoning.by_rules, 1):
        yield from _rule_lines(number, finding)
    for number, compared in enumerate(reasoning.comparisons):
        yield from _comparison_lines(number, compared)
    if not reasoning.comparisons:
        yield "标准例：文字中没有认得的字词，照规则"
    if reasoning.known_matters:
        yield _known_line(reasoning.known_matters)
    yield from _decision_lines(reasoning.decision)


def _rule_lines(number: int, finding: Finding) -> Iterator[str]:
    yield f"规则{number}：“{finding.text.strip()}”"
    words = "、".join(dict.fromkeys(word.text for word in finding.words)) or "（没有）"
    yield f"　　事项：{finding.name}（{finding.code}），{_named(finding)}，{SURE_NAMES[finding.sure]}"
    yield f"　　词：{words}"
    yield f"　　条款：{finding.clause}"
    for other in finding.gave_way:
        yield f"　　退后：{other.name}（{other.code}），{other.why}"


def _comparison_lines(number: int, compared: Comparison) -> Iterator[str]:
    yield f"比较第{number}问：“{compared.quote.strip()}”" if number else "比较全文："
    yield f"　　规则：{_named(compared.by_rules) if compared.by_rules else '没有找到'}"
    if compared.prediction:
        label, margin = compared.prediction
        required = (
            "不能推翻（实施方案写明的例外，或综合处自己写的）"
            if isinf(compared.required)
            else f"须领先 {compared.required:.2f}"
        )
        yield f"　　标准例：{_label_name(label)}，领先 {margin:.2f}，{required}"
    else:
        yield "　　标准例：没有认得的字词"
    yield f"　　结果：{_FOLLOWED_NAMES[compared.followed]}"
    if compared.outcome and compared.outcome.precedent:
        yield f"　　最相近的标准例：“{compared.outcome.precedent}”"


def _known_line(known: KnownMatters) -> str:
    result = "够" if known.confirmed else "不够，交人工"
    return f"附近的已知事项：属于{DIVISIONS[known.division]}的占 {known.share:.2f}，须有 {known.required:.2f}，{result}"


def _decision_lines(decision: Decision) -> Iterator[str]:
    co = "、".join(DIVISIONS[code] for code in decision.co) or "无"
    sure = SURE_NAMES[decision.sure]
    yield f"决定：主办{DIVISIONS[decision.primary]}，协办{co}，{SCOPES[decision.scope]}，{sure}"
    yield f"说明：{decision.why}"


def _named(finding: Finding) -> str:
    return _label_name(finding.lead if finding.scope == "in" else finding.scope)


def _label_name(label: str) -> str:
    return DIVISIONS.get(label) or SCOPES[label]
