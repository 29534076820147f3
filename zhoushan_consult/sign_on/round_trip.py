"""Out to the sign-on and back. The browser that comes back must be the one that left.

Otherwise a stranger could send an officer a link with the stranger's own ticket, and the officer would work under it.
"""

import secrets
from datetime import timedelta
from urllib.parse import urlencode

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.crypto import constant_time_compare

from .provider import InvalidTicket, Provider

SALT = "sign_on.round_trip"
TIME_TO_SIGN_ON = timedelta(minutes=10)


def leave(provider: Provider | None, back: str) -> HttpResponse:
    """To the page of the province, which leads back to the path `back`. Raises Http404 if no sign-on is configured."""
    if provider is None:
        raise Http404
    state = secrets.token_urlsafe(16)
    response = HttpResponseRedirect(
        provider.address(f"{settings.SITE_URL}{back}?{urlencode({'state': state})}")
    )
    response.set_signed_cookie(
        settings.SIGN_ON_COOKIE_NAME,
        state,
        salt=SALT,
        max_age=TIME_TO_SIGN_ON,
        secure=settings.HTTPS,
        httponly=True,
        samesite="Lax",
    )
    return response


def ticket(request: HttpRequest) -> str:
    """The ticket with which this browser comes back. Raises InvalidTicket if it did not leave from here."""
    name = settings.SIGN_ON_COOKIE_NAME
    state = request.get_signed_cookie(name, default="", salt=SALT, max_age=TIME_TO_SIGN_ON)
    if not state or not constant_time_compare(state, request.GET.get("state", "")):
        raise InvalidTicket
    return request.GET.get("ticket", "")
