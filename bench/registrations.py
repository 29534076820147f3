"""Two bureaus on the second of December: one with a few registrations, one with twenty times as many."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache

import time_machine
from django.conf import settings
from django.db import transaction
from django.test import Client

from appointments.lifecycle import Stage
from sessions_app import calendar
from triage.tests.factories import DAY, appointment, assignment, officer
from zhoushan_consult.bureau.models import Officer
from zhoushan_consult.bureau.roles import Role

from .environment import Ground

SECOND = datetime(2026, 12, 2, 10, tzinfo=calendar.SHANGHAI)  # when 综合处 settles the list of the 10th
NEXT = calendar.following(DAY)
TERM = date(2026, 12, 18)


@dataclass(frozen=True)
class Bureau:
    """`month` registrations wait for the list of December; `in_all` with those of other months."""

    name: str
    month: int
    in_all: int


FEW, MANY = Bureau("few", 50, 100), Bureau("many", 500, 2_000)
BUREAUS = (FEW, MANY)


@contextmanager
def on_the_second() -> Iterator[None]:
    """The same work whatever the day of the run: the clock stands still."""
    with time_machine.travel(SECOND, tick=False):
        yield


@cache
def signed_in(ground: Ground) -> dict[str, str]:
    """Both bureaus, each in the database of its name; the cookies by which 综合处 is signed in there."""
    return {bureau.name: _founded(ground, bureau) for bureau in BUREAUS}


@transaction.atomic
def _fill(bureau: Bureau, by: Officer) -> None:
    """Accepted ones for December; the others are closed, of this year, or wait for 初审, for January."""
    for number in range(bureau.in_all):
        if number < bureau.month:
            firm = appointment(number, stage=Stage.ACCEPTED)
            assignment(firm, "水处", by=by, due_on=TERM)
        elif number % 2:
            appointment(number, stage=Stage.CLOSED, on=calendar.consult_date(2026, number % 11 + 1))
        else:
            appointment(number, stage=Stage.SUBMITTED, on=NEXT)


def _founded(ground: Ground, bureau: Bureau) -> str:
    ground.make(bureau.name)
    by = officer(Role.COORDINATOR, "综合处")
    _fill(bureau, by)
    browser = Client()
    browser.force_login(by, backend="django.contrib.auth.backends.ModelBackend")
    return f"{settings.SESSION_COOKIE_NAME}={browser.cookies[settings.SESSION_COOKIE_NAME].value}"
