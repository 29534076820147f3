"""Two hundred at ten seats, an answer against a lapse, a list settled while firms leave: in threads, on the run's database.

Negative control: with the condition taken out of the UPDATE in `seats.take` (`filter(pk=pk)` without `uscc=None`), the
first test fails on PostgreSQL. The instants that threads seldom hit are tried in order in `test_allocation`.
"""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from threading import Barrier

import pytest
from django.db import connection

from appointments import booking, staff_entry
from appointments.lifecycle import Stage
from appointments.models import Appointment, Channel
from sessions_app import policy, seats
from sessions_app.models import ConsultDay, Seat
from triage import seating
from triage.tests.factories import DAY, appointment, officer, seated
from zhoushan_consult.bureau.refusals import Refused
from zhoushan_consult.bureau.roles import Role
from zhoushan_consult.clock import SHANGHAI
from zhoushan_consult.outbox.models import Notice

pytestmark = [
    pytest.mark.django_db(transaction=True, serialized_rollback=True),
    pytest.mark.xdist_group("races"),  # one crowd at a time: the server has a hundred connections
]

SECOND = datetime(2026, 12, 2, 10, tzinfo=SHANGHAI)
TOO_LATE = SECOND + policy.CONFIRM_WITHIN + timedelta(seconds=1)
THREADS = 40  # each with a connection of its own; a PostgreSQL server allows a hundred by default


def crowd(jobs) -> list:
    """Each act once, in THREADS threads released together; its result or the exception it raised."""
    gate = Barrier(min(THREADS, len(jobs)))
    shares = [jobs[start :: gate.parties] for start in range(gate.parties)]

    def run(share):
        gate.wait()
        try:
            return [outcome(job) for job in share]
        finally:
            connection.close()

    with ThreadPoolExecutor(gate.parties) as pool:
        return [found for results in pool.map(run, shares) for found in results]


def outcome(job):
    try:
        return job()
    except Exception as error:
        return error


def unexpected(results) -> list:
    return [found for found in results if isinstance(found, Exception) and not isinstance(found, Refused)]


def fresh(pk: int) -> Appointment:
    return Appointment.objects.select_related("day", "seat").get(pk=pk)


def take_and_confirm(firm: Appointment) -> Seat:
    seat = seating.seat_firm(firm, by=None, at=SECOND)
    booking.confirm_seat(fresh(firm.pk), at=SECOND)
    return seat


def whole(day: ConsultDay) -> bool:
    """Whether seats and firms say the same, and no seat has two."""
    held = Seat.objects.filter(day=day).exclude(uscc=None).values_list("pk", "uscc")
    said = Appointment.objects.filter(day=day, stage=Stage.SEATED).values_list("seat", "uscc")
    return sorted(held) == sorted(said)


def test_two_hundred_simultaneous_firms_take_exactly_ten_seats():
    firms = [appointment(n, stage=Stage.ACCEPTED) for n in range(1, 201)]
    results = crowd([lambda firm=firm: take_and_confirm(firm) for firm in firms])
    taken = [found for found in results if isinstance(found, Seat)]
    assert len(taken) == len({seat.number for seat in taken}) == 10
    assert {type(found) for found in results if not isinstance(found, Seat)} == {seats.NoSeatLeft}
    assert Seat.objects.exclude(confirmed_at=None).count() == 10
    assert whole(firms[0].day)
    assert Notice.objects.filter(kind="seat_confirmed", channel="sms").count() == 10


@pytest.mark.parametrize("round_", range(3))
def test_answer_at_the_moment_of_a_lapse_leaves_one_consistent_result(round_):
    firms = [seated(n, at=SECOND) for n in range(1, 11)]
    day = firms[0].day
    confirm = [lambda pk=firm.pk: booking.confirm_seat(fresh(pk), at=TOO_LATE) for firm in firms]
    leave = [lambda pk=firm.pk: booking.give_up_seat(fresh(pk), at=TOO_LATE) for firm in firms[::3]]
    results = crowd([*confirm, *leave, *[lambda: seating.let_lapse(day, at=TOO_LATE)] * 3])
    assert unexpected(results) == []
    assert whole(day)
    kept = Appointment.objects.filter(stage=Stage.SEATED)
    assert set(kept.values_list("seat__confirmed_at", flat=True)) <= {TOO_LATE}
    lost = Notice.objects.filter(kind="seat_lapsed", channel="page").values_list("about_id", flat=True)
    assert not {str(pk) for pk in kept.values_list("pk", flat=True)} & set(lost)


@pytest.mark.parametrize("round_", range(2))
def test_list_can_be_settled_while_firms_withdraw(round_):
    by = officer(Role.COORDINATOR, "综合处")
    firms = [appointment(n, stage=Stage.ACCEPTED) for n in range(1, 21)]
    day = firms[0].day
    leave = [lambda pk=firm.pk: booking.withdraw(fresh(pk), at=SECOND) for firm in firms[::2]]
    results = crowd([*leave[:5], lambda: seating.settle(day, by=by, at=SECOND), *leave[5:]])
    assert unexpected(results) == []
    settled = [found for found in results if isinstance(found, tuple)]
    assert len(settled) == 1
    assert whole(day)
    seating.fill(day, at=SECOND)
    assert whole(day)
    left = Appointment.objects.exclude(stage=Stage.WITHDRAWN).count()
    assert Appointment.objects.filter(stage=Stage.SEATED).count() == min(10, left)
    assert not Appointment.objects.filter(stage=Stage.ACCEPTED).exists()


@pytest.mark.parametrize("round_", range(2))
def test_late_entry_and_settling_exclude_each_other(round_):
    by = officer(Role.COORDINATOR, "综合处")
    day = appointment(1, stage=Stage.ACCEPTED).day
    form = booking.Registration(
        "舟山测试水产有限公司", "9" * 18, "人", "resident", "3309", "+8613800000000", "问"
    )
    source = booking.Source(Channel.PHONE, by, "来电")
    results = crowd(
        [
            lambda: seating.settle(day, by=by, at=SECOND),
            lambda: staff_entry.enter(form, key="k", day=DAY, source=source, at=SECOND),
        ]
    )
    assert unexpected(results) == []
    entered = Appointment.objects.filter(form_key="k").exists()
    assert bool(ConsultDay.objects.get(pk=day.pk).settled_at) != entered


def test_seats_added_at_once_get_different_numbers():
    leader, by = officer(Role.LEADER), officer(Role.COORDINATOR, "综合处")
    firms = [appointment(n, stage=Stage.ACCEPTED) for n in range(1, 15)]
    day = firms[0].day
    seating.settle(day, by=by, at=SECOND)
    results = crowd(
        [
            lambda pk=firm.pk: seating.add_seat(day, fresh(pk), "急需", by=leader, at=SECOND)
            for firm in firms[10:]
        ]
    )
    assert sorted(seat.number for seat in results) == [11, 12, 13, 14]
    assert whole(day)
