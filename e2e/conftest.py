"""A real browser, the service behind it, a worker that does what is due, and a clock that can be moved."""

import os
import shutil
from datetime import datetime

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect, sync_playwright

from e2e.processes import ANSWER_WITHIN, Firm, Ground
from zhoushan_consult.tests.people import *  # noqa: F403

os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = (
    "true"  # Playwright keeps an event loop in this thread; nothing here is async
)
expect.set_options(timeout=10_000)


def pytest_collection_modifyitems(items):
    for item in items:
        if item.get_closest_marker("redis"):
            continue  # real processes with a database of their own: no browser, and nothing in Django's test database
        item.add_marker(pytest.mark.browser)
        item.add_marker(pytest.mark.django_db(transaction=True, serialized_rollback=True))


@pytest.fixture(autouse=True)
def rows_of_migrations():
    """Said by the mark above. As a fixture it would make the database before the browser, whose event loop gives this
    thread connections of their own, which know nothing of the rows to restore."""


@pytest.fixture(scope="session")
def chromium():
    found = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    assert found, "no chromium: set CHROMIUM to its path"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=found, args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        )
        yield browser
        browser.close()


@pytest.fixture
def visit(chromium, live_server):
    """Opens a browser of somebody's own: `visit(width=375, scripts=False)`. Fails on what a page says in its console."""
    contexts, complaints = [], []

    def open_browser(width: int = 1280, scripts: bool = True) -> Page:
        context = chromium.new_context(
            base_url=live_server.url,
            viewport={"width": width, "height": 800},
            java_script_enabled=scripts,
            locale="zh-CN",
        )
        contexts.append(context)
        page = context.new_page()
        page.on(
            "console", lambda message: complaints.append(message.text) if message.type == "error" else None
        )
        page.on("pageerror", lambda error: complaints.append(str(error)))
        return page

    yield open_browser
    for context in contexts:
        context.close()
    assert [text for text in complaints if "the server responded with a status of 4" not in text] == []


@pytest.fixture
def clock(time_machine):
    """`clock("2026-11-20 10:00")`: it is that moment in Zhoushan, for the whole service."""

    def move(text: str) -> datetime:
        time_machine.move_to(datetime.fromisoformat(f"{text}:00+08:00"))
        return timezone.now()

    return move


@pytest.fixture
def worker():
    """Does now what beat and a worker would do within the next minutes."""
    from zhoushan_consult.duties.runner import run_due
    from zhoushan_consult.outbox.delivery import deliver_due

    def work() -> None:
        run_due(timezone.now())
        deliver_due(timezone.now())

    return work


@pytest.fixture(scope="session")
def ground(tmp_path_factory):
    """What every house of real processes is built on."""
    url = os.environ.get("DATABASE_URL") or os.environ.get("TEST_DATABASE_URL")
    ground = Ground(tmp_path_factory.mktemp("ground"), url)
    try:
        ground.prepare()
        yield ground
    finally:
        ground.clear()


@pytest.fixture
def house(ground, tmp_path):
    house = ground.house(tmp_path / "var")
    yield house
    house.close()


@pytest.fixture
def firms(house, firm):
    """Firms that have not come yet: `firms(20)`, and afterwards `firms(5, after=20)`."""
    return lambda count, after=0, patience=ANSWER_WITHIN: [
        Firm(house, number, firm(number), patience) for number in range(after + 1, after + count + 1)
    ]
