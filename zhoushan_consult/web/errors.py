"""Error pages: what happened, whether anything was saved, what to do next. None needs the database.

They render without context processors, because the same fault could happen there again. They do not read the request,
which may be the thing that cannot be read; only the page for a missing database does, after it was read once. The log
has the route and the place in the code, never what was typed.
"""

import logging
import re
import secrets
import sys
from traceback import format_tb

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone

from . import drafts
from .site import site

# Seconds, for machines. People read 过几分钟.
RETRY_AFTER = 30
# Fields that are never written into a page again.
SECRET = re.compile("password", re.IGNORECASE)
STALE = "页面放得太久，需要再确认一次。内容都在，请核对后重新提交。"

log = logging.getLogger(__name__)


def bad_request(request, exception=None):
    """400. Rendered without a CSRF token: to make one, Django reads the form, which may be unreadable."""
    return render_error(request, "400", 400)


def method_not_allowed(request, methods):
    """405 for TRACE, PUT and other methods that no page offers."""
    response = render_error(request, "400", 405)
    response.headers["Allow"] = ", ".join(methods)
    return response


def payload_too_large(request):
    """413: larger than DATA_UPLOAD_MAX_MEMORY_SIZE, which the largest form does not reach."""
    return render_error(request, "413", 413)


def forbidden(request, exception=None):
    """403, with the sentence of the rule that refused, if there is one."""
    return render_error(request, "403", 403, reason=str(exception or ""))


def csrf_failure(request, reason=""):
    """A form that did not come from a page of this browser: it is shown again if it names its `draft`; else 403."""
    # Without the reason of Django: it can quote the Referer, which can contain the token of a receipt.
    log.warning("form refused on %s: no valid token", _route(request))
    return _show_again(request) or render_error(request, "csrf", 403)


def not_found(request, exception=None):
    """404."""
    return render_error(request, "404", 404)


def too_many_requests(request):
    """429: a limit of `throttle` was reached."""
    log.warning("limit reached on %s", _route(request))
    return render_error(request, "429", 429)


def server_error(request):
    """503 if the database does not answer, which is temporary; else 500, with the number of the log entry."""
    # Django calls handler500 inside the except block, so the exception is still there.
    error = sys.exc_info()[1]
    if isinstance(error, OperationalError | InterfaceError):
        log.error("503 on %s: %s: %s", _route(request), type(error).__name__, str(error).partition("\n")[0])
        response = render_error(request, "503", 503, fields=resubmittable_fields(request))
        response.headers["Retry-After"] = str(RETRY_AFTER)
        return response
    # The visitor reads the number to us on the telephone, and we find the entry in the log.
    number = secrets.token_hex(4)
    log.error("500 %s on %s: %s\n%s", number, _route(request), type(error).__name__, _traceback(error))
    return render_error(request, "500", 500, error_id=number)


def _show_again(request: HttpRequest) -> HttpResponse | None:
    """Keep the form as a draft and go where it belongs. None if it has no draft, or another site sent it."""
    view = getattr(request.resolver_match, "func", None)
    form = request.POST.get("draft") or getattr(view, "draft", "")
    if not form or request.headers.get("Sec-Fetch-Site") == "cross-site":
        return None
    page = getattr(view, "page_of", lambda request: request.path)(request)
    typed = drafts.Typed.of(request, notice=STALE, page=page)
    key = drafts.keep(request, form, typed, timezone.now())
    if not key:
        return None
    # Any cookie shows that the browser keeps them. Without one, the next page finds out.
    to = page if request.COOKIES else reverse("draft", args=[key])
    return drafts.set_cookie(HttpResponseRedirect(to), key)


def resubmittable_fields(request) -> list[tuple[str, str]]:
    """The fields of a form, for a page with one button that sends it again. Empty if there is a password or a file.

    From the second page of a form, the back button of a browser shows nothing of what was typed.
    """
    if request.FILES or any(map(SECRET.search, request.POST)):
        return []
    return [(name, value) for name, values in request.POST.lists() for value in values]


def render_error(request, name: str, status: int, **context) -> HttpResponse:
    """The page `errors/<name>.html`."""
    text = render_to_string(f"errors/{name}.html", {"request": request, **site(request), **context})
    return HttpResponse(text, status=status)


def _route(request) -> str:
    """The pattern of the address. The address itself can contain the token of a receipt."""
    match = getattr(request, "resolver_match", None)
    return f"{request.method} /{match.route}" if match else f"{request.method} (no route)"


def _traceback(error: BaseException | None) -> str:
    """The traceback without the text of the exception, which may quote what was typed."""
    return "".join(format_tb(error.__traceback__)).rstrip() if error else ""
