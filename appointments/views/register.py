"""/register/: the form of 附件2, its check page, and the one POST that saves (六（二）)."""

from datetime import date, datetime, timedelta
from functools import lru_cache, partial

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.template import Context
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import SafeString
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_safe

from sessions_app import calendar, policy
from sessions_app.days import joining_date
from zhoushan_consult.bureau.refusals import Refused
from zhoushan_consult.identity.mask import mask_id
from zhoushan_consult.identity.phone import format_phone
from zhoushan_consult.web import drafts
from zhoushan_consult.web.address import client_network
from zhoushan_consult.web.drafts import Typed
from zhoushan_consult.web.throttle import allow

from .. import answers, booking, form_token, supplements
from ..forms import RegistrationForm, areas, firm_fields
from ..models import Appointment
from .sign_on import firm_of

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
# Few, because the firm should read them before it submits.
ANSWERS_SHOWN = 3
# The name of the draft (web/drafts.py) of both pages.
DRAFT = "register"


@drafts.takes(RegistrationForm, draft=DRAFT)
@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
def register(request: HttpRequest) -> HttpResponse:
    """GET shows the form, with what this browser has typed. POST: step=submit saves, step=edit goes back to the form, others check.

    Every POST is answered with a redirect, to the receipt or to a page that shows what was typed.
    """
    now = timezone.now()
    if request.method != "POST":
        typed = drafts.read(request, DRAFT, now)
        return _form_page(request, now, typed) if typed else _blank(request, now)
    # Without validation: the firm asked for the form to go on with it, not for a list of mistakes.
    if request.POST.get("step") == "edit":
        return _to_form(request, now, Typed.of(request))
    form = _make(request, now)(request.POST)
    if not form.is_valid():
        return _to_form(request, now, Typed.of(request, judged=True))
    if request.POST.get("step") == "object":
        return _object(request, now, form)
    if request.POST.get("step") != "submit":
        return _to_check(request, now, form)
    return _submit(request, now, form)


@require_safe
def check(request: HttpRequest) -> HttpResponse:
    """The check page: every value once more before the form is saved. Without a draft, there is nothing to check any more."""
    now = timezone.now()
    typed = drafts.read(request, DRAFT, now)
    if typed is None:
        messages.info(request, "没有待核对的内容。刚才已经提交的，不用再填，可以到“进度查询”查看。")
        return redirect("register")
    form = _make(request, now)(typed.values)
    return _check_page(request, now, form, typed) if form.is_valid() else redirect("register")


def _make(request: HttpRequest, now: datetime) -> partial[RegistrationForm]:
    return partial(RegistrationForm, now=now, areas=areas(), firm=firm_of(request))


def _to_form(request: HttpRequest, now: datetime, typed: Typed) -> HttpResponse:
    """Go to the form. If the draft cannot be kept, the page is the answer itself, or the text would be lost."""
    to = reverse("register") + ("#error-summary" if typed.judged else "")
    return drafts.redirect(request, to, DRAFT, typed, now) or _form_page(request, now, typed)


def _to_check(
    request: HttpRequest, now: datetime, form: RegistrationForm, status: int = 200, **about: str
) -> HttpResponse:
    """Go to the check page, with `notice` or `refusal`. If the draft cannot be kept, it is the answer itself."""
    typed = Typed.of(request, **about)
    answer = drafts.redirect(request, reverse("register_check"), DRAFT, typed, now)
    return answer or _check_page(request, now, form, typed, status)


def _submit(request: HttpRequest, now: datetime, form: RegistrationForm) -> HttpResponse:
    """Save, and go to the receipt. In each doubt the check page comes first, with the reason."""
    token = form_token.read(request, request.POST.get("form_token", ""))
    joins = joining_date(now)
    # A robot filled the hidden field. It gets no error from which it could learn.
    if form.cleaned_data["website"]:
        return redirect("home")
    # A token of another browser: its key belongs to another firm's form, whose receipt must not be shown here.
    if token is None and "form_token" in request.POST:
        notice = "这张表不是在本浏览器打开的，尚未提交。请核对后再提交一次。"
        return _to_check(request, now, form, notice=notice)
    # The page promised another day: at midnight on the last of a month, or after a cancellation.
    if token and token.joins != joins:
        notice = f"{_why_missed(token.joins, now)}现在提交将登记到{calendar.short(joins)}，请确认。"
        return _to_check(request, now, form, notice=notice)
    # when_down: if the counter fails, a firm must still be able to register.
    bucket = f"register:{client_network(request)}"
    if not allow(bucket, policy.REGISTRATIONS_AN_HOUR, HOUR, now, when_down=True):
        refusal = "提交次数过多，请一小时后再试，或电话联系综合处代为登记。"
        return _to_check(request, now, form, refusal=refusal, status=429)
    try:
        # The key of the token recognises a form that is sent twice: the second answer is the same receipt.
        key = token.key if token else form_token.fresh_key()
        appointment = booking.submit(form.registration(), key=key, at=now)
    except Refused as refusal:
        return _to_check(request, now, form, refusal=str(refusal), status=refusal.status)
    drafts.erase(request, DRAFT)
    return redirect("receipt", appointment.receipt_token)


