"""Labelled texts, and how many of them are routed as labelled."""

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from triage.routing.decision import Decision
from triage.routing.labelled_texts import LABELLED
from triage.routing.router import Router, shipped_router
from triage.routing.topic import DIVISIONS, MANUAL
from triage.routing.topic_files import shipped_topics


@dataclass(frozen=True)
class Routed:
    """A labelled text and the decision on it. Divisions are given by their Chinese names."""

    case: dict
    decision: Decision

    @property
    def primary(self) -> str:
        return DIVISIONS[self.decision.primary]

    @property
    def divisions(self) -> set[str]:
        """All that were named, including the lead."""
        return {self.primary, *(DIVISIONS[code] for code in self.decision.co)}

    @property
    def right(self) -> bool:
        return self.primary == self.case["primary"]


@cache
def route_all(path: Path) -> tuple[Routed, ...]:
    """The texts of `path` with their decisions. The classifier was trained on LABELLED, so those go by rules alone."""
    router = Router(shipped_topics()) if path == LABELLED else shipped_router()
    cases = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return tuple(Routed(case, router.route(case["text"])) for case in cases)


def wrong(results: list[Routed]) -> list[str]:
    """Those not routed as labelled, as lines that a failing test can print."""
    return [
        f"{r.case['id']} {r.case['text']} → {r.primary}：{r.decision.why}" for r in results if not r.right
    ]


def share(part: list, whole: list) -> float:
    return len(part) / len(whole)


def to_division(results: list[Routed]) -> list[Routed]:
    """Those that went to a division without a person."""
    return [result for result in results if result.decision.primary != MANUAL]
