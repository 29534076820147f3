"""法人账号 on the form of registration: name and code come from the province and cannot be changed.

The signed cookie says which firm this browser has signed on for. Nothing is stored on the server.
"""

from datetime import timedelta

from django.conf import settings
from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from zhoushan_consult.sign_on import provider, round_trip
from zhoushan_consult.sign_on.provider import Firm, InvalidTicket

SALT = "appointments.firm"
# As long as a draft of the form.
LASTS = timedelta(hours=2)


def firm_of(request: HttpRequest) -> Firm | None:
    """The firm that has signed on in this browser. None without a sign-on, as in most."""
    cookie = request.COOKIES.get(settings.FIRM_COOKIE_NAME)
    if not (cookie and settings.FIRM_SIGN_ON):
        return None
    try:
        return Firm(*signing.loads(cookie, salt=SALT, max_age=LASTS))
    except (signing.BadSignature, TypeError):
        return None


@require_safe
def leave(request: HttpRequest) -> HttpResponse:
    """To the sign-on of the province."""
    return round_trip.leave(provider.for_firms(), reverse("firm_sign_on_back"))


@require_safe
def back(request: HttpRequest) -> HttpResponse:
    """Back from the sign-on, to the form."""
    found = provider.for_firms()
    if found is None:
        raise InvalidTicket
    firm = found.firm(round_trip.ticket(request))
    response = redirect("register")
    response.set_cookie(
        settings.FIRM_COOKIE_NAME,
        signing.dumps([firm.uscc, firm.name], salt=SALT),
        secure=settings.HTTPS,
        httponly=True,
        samesite="Lax",
    )
    return response


@require_POST
def end(request: HttpRequest) -> HttpResponse:
    """The form for another firm, or without the sign-on."""
    response = redirect("register")
    response.delete_cookie(settings.FIRM_COOKIE_NAME)
    return response
