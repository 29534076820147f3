"""A sign-on to try the seam with, before the province gives access: tickets that an operator issues on the server.

`manage.py sign_on_ticket` prints one. It is signed with SECRET_KEY, lasts ten minutes and is taken once.
"""

from datetime import timedelta
from urllib.parse import urlencode

from django.core import signing
from django.urls import reverse
from django.utils import timezone

from zhoushan_consult.web import throttle

from .provider import Firm, InvalidTicket, Person, checked

SALT = "sign_on.trial"
VALID_FOR = timedelta(minutes=10)


class TrialProvider:
    """Its page of sign-on has one field, for the ticket."""

    def address(self, return_to: str) -> str:
        return f"{reverse('sign_on_trial')}?{urlencode({'return_to': return_to})}"

    def person(self, ticket: str) -> Person:
        return Person(_read(ticket, "account")["account"])

    def firm(self, ticket: str) -> Firm:
        facts = _read(ticket, "uscc")
        return checked(Firm(facts["uscc"], facts["name"]))


def issue(who: Person | Firm) -> str:
    return signing.dumps(vars(who), salt=SALT)


def _read(ticket: str, name: str) -> dict:
    """What the ticket says, if it says `name`. Raises InvalidTicket; also for a ticket that was used before."""
    try:
        facts = signing.loads(ticket.strip(), salt=SALT, max_age=VALID_FOR)
    except signing.BadSignature:
        raise InvalidTicket from None
    if name not in facts or not throttle.allow(f"ticket {ticket}", 1, timedelta(days=1), timezone.now()):
        raise InvalidTicket
    return facts
