"""What the rules suggest for a registration (五（一）), in the form that 综合处 sees and that 交办 keeps."""

from dataclasses import dataclass

from appointments.models import Appointment

from . import topicbook
from .routing import Decision


@dataclass(frozen=True)
class Suggestion:
    """A Decision of the rules together with the version of the rules that made it."""

    decision: Decision
    version: str

    @property
    def division_codes(self) -> set[str]:
        """Codes of every division suggested for sure; empty where the rules leave it to a person."""
        if not self.decision.routes_by_itself:
            return set()
        return {finding.lead for finding in self.decision.findings if finding.lead} | set(self.decision.co)

    def clause_for(self, code: str) -> str:
        return next((f.clause for f in self.decision.findings if f.lead == code), "")

    def topic_for(self, code: str) -> str:
        return next((f.topic_name for f in self.decision.findings if f.lead == code), "")

    def as_dict(self) -> dict:
        return self.decision.as_dict()


def suggest(appointment: Appointment) -> Suggestion:
    """Judge the registration's own words by the rules in force. Pure work, a few milliseconds."""
    book = topicbook.current()
    return Suggestion(book.route(appointment.summary, firm_name=appointment.enterprise_name), book.version)
