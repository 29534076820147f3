"""A client without a network: it calls a WSGI application directly, as a web server would."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from http.cookies import SimpleCookie
from io import BytesIO
from random import Random
from urllib.parse import urlencode

from zhoushan_consult.identity import samples

_TOKEN = re.compile(r'name="(csrfmiddlewaretoken|form_token)" value="([^"]+)"')


class UnexpectedResponse(Exception):
    """A page had another status than expected, so its time would mean nothing."""


@dataclass(frozen=True)
class Request:
    """A request to `path`, which may have a query. With the fields of a form it is a POST."""

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
class Response:
    body: str
    cookie: str


def send(site: Callable, request: Request, *, status: int = 200) -> Response:
    """Send the request and read the whole response. Raises UnexpectedResponse for another status."""
    head: list = []
    result = site(request.environ(), lambda *status_and_headers: head.extend(status_and_headers))
    body = b"".join(result).decode()
    # Django ends the request here, and gives its connection back.
    result.close()
    if not head[0].startswith(str(status)):
        raise UnexpectedResponse(f"{request.path} was answered {head[0]}: {body[:500]}")
    return Response(body, _cookies(head[1]))


def _cookies(headers: list[tuple[str, str]]) -> str:
    """The Cookie header that sends back the cookies of a response."""
    jar = SimpleCookie()
    for name, value in headers:
        if name == "Set-Cookie":
            jar.load(value)
    return "; ".join(f"{name}={cookie.value}" for name, cookie in jar.items())


def filled_form(site: Callable, number: int) -> Request:
    """The registration form of the synthetic firm `number`: page, filled in and ready to send."""
    page = send(site, Request("/register/"))
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
    return Request("/register/", form | dict(_TOKEN.findall(page.body)), page.cookie)
