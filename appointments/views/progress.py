"""/status/: 受理编号 and phone open a registration for half an hour. The buttons on that page are the acts of the firm."""

from datetime import datetime, timedelta

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from zhoushan_consult.bureau.refusals import Refused
from zhoushan_consult.outbox.posting import letters_to_page
from zhoushan_consult.web.address import client_network
from zhoushan_consult.web.throttle import allow

from .. import booking, check_in_code, facts, feedback, situation
from ..forms import AmendForm, LookupForm, RatingForm, UnsolvedForm, areas
from ..lifecycle import Stage
from ..models import Appointment, Rating
from ..references import clean_reference

# As long as a session of an officer without a click (settings.SESSION_COOKIE_AGE).
OPEN_FOR = timedelta(minutes=30)
# Firms mistype. A person who guesses phones gets 1,440 tries a day, of 10^8 numbers for one operator's prefix.
MAX_ATTEMPTS, ATTEMPTS_WINDOW = 10, timedelta(minutes=10)
# The same sentence for a wrong number and a wrong phone: it must not tell which 受理编号 exist.
NOT_FOUND = "没有查到。请核对受理编号和登记时填写的联系电话；编号丢失的，请电话联系综合处。"
TOO_MANY = "查询次数过多，请十分钟后再试。"


@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
def status(request: HttpRequest) -> HttpResponse:
    """GET shows the opened registration, or the form that opens one. POST opens it."""
    now = timezone.now()
    if request.method == "POST":
        return _open(request, now)
    appointment = _opened_appointment(request, now)
    return _page(request, appointment, now) if appointment else _lookup_page(request, LookupForm())


def _open(request: HttpRequest, now: datetime) -> HttpResponse:
    form = LookupForm(request.POST)
    if not form.is_valid():
        return _lookup_page(request, form)
    reference = clean_reference(form.cleaned_data["reference"])
    # Counted by visitor and by 受理编号: many addresses together cannot guess the phone of one registration either.
    # Both always count, so that an attempt over one limit still counts for the other.
    by_address = allow(f"status:{client_network(request)}", MAX_ATTEMPTS, ATTEMPTS_WINDOW, now)
    by_reference = allow(f"status:{reference}", MAX_ATTEMPTS, ATTEMPTS_WINDOW, now)
    if not (by_address and by_reference):
        form.add_error(None, TOO_MANY)
        return _lookup_page(request, form, status=429)
    found = booking.find(reference, form.cleaned_data["phone"])
    if found is None:
        form.add_error(None, NOT_FOUND)
        return _lookup_page(request, form)
    # A new session key: a key that another person set in this browser before must not open the registration.
    request.session.cycle_key()
    request.session["opened"] = {"pk": found.pk, "at": now.isoformat()}
    return redirect("status")


def _opened_appointment(request: HttpRequest, now: datetime) -> Appointment | None:
    """The registration that this browser has opened, read again; None after OPEN_FOR."""
    opened = request.session.get("opened")
    if not opened or now - datetime.fromisoformat(opened["at"]) > OPEN_FOR:
        return None
    return Appointment.objects.select_related("day", "seat", "area").filter(pk=opened["pk"]).first()


def _lookup_page(request: HttpRequest, form: LookupForm, status: int = 200) -> HttpResponse:
    return render(request, "appointments/status_ask.html", {"form": form}, status=status)


def _page(
    request: HttpRequest, appointment: Appointment, now: datetime, status: int = 200, **forms
) -> HttpResponse:
    context = {
        "appointment": appointment,
        "situation": facts.read(appointment, now),
        "letters": letters_to_page(appointment),
        "moves": appointment.moves.all(),
        "rating": Rating.objects.filter(appointment=appointment).first(),
        "check_in_qr": _check_in_qr(appointment) if appointment.stage == Stage.SEATED else "",
        "unsolved_form": forms.get("unsolved_form") or UnsolvedForm(),
        "rating_form": forms.get("rating_form") or RatingForm(),
    }
    return render(request, "appointments/status.html", context, status=status)


def _check_in_qr(appointment: Appointment) -> str:
    """The 签到码 as the `src` of an image. Scanned by an officer who is logged in, it opens the 签到 of the firm."""
    check_in_path = reverse(
        "admin:sessions_app_consultday_check_in_by_code", args=[check_in_code.token(appointment)]
    )
    return check_in_code.qr_code(settings.SITE_URL + check_in_path)


