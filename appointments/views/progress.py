"""/status/: 受理编号 and phone open a registration for half an hour. The buttons on that page are the acts of the firm."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial, wraps

from django.conf import settings
from django.contrib import messages
from django.forms import CharField, Form
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_safe

from zhoushan_consult.bureau.refusals import Refused
from zhoushan_consult.outbox.posting import letters_to_page
from zhoushan_consult.web import drafts
from zhoushan_consult.web.address import client_network
from zhoushan_consult.web.drafts import Typed
from zhoushan_consult.web.throttle import allow, exhausted

from .. import booking, check_in_code, facts, feedback, situation, supplements
from ..contact import contact_of, correct
from ..forms import (
    AmendForm,
    ContactForm,
    LookupForm,
    RatingForm,
    SupplementForm,
    UnsolvedForm,
    areas,
)
from ..lifecycle import Stage
from ..models import Appointment, Rating
from ..references import clean_reference

# As long as a session of an officer without a click (settings.SESSION_COOKIE_AGE).
OPEN_FOR = timedelta(minutes=30)
# Wrong ones only: a hall of firms behind one address looks up as often as it likes. Firms mistype. A person who guesses
# phones gets 1,440 tries a day, of 10^8 numbers for one operator's prefix.
MAX_ATTEMPTS, ATTEMPTS_WINDOW = 10, timedelta(minutes=10)
# The same sentence for a wrong number and a wrong phone: it must not tell which 受理编号 exist.
NOT_FOUND = "没有查到。请核对受理编号和登记时填写的联系电话；编号丢了的，可以在下面重新发到登记的电话。"
TOO_MANY = "查错的次数过多，请十分钟后再试。"
CLOSED = "离开时间较长，请重新输入受理编号和联系电话。"
ANOTHER_OPENED = (
    "刚才那一页是另一份登记的，没有办理。现在打开的是受理编号 {}。"
    "要办理那一份，请先退出查询，再输入它的受理编号和联系电话。"
)
# Names of the drafts (web/drafts.py). Those of a registration are followed by its 受理编号.
LOOKUP, AMEND, CONTACT = "lookup", "amend", "contact"
SUPPLEMENT, UNSOLVED, RATE = "supplement", "unsolved", "rate"


@dataclass(frozen=True)
class ActForm:
    """A form of the progress page: its fields, and its words. If it is not offered any more, what was typed into
    `text_field` is given back. `is_main`: its button is the main one of the page.
    """

    make: type[Form]
    text_field: str
    title: str
    button: str
    is_main: bool = False


# By act, in the order in which they are shown.
FORMS = {
    SUPPLEMENT: ActForm(SupplementForm, "text", "补充问题", "提交补充的问题"),
    UNSOLVED: ActForm(UnsolvedForm, "reason", "还没有解决？", "未解决，请继续办理"),
    RATE: ActForm(RatingForm, "remark", "评价我们的服务", "提交评价", is_main=True),
}
# The forms with a page of their own. They correct what is registered.
CORRECTIONS: dict[str, type[AmendForm] | type[ContactForm]] = {AMEND: AmendForm, CONTACT: ContactForm}


@dataclass(frozen=True)
class OfferedForm:
    """A form as the page shows it: the act that it does, and the draft that keeps what is typed."""

    act: str
    about: ActForm
    form: Form
    draft: str

    @property
    def html_id(self) -> str:
        return f"{self.act}-form"


def post_only(view: Callable) -> Callable:
    """An act is a POST. A GET of its address, after Back or from a bookmark, leads to the page that has the button."""

    @wraps(view)
    def back_or_act(request: HttpRequest, *args, **kwargs) -> HttpResponse:
        return view(request, *args, **kwargs) if request.method == "POST" else redirect("status")

    return back_or_act


def on_opened(view: Callable) -> Callable:
    """An act on the registration that this browser has opened: `view(request, appointment, now, …)`.

    Where none is open any more, it is asked for again. Each form of these pages says in `about` which registration it is
    about: with two registrations in two tabs, the page behind may be of the other one. Then nothing is done, and what was
    typed waits for that one.
    """

    @wraps(view)
    def act_or_ask(request: HttpRequest, *args, **kwargs) -> HttpResponse:
        now = timezone.now()
        appointment = _opened_appointment(request, now)
        if appointment is None:
            return _ask_again(request, now)
        if request.POST.get("about", appointment.reference) != appointment.reference:
            return _of_another(request, appointment, now)
        return view(request, appointment, now, *args, **kwargs)

    return act_or_ask


@drafts.takes(LookupForm, draft=LOOKUP)
@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
def status(request: HttpRequest) -> HttpResponse:
    """GET shows the opened registration, or the form that opens one. POST opens it."""
    now = timezone.now()
    if request.method == "POST":
        return _open(request, now)
    appointment = _opened_appointment(request, now)
    return _page(request, appointment, now) if appointment else _lookup_page(request, now)


def _open(request: HttpRequest, now: datetime) -> HttpResponse:
    form = LookupForm(request.POST)
    if not form.is_valid():
        return _look_up_again(request, now)
    reference = clean_reference(form.cleaned_data["reference"])
    # By visitor and by 受理编号: many addresses together cannot guess the phone of one registration either.
    buckets = [f"status:{client_network(request)}", f"status:{reference}"]
    if exhausted(buckets, MAX_ATTEMPTS, ATTEMPTS_WINDOW, now):
        return _look_up_again(request, now, TOO_MANY)
    found = booking.find(reference, form.cleaned_data["phone"])
    if found is None:
        # Each counts, so that an attempt over one limit still counts for the other.
        within = [allow(bucket, MAX_ATTEMPTS, ATTEMPTS_WINDOW, now) for bucket in buckets]
        return _look_up_again(request, now, NOT_FOUND if all(within) else TOO_MANY)
    # A new session key: a key that another person set in this browser before must not open the registration.
    request.session.cycle_key()
    request.session["opened"] = {"pk": found.pk, "at": now.isoformat()}
    drafts.erase(request, LOOKUP)
    # What was typed before the registration was closed waits there. Of a form that is not open any more, the progress page
    # shows it.
    offered = facts.read(found, now).firm_acts
    waiting = [name for name in CORRECTIONS if name in offered]
    unsent = [name for name in waiting if drafts.read(request, _draft(name, found), now)]
    return redirect(unsent[0] if unsent else "status")


def _look_up_again(request: HttpRequest, now: datetime, refusal: str = "") -> HttpResponse:
    typed = Typed.of(request, judged=True, refusal=refusal)
    to = reverse("status") + "#error-summary"
    return drafts.redirect(request, to, LOOKUP, typed, now) or _lookup_page(request, now, typed)


def _draft(form: str, appointment: Appointment) -> str:
    return f"{form} {appointment.reference}"


def _opened_appointment(request: HttpRequest, now: datetime) -> Appointment | None:
    """The registration that this browser has opened, read again; None after OPEN_FOR."""
    opened = request.session.get("opened")
    if not opened or now - datetime.fromisoformat(opened["at"]) > OPEN_FOR:
        return None
    return Appointment.objects.select_related("day", "seat", "area").filter(pk=opened["pk"]).first()


def _ask_again(request: HttpRequest, now: datetime) -> HttpResponse:
    """The registration is not open any more. What was typed is there again as soon as it is."""
    kept = _keep_form(request, now)
    messages.info(request, f"{CLOSED}刚才填写的内容都还在。" if kept else CLOSED)
    return drafts.set_cookie(redirect("status"), kept) if kept else redirect("status")


def _of_another(request: HttpRequest, opened: Appointment, now: datetime) -> HttpResponse:
    kept = _keep_form(request, now)
    typed = "刚才填写的内容都在，打开那一份就能看到。" if kept else ""
    messages.error(request, ANOTHER_OPENED.format(opened.reference) + typed)
    return drafts.set_cookie(redirect("status"), kept) if kept else redirect("status")


def _keep_form(request: HttpRequest, now: datetime) -> str:
    """Keep the form that was sent. Returns the key for its cookie; empty if there is none, or it cannot be kept."""
    form = request.POST.get("draft", "")
    return drafts.keep(request, form, Typed.of(request), now) if form else ""


def _lookup_page(request: HttpRequest, now: datetime, typed: Typed | None = None) -> HttpResponse:
    context = drafts.form_context(LOOKUP, LookupForm, typed or drafts.read(request, LOOKUP, now))
    return render(request, "appointments/status_ask.html", context)


def _page(request: HttpRequest, appointment: Appointment, now: datetime, **typed_now: Typed) -> HttpResponse:
    """The progress page. `typed_now`: a form that could not be kept as a draft."""
    shown = facts.read(appointment, now)
    typed = {
        name: typed_now.get(name) or drafts.read(request, _draft(name, appointment), now)
        for name in (*FORMS, *CORRECTIONS)
    }
    unsent = {name: kept for name, kept in typed.items() if kept and name not in shown.firm_acts}
    forms = [
        OfferedForm(name, about, drafts.filled(about.make, typed[name]), _draft(name, appointment))
        for name, about in FORMS.items()
        if name in shown.firm_acts
    ]
    context = {
        "appointment": appointment,
        "situation": shown,
        "letters": letters_to_page(appointment),
        "moves": appointment.moves.all(),
        "rating": Rating.objects.filter(appointment=appointment).first(),
        "unsent": _texts(appointment, unsent),
        "typed_form": forms[0].html_id if forms else "",
        "forms": forms,
        "has_errors": any(offered.form.errors for offered in forms),
        "check_in_qr": _check_in_qr(appointment) if appointment.stage == Stage.SEATED else "",
    }
    return render(request, "appointments/status.html", context)


def _texts(appointment: Appointment, unsent: dict[str, Typed]) -> list[str]:
    """What was typed into forms that are not offered any more. It was not sent, and can be copied."""
    found = []
    for name, kept in unsent.items():
        if name in FORMS:
            found.append(kept.values.get(FORMS[name].text_field, ""))
        else:
            changed = _differences(CORRECTIONS[name], appointment, kept)
            found.append("\n".join(f"{label}：{mine}" for label, _, mine in changed if mine))
    return [text for text in found if text]


def _differences(
    form: type[AmendForm] | type[ContactForm], appointment: Appointment, typed: Typed
) -> list[tuple[str, str, str]]:
    """Label, registered text and typed text of each field in which the two differ."""
    saved = form.initial_from(appointment)
    texts = [
        (str(each.label), saved.get(name, ""), typed.values.get(name, "").strip())
        for name, each in form.base_fields.items()
        if isinstance(each, CharField) and name != "id_number" and name in typed.values
    ]
    return [each for each in texts if each[1].split() != each[2].split()]


def _check_in_qr(appointment: Appointment) -> str:
    """The 签到码 as the `src` of an image. Scanned by an officer who is logged in, it opens the 签到 of the firm."""
    check_in_path = reverse(
        "admin:sessions_app_consultday_check_in_by_code", args=[check_in_code.token(appointment)]
    )
    return check_in_code.qr_code(settings.SITE_URL + check_in_path)


@require_http_methods(["GET", "HEAD", "POST"])
@on_opened
def act(request: HttpRequest, appointment: Appointment, now: datetime, verb: str) -> HttpResponse:
    """One act of the firm on its own registration. GET asks once where the act cannot be undone; POST does it.

    A second click is refused, and the page shows the present state.
    """
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
    goes_on = booking.ask_for_seat_again(appointment, at=at)
    day = goes_on.day.short_label
    if goes_on != appointment:
        return f"优先资格已转到贵单位{day}的登记，优先安排现场名额。"
    return f"已转入{day}这一期，优先安排现场名额。"


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


@drafts.takes(SupplementForm)
@post_only
@on_opened
def supplement(request: HttpRequest, appointment: Appointment, now: datetime) -> HttpResponse:
    """补充问题: a further question, until the list is settled."""

    def add(data: dict) -> str:
        supplements.add_question(appointment, data["text"], at=now)
        return "已收到，由综合处交有关处室答复。"

    return _with_form(request, appointment, now, SUPPLEMENT, add)


@drafts.takes(UnsolvedForm)
@post_only
@on_opened
def unsolved(request: HttpRequest, appointment: Appointment, now: datetime) -> HttpResponse:
    """未解决: the firm says what is still open, and the follow-up goes on (六（六）)."""

    def report(data: dict) -> str:
        feedback.report_unsolved(appointment, data["reason"], at=now)
        return "已转有关处室继续办理，进展会登在本页。"

    return _with_form(request, appointment, now, UNSOLVED, report)


@drafts.takes(RatingForm)
@post_only
@on_opened
def rate(request: HttpRequest, appointment: Appointment, now: datetime) -> HttpResponse:
    """好差评."""

    def save_rating(data: dict) -> str:
        feedback.rate(appointment, data["grade"], data["remark"], at=now)
        return "谢谢您的评价。"

    return _with_form(request, appointment, now, RATE, save_rating)


def _with_form(
    request: HttpRequest, appointment: Appointment, now: datetime, name: str, do: Callable[[dict], str]
) -> HttpResponse:
    """Call `do` with the data of a valid form. An invalid one is shown on the page, with the text that was typed."""
    form, draft = FORMS[name].make(request.POST), _draft(name, appointment)
    if not form.is_valid():
        typed = Typed.of(request, judged=True)
        to = reverse("status") + "#error-summary"
        return drafts.redirect(request, to, draft, typed, now) or _page(
            request, appointment, now, **{name: typed}
        )
    try:
        messages.success(request, do(form.cleaned_data))
    except Refused as refusal:
        messages.error(request, str(refusal))
        # The text stays as long as the form is offered.
        return drafts.redirect(request, reverse("status"), draft, Typed.of(request), now) or redirect(
            "status"
        )
    drafts.erase(request, draft)
    return redirect("status")


@drafts.takes(AmendForm)
@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
@on_opened
def amend(request: HttpRequest, appointment: Appointment, now: datetime) -> HttpResponse:
    """The firm corrects its registration while it is 待初审 (六（二）)."""
    initial = AmendForm.initial_from(appointment)
    make = partial(AmendForm, initial=initial, now=now, areas=areas(), appointment=appointment)

    def save(form: AmendForm) -> str:
        booking.amend(appointment, form.registration(), version=request.POST.get("version", ""), at=now)
        return "修改已保存。"

    return _correction(request, AMEND, appointment, make, save, booking.version_of(appointment), now)


@drafts.takes(ContactForm)
@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
@on_opened
def contact(request: HttpRequest, appointment: Appointment, now: datetime) -> HttpResponse:
    """The firm corrects how it is reached, until its registration has ended."""
    make, version = partial(ContactForm, appointment=appointment), contact_of(appointment).mark()

    def save(form: ContactForm) -> str:
        correct(appointment, form.contact(), version=request.POST.get("version", ""), at=now)
        return "联系方式已更正，今后的通知按新的发送。"

    return _correction(request, CONTACT, appointment, make, save, version, now)


def _correction(
    request: HttpRequest,
    name: str,
    appointment: Appointment,
    make: Callable[..., Form],
    save: Callable[[Form], str],
    version: str,
    now: datetime,
) -> HttpResponse:
    """A page with one form: GET shows it, POST saves it and goes to the progress page with the sentence of `save`.

    `name` is that of its act, its draft, its address and its template. `version` marks what is registered now: the form
    takes along the one with which it began, and after a refusal its reader sees what is registered now.
    """
    draft = _draft(name, appointment)
    known = facts.facts_of(appointment, now)
    if refused := situation.why_not(situation.FirmAct(name), known):
        return _not_open(request, draft, refused, now)

    def show(typed: Typed | None) -> HttpResponse:
        context = drafts.form_context(draft, make, typed) | {"appointment": appointment, "version": version}
        if typed and typed.refusal:
            context["differences"] = _differences(CORRECTIONS[name], appointment, typed)
        elif typed:
            context["version"] = typed.values.get("version") or version
        return render(request, f"appointments/{name}.html", context)

    if request.method != "POST":
        return show(drafts.read(request, draft, now))
    form, refusal = make(request.POST), ""
    if form.is_valid():
        try:
            messages.success(request, save(form))
        except Refused as refused:
            refusal = str(refused)
        else:
            drafts.erase(request, draft)
            return redirect("status")
    typed = Typed.of(request, judged=True, refusal=refusal)
    return drafts.redirect(request, reverse(name) + "#error-summary", draft, typed, now) or show(typed)


def _not_open(request: HttpRequest, draft: str, refused: str, now: datetime) -> HttpResponse:
    """Back to the progress page with the reason. It shows what was typed, to be copied."""
    messages.error(request, refused)
    kept = request.method == "POST" and drafts.redirect(
        request, reverse("status"), draft, Typed.of(request), now
    )
    return kept or redirect("status")


@post_only
def leave(request: HttpRequest) -> HttpResponse:
    """Close the registration, for firms that use a shared computer. What was typed there is erased."""
    request.session.pop("opened", None)
    drafts.erase(request)
    messages.success(request, "已退出查询。")
    return redirect("status")


@require_safe
def sheet(request: HttpRequest) -> HttpResponse:
    """The way from the progress page to the printable 登记表."""
    appointment = _opened_appointment(request, timezone.now())
    return redirect("sheet", appointment.receipt_token) if appointment else redirect("status")
