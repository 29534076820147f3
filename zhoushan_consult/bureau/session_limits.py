"""An officer who walks away is signed out: after half an hour without a click, and after twelve hours in any case."""

from datetime import datetime, timedelta

from django.contrib.auth import logout
from django.utils import timezone

LONGEST = timedelta(hours=12)
GRAIN = timedelta(minutes=5)  # a click within it is not written down anew: most pages then cost no write


class EndIdleSessions:
    """Keeps the session of a busy officer awake (it sleeps by SESSION_COOKIE_AGE), and ends one that is too old."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        if request.user.is_authenticated:
            _note(request, timezone.now())
        return self.get_response(request)


def _note(request, now: datetime) -> None:
    session = request.session
    began = datetime.fromisoformat(session.setdefault("began", now.isoformat()))
    seen = datetime.fromisoformat(session.setdefault("seen", now.isoformat()))
    if now - began > LONGEST:
        logout(request)
    elif now - seen > GRAIN:
        session["seen"] = now.isoformat()
