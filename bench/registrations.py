"""Two datasets on 2 December: one with a few registrations, one with twenty times as many."""

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
from zhoushan_consult.clock import SHANGHAI

from .environment import BenchEnvironment

# When 综合处 settles the list of the 10th.
NOW = datetime(2026, 12, 2, 10, tzinfo=SHANGHAI)
NEXT = calendar.following(DAY)
REPLY_DUE = date(2026, 12, 18)


@dataclass(frozen=True)
class Dataset:
    """`month` registrations wait for the list of December. `in_all` also counts those of other months."""

    name: str
    month: int
    in_all: int


FEW, MANY = Dataset("few", 50, 100), Dataset("many", 500, 2_000)
DATASETS = (FEW, MANY)


@contextmanager
def frozen_clock() -> Iterator[None]:
    """The clock stands still, so that the work is the same on every day."""
    with time_machine.travel(NOW, tick=False):
        yield


@cache
def session_cookies(environment: BenchEnvironment) -> dict[str, str]:
    """Create both datasets, each in the database of its name. Returns the session cookies of 综合处 there."""
    return {dataset.name: _create(environment, dataset) for dataset in DATASETS}


@transaction.atomic
def _fill(dataset: Dataset, by: Officer) -> None:
    """Accepted registrations for December. Half of the others are closed, half wait for 初审 for January."""
    for number in range(dataset.in_all):
        if number < dataset.month:
            firm = appointment(number, stage=Stage.ACCEPTED)
            assignment(firm, "水处", by=by, due_on=REPLY_DUE)
        elif number % 2:
            appointment(number, stage=Stage.CLOSED, on=calendar.consult_date(2026, number % 11 + 1))
        else:
            appointment(number, stage=Stage.SUBMITTED, on=NEXT)


def _create(environment: BenchEnvironment, dataset: Dataset) -> str:
    environment.create_database(dataset.name)
    by = officer(Role.COORDINATOR, "综合处")
    _fill(dataset, by)
    browser = Client()
    browser.force_login(by, backend="django.contrib.auth.backends.ModelBackend")
    return f"{settings.SESSION_COOKIE_NAME}={browser.cookies[settings.SESSION_COOKIE_NAME].value}"
