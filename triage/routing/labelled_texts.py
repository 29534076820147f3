"""Texts whose right answer is known: the golden cases (标准例) of the bureau, and texts written along with the rules."""

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from .topic import CODES

_DATA = Path(__file__).with_name("data")
GOLDEN = _DATA / "golden.jsonl"
LABELLED = _DATA / "labelled.jsonl"


@dataclass(frozen=True)
class LabelledText:
    """`label`: the code of the division that answers `text`, or a scope that no division has."""

    text: str
    label: str


@cache
def golden_cases() -> tuple[LabelledText, ...]:
    """The golden cases. Each version of the rules is measured with them, so the classifier is not trained on them."""
    return _read(GOLDEN)


@cache
def labelled_cases() -> tuple[LabelledText, ...]:
    """Texts written along with the rules. The classifier is trained on them."""
    return _read(LABELLED)


def label_of(division: str, scope: str) -> str:
    """The label for a division's Chinese name and a scope. Raises KeyError for an unknown division."""
    return CODES[division] if scope == "in" else scope


def _read(path: Path) -> tuple[LabelledText, ...]:
    cases = map(json.loads, path.read_text(encoding="utf-8").splitlines())
    return tuple(LabelledText(case["text"], label_of(case["primary"], case["scope"])) for case in cases)
