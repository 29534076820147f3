"""Sessions end by themselves: some time without a click (SESSION_IDLE_MINUTES), and after SESSION_MAX_HOURS in any case."""

from datetime import datetime, timedelta

from django.conf import settings
from django.contrib.auth import logout
from django.utils import timezone

# A click this soon after the last noted one is not noted, so that most pages cost no write: five minutes of thirty.
NOTE_EVERY = timedelta(seconds=settings.SESSION_COOKIE_AGE) / 6


class SessionLimitMiddleware:
    """Renews the session of a busy officer (it expires after SESSION_COOKIE_AGE), and ends one that is too old."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        if request.user.is_authenticated:
            _renew_or_end(request, timezone.now())
        return self.get_response(request)


def _renew_or_end(request, now: datetime) -> None:
    session = request.session
    began = datetime.fromisoformat(session.setdefault("began", now.isoformat()))
    last_click = datetime.fromisoformat(session.setdefault("seen", now.isoformat()))
    if now - began > timedelta(hours=settings.SESSION_MAX_HOURS):
        logout(request)
    elif now - last_click > NOTE_EVERY:
        session["seen"] = now.isoformat()  # a changed session is saved, and its expiry starts again
