"""/status/reference/: a firm that has lost its 受理编号 has it sent to the telephone of its registration once more."""

from datetime import timedelta

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from zhoushan_consult.web import drafts
from zhoushan_consult.web.address import client_network
from zhoushan_consult.web.drafts import Typed
from zhoushan_consult.web.throttle import allow

from ..forms import LostReferenceForm
from ..lost_reference import send_again

DRAFT = "lost_reference"
# A person who tries telephones learns nothing: the answer is always the same.
REQUESTS_OF_AN_ADDRESS, HOUR = 10, timedelta(hours=1)
# Each is an SMS or a call. Counted by code and telephone together: codes are public, and one alone must not block a firm.
LETTERS_OF_A_FIRM, DAY = 3, timedelta(days=1)
# The same sentence whether there is such a registration or not.
ANSWER = "如果这两项与登记一致，受理编号几分钟内发到登记时的电话；座机由工作人员打电话告知。一天最多发三次。"
TOO_MANY = "找回的次数过多，请一小时后再试，或电话联系综合处。"


@drafts.takes(LostReferenceForm, draft=DRAFT)
@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
def lost_reference(request: HttpRequest) -> HttpResponse:
    """GET shows the form. POST has the number sent, if there is one, and goes back to the look-up."""
    now = timezone.now()
    if request.method != "POST":
        return _page(request, drafts.read(request, DRAFT, now))
    form = LostReferenceForm(request.POST)
    if not form.is_valid():
        return _again(request, Typed.of(request, judged=True), now)
    if not allow(f"lost-reference:{client_network(request)}", REQUESTS_OF_AN_ADDRESS, HOUR, now):
        return _again(request, Typed.of(request, judged=True, refusal=TOO_MANY), now)
    code, phone = form.cleaned_data["uscc"], form.cleaned_data["phone"]
    if allow(f"lost-reference:{code}:{phone.partition(';ext=')[0]}", LETTERS_OF_A_FIRM, DAY, now):
        send_again(code, phone, at=now)
    drafts.erase(request, DRAFT)
    messages.success(request, ANSWER)
    return redirect("status")


def _again(request: HttpRequest, typed: Typed, now) -> HttpResponse:
    to = reverse("lost_reference") + "#error-summary"
    return drafts.redirect(request, to, DRAFT, typed, now) or _page(request, typed)


def _page(request: HttpRequest, typed: Typed | None) -> HttpResponse:
    context = drafts.form_context(DRAFT, LostReferenceForm, typed)
    return render(request, "appointments/lost_reference.html", context)
