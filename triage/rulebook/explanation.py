"""How the rules' decision reads to 综合处, and the rows with which the 交办 begins."""

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from triage.models import Part
from triage.routing.decision import CERTAIN, LIKELY, UNSURE, Decision, Finding, shortened
from triage.routing.topic import DIVISIONS, MANUAL, SCOPES

SURE = {CERTAIN: "有把握", LIKELY: "较有把握", UNSURE: "没有把握"}


def division_names(decision: Decision) -> str:
    """水处、环评处; where the rules leave it to a person, why."""
    if decision.scope != "in":
        return f"{SCOPES[decision.scope]}，请核实"
    codes = dict.fromkeys(code for code in (decision.primary, *decision.co) if code != MANUAL)
    return "、".join(DIVISIONS[code] for code in codes) or "人工确定"


def marked(text: str, decision: Decision) -> SafeString:
    """The text as it was typed, escaped, with the words that decided in <mark>."""
    pieces, here = [], 0
    for start, end in _spans(decision):
        pieces += [text[here:start], format_html("<mark>{}</mark>", text[start:end])]
        here = end
    return format_html_join("", "{}", ((piece,) for piece in [*pieces, text[here:]]))


def _spans(decision: Decision) -> list[tuple[int, int]]:
    """Where the deciding words stand, those that touch or overlap as one."""
    joined: list[tuple[int, int]] = []
    for start, end in sorted(
        (word.start, word.end) for finding in decision.findings for word in finding.words
    ):
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return joined


def grounds(decision: Decision) -> list[dict]:
    """One entry a question: who should answer it, by which clause and words, and how sure that is."""
    return [
        {
            "text": finding.text.strip(),
            "topic": finding.name,
            "lead": _lead(finding),
            "support": "、".join(DIVISIONS[code] for code in finding.support if code != MANUAL),
            "clause": finding.clause,
            "sure": SURE[finding.sure],
            "doubtful": finding.sure == UNSURE or finding.scope != "in",
            "words": list(dict.fromkeys(word.text for word in finding.words)),
            "precedent": shortened(finding.precedent),
            "gave_way": finding.gave_way,
        }
        for finding in decision.findings
    ]


def _lead(finding: Finding) -> str:
    return DIVISIONS[finding.lead] if finding.scope == "in" else SCOPES[finding.scope]


def portions(decision: Decision, summary: str) -> list[dict]:
    """The rows that the 交办 begins with: a division and its questions; an open row where none is sure.

    `division` is a code. Where all questions go to one division, it gets the whole text with its context.
    """
    inside = [finding for finding in decision.findings if finding.scope == "in"]
    texts: dict[str, list[str]] = {}
    for finding in inside:
        texts.setdefault(finding.lead, []).append(finding.text.strip())
    rows = [_row(code, "\n".join(asked) if len(texts) > 1 else summary) for code, asked in texts.items()]
    return (rows or [_row(MANUAL, summary)]) + _supporting(inside, set(texts), summary)


def _supporting(findings: list[Finding], leads: set[str], summary: str) -> list[dict]:
    codes = dict.fromkeys(code for finding in findings for code in finding.support if code not in leads)
    return [_row(code, summary, Part.SUPPORT) for code in codes if code != MANUAL]


def _row(code: str, question: str, part: str = Part.LEAD) -> dict:
    return {"division": "" if code == MANUAL else code, "question": question[:2000], "part": part}
