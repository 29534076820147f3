"""The pages of errors: what happened, whether anything was saved, what to do next. None needs the database.

They render without context processors, for whatever broke may break again there; and without reading the request,
which may be what cannot be read; only where the database was away it has been read before. What is logged names the
route and the place in the code, never what was typed.
"""

import logging
import re
import secrets
import sys
from traceback import format_tb

from django.db import InterfaceError, OperationalError
from django.http import HttpResponse
from django.template.loader import render_to_string

from .site import site

RETRY_AFTER = 30  # seconds, for machines; people read 过几分钟
SECRET = re.compile("password", re.IGNORECASE)  # fields that are never shown again

log = logging.getLogger(__name__)


def bad_request(request, exception=None):
    """400. Without a CSRF token: asking for one reads the form, which may be what could not be read."""
    return page(request, "400", 400)


def method_not_allowed(request, methods):
    """405: no page does anything on TRACE, PUT, …"""
    response = page(request, "400", 405)
    response.headers["Allow"] = ", ".join(methods)
    return response


def too_long(request):
    """413: more than the largest form can hold."""
    return page(request, "413", 413)


def forbidden(request, exception=None):
    """403, with the sentence of the rule that said no, where there is one."""
    return page(request, "403", 403, reason=str(exception or ""))


def csrf_failure(request, reason=""):
    """403 for a form that did not come from a page of this browser.

    A view with a long form has a `keep_typed` that shows it again with what was typed; of others it is one step back.
    """
    log.warning("form refused on %s: no valid token", _route(request))
    view = getattr(request.resolver_match, "func", None)
    keep_typed = getattr(view, "keep_typed", None)
    return keep_typed(request) if keep_typed else page(request, "csrf", 403)


def not_found(request, exception=None):
    """404."""
    return page(request, "404", 404)


def too_many_requests(request):
    """429: one of the limits of `throttle` was reached."""
    log.warning("limit reached on %s", _route(request))
    return page(request, "429", 429)


def server_error(request):
    """503 when the database does not answer, which passes; else 500, with the number under which it is logged."""
    error = sys.exc_info()[1]
    if isinstance(error, OperationalError | InterfaceError):
        log.error("503 on %s: %s: %s", _route(request), type(error).__name__, str(error).partition("\n")[0])
        response = page(request, "503", 503, fields=resubmittable_fields(request))
        response.headers["Retry-After"] = str(RETRY_AFTER)
        return response
    number = secrets.token_hex(4)
    log.error("500 %s on %s: %s\n%s", number, _route(request), type(error).__name__, _places(error))
    return page(request, "500", 500, error_id=number)


def resubmittable_fields(request) -> list[tuple[str, str]]:
    """The fields of a form, for a page whose one button sends it again: going back from the second page of a form, a
    browser shows none of what was typed. None where there is a password or a file."""
    if request.FILES or any(map(SECRET.search, request.POST)):
        return []
    return [(name, value) for name, values in request.POST.lists() for value in values]


def page(request, name: str, status: int, **context) -> HttpResponse:
    """The page `errors/<name>.html`."""
    text = render_to_string(f"errors/{name}.html", {"request": request, **site(request), **context})
    return HttpResponse(text, status=status)


def _route(request) -> str:
    """The pattern of the address: the address itself may hold a firm's receipt."""
    match = getattr(request, "resolver_match", None)
    return f"{request.method} /{match.route}" if match else f"{request.method} (no route)"


def _places(error: BaseException | None) -> str:
    """The traceback without the exception's text."""
    return "".join(format_tb(error.__traceback__)).rstrip() if error else ""
