"""Examples: what firms ask, each matter said in many ways; made up, and read only to learn from (``matters/``).

A line is one matter: who answers it, and ``texts``, the official wording first. ``apart.jsonl`` holds what is easily confused.
"""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

MATTERS = Path(__file__).with_name("corpus")
APART = "apart.jsonl"
WAYS = 4  # a matter said in fewer ways teaches only who answers it


@dataclass(frozen=True)
class Apart:
    """A question, two official wordings ``same`` as it, and others ``near`` it that ask something else."""

    query: str
    same: list[str]
    near: list[str]


def matters() -> Iterator[dict]:
    """Every matter, file by file; neighbours in a file are often siblings."""
    for path in sorted(MATTERS.glob("*.jsonl")):
        if path.name != APART:
            yield from _read(path)


def said_in_many_ways() -> Iterator[dict]:
    """Those matters from which it can be learnt that two ways of saying mean the same."""
    return (line for line in matters() if len(line["texts"]) >= WAYS)


def told_apart() -> Iterator[Apart]:
    for line in _read(MATTERS / APART):
        yield Apart(line["query"], line["same"], line["near"])


def digest(*others: Path) -> str:
    """Changes whenever the examples do, or one of the ``others``."""
    told = hashlib.sha256()
    for path in [*sorted(MATTERS.glob("*.jsonl")), *others]:
        told.update(path.read_bytes())
    return told.hexdigest()[:12]


def _read(path: Path) -> Iterator[dict]:
    yield from map(json.loads, path.read_text(encoding="utf-8").splitlines())
