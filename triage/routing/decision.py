"""Decision: what was found in a text and why, in words that an officer and a firm can read."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass

from .topic import DIVISIONS, MANUAL, SCOPES

# Characters of an example that a sentence quotes. More would make the reason longer than the question.
_MAX_QUOTED = 40
CERTAIN, LIKELY, UNSURE = "certain", "likely", "unsure"
SURE_NAMES = {CERTAIN: "有把握", LIKELY: "较有把握", UNSURE: "没有把握"}


@dataclass(frozen=True)
class Word:
    """A word that decided, as it stands in the original text at `[start, end)`."""

    text: str
    start: int
    end: int


@dataclass(frozen=True)
class GaveWay:
    """A topic that also matched, and why it does not lead."""

    code: str
    name: str
    why: str


# The field names of Finding and Decision are the keys of stored traces (RoutingTrace.decision): do not rename them.
@dataclass(frozen=True)
class Finding:
    """One question judged: `[start, end)` of the original text, its topic, the leading division, the words.

    `precedent`: the text of the labelled example that decided if no word of the rules did; else "".
    """

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
    precedent: str = ""


@dataclass(frozen=True)
class Decision:
    """A text judged. `primary` and `co` are division codes (`manual` = 人工); `version` names the rules."""

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

    @classmethod
    def from_dict(cls, stored: Mapping) -> "Decision":
        """The decision of a RoutingTrace. Raises TypeError if the keys are not those of `as_dict`."""
        findings = tuple(
            Finding(
                **{
                    **finding,
                    "support": tuple(finding["support"]),
                    "words": tuple(Word(**word) for word in finding["words"]),
                    "gave_way": tuple(GaveWay(**topic) for topic in finding["gave_way"]),
                }
            )
            for finding in stored["findings"]
        )
        return cls(**{**stored, "co": tuple(stored["co"]), "findings": findings})


def decide(findings: Iterable[Finding], leading: Finding, version: str) -> Decision:
    """The decision in which `leading`, one of `findings`, leads and the other divisions support."""
    findings = tuple(findings)
    named = (division for finding in findings for division in (finding.lead, *finding.support))
    co = tuple(dict.fromkeys(division for division in named if division not in (MANUAL, leading.lead)))
    return Decision(leading.lead, co, leading.scope, leading.sure, findings, _why(leading, co), version)


def leading_finding(findings: Sequence[Finding], preferred: str = "") -> Finding:
    """The finding that leads: the first that names a division, else the first in scope, else the first.

    If that one is not certain, another finding that names the `preferred` division leads.
    """
    in_scope = [finding for finding in findings if finding.scope == "in"]
    with_division = [finding for finding in in_scope if finding.lead != MANUAL]
    leading = (with_division or in_scope or findings)[0]
    if leading.sure == CERTAIN:
        return leading
    return next((finding for finding in with_division if finding.lead == preferred), leading)


def _why(finding: Finding, co: tuple[str, ...]) -> str:
    words = "、".join(f"“{word}”" for word in dict.fromkeys(word.text for word in finding.words))
    ground = f"依据{words}，" if words else _cited_example(finding)
    support = f"，{'、'.join(DIVISIONS[division] for division in co)}协办" if co else ""
    if finding.scope == "unclear":
        return f"{ground}未能判明咨询事项，请综合处电话核实（{finding.clause}）。"
    if finding.scope != "in":
        return f"{ground}像是“{finding.name}”，属{SCOPES[finding.scope]}（{finding.clause}），请综合处核实后决定。"
    if finding.lead == MANUAL:
        return f"{ground}归入“{finding.name}”，责任处室请综合处人工确定（{finding.clause}）{support}。"
    return f"{ground}归入“{finding.name}”，按实施方案{finding.clause}，由{DIVISIONS[finding.lead]}办理{support}。"


def _cited_example(finding: Finding) -> str:
    return f"与标准例“{shortened(finding.precedent)}”相近，" if finding.precedent else ""


def shortened(text: str) -> str:
    """As much of `text` as fits into a sentence that quotes it."""
    # A full stop or a line break inside the quotation would end the sentence around it.
    text = text.replace("。", "，").replace("\n", " ").strip(" ，？?")
    return text if len(text) <= _MAX_QUOTED else text[:_MAX_QUOTED] + "…"
