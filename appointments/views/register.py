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
ANSWERS_SHOWN = 3


@require_http_methods(["GET", "HEAD", "POST"])
def register(request: HttpRequest) -> HttpResponse:
    """GET shows the blank form; POST with step=check the check page, step=submit saves, step=edit back to the form."""
    now = timezone.now()
    if request.method != "POST":
        return _blank(request, now)
    form = RegistrationForm(request.POST, now=now, areas=areas())
    if request.POST.get("step") == "edit":
        return _show(request, now, RegistrationForm(initial=_typed(request), now=now, areas=areas()))
    if not form.is_valid():
        return _show(request, now, form)
    if request.POST.get("step") != "submit":
        return _check(request, now, form)
    return _submit(request, now, form)


def keep_typed(request: HttpRequest) -> HttpResponse:
    """The page for a form whose cookie or token went stale: nothing typed is lost, one more click sends it."""
    form = RegistrationForm(initial=_typed(request), now=timezone.now(), areas=areas())
    return _show(
        request,
        timezone.now(),
        form,
        notice="页面放得太久，需要再确认一次。内容都在，请核对后重新提交。",
        status=403,
    )


register.keep_typed = keep_typed


def _submit(request: HttpRequest, now: datetime, form: RegistrationForm) -> HttpResponse:
    token = form_token.read(request)
    joins = joining_date(now)
    if form.cleaned_data["website"]:
        return redirect("home")  # a robot filled the trap; it learns nothing
    if token is None and "form_token" in request.POST:
        return _check(request, now, form, "这张表不是在本浏览器打开的，尚未提交。请核对后再提交一次。")
    if token and token.joins != joins:
        return _check(
            request,
            now,
            form,
            f"{_missed(token.joins, now)}现在提交将登记到{calendar.short(joins)}，请确认。",
        )
    if not allow(
        f"register:{client_network(request)}", policy.REGISTRATIONS_AN_HOUR, HOUR, now, when_down=True
    ):
        return _check(
            request, now, form, "提交次数过多，请一小时后再试，或电话联系综合处代为登记。", status=429
        )
    try:
        made = booking.submit(form.registration(), key=token.key if token else form_token.fresh_key(), at=now)
    except Refused as refusal:
        return _check(request, now, form, str(refusal), status=refusal.status)
    return redirect("receipt", made.receipt_token)


def _missed(promised: date, now: datetime) -> str:
    """Why the form cannot go to the day that it was opened for."""
    over = "预约已截止" if now >= calendar.booking_closes(promised) else "活动已取消"
    return f"{calendar.short(promised)}的{over}，尚未提交。"


def _blank(request: HttpRequest, now: datetime) -> HttpResponse:
    return _page(request, now, _blank_fields(now.timestamp() // 300))


@lru_cache(maxsize=1)
def _blank_fields(version: float) -> SafeString:
    """The blank form's markup, drawn once in five minutes: drawing its widgets is nearly all the work of the page."""
    return _drawn(RegistrationForm(now=timezone.now(), areas=areas()))


def _drawn(form: RegistrationForm) -> SafeString:
    return form.helper.render_layout(form, Context())


def _show(
    request: HttpRequest, now: datetime, form: RegistrationForm, notice: str = "", status: int = 200
) -> HttpResponse:
    return _page(request, now, None, form=form, notice=notice, status=status)


def _page(request: HttpRequest, now: datetime, fields, status: int = 200, **context) -> HttpResponse:
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
    """Everything once more before it is sent, the ID number masked; a stale token is replaced, a good one kept."""
    joins = joining_date(now)
    token = form_token.read(request)
    keep = token and token.joins == joins
    context = {
        "form": form,
        "rows": _rows(form),
        "typed": _hidden(request),
        "notice": notice,
        "joins": calendar.label(joins),
        "answered": answers.similar(form.cleaned_data["summary"], ANSWERS_SHOWN),
        "form_token": request.POST["form_token"] if keep else form_token.issue(request, joins),
    }
    return render(request, "appointments/check.html", context, status=status)


def _rows(form: RegistrationForm) -> list[tuple[str, str]]:
    """Label and value of every field as the firm will be registered, 附件2's order."""
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


def _hidden(request: HttpRequest) -> list[tuple[str, str]]:
    """What was typed, to travel in hidden fields from the check page."""
    ours = set(RegistrationForm.base_fields) - {"website"}
    return [(name, value) for name in request.POST if name in ours for value in request.POST.getlist(name)]


def _typed(request: HttpRequest) -> dict:
    fields = RegistrationForm.base_fields
    return {
        n: request.POST.getlist(n) if n == "topics" else request.POST[n] for n in fields if n in request.POST
    }
