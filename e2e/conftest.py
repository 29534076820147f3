"""A real browser, the service, a worker that does what is due, and a clock that the test moves."""

import os
import shutil
from datetime import datetime

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect, sync_playwright

from e2e.processes import RESPONSE_TIMEOUT, DeploymentTemplate, Firm
from zhoushan_consult.tests.people import *  # noqa: F403

# Playwright runs an event loop in this thread, and Django would refuse every query. Nothing here is async.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
expect.set_options(timeout=10_000)


def pytest_collection_modifyitems(items):
    for item in items:
        if item.get_closest_marker("redis"):
            # Real processes with a database of their own: no browser, no test database of Django.
            continue
        item.add_marker(pytest.mark.browser)
        item.add_marker(pytest.mark.django_db(transaction=True, serialized_rollback=True))


@pytest.fixture(autouse=True)
def rows_of_migrations():
    """Replaces the fixture of the other tests: here the mark above does its work.

    As a fixture it would create the database before the browser. The event loop of the browser then gives this thread
    new connections, which do not know the rows to restore.
    """


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
    """Opens a new browser session: `visit(width=375, scripts=False)`. The test fails if a page logs an error."""
    contexts, errors = [], []

    def open_browser(width: int = 1280, scripts: bool = True) -> Page:
        context = chromium.new_context(
            base_url=live_server.url,
            viewport={"width": width, "height": 800},
            java_script_enabled=scripts,
            locale="zh-CN",
        )
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: errors.append(str(error)))
        return page

    yield open_browser
    for context in contexts:
        context.close()
    assert [text for text in errors if "the server responded with a status of 4" not in text] == []


@pytest.fixture
def clock(time_machine):
    """`clock("2026-11-20 10:00")` sets the time of Zhoushan for the whole service."""

    def move(text: str) -> datetime:
        time_machine.move_to(datetime.fromisoformat(f"{text}:00+08:00"))
        return timezone.now()

    return move


@pytest.fixture
def worker():
    """Does at once what beat and a worker would do within the next minutes."""
    from zhoushan_consult.duties.runner import run_due
    from zhoushan_consult.outbox.delivery import deliver_due

    def work() -> None:
        run_due(timezone.now())
        deliver_due(timezone.now())

    return work


@pytest.fixture(scope="session")
def template(tmp_path_factory):
    """The empty service from which each deployment is copied."""
    url = os.environ.get("DATABASE_URL") or os.environ.get("TEST_DATABASE_URL")
    template = DeploymentTemplate(tmp_path_factory.mktemp("template"), url)
    try:
        template.prepare()
        yield template
    finally:
        template.clear()


@pytest.fixture
def deployment(template, tmp_path):
    deployment = template.deployment(tmp_path / "var")
    yield deployment
    deployment.close()


@pytest.fixture
def firms(deployment, firm):
    """New firms: `firms(20)`, and then `firms(5, after=20)`."""
    return lambda count, after=0, patience=RESPONSE_TIMEOUT: [
        Firm(deployment, number, firm(number), patience) for number in range(after + 1, after + count + 1)
    ]
