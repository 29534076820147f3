"""A visitor without a network: requests go straight into a WSGI application, as a web server would hand them over."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from http.cookies import SimpleCookie
from io import BytesIO
from random import Random
from urllib.parse import urlencode

from zhoushan_consult.identity import samples

_TOKEN = re.compile(r'name="(csrfmiddlewaretoken|form_token)" value="([^"]+)"')


class Unexpected(Exception):
    """A page was not answered as it should be: what it costs would mean nothing."""


@dataclass(frozen=True)
class Request:
    """`path` with its query; the fields of a form make it a POST."""

    path: str
    form: dict[str, str] | None = None
    cookie: str = ""

    def environ(self) -> dict:
        path, _, query = self.path.partition("?")
        body = urlencode(self.form or {}).encode()
        return {
            "REQUEST_METHOD": "GET" if self.form is None else "POST",
            "SCRIPT_NAME": "",
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "SERVER_NAME": "localhost",
            "SERVER_PORT": "80",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "REMOTE_ADDR": "192.0.2.1",
            "HTTP_HOST": "localhost",
            "HTTP_COOKIE": self.cookie,
            "CONTENT_TYPE": "application/x-www-form-urlencoded" if body else "",
            "CONTENT_LENGTH": str(len(body)),
            "wsgi.url_scheme": "http",
            "wsgi.input": BytesIO(body),
        }


@dataclass(frozen=True)
class Answer:
    body: str
    cookie: str


def ask(site: Callable, request: Request, *, status: int = 200) -> Answer:
    """Send it and read the whole answer. Raises Unexpected for another status."""
    head: list = []
    answer = site(request.environ(), lambda *given: head.extend(given))
    body = b"".join(answer).decode()
    answer.close()  # Django ends the request here: it gives its connection back
    if not head[0].startswith(str(status)):
        raise Unexpected(f"{request.path} was answered {head[0]}: {body[:500]}")
    return Answer(body, _kept(head[1]))


def _kept(headers: list[tuple[str, str]]) -> str:
    """The cookies that were set, as the browser sends them back."""
    jar = SimpleCookie()
    for name, value in headers:
        if name == "Set-Cookie":
            jar.load(value)
    return "; ".join(f"{name}={cookie.value}" for name, cookie in jar.items())


def filled_in(site: Callable, number: int) -> Request:
    """The form of the `number`-th made-up firm, opened and filled in, ready to be sent."""
    opened = ask(site, Request("/register/"))
    rng = Random(number)
    form = {
        "enterprise_name": f"舟山测量{number}号水产有限公司",
        "uscc": samples.uscc(rng),
        "address": f"舟山市定海区测试路{number}号",
        "postcode": "316000",
        "contact_name": "测试人",
        "id_type": "resident",
        "id_number": samples.resident_id(rng),
        "phone": samples.mobile(rng).removeprefix("+86"),
        "email": f"firm{number}@example.com",
        "summary": "我公司水产加工废水拟接入市政污水管网，请问需要办理哪些手续？",
        "wants_onsite": "1",
        "agree_notice": "on",
        "agree_id_use": "on",
        "step": "submit",
    }
    return Request("/register/", form | dict(_TOKEN.findall(opened.body)), opened.cookie)
