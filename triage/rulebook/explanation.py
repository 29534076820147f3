"""How a decision reads to 综合处, and the rows that the form of the 交办 is filled with at first."""

from collections.abc import Iterator
from itertools import pairwise

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from triage.models import Part
from triage.routing.decision import SURE_NAMES, UNSURE, Decision, Finding, shortened
from triage.routing.topic import DIVISIONS, MANUAL, SCOPES


def division_names(decision: Decision) -> str:
    """水处、环评处; if it is left to a person, why."""
    if decision.scope != "in":
        return f"{SCOPES[decision.scope]}，请核实"
    codes = dict.fromkeys(code for code in (decision.primary, *decision.co) if code != MANUAL)
    return "、".join(DIVISIONS[code] for code in codes) or "人工确定"


def marked(text: str, decision: Decision) -> SafeString:
    """The text as it was typed, escaped, with the words that decided in <mark>."""
    # Escaped piece by piece: the text comes from the public form.
    pieces, position = [], 0
    for start, end in _spans(decision):
        pieces += [text[position:start], format_html("<mark>{}</mark>", text[start:end])]
        position = end
    return format_html_join("", "{}", ((piece,) for piece in [*pieces, text[position:]]))


def _spans(decision: Decision) -> list[tuple[int, int]]:
    """Where the deciding words are. Words that touch or overlap are merged: nested <mark> would be invalid."""
    spans = sorted((word.start, word.end) for finding in decision.findings for word in finding.words)
    merged: list[tuple[int, int]] = []
    for start, end in spans:
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def grounds(decision: Decision) -> list[dict]:
    """One entry per question: who should answer it, by which clause and words, and how sure that is."""
    return [
        {
            "text": finding.text.strip(),
            "topic": finding.name,
            "lead": _lead(finding),
            "support": "、".join(DIVISIONS[code] for code in finding.support if code != MANUAL),
            "clause": finding.clause,
            "sure": SURE_NAMES[finding.sure],
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
    """The first rows of the 交办: a division and its questions; a row without a division if none is sure.

    `division` is a code. If all questions go to one division, it gets the whole text with its context.
    """
    in_scope = [finding for finding in decision.findings if finding.scope == "in"]
    # One row per division: a division that two questions concern gets one 交办, not two.
    leads = list(dict.fromkeys(finding.lead for finding in in_scope)) or [MANUAL]
    texts = _split(in_scope, summary) if len(leads) > 1 else {leads[0]: summary}
    rows = [_row(code, texts[code]) for code in leads]
    return rows + _supporting(in_scope, set(leads), summary)


def _split(findings: list[Finding], summary: str) -> dict[str, str]:
    """By division: its questions of `summary`. What belongs to no question joins the one before it: no word is lost."""
    whole = next((finding for finding in findings if finding.text.strip() == summary.strip()), None)
    if whole:
        return {finding.lead: finding.text.strip() for finding in findings} | {whole.lead: summary}
    parts: list[tuple[str, str]] = []
    for code, text in _pieces(findings, summary):
        if parts and parts[-1][0] == code:
            parts[-1] = (code, parts[-1][1] + text)
        else:
            parts.append((code, text))
    codes = dict.fromkeys(code for code, _ in parts)
    return {code: "\n".join(text.strip() for lead, text in parts if lead == code) for code in codes}


def _pieces(findings: list[Finding], summary: str) -> Iterator[tuple[str, str]]:
    """Each question with the text up to the next one; the first with the text before it too. Together they are `summary`."""
    ordered = sorted(findings, key=lambda finding: finding.start)
    starts = [0, *(finding.start for finding in ordered[1:]), len(summary)]
    for finding, (start, end) in zip(ordered, pairwise(starts), strict=True):
        yield finding.lead, summary[start:end]


def _supporting(findings: list[Finding], leads: set[str], summary: str) -> list[dict]:
    codes = dict.fromkeys(code for finding in findings for code in finding.support if code not in leads)
    return [_row(code, summary, Part.SUPPORT) for code in codes if code != MANUAL]


def _row(code: str, question: str, part: str = Part.LEAD) -> dict:
    # A question holds at most 2,000 characters (Assignment.question).
    return {"division": "" if code == MANUAL else code, "question": question[:2000], "part": part}
