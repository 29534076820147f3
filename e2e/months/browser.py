"""One person's browser: it keeps its cookies, follows redirects, and reports every answer."""

from collections.abc import Callable
from datetime import datetime, timedelta
from urllib.parse import urljoin, urlsplit

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.test import Client

from .clock import Clock
from .pages import Data, Page

MAX_REDIRECTS = 4
# A session ends after half an hour without a click.
SIGNED_IN_FOR = timedelta(minutes=28)
# To where the screens of admin and desk lead back after an act that was done.
DONE = "#main"
LOGIN = ("/admin/login/", "/desk/login/")


class Browser:
    """`on_answer` sees every answer. With an `officer`, it signs in when a page asks for that."""

    def __init__(self, clock: Clock, address: str, on_answer: Callable[[Page], None], officer=None):
        self.clock, self.on_answer, self.officer = clock, on_answer, officer
        self._last: datetime | None = None
        self.client = Client(raise_request_exception=False, enforce_csrf_checks=True, REMOTE_ADDR=address)

    def get(self, url: str) -> Page:
        self._stay_signed_in()
        return self._follow(url, self.client.get(url.partition("#")[0]))

    def post(self, url: str, data: Data, *, follow: bool = True) -> Page:
        """The page on which the person then stands. Without `follow`, a redirect that says done is not opened."""
        self._stay_signed_in()
        fields: dict[str, list[str]] = {}
        for name, value in data:
            fields.setdefault(name, []).append(value)
        response = self.client.post(url, fields)
        if not follow and response.get("Location", "").endswith(DONE):
            self.client.cookies.pop("messages", None)
            return self._page(url, response)
        return self._follow(url, response)

    def sign_in(self) -> None:
        # The login page has tests of its own; here it, and what is written at each login, would be half of the work.
        session = self.client.session
        session.clear()
        session[SESSION_KEY] = str(self.officer.pk)
        session[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
        session[HASH_SESSION_KEY] = self.officer.get_session_auth_hash()
        session.save()
        self.client.cookies[settings.SESSION_COOKIE_NAME] = session.session_key

    def _stay_signed_in(self) -> None:
        if self.officer and (self._last is None or self.clock.now - self._last > SIGNED_IN_FOR):
            self.sign_in()
        self._last = self.clock.now

    def _follow(self, url: str, response) -> Page:
        for _ in range(MAX_REDIRECTS):
            page = self._page(url, response)
            self.on_answer(page)
            if not response.has_header("Location"):
                return page
            url = urljoin(url, response["Location"])
            if self.officer and urlsplit(url).path in LOGIN:
                self.sign_in()
                url = page.url
            response = self.client.get(url.partition("#")[0])
        return self._page(url, response)

    def _page(self, url: str, response) -> Page:
        exception = response.exc_info[1] if getattr(response, "exc_info", None) else None
        content = b"" if response.streaming else response.content
        if not response.get("Content-Type", "text/html").startswith("text/html"):
            content = b""
        return Page(url, response.status_code, content, self.clock.now, exception)
