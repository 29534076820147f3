"""/drafts/: keeps a form that is left without being sent, and finds out whether the browser keeps cookies."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import resolve
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_safe

from . import drafts, elder_mode, errors


@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
def save(request: HttpRequest) -> HttpResponse:
    """POST a form with its name in `draft`: it is kept. With `elder` it also switches the 长辈版, with `clear` it is erased."""
    form = request.POST.get("draft", "")
    if not form:
        return HttpResponseRedirect("/")
    back = HttpResponseRedirect(elder_mode.next_url(request))
    if "clear" in request.POST:
        drafts.erase(request, form)
        return back
    # A page that showed errors shows those that are left.
    typed = drafts.Typed.of(request, judged="judged" in request.POST)
    key = drafts.keep(request, form, typed, timezone.now())
    if not key:
        return errors.too_many_requests(request)
    if "elder" not in request.POST:
        return drafts.set_cookie(HttpResponse(status=204), key)
    elder_mode.switch(back, request.POST["elder"] == "1")
    return drafts.set_cookie(back, key)


# Where a form belongs that the CSRF check refused here: `errors.csrf_failure` cannot import what stands above it.
save.page_of = elder_mode.next_url


@require_safe
def resume(request: HttpRequest, key: str) -> HttpResponse:
    """Reached from a form that came without any cookie. If a cookie comes now, it goes on where the form belongs.

    Without one, the browser keeps none, and nothing can be submitted: the page says so, with the text.
    """
    form, typed = drafts.latest(key, timezone.now())
    if typed is None:
        return HttpResponseRedirect("/")
    if constant_time_compare(request.COOKIES.get(settings.DRAFT_COOKIE_NAME, ""), key):
        return drafts.set_cookie(HttpResponseRedirect(typed.page), drafts.change_key(key))
    fields = [(name, text) for name, texts in typed.values.lists() for text in texts]
    labels = getattr(resolve(typed.page).func, "labels", {})
    readable = [(labels[name], text) for name, text in fields if name in labels and text]
    return errors.render_error(
        request, "cookies", 403, fields=[*fields, ("draft", form)], page=typed.page, readable=readable
    )
