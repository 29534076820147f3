"""The yardstick of the rules: labelled texts, and how many of them are judged as labelled."""

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from triage.routing import topic_files
from triage.routing.decision import Decision
from triage.routing.router import RuleBook
from triage.routing.topic import DIVISIONS, MANUAL

GOLDEN = topic_files.SHIPPED / "cases.jsonl"
PRECEDENTS = topic_files.SHIPPED / "precedents.jsonl"


@dataclass(frozen=True)
class Judged:
    """A labelled text and what the rules made of it; divisions by their Chinese names."""

    case: dict
    decision: Decision

    @property
    def primary(self) -> str:
        return DIVISIONS[self.decision.primary]

    @property
    def divisions(self) -> set[str]:
        """All that were named, the lead included."""
        return {self.primary, *(DIVISIONS[code] for code in self.decision.co)}

    @property
    def right(self) -> bool:
        return self.primary == self.case["primary"]


@cache
def judged(path: Path) -> tuple[Judged, ...]:
    """The texts of ``path``, each with its decision; precedents by the topics alone, for they know their own answer."""
    book = RuleBook(topic_files.shipped()) if path == PRECEDENTS else topic_files.current()
    cases = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return tuple(Judged(case, book.route(case["text"])) for case in cases)


def wrong(results: list[Judged]) -> list[str]:
    """Those not judged as labelled, readable in a failing test."""
    return [
        f"{r.case['id']} {r.case['text']} → {r.primary}：{r.decision.why}" for r in results if not r.right
    ]


def share(part: list, whole: list) -> float:
    return len(part) / len(whole)


def routed(results: list[Judged]) -> list[Judged]:
    """Those that the rules gave to a division by themselves."""
    return [result for result in results if result.decision.primary != MANUAL]
