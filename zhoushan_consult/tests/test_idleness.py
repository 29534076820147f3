"""An officer who leaves the computer is signed out (bureau/session_limits.py)."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from zhoushan_consult.bureau.roles import Role

pytestmark = pytest.mark.django_db
WORK = "/desk/assignments/"


@pytest.fixture
def at_work(signed_in, officer, time_machine):
    time_machine.move_to("2026-11-20T08:00:00+08:00", tick=False)
    browser = signed_in(officer(Role.HANDLER, "水处"))
    browser.get(WORK)
    return browser


def is_in(browser) -> bool:
    return browser.get(WORK).status_code == 200


def test_officer_is_signed_out_after_half_an_hour_without_a_click(at_work, time_machine):
    time_machine.shift(31 * 60)
    assert not is_in(at_work)


def test_busy_officer_stays_signed_in(at_work, time_machine):
    for _ in range(10):
        time_machine.shift(20 * 60)
        assert is_in(at_work)


def test_busy_officer_is_signed_out_after_twelve_hours(at_work, time_machine):
    for _ in range(12 * 3):
        time_machine.shift(20 * 60)
        at_work.get(WORK)
    time_machine.shift(60)
    assert not is_in(at_work)


def test_click_soon_after_another_writes_nothing(at_work):
    with CaptureQueriesContext(connection) as asked:
        at_work.get(WORK)
    assert not [query for query in asked.captured_queries if query["sql"].startswith(("UPDATE", "INSERT"))]
