"""What an officer must still do after the right password: give the code, change the password, bind a telephone.

Until then they count as a visitor on every page but that of the step, and 退出.
"""

from datetime import datetime

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.urls import reverse
from django.utils.http import urlencode

from zhoushan_consult.bureau.models import Officer
from zhoushan_consult.bureau.passwords import is_due

# The steps are names of addresses.
CODE, PASSWORD, BIND = "second_factor_code", "own_password", "second_factor_bind"
# Keys of the session.
FACTOR, PASSWORD_DUE = "second_factor", "password_due"


class LoginStepMiddleware:
    """An officer with a step to do is no user yet: `request.halfway` instead of `request.user`."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        request.halfway, request.step = None, ""
        if request.user.is_authenticated:
            request.step = next_step(request.user, request.session)
        if request.step and request.path_info not in settings.LOG_OUT_ADDRESSES:
            request.halfway, request.user = request.user, AnonymousUser()
        return self.get_response(request)


def begin(officer: Officer, session, now: datetime, *, by_password: bool = True) -> None:
    """After the right password. Its term is asked about here only: no page is lost in the middle of the work."""
    session.pop(FACTOR, None)
    session[PASSWORD_DUE] = by_password and is_due(officer, now)


def next_step(officer: Officer, session) -> str:
    """The step that stands in the way. Empty if the officer is in."""
    if officer.second_factor_at and session.get(FACTOR) != officer.second_factor_at.timestamp():
        return CODE
    if session.get(PASSWORD_DUE):
        return PASSWORD
    if settings.STAFF_SECOND_FACTOR and not officer.second_factor_at:
        return BIND
    return ""


def factor_given(officer: Officer, session) -> None:
    """This session has shown the factor that is bound now. One that is bound later ends it."""
    session[FACTOR] = officer.second_factor_at.timestamp()


def address(step: str, then: str = "") -> str:
    """The page of the step, which leads on to `then`."""
    return reverse(step) + (f"?{urlencode({'next': then})}" if then else "")
