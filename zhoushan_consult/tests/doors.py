"""How the tests of the log-in act: a browser at a door, from an address, with a telephone."""

import re
from base64 import b32decode
from html import unescape

from django.test import Client
from django.utils import timezone
from django_otp.oath import TOTP

DOORS = ["/admin/login/", "/desk/login/"]
PASSWORD = "Correct-horse-7"
CODE, BIND, CODES = "/admin/second-factor/", "/admin/second-factor/bind/", "/admin/account/codes/"
CHANGE, ACCOUNT = "/admin/password_change/", "/admin/account/"


def browser_at(address: str = "198.51.100.1") -> Client:
    return Client(REMOTE_ADDR=address)


def enter(browser: Client, name: str, password: str = PASSWORD, door: str = DOORS[0], **more):
    return browser.post(door, {"username": name, "password": password} | more)


def is_in(browser: Client) -> bool:
    return browser.get("/desk/assignments/").status_code == 200


def code_of(key: str, steps: int = 0) -> str:
    """What a telephone with this secret shows now, or some steps of 30 seconds later."""
    totp = TOTP(b32decode(key))
    totp.time = timezone.now().timestamp() + 30 * steps
    return f"{totp.token():06d}"


def key_on(page) -> str:
    """The secret that the page of binding shows for typing."""
    return re.search(r'<p class="secret-key"[^>]*>([A-Z2-7 ]+)<', page.content.decode())[1].replace(" ", "")


def codes_on(page) -> list[str]:
    return re.findall(r"<li>([a-z0-9]{4}(?:-[a-z0-9]{4})+)</li>", page.content.decode())


def words_of(page) -> str:
    text = unescape(re.sub(r"<[^>]+>", "", page.content.decode().partition("<main")[2]))
    return re.sub(r"\s+", " ", text)


def bind(browser: Client, **more) -> tuple[str, list[str]]:
    """Bind a telephone, as the page says. Returns its secret, and the recovery codes."""
    key = key_on(browser.get(BIND))
    answer = browser.post(BIND, {"code": code_of(key)} | more)
    return key, codes_on(answer)
