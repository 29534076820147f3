"""Sessions end by themselves: after half an hour without a click, and after twelve hours in any case."""

from datetime import datetime, timedelta

from django.contrib.auth import logout
from django.utils import timezone

MAX_AGE = timedelta(hours=12)
# A click this soon after the last noted one is not noted, so that most pages cost no write.
NOTE_EVERY = timedelta(minutes=5)


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
    if now - began > MAX_AGE:
        logout(request)
    elif now - last_click > NOTE_EVERY:
        session["seen"] = now.isoformat()  # a changed session is saved, and its expiry starts again
