"""Every page that a role can reach by links is Chinese, fits the screen, is accessible and obeys the CSP."""

import re
import sqlite3
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings
from django.core.management import call_command
from django.db import connection
from playwright.sync_api import Page

from appointments.models import Appointment
from zhoushan_consult.bureau.models import Officer

PAGES_OF_A_ROLE = 16
OFFICERS = {"zonghe": "/admin/", "juling": "/admin/", "xitong": "/admin/", "shuichu": "/desk/", "daqichu2": "/desk/",
            "bangongshi": "/desk/", "putuofenju": "/desk/"}  # fmt: skip
# Names of substances, works, standards and numbers that the trade writes in Latin letters, and what people typed. The
# name of a standard needs its number: "GB 8978-1996", "HJ/T 91-2002". A bare "GB" would be a unit that nothing translated.
STANDARD = r"(?<![A-Za-z])(?:GB|HJ|DB\d{2})(?:/[TZ])? ?\d{2,5}(?:\.\d+)?-\d{4}(?!\d)"
TRADE = re.compile(
    STANDARD
    + r"|VOCs|RTO|COD|PDF|ICP|A4|SO|NO|CT|HW(?=\d)|[A-Z0-9]{2,4}(?:-[A-Z0-9]{2,4}){2,3}|\b9133\w+|[\w.*]+@[\w.]+|https?://\S+"
)
LATIN = re.compile(r"[A-Za-z]{2,}")


@pytest.fixture(scope="session")
def seeded():
    """Fills the empty database with the demonstration month, and returns the password of its officers.

    Its acts take seconds. So they are done once, and the other tests get a copy of the file.
    """
    copy = sqlite3.connect(":memory:", check_same_thread=False)
    password = ""

    def seed() -> str:
        nonlocal password
        connection.ensure_connection()
        if password and connection.vendor == "sqlite":
            copy.backup(connection.connection)
        else:
            call_command("seed_demo", verbosity=0)
            password = Path(settings.VAR_DIR, "logins.txt").read_text().split("\n")[0].split("\t")[3]
            if connection.vendor == "sqlite":
                connection.connection.backup(copy)
        return password

    yield seed
    copy.close()


@pytest.fixture
def demo(clock, seeded):
    clock("2026-11-22 15:00")
    return seeded()


def crawl(page: Page, start: str) -> list[str]:
    """The paths that links reach from `start`, breadth first, one of each kind of address."""
    seen, waiting, kinds = [], [start], set()
    while waiting and len(seen) < PAGES_OF_A_ROLE:
        path = waiting.pop(0)
        kind = re.sub(r"\d+|=[^&]*", "#", path)
        if path in seen or kind in kinds:
            continue
        kinds.add(kind)
        page.goto(path)
        judge(page, path)
        seen.append(path)
        hrefs = page.eval_on_selector_all("a[href]", "links => links.map(link => link.href)")
        waiting += [address(href) for href in hrefs if is_ours(href, page.url)]
    return seen


def address(href: str) -> str:
    parts = urlsplit(href)
    return parts.path + (f"?{parts.query}" if parts.query else "")


def is_ours(href: str, here: str) -> bool:
    parts = urlsplit(href)
    return (
        parts.netloc == urlsplit(here).netloc
        and not parts.path.endswith((".pdf", "/logout/"))
        and "/static/" not in parts.path
    )


def settle(page: Page) -> None:
    """Wait until the style sheet and the fonts are there.

    A text is visible before them, and a page measured then has the browser's own sizes.
    """
    page.wait_for_load_state("load")
    page.evaluate("document.fonts.ready.then(() => true)")


def overflow(page: Page) -> int:
    """By how many pixels the page is wider than the screen."""
    return page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")


def judge(page: Page, path: str) -> None:
    """What must hold for every page and every visitor."""
    settle(page)
    text = page.inner_text("body") + page.title()
    values = page.eval_on_selector_all(
        "[placeholder],[alt],[aria-label]",
        "all => all.map(e => [e.placeholder, e.alt, e.ariaLabel].join(' '))",
    )
    # Secrets that a person types into a telephone, or keeps: no words of any language.
    for secret in page.locator("[translate=no]").all_inner_texts():
        text = text.replace(secret, "")
    strange = LATIN.findall(TRADE.sub("", text + " ".join(values)))
    known = set(Officer.objects.values_list("username", flat=True))
    assert [word for word in strange if word not in known] == [], path
    assert overflow(page) <= 0, f"{path} is {overflow(page)} px wider than the screen"
    if page.viewport_size["width"] == 320:  # the same page at 375 px has been judged by then
        return
    violations = Axe().run(page).response["violations"]
    assert [(v["id"], [node["target"] for node in v["nodes"]][:3]) for v in violations] == [], path


def look_up(page: Page, firm: Appointment) -> None:
    page.goto("/status/")
    page.get_by_label("受理编号").fill(firm.reference)
    page.get_by_label("联系电话").fill(firm.phone_number)
    page.get_by_role("button", name="查询").click()
    page.get_by_text("办理经过").wait_for()


@pytest.mark.parametrize("width", [1280, 375])
@pytest.mark.parametrize("who", OFFICERS)
def test_pages_are_fit_for_every_officer(who, width, visit, demo):
    page = visit(width=width)
    start = OFFICERS[who]
    page.goto(start)
    page.get_by_label("用户名").fill(who)
    page.get_by_label("密码").fill(demo)
    page.get_by_role("button", name="登录").click()
    page.wait_for_url(lambda url: "login" not in url)
    assert len(crawl(page, start)) > 3


@pytest.mark.parametrize("width", [1280, 375, 320])
def test_pages_are_fit_for_a_firm(width, visit, demo):
    page = visit(width=width)
    assert len(crawl(page, "/")) >= 7
    for stage in ("submitted", "accepted", "deferred", "following", "closed", "declined"):
        firm = Appointment.objects.filter(stage=stage).first()
        look_up(page, firm)
        judge(page, f"/status/ of {stage}")
        page.get_by_role("button", name="退出查询").click()
    for path in ("/receipt/{}/", "/receipt/{}/form/"):
        page.goto(path.format(firm.receipt_token))
        judge(page, path)


def test_forms_fit_a_phone_before_the_style_sheet_has_come(visit, demo):
    page = visit(width=320)
    page.route("**/site*.css", lambda route: route.fulfill(body="", content_type="text/css"))
    page.goto("/register/")
    settle(page)
    assert overflow(page) <= 0
    for stage in ("following", "closed"):
        look_up(page, Appointment.objects.filter(stage=stage).first())
        settle(page)
        assert overflow(page) <= 0, stage
        page.get_by_role("button", name="退出查询").click()


def test_pages_in_large_print_are_fit_on_a_phone(visit, demo):
    page = visit(width=375)
    page.goto("/")
    page.get_by_role("button", name="长辈版").click()
    for path in ("/", "/register/", "/status/", "/help/"):
        page.goto(path)
        judge(page, f"长辈版 {path}")
