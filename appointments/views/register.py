"""/register/: the form of 附件2, its check page, and the one POST that saves (六（二）)."""

from datetime import date, datetime, timedelta
from functools import lru_cache

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.template import Context
from django.utils import timezone
from django.utils.safestring import SafeString
from django.views.decorators.http import require_http_methods

from sessions_app import calendar, policy
from sessions_app.days import joining_date
from zhoushan_consult.bureau.refusals import Refused
from zhoushan_consult.identity.mask import mask_id
from zhoushan_consult.identity.phone import format_phone
from zhoushan_consult.web.address import client_network
from zhoushan_consult.web.throttle import allow

from .. import answers, booking, form_token
from ..forms import RegistrationForm, areas

HOUR = timedelta(hours=1)
# Few, because the firm should read them before it submits.
ANSWERS_SHOWN = 3


@require_http_methods(["GET", "HEAD", "POST"])
def register(request: HttpRequest) -> HttpResponse:
    """GET shows the blank form. POST: step=submit saves, step=edit goes back to the form, others show the check page."""
    now = timezone.now()
    if request.method != "POST":
        return _blank(request, now)
    # Without validation: the firm asked for the form to go on with it, not for a list of mistakes.
    if request.POST.get("step") == "edit":
        unbound = RegistrationForm(initial=_typed_values(request), now=now, areas=areas())
        return _form_page(request, now, unbound)
    form = RegistrationForm(request.POST, now=now, areas=areas())
    if not form.is_valid():
        return _form_page(request, now, form)
    if request.POST.get("step") != "submit":
        return _check(request, now, form)
    return _submit(request, now, form)


def keep_typed(request: HttpRequest) -> HttpResponse:
    """The page after the CSRF check refused a form, mostly an old one: it shows the text again, and one click sends it."""
    now = timezone.now()
    form = RegistrationForm(initial=_typed_values(request), now=now, areas=areas())
    notice = "页面放得太久，需要再确认一次。内容都在，请核对后重新提交。"
    return _form_page(request, now, form, notice=notice, status=403)


# `web.errors.csrf_failure` looks for this attribute: the CSRF check refuses before the view runs.
register.keep_typed = keep_typed


def _submit(request: HttpRequest, now: datetime, form: RegistrationForm) -> HttpResponse:
    """Save, and go to the receipt. In each doubt the check page comes first, with the reason."""
    token = form_token.read(request)
    joins = joining_date(now)
    # A robot filled the hidden field. It gets no error from which it could learn.
    if form.cleaned_data["website"]:
        return redirect("home")
    # A token of another browser: its key belongs to another firm's form, whose receipt must not be shown here.
    if token is None and "form_token" in request.POST:
        return _check(request, now, form, "这张表不是在本浏览器打开的，尚未提交。请核对后再提交一次。")
    # The page promised another day: at midnight on the last of a month, or after a cancellation.
    if token and token.joins != joins:
        notice = f"{_why_missed(token.joins, now)}现在提交将登记到{calendar.short(joins)}，请确认。"
        return _check(request, now, form, notice)
    # when_down: if the counter fails, a firm must still be able to register.
    bucket = f"register:{client_network(request)}"
    if not allow(bucket, policy.REGISTRATIONS_AN_HOUR, HOUR, now, when_down=True):
        notice = "提交次数过多，请一小时后再试，或电话联系综合处代为登记。"
        return _check(request, now, form, notice, status=429)
    try:
        # The key of the token recognises a form that is sent twice: the second answer is the same receipt.
        key = token.key if token else form_token.fresh_key()
        appointment = booking.submit(form.registration(), key=key, at=now)
    except Refused as refusal:
        return _check(request, now, form, str(refusal), status=refusal.status)
    return redirect("receipt", appointment.receipt_token)


def _why_missed(promised: date, now: datetime) -> str:
    """Why the form cannot be registered for the day that its page promised."""
    reason = "预约已截止" if now >= calendar.booking_closes(promised) else "活动已取消"
    return f"{calendar.short(promised)}的{reason}，尚未提交。"


def _blank(request: HttpRequest, now: datetime) -> HttpResponse:
    # Another version every 300 s, so that a new county or zone appears within five minutes.
    return _page(request, now, _blank_fields(now.timestamp() // 300))


@lru_cache(maxsize=1)
def _blank_fields(version: float) -> SafeString:
    """The HTML of the blank form, rendered once for each `version`: it is nearly all the work of the page."""
    form = RegistrationForm(now=timezone.now(), areas=areas())
    return form.helper.render_layout(form, Context())


def _form_page(
    request: HttpRequest, now: datetime, form: RegistrationForm, notice: str = "", status: int = 200
) -> HttpResponse:
    """The form with the values and errors of `form`."""
    return _page(request, now, None, form=form, notice=notice, status=status)


def _page(
    request: HttpRequest, now: datetime, fields: SafeString | None, status: int = 200, **context
) -> HttpResponse:
    """The page of the form. `fields` is HTML that is ready; None: the template renders `form`."""
    joins = calendar.booking_day(now)
    context |= {
        "fields": fields,
        "joins": calendar.label(joins),
        "closes": calendar.short(calendar.last_booking_date(joins)),
        "form_token": form_token.issue(request, joins),
    }
    return render(request, "appointments/register.html", context, status=status)


def _check(
    request: HttpRequest, now: datetime, form: RegistrationForm, notice: str = "", status: int = 200
) -> HttpResponse:
    """The check page: every value once more before the form is saved, the ID number masked, and similar 公开答复."""
    joins = joining_date(now)
    token = form_token.read(request)
    # A good token stays, or a form sent twice would be two registrations. One for another day is replaced.
    keep = token and token.joins == joins
    context = {
        "form": form,
        "rows": _rows(form),
        "typed": _hidden_fields(request),
        "notice": notice,
        "joins": calendar.label(joins),
        "answered": answers.similar(form.cleaned_data["summary"], ANSWERS_SHOWN),
        "form_token": request.POST["form_token"] if keep else form_token.issue(request, joins),
    }
    return render(request, "appointments/check.html", context, status=status)


def _rows(form: RegistrationForm) -> list[tuple[str, str]]:
    """Label and value of every field, as they will be stored, in the order of 附件2."""
    data = form.cleaned_data
    shown = {
        "id_number": mask_id(data["id_number"]),
        "phone": format_phone(data["phone"]),
        "county": dict(form.fields["county"].choices).get(data["county"], "") if data["county"] else "",
        "id_type": dict(form.fields["id_type"].choices)[data["id_type"]],
        "topics": "、".join(label for code, label in form.fields["topics"].choices if code in data["topics"]),
        "wants_onsite": "现场咨询" if data["wants_onsite"] else "书面答复",
    }
    skipped = {"agree_notice", "agree_id_use", "website"}
    return [(form[name].label, shown.get(name, data[name])) for name in form.fields if name not in skipped]


def _hidden_fields(request: HttpRequest) -> list[tuple[str, str]]:
    """The typed values as hidden fields of the check page. Nothing is stored before the firm confirms."""
    names = set(RegistrationForm.base_fields) - {"website"}
    return [(name, value) for name in request.POST if name in names for value in request.POST.getlist(name)]


def _typed_values(request: HttpRequest) -> dict:
    """The typed values as the `initial` of a form: shown again without errors."""
    fields = RegistrationForm.base_fields
    return {
        n: request.POST.getlist(n) if n == "topics" else request.POST[n] for n in fields if n in request.POST
    }
