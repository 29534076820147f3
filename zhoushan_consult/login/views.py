"""The doors for officers, and the pages about one's own account. Each reads the clock and makes one call."""

from datetime import datetime
from functools import wraps

import segno
from django.conf import settings
from django.contrib import admin, messages
from django.contrib.auth import login, update_session_auth_hash
from django.contrib.auth.views import LoginView, redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.safestring import mark_safe
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST, require_safe

from zhoushan_consult.audit.trail import about, record
from zhoushan_consult.audit.verbs import Verb
from zhoushan_consult.bureau import accounts, passwords
from zhoushan_consult.bureau.models import Officer
from zhoushan_consult.bureau.refusals import Refused
from zhoushan_consult.sign_on import provider, round_trip
from zhoushan_consult.vault.sealed import Sealed
from zhoushan_consult.web import errors
from zhoushan_consult.web.address import client_ip

from . import guessing, known_device, second_factor, steps
from .forms import WRONG_CODE, BindForm, CodeForm, LoginForm, OwnPasswordForm
from .models import Authenticator

# In the session, sealed: the secret that is being bound. The page may be loaded again, and shows the same one.
BINDING = "binding"
KEY_COLUMN = Authenticator._meta.get_field("key").column_name


def limited(view):
    """A page with secrets to guess: beyond the limit it answers 429, and says how to go on."""

    @wraps(view)
    def guarded(request, *args, **kwargs):
        try:
            return view(request, *args, **kwargs)
        except guessing.TooManyTries:
            response = errors.render_error(request, "locked", 429, minutes=settings.LOGIN_WINDOW_MINUTES)
            response.headers["Retry-After"] = str(settings.LOGIN_WINDOW_MINUTES * 60)
            return response

    return guarded


@method_decorator(limited, name="dispatch")
class OfficerLoginView(LoginView):
    """Name and password. Every officer may come in by each of the two doors."""

    form_class = LoginForm

    def get(self, request, *args, **kwargs):
        if request.step:
            return redirect(steps.address(request.step, self.get_redirect_url()))
        # With ?next= to a page that this account may not open, the form is shown: another account may be allowed.
        if request.user.is_authenticated and (request.user.is_staff or "next" not in request.GET):
            return redirect(self.get_default_redirect_url())
        return super().get(request, *args, **kwargs)

    def post(self, request, *args, **kwargs):
        name, password = request.POST.get("username", ""), request.POST.get("password", "")
        # What is not filled in is not looked up, so it is no try.
        if not (name.strip() and password):
            return super().post(request, *args, **kwargs)
        attempt = guessing.at_password(request, Officer.normalize_username(name.strip()), timezone.now())
        attempt.begin()
        response = super().post(request, *args, **kwargs)
        if response.status_code == 302:
            attempt.succeeded()
        return response

    def get_context_data(self, **kwargs):
        return super().get_context_data(**kwargs) | {"has_sign_on": bool(settings.STAFF_SIGN_ON)}

    def form_valid(self, form) -> HttpResponse:
        """The password is right. The officer goes on to the next step, or to work."""
        now = timezone.now()
        login(self.request, form.get_user())
        steps.begin(self.request.user, self.request.session, now)
        return go_on(self.request, self.request.user, self.get_success_url(), now)

    def get_success_url(self) -> str:
        """The page that the officer asked for, if they may open it; otherwise their own first page."""
        requested = self.get_redirect_url()
        forbidden = requested.startswith(reverse("admin:index")) and not self.request.user.is_staff
        return self.get_default_redirect_url() if forbidden or not requested else requested

    def get_default_redirect_url(self) -> str:
        return first_page(self.request.user)


class AdminLoginView(OfficerLoginView):
    """The door of the admin, in its layout."""

    template_name = "admin/login.html"

    def get_context_data(self, **kwargs):
        return super().get_context_data(**kwargs) | admin.site.each_context(self.request) | {"title": "登录"}


class NoAccount(Refused):
    """The province knows the person, and this service does not."""

    status = 403

    def __init__(self):
        super().__init__("您的统一身份账号在这里没有对应的工作账号，或账号已停用。请联系科监处开通。")