@require_http_methods(["GET", "HEAD", "POST"])
def act(request: HttpRequest, verb: str) -> HttpResponse:
    """One act of the firm on its own registration. GET asks once where the act cannot be undone; POST does it.

    A second click is refused, and the page shows the present state.
    """
    now = timezone.now()
    appointment = _opened_appointment(request, now)
    if appointment is None:
        messages.info(request, "离开时间较长，请重新输入受理编号和联系电话。")
        return redirect("status")
    if request.method != "POST":
        return _ask_once(request, appointment, situation.FirmAct(verb), now)
    # Always a redirect: reloading the page must not repeat the act.
    try:
        messages.success(request, ACTS[verb](appointment, at=now))
    except Refused as refusal:
        messages.error(request, str(refusal))
    return redirect("status")


def _ask_once(
    request: HttpRequest, appointment: Appointment, verb: situation.FirmAct, now: datetime
) -> HttpResponse:
    """The page that names the consequence. An act that is not open, or needs no question, leads back to the progress page."""
    known = facts.facts_of(appointment, now)
    consequence = situation.consequence(verb, known)
    if refused := situation.why_not(verb, known):
        messages.error(request, refused)
    if refused or not consequence:
        return redirect("status")
    context = {"appointment": appointment, "verb": verb, "consequence": consequence}
    return render(request, "appointments/status/ask_once.html", context)


def _withdraw(appointment, *, at):
    booking.withdraw(appointment, at=at)
    return "登记已撤回。"


def _confirm(appointment, *, at):
    booking.confirm_seat(appointment, at=at)
    return "已确认参加，届时见。"


def _give_up(appointment, *, at):
    booking.give_up_seat(appointment, at=at)
    return "已放弃名额，问题改为书面答复。"


def _still_onsite(appointment, *, at):
    booking.ask_for_seat_again(appointment, at=at)
    return "已转入下一期，优先安排现场名额。"


def _enough(appointment, *, at):
    booking.written_reply_is_enough(appointment, at=at)
    return "谢谢反馈，登记已办结。欢迎评价我们的服务。"


def _solved(appointment, *, at):
    feedback.report_solved(appointment, at=at)
    return "谢谢反馈，登记已办结。欢迎评价我们的服务。"


# Each key is an address (appointments/urls.py) and the name of a button.
ACTS = {
    "withdraw": _withdraw,
    "confirm": _confirm,
    "give-up": _give_up,
    "still-onsite": _still_onsite,
    "enough": _enough,
    "solved": _solved,
}


@require_POST
def unsolved(request: HttpRequest) -> HttpResponse:
    """未解决: the firm says what is still open, and the follow-up goes on (六（六）)."""

    def report(appointment, data, at):
        feedback.report_unsolved(appointment, data["reason"], at=at)
        return "已转有关处室继续办理，进展会登在本页。"

    return _with_form(request, "unsolved_form", UnsolvedForm(request.POST), report)


@require_POST
def rate(request: HttpRequest) -> HttpResponse:
    """好差评."""

    def save_rating(appointment, data, at):
        feedback.rate(appointment, data["grade"], data["remark"], at=at)
        return "谢谢您的评价。"

    return _with_form(request, "rating_form", RatingForm(request.POST), save_rating)


def _with_form(request: HttpRequest, name: str, form, do) -> HttpResponse:
    """Call `do(appointment, data, at)` with a valid form. An invalid one is shown on the page, with the text that was typed."""
    now = timezone.now()
    appointment = _opened_appointment(request, now)
    if appointment is None:
        return redirect("status")
    if not form.is_valid():
        return _page(request, appointment, now, **{name: form})
    try:
        messages.success(request, do(appointment, form.cleaned_data, now))
    except Refused as refusal:
        messages.error(request, str(refusal))
    return redirect("status")


@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
def amend(request: HttpRequest) -> HttpResponse:
    """The firm corrects its registration while it is 待初审 (六（二）)."""
    now = timezone.now()
    appointment = _opened_appointment(request, now)
    if appointment is None:
        return redirect("status")
    form = AmendForm(
        request.POST or None,
        initial=AmendForm.initial_from(appointment),
        now=now,
        areas=areas(),
        appointment=appointment,
    )
    if request.method == "POST" and form.is_valid():
        try:
            booking.amend(appointment, form.registration(), at=now)
            messages.success(request, "修改已保存。")
            return redirect("status")
        except Refused as refusal:
            form.add_error(None, str(refusal))
    return render(request, "appointments/amend.html", {"form": form, "appointment": appointment})


@require_POST
def leave(request: HttpRequest) -> HttpResponse:
    """Close the registration, for firms that use a shared computer."""
    request.session.pop("opened", None)
    messages.success(request, "已退出查询。")
    return redirect("status")


@require_safe
def sheet(request: HttpRequest) -> HttpResponse:
    """The way from the progress page to the printable 登记表."""
    appointment = _opened_appointment(request, timezone.now())
    return redirect("sheet", appointment.receipt_token) if appointment else redirect("status")
