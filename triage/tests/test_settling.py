"""Settling the list (六（五）): killed at any statement it ends the same; 500 registrations cost what few do, each."""

from contextlib import contextmanager
from datetime import date, datetime
from itertools import count

import pytest
import time_machine
from django.db import DatabaseError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from appointments.lifecycle import Stage
from appointments.models import Appointment
from sessions_app.models import ConsultDay, Seat
from triage import seating
from triage.tests.factories import appointment, assignment, officer
from zhoushan_consult.audit.models import Entry
from zhoushan_consult.bureau.models import Officer
from zhoushan_consult.bureau.roles import Role
from zhoushan_consult.clock import SHANGHAI
from zhoushan_consult.outbox.models import Notice

pytestmark = pytest.mark.django_db

SECOND = datetime(2026, 12, 2, 10, tzinfo=SHANGHAI)
FOR_ONE = 15
"""Statements that one firm may cost in settling: its stage, move, audit entry, the facts of its letter, and the shorter term."""


class Killed(DatabaseError):
    """What code sees of a connection that is gone."""


def killed_at(number: int):
    """A wrapper for statements that dies at the `number`-th, before the database hears of it."""
    seen = count(1)

    def execute(run, sql, params, many, context):
        if next(seen) == number:
            raise Killed
        return run(sql, params, many, context)

    return execute


def state() -> dict:
    """All that settling writes, without the keys, which differ in a second try."""
    return {
        "firms": sorted(Appointment.objects.values_list("uscc", "stage", "seat__number", "reply_due_on")),
        "seats": sorted(Seat.objects.values_list("number", "uscc", "offered_at", "reply_by"), key=str),
        "letters": sorted(Notice.objects.values_list("dedupe_key", flat=True)),
        "trail": sorted(Entry.objects.values_list("verb", "about_id", "at")),
        "day": list(ConsultDay.objects.values_list("settled_at", flat=True)),
    }


@contextmanager
def taken_back():
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def killed(number: int, day: ConsultDay, by: Officer, before: dict, undisturbed: dict) -> bool:
    """Settle, die at that statement, look, settle again, look. False once there are not so many statements."""
    with taken_back():
        try:
            with connection.execute_wrapper(killed_at(number)):
                seating.settle(day, by=by, at=SECOND)
            return False
        except Killed:
            assert state() == before, number
        seating.settle(day, by=by, at=SECOND)
        assert state() == undisturbed, number
        return True


def test_settling_killed_at_any_statement_can_be_repeated_with_the_same_result():
    by = officer(Role.COORDINATOR, "综合处")
    day = appointment(1, stage=Stage.ACCEPTED).day
    Seat.objects.filter(day=day, number__lte=8).delete()
    for number in (2, 3, 4):
        firm = appointment(number, stage=Stage.ACCEPTED)
        assignment(firm, "水处", by=by, due_on=date(2026, 12, 18))
    before = state()
    with taken_back():
        seating.settle(day, by=by, at=SECOND)
        undisturbed = state()
    points = next(n for n in count(1) if not killed(n, day, by, before, undisturbed))
    assert points > 40


# --- A month of 500 ---------------------------------------------------------------------------------------------------
def statements(act) -> int:
    with CaptureQueriesContext(connection) as found:
        act()
    return len(found)


def screen(browser, day) -> int:
    address = reverse("admin:sessions_app_consultday_change", args=[day.pk])
    with time_machine.travel(SECOND, tick=False):
        return statements(lambda: browser.get(address))


def test_settling_five_hundred_has_a_fixed_cost_per_registration(coordinator, signed_in):
    browser = signed_in(coordinator)
    day = _enter(range(1, 12), by=coordinator)
    screen(browser, day)
    few = screen(browser, day)
    _enter(range(12, 501), by=coordinator)
    assert screen(browser, day) == few
    spent = statements(lambda: seating.settle(day, by=coordinator, at=SECOND))
    assert spent < 500 * FOR_ONE
    assert Appointment.objects.filter(stage=Stage.SEATED).count() == 10
    assert Appointment.objects.filter(stage=Stage.DEFERRED).count() == 490
    assert screen(browser, day) <= few + 2


def _enter(numbers: range, *, by: Officer) -> ConsultDay:
    for number in numbers:
        firm = appointment(number, stage=Stage.ACCEPTED)
        assignment(firm, "水处", by=by, due_on=date(2026, 12, 18))
    return firm.day