@require_safe
def sign_on(request: HttpRequest) -> HttpResponse:
    """To the sign-on of the province."""
    return round_trip.leave(provider.for_staff(), reverse("staff_sign_on_back"))


@require_safe
def signed_on(request: HttpRequest) -> HttpResponse:
    """Back from the sign-on. It stands for the password; the second factor is asked for as always."""
    now, found = timezone.now(), provider.for_staff()
    if found is None:
        raise provider.InvalidTicket
    person = found.person(round_trip.ticket(request))
    officer = Officer.objects.filter(username=person.account, is_active=True).first()
    if officer is None:
        raise NoAccount
    login(request, officer, backend=settings.AUTHENTICATION_BACKENDS[0])
    steps.begin(officer, request.session, now, by_password=False)
    return go_on(request, officer, first_page(officer), now)


def first_page(officer: Officer) -> str:
    return settings.LOGIN_REDIRECT_URL if officer.is_staff else settings.DESK_URL


def go_on(request: HttpRequest, officer: Officer, then: str, now: datetime) -> HttpResponse:
    """To the next step; or, if none is left, into the service, to `then`."""
    if step := steps.next_step(officer, request.session):
        return redirect(steps.address(step, then))
    return come_in(request, officer, redirect(then), now)


def come_in(request: HttpRequest, officer: Officer, response: HttpResponse, now: datetime) -> HttpResponse:
    """The log-in is complete: it stands in the trail, and the device is known from now on."""
    record(Verb.SIGNED_IN, officer, by=officer, at=now, origin=client_ip(request))
    known_device.remember(request, response, officer.username)
    return response


def officer_page(step: str = ""):
    """A page for an officer who is in, or whose next step is `step`. It gets the officer and the instant."""

    def guard(view):
        @wraps(view)
        def guarded(request, *args, **kwargs):
            officer = request.halfway or request.user
            if not officer.is_authenticated:
                return redirect_to_login(request.get_full_path(), reverse("staff_login"))
            if request.step and request.step != step:
                return redirect(steps.address(request.step, then_of(request, officer)))
            request.user = officer
            return view(request, officer, timezone.now(), *args, **kwargs)

        return limited(sensitive_post_parameters()(guarded))

    return guard


def then_of(request: HttpRequest, officer: Officer) -> str:
    """Where the officer wanted to go: a page of this site."""
    asked = request.POST.get("next") or request.GET.get("next", "")
    safe = url_has_allowed_host_and_scheme(asked, {request.get_host()}, request.is_secure())
    return asked if safe else first_page(officer)


@officer_page(steps.CODE)
def second_factor_code(request, officer: Officer, now: datetime) -> HttpResponse:
    """The step after the password: the code of the telephone, or a recovery code."""
    then = then_of(request, officer)
    if not request.step:
        return redirect(then)
    form = CodeForm(request.POST if request.method == "POST" else None)
    if form.is_valid() and _is_right(request, officer, form, "code", now):
        request.session.cycle_key()
        steps.factor_given(officer, request.session)
        if not (left := second_factor.codes_left(officer)):
            messages.warning(request, "备用码已经用完，请在“账号安全”里更换一组新的。")
        elif left <= 2:
            messages.info(request, f"备用码还剩 {left} 个，请在“账号安全”里更换一组新的。")
        return go_on(request, officer, then, now)
    return _page(request, "code", "输入动态口令", form=form, then=then)


@officer_page(steps.BIND)
def second_factor_bind(request, officer: Officer, now: datetime) -> HttpResponse:
    """Bind a telephone: at the first log-in, or in place of another one. Afterwards the recovery codes are shown, once."""
    then, key = then_of(request, officer), _key_being_bound(request)
    has_factor = officer.second_factor_at is not None
    form = BindForm(request.POST if request.method == "POST" else None, has_factor=has_factor)
    if form.is_valid():
        step = second_factor.step_of(form.cleaned_data["code"], key, now)
        if step is None:
            guessing.at_code(request, officer, now).begin()
            form.add_error("code", WRONG_CODE)
        elif not has_factor or _is_right(request, officer, form, "current", now):
            codes = second_factor.bind(officer, key, step, at=now)
            del request.session[BINDING]
            request.session.cycle_key()
            steps.factor_given(officer, request.session)
            response = _page(request, "codes", "请保存备用码", codes=codes, then=then)
            return come_in(request, officer, response, now) if request.step else response
    context = {"form": form, "then": then, "uri": second_factor.key_uri(key, officer), "key": _in_groups(key)}
    context["qr"] = _qr(context["uri"])
    if not has_factor:
        context["reset"] = about(officer).filter(verb=Verb.FACTOR_RESET).last()
    return _page(request, "bind", "更换手机" if has_factor else "绑定动态口令", **context)


