"""长辈版: large type and high contrast, remembered by the browser alone."""

from datetime import timedelta

from django.conf import settings
from django.http import HttpResponseRedirect
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.csrf import csrf_exempt

from .site import ELDER

KEPT_FOR = timedelta(days=365)


@csrf_exempt  # it changes nothing but how the page looks, so that public pages need no token for it
def elder(request):
    """POST with `on=1` turns the 长辈版 on, anything else off; both go back to `next`. A GET only goes back."""
    response = HttpResponseRedirect(_way_back(request))
    if request.method == "POST":
        _remember(response, request.POST.get("on") == "1")
    return response


def _remember(response, on: bool) -> None:
    if on:
        response.set_cookie(
            ELDER, "1", max_age=KEPT_FOR, secure=settings.HTTPS, httponly=True, samesite="Lax"
        )
    else:
        response.delete_cookie(ELDER, samesite="Lax")


def _way_back(request) -> str:
    """`next`, if it is an address of this site; else the portal."""
    wanted = request.POST.get("next") or request.GET.get("next") or "/"
    return wanted if url_has_allowed_host_and_scheme(wanted, allowed_hosts=None) else "/"
