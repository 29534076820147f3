"""A device on which an officer has logged in before. It has a counter of its own, so a stranger cannot lock it out.

The cookie holds, signed, a random number for each officer of the device. It opens nothing: it only says whose failures
are counted apart.
"""

import secrets
from datetime import timedelta

from django.conf import settings
from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.utils.crypto import salted_hmac

SALT = "login.known_device"
KEPT_FOR = timedelta(days=180)
# Several officers may share a computer. A larger cookie would be refused by browsers.
MOST_OFFICERS = 8


def of(request: HttpRequest, name: str) -> str:
    """The number of this device for the account `name`; empty if it has not been logged in to here."""
    return _read(request).get(_account(name), "")


def remember(request: HttpRequest, response: HttpResponse, name: str) -> None:
    """After a complete log-in. A number that is there stays: with a fresh one, its failures would be forgotten."""
    known, account = _read(request), _account(name)
    number = known.pop(account, "") or secrets.token_urlsafe(12)
    # The newest stand last, and the oldest go first.
    known = dict(list(known.items())[-(MOST_OFFICERS - 1) :]) | {account: number}
    response.set_cookie(
        settings.DEVICE_COOKIE_NAME,
        signing.dumps(known, salt=SALT),
        max_age=KEPT_FOR,
        secure=settings.HTTPS,
        httponly=True,
        samesite="Lax",
    )


def _account(name: str) -> str:
    """A keyed hash: the cookie does not tell the next person at the computer who works at it."""
    return salted_hmac(SALT, name, algorithm="sha256").hexdigest()[:16]


def _read(request: HttpRequest) -> dict[str, str]:
    try:
        cookie = request.COOKIES.get(settings.DEVICE_COOKIE_NAME, "")
        return signing.loads(cookie, salt=SALT, max_age=KEPT_FOR)
    except signing.BadSignature:
        return {}
