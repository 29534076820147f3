"""Two years of 咨询日 with anything from no firm to forty: each firm that keeps asking is seated in its turn (六（五）：下次优先)."""

import random
from datetime import timedelta
from itertools import count
from math import ceil

import pytest

from appointments import booking
from appointments.lifecycle import Stage
from appointments.models import Appointment
from appointments.waiting_list import position, waiting
from sessions_app import calendar, policy
from sessions_app.days import day_on
from triage import seating
from triage.tests.factories import DAY, appointment

pytestmark = pytest.mark.django_db

DEMAND = (0, 3, 6, 8, 10, 12, 15, 40)
"""New firms in a month: on average a few more than there are seats."""
KEEP_ASKING = 0.7
SEED = 2


class Years:
    """The months one after another; `claims` are those who asked again, in the order of their first claim."""

    def __init__(self, seed: int, coordinator):
        self.rng, self.by, self.numbers = random.Random(seed), coordinator, count(1)
        self.claims: dict[int, int] = {}  # registration → sessions that it may still have to wait

    def month(self, day) -> None:
        closes = calendar.booking_closes(day)
        for _ in range(self.rng.choice(DEMAND)):
            number = next(self.numbers)
            at = closes - timedelta(days=9) + timedelta(minutes=number)
            appointment(number, on=day, stage=Stage.ACCEPTED, submitted_at=at)
        row = day_on(day)
        seating.settle(row, by=self.by, at=closes + timedelta(days=1))
        self.look(row)
        self.ask_again(row)

    def look(self, row) -> None:
        """The first ten claims sit, in their order; the others have one session less to wait."""
        seated = set(Appointment.objects.filter(day=row, stage=Stage.SEATED).values_list("pk", flat=True))
        claims = list(self.claims)
        assert [pk for pk in claims if pk in seated] == claims[: policy.SEATS]
        self.claims = {pk: left - 1 for pk, left in self.claims.items() if pk not in seated}
        assert all(left > 0 for left in self.claims.values())

    def ask_again(self, row) -> None:
        """In any order, at any time of the month: who asked before keeps its place before who asks first."""
        deferred = list(Appointment.objects.filter(day=row, stage=Stage.DEFERRED).select_related("day"))
        self.rng.shuffle(deferred)
        at = calendar.local_datetime(row.date)
        for firm in deferred:
            at += timedelta(minutes=1)
            if firm.pk in self.claims or self.rng.random() < KEEP_ASKING:
                booking.ask_for_seat_again(firm, at=at)
                self.claims.setdefault(firm.pk, 0)
        for firm in waiting(day_on(calendar.following(row.date))):
            self.claims[firm.pk] = self.claims[firm.pk] or ceil(position(firm) / policy.SEATS)


def test_firm_that_keeps_asking_is_seated_within_the_expected_sessions(coordinator):
    years, day, longest = Years(SEED, coordinator), DAY, 0
    for _ in range(24):
        years.month(day)
        longest = max([longest, *years.claims.values()])
        day = calendar.following(day)
    assert longest > 2  # else nothing was tried
