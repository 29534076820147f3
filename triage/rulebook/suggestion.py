"""What the rules suggest for a registration (五（一）), as 综合处 sees it and as the 交办 stores it."""

from datetime import datetime

from appointments.models import Appointment
from triage.routing.decision import UNSURE, Decision, Finding
from triage.routing.topic import MANUAL

from . import versions


def suggest(appointment: Appointment, now: datetime) -> Decision:
    """Judge the registration's own words by the active rules. Takes about a millisecond."""
    # The firm's name is passed because it must not count: 清源污水处理厂 may well ask about dust.
    return versions.active_router(now).route(appointment.summary, firm_name=appointment.enterprise_name)


def divisions_named(decision: Decision) -> set[str]:
    """Codes of the divisions that the rules are sure enough of; empty if they leave it to a person."""
    if decision.scope != "in" or decision.sure == UNSURE:
        return set()
    return {decision.primary, *decision.co} - {MANUAL}


def ground_for(decision: Decision, division_code: str) -> Finding | None:
    """The finding by which a division was named; None if it was not."""
    named = (f for f in decision.findings if division_code == f.lead or division_code in f.support)
    return next(named, None)
