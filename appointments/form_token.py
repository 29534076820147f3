"""The hidden token of a registration form: its key, its browser, and the 咨询日 that the page promised.

The token is signed and bound to the CSRF secret of the browser. A form that the same browser sends again is one registration;
replayed by another browser, the token opens nothing.
"""

import secrets
from dataclasses import dataclass
from datetime import date

from django.core import signing
from django.http import HttpRequest
from django.middleware.csrf import get_token
from django.utils.crypto import salted_hmac

SALT = "appointments.form"


@dataclass(frozen=True)
class FormToken:
    key: str
    joins: date


def issue(request: HttpRequest, joins: date) -> str:
    """A token for a fresh form shown to this browser."""
    return signing.dumps([fresh_key(), _browser(request), joins.isoformat()], salt=SALT, compress=False)


def fresh_key() -> str:
    return secrets.token_urlsafe(16)


def read(request: HttpRequest, text: str) -> FormToken | None:
    """The token that came back with the form; None where it is missing, forged or from another browser."""
    try:
        key, browser, joins = signing.loads(text, salt=SALT)
        return FormToken(key, date.fromisoformat(joins)) if browser == _browser(request) else None
    except (signing.BadSignature, ValueError, TypeError):
        return None


def _browser(request: HttpRequest) -> str:
    get_token(request)  # creates the secret on the first visit
    return salted_hmac(SALT, request.META["CSRF_COOKIE"]).hexdigest()[:32]
