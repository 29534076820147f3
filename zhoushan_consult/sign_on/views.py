"""The page of the trial sign-on. A real one is a page of the province."""

from urllib.parse import parse_qs, urlsplit

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from .trial import TrialProvider

TRIAL = f"{TrialProvider.__module__}.{TrialProvider.__name__}"


@require_safe
def trial(request: HttpRequest) -> HttpResponse:
    """One field for the ticket. Raises Http404 unless a setting names the trial."""
    if TRIAL not in (settings.STAFF_SIGN_ON, settings.FIRM_SIGN_ON):
        raise Http404
    # Of the address only the path is used, so the ticket cannot be sent to another site.
    back = urlsplit(request.GET.get("return_to", ""))
    if back.path not in (reverse("staff_sign_on_back"), reverse("firm_sign_on_back")):
        raise Http404
    state = parse_qs(back.query).get("state", [""])[0]
    return render(request, "sign_on/trial.html", {"path": back.path, "state": state})