def _object(request: HttpRequest, now: datetime, form: RegistrationForm) -> HttpResponse:
    """不是我们登记的: 综合处 telephones and looks into it. What was typed stays, to be submitted afterwards."""
    data = form.cleaned_data
    other = Appointment.objects.live_of(data["uscc"], joining_date(now))
    if other is None:
        return _to_check(request, now, form, notice="这一期已没有贵单位的其他登记，可以提交。")
    bucket = f"object:{client_network(request)}"
    if not allow(bucket, policy.OBJECTIONS_A_DAY, DAY, now):
        refusal = "提出次数过多，请明天再试，或电话联系综合处。"
        return _to_check(request, now, form, refusal=refusal, status=429)
    supplements.object_to(other, contact_name=data["contact_name"], phone=data["phone"], text="", at=now)
    notice = f"已转综合处核实，工作人员会拨打{format_phone(data['phone'])}与您联系。核实后可以提交，或由综合处代为登记。"
    return _to_check(request, now, form, notice=notice)


def _why_missed(promised: date, now: datetime) -> str:
    """Why the form cannot be registered for the day that its page promised."""
    reason = "预约已截止" if now >= calendar.booking_closes(promised) else "活动已取消"
    return f"{calendar.short(promised)}的{reason}，尚未提交。"


def _blank(request: HttpRequest, now: datetime) -> HttpResponse:
    if firm_of(request):
        return _page(request, now, None, form=_make(request, now)())
    # Another version every 300 s, so that a new county or zone appears within five minutes.
    return _page(request, now, _blank_fields(now.timestamp() // 300))


@lru_cache(maxsize=1)
def _blank_fields(version: float) -> SafeString:
    """The HTML of the blank form, rendered once for each `version`: it is nearly all the work of the page."""
    form = RegistrationForm(now=timezone.now(), areas=areas())
    return form.helper.render_layout(form, Context())


def _form_page(request: HttpRequest, now: datetime, typed: Typed) -> HttpResponse:
    """The form as it was typed, with its errors if it was sent."""
    form = typed.fill(_make(request, now))
    if firm := firm_of(request):
        form.initial |= firm_fields(firm)
    token = _kept_token(request, typed, calendar.booking_day(now))
    return _page(request, now, None, form=form, notice=typed.notice, token=token)


def _page(
    request: HttpRequest, now: datetime, fields: SafeString | None, token: str = "", **context
) -> HttpResponse:
    """The page of the form. `fields` is HTML that is ready; None: the template renders `form`."""
    joins = calendar.booking_day(now)
    context |= {
        "fields": fields,
        "joins": calendar.short(joins),
        "closes": calendar.short(calendar.last_booking_date(joins)),
        "form_token": token or form_token.issue(request, joins),
        "firm": firm_of(request),
        "has_sign_on": bool(settings.FIRM_SIGN_ON),
        "draft": DRAFT,
        "typed_form": drafts.FORM_ID,
    }
    return render(request, "appointments/register.html", context)


def _kept_token(request: HttpRequest, typed: Typed, joins: date) -> str:
    """The token that came with the form, if it is good and for `joins`: a form sent twice must be one registration."""
    text = typed.values.get("form_token", "")
    token = form_token.read(request, text)
    return text if token and token.joins == joins else ""


def _check_page(
    request: HttpRequest, now: datetime, form: RegistrationForm, typed: Typed, status: int = 200
) -> HttpResponse:
    """Every value once more, the ID number masked, and similar 公开答复. `form` is valid."""
    joins = joining_date(now)
    context = {
        "form": form,
        "rows": _rows(form),
        "typed": _hidden_fields(typed),
        "notice": typed.notice,
        "refusal": typed.refusal,
        "joins": calendar.short(joins),
        "wants_onsite": form.cleaned_data["wants_onsite"],
        "other": Appointment.objects.live_of(form.cleaned_data["uscc"], joins),
        "answered": answers.similar(form.cleaned_data["summary"], ANSWERS_SHOWN),
        "form_token": _kept_token(request, typed, joins) or form_token.issue(request, joins),
        "draft": DRAFT,
        "typed_form": drafts.FORM_ID,
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


def _hidden_fields(typed: Typed) -> list[tuple[str, str]]:
    """The typed values as hidden fields of the check page, so that it can be sent even if the draft has expired."""
    names = set(RegistrationForm.base_fields) - {"website"}
    return [(name, text) for name, texts in typed.values.lists() if name in names for text in texts]
