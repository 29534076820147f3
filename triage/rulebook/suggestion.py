"""What a decision suggests to the officer: which divisions it names, and by which finding."""

from triage.routing.decision import UNSURE, Decision, Finding
from triage.routing.topic import MANUAL


def divisions_named(decision: Decision) -> set[str]:
    """Codes of the divisions that the rules are sure enough of; empty if they leave it to a person."""
    if decision.scope != "in" or decision.sure == UNSURE:
        return set()
    return {decision.primary, *decision.co} - {MANUAL}


def ground_for(decision: Decision, division_code: str) -> Finding | None:
    """The finding by which a division was named; None if it was not."""
    named = (f for f in decision.findings if division_code == f.lead or division_code in f.support)
    return next(named, None)
