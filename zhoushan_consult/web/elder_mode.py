"""长辈版: large type and high contrast. Only a cookie of the browser remembers it."""

from datetime import timedelta

from django.conf import settings
from django.http import HttpResponse, HttpResponseRedirect
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.csrf import csrf_exempt

from .site import ELDER_COOKIE

COOKIE_AGE = timedelta(days=365)


# It only changes how pages look. With a token, every public page would need a cookie and could not be cached.
@csrf_exempt
def elder(request):
    """POST with `on=1` switches the 长辈版 on, any other POST off. All requests redirect to `next`; a GET changes nothing.

    A page with a form sends it to /drafts/ instead, so that the text is not lost.
    """
    response = HttpResponseRedirect(next_url(request))
    if request.method == "POST":
        switch(response, request.POST.get("on") == "1")
    return response


def switch(response: HttpResponse, on: bool) -> None:
    """Let the browser remember the 长辈版, or forget it."""
    if on:
        response.set_cookie(
            ELDER_COOKIE, "1", max_age=COOKIE_AGE, secure=settings.HTTPS, httponly=True, samesite="Lax"
        )
    else:
        response.delete_cookie(ELDER_COOKIE, samesite="Lax")


def next_url(request) -> str:
    """`next` if it is an address of this site, else the portal: an open redirect would serve phishing."""
    requested = request.POST.get("next") or request.GET.get("next") or "/"
    return requested if url_has_allowed_host_and_scheme(requested, allowed_hosts=None) else "/"