@officer_page(steps.PASSWORD)
def own_password(request, officer: Officer, now: datetime) -> HttpResponse:
    """Change the own password: by choice, or because it is the first one or too old. Other sessions end."""
    then = then_of(request, officer)
    form = OwnPasswordForm(officer, request.POST if request.method == "POST" else None)
    if request.POST.get("old_password"):
        attempt = guessing.at_code(request, officer, now).begin()
        if form.is_valid() or "old_password" not in form.errors:
            attempt.succeeded()
    if form.is_valid():
        accounts.change_own_password(officer, form.cleaned_data["new_password1"], at=now)
        update_session_auth_hash(request, officer)
        request.session[steps.PASSWORD_DUE] = False
        messages.success(request, "密码已修改，其他设备上的登录已退出。下次登录请用新密码。")
        return go_on(request, officer, then, now) if request.step else redirect("own_account")
    return _page(request, "password", "修改密码", form=form, then=then, officer=officer)


@officer_page()
def own_account(request, officer: Officer, now: datetime) -> HttpResponse:
    """账号安全: the password and its term, the second factor, the recovery codes that are left."""
    return _account_page(request, officer, CodeForm())


@require_POST
@officer_page()
def recovery_codes(request, officer: Officer, now: datetime) -> HttpResponse:
    """Fresh recovery codes. The code of the telephone shows that it is the officer, and not a person at their computer."""
    form = CodeForm(request.POST)
    if form.is_valid() and _is_right(request, officer, form, "code", now):
        codes = second_factor.renew_codes(officer, at=now)
        return _page(request, "codes", "请保存备用码", codes=codes, then=reverse("own_account"))
    return _account_page(request, officer, form)


def _is_right(request, officer: Officer, form, field: str, now: datetime) -> bool:
    """Whether the field has a right code, which is used up then. A wrong one is counted, and said at the field."""
    attempt = guessing.at_code(request, officer, now).begin()
    if second_factor.check(officer, form.cleaned_data[field], at=now):
        attempt.succeeded()
        return True
    form.add_error(field, WRONG_CODE)
    return False


def _key_being_bound(request) -> str:
    envelope = request.session.get(BINDING)
    if not envelope:
        envelope = Sealed.from_text(second_factor.new_key(), KEY_COLUMN).envelope
        request.session[BINDING] = envelope
    return Sealed(envelope, KEY_COLUMN).open()


def _qr(uri: str) -> str:
    """The QR code as inline SVG: nothing is fetched, and the secret is in no address."""
    code = segno.make(uri, error="m", micro=False)
    svg = code.svg_inline(
        border=4, dark="#000", light="#fff", svgclass="qr-code", lineclass=None, omitsize=True
    )
    return mark_safe(svg)  # noqa: S308  made of squares


def _in_groups(key: str) -> str:
    return " ".join(key[start : start + 4] for start in range(0, len(key), 4))


def _account_page(request, officer: Officer, form: CodeForm) -> HttpResponse:
    facts = {
        "expires_on": passwords.expires_on(officer),
        "codes_left": second_factor.codes_left(officer) if officer.second_factor_at else None,
        "needs_factor": settings.STAFF_SECOND_FACTOR,
        "officer": officer,
    }
    return _page(request, "account", "账号安全", form=form, **facts)


def _page(request, template: str, title: str, **context) -> HttpResponse:
    """A page in the layout of the admin. An officer who is halfway in sees no menu: it would lead nowhere."""
    shared = admin.site.each_context(request)
    shared["has_permission"] = shared["has_permission"] and not request.step
    return render(
        request, f"login/{template}.html", shared | {"title": title, "step": request.step} | context
    )
