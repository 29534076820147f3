"""Many at once, each in its own thread, on the database of the run: PostgreSQL in `make test`, or SQLite."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from threading import Barrier

import pytest
from django.db import connection

from appointments import booking
from appointments.lifecycle import Stage
from appointments.models import Appointment, IllegalMove
from sessions_app import seats
from sessions_app.days import day_on
from sessions_app.models import ConsultDay, Seat
from triage import calls, hearing, plan_changes, review, seating, standby
from triage.models import CallOutcome, DeclineReason, Hearing, Outcome, Review, RoutingTrace
from triage.rulebook import routing_traces
from triage.tests.factories import NOW, appointment, officer, released, seated
from zhoushan_consult.bureau.refusals import Refused
from zhoushan_consult.bureau.roles import Role
from zhoushan_consult.clock import SHANGHAI

pytestmark = [
    pytest.mark.django_db(transaction=True, serialized_rollback=True),
    pytest.mark.xdist_group("races"),  # one crowd at a time: the server has a hundred connections
]

SECOND = datetime(2026, 12, 2, 10, tzinfo=SHANGHAI)


def at_once(jobs) -> list:
    """Run each act in its own thread, all released together; what each returned, or the exception it raised."""
    gate = Barrier(len(jobs))

    def run(job):
        gate.wait()
        try:
            return job()
        except Exception as error:
            return error
        finally:
            connection.close()

    with ThreadPoolExecutor(len(jobs)) as pool:
        return list(pool.map(run, jobs))


def fresh(pk: int) -> Appointment:
    """The registration as this thread reads it."""
    return Appointment.objects.select_related("day", "seat").get(pk=pk)


@pytest.mark.parametrize("round_", range(20))
def test_thirty_simultaneous_firms_take_exactly_ten_seats(round_):
    firms = [appointment(n, stage=Stage.ACCEPTED) for n in range(1, 31)]
    results = at_once([lambda firm=firm: seating.seat_firm(firm, by=None, at=SECOND) for firm in firms])
    taken = [found for found in results if isinstance(found, Seat)]
    assert len(taken) == 10
    assert {type(found) for found in results if not isinstance(found, Seat)} == {seats.NoSeatLeft}
    assert Seat.objects.exclude(uscc=None).count() == 10
    assert Appointment.objects.filter(stage=Stage.SEATED).count() == 10


def test_screens_and_workers_that_judge_at_once_store_one_trace_of_each_text():
    firms = [appointment(n) for n in range(1, 6)]
    screens = [lambda: routing_traces.current_traces(firms, NOW)] * 6
    found = at_once(screens + [lambda: routing_traces.store_missing(NOW)] * 4)
    assert not [each for each in found if isinstance(each, Exception)]
    traces = {trace.appointment_id: trace for trace in RoutingTrace.objects.all()}
    assert RoutingTrace.objects.count() == len(traces) == 5
    assert all(shown == traces for shown in found[:6])


def test_simultaneous_acts_keep_seats_and_seated_firms_equal(coordinator):
    firms = [appointment(n, stage=Stage.ACCEPTED) for n in range(1, 21)]
    day = firms[0].day
    seating.settle(day, by=coordinator, at=SECOND)
    seated = list(Appointment.objects.filter(stage=Stage.SEATED).values_list("pk", flat=True))
    confirm = [lambda pk=pk: booking.confirm_seat(fresh(pk), at=SECOND) for pk in seated]
    leave = [lambda pk=pk: booking.give_up_seat(fresh(pk), at=SECOND) for pk in seated[:5]]
    fill = [lambda: seating.fill(day, at=SECOND)] * 5
    results = at_once(confirm + leave + fill)
    assert not [
        r for r in results if isinstance(r, Exception) and not isinstance(r, seats.SeatGone | IllegalMove)
    ]
    seating.fill(day, at=SECOND)
    held = set(Seat.objects.filter(day=day).exclude(uscc=None).values_list("uscc", flat=True))
    assert held == set(Appointment.objects.filter(stage=Stage.SEATED).values_list("uscc", flat=True))
    assert len(held) == 10


def test_second_of_two_simultaneous_decisions_is_refused_with_a_reason():
    firm = appointment(1)
    first, second = officer(Role.COORDINATOR, "综合处"), officer(Role.COORDINATOR, "综合处")
    call = calls.Call(CallOutcome.REACHED, "已说明")
    jobs = [
        lambda who=who: review.decline(
            fresh(firm.pk), DeclineReason.OUTSIDE, "", call, version=1, by=who, at=NOW
        )
        for who in (first, second)
    ]
    results = at_once(jobs)
    losers = [found for found in results if found is not None]
    assert len(losers) == 1
    assert isinstance(losers[0], IllegalMove)
    assert "已被他人处理" in str(losers[0])
    assert Review.objects.count() == 1


def test_form_sent_many_times_at_once_registers_once():
    firm = appointment(99)  # any clean numbers
    form = booking.Registration(
        "舟山测试水产有限公司", firm.uscc[:8] + "x", "人", "resident", "3309", "+8613800000000", "问"
    )
    results = at_once([lambda: booking.submit(form, key="one-key", at=NOW)] * 12)
    assert len({found.pk for found in results}) == 1


def test_simultaneous_forms_of_one_firm_leave_one_registration():
    form = booking.Registration(
        "舟山测试水产有限公司", "9" * 18, "人", "resident", "3309", "+8613800000000", "问"
    )
    results = at_once([lambda n=n: booking.submit(form, key=f"key-{n}", at=NOW) for n in range(12)])
    assert len([found for found in results if isinstance(found, Appointment)]) == 1
    assert {type(found) for found in results} == {Appointment, booking.AlreadyBooked}


@pytest.mark.parametrize("round_", range(5))
def test_cancellation_loses_no_firm_that_answers_at_the_same_time(round_, leader):
    """Two clicks of 局领导, ten firms that confirm or give up, five that register: each firm ends in one place."""
    firms = [seated(n) for n in range(1, 11)]
    day = firms[0].day
    acts = [booking.confirm_seat, booking.give_up_seat, booking.withdraw]
    jobs = [lambda: plan_changes.cancel(day_on(day.date), "台风", by=leader, at=SECOND)] * 2
    jobs += [lambda n=n, f=f: acts[n % 3](fresh(f.pk), at=SECOND) for n, f in enumerate(firms)]
    jobs += [lambda: seating.fill(day_on(day.date), at=SECOND)]
    results = at_once(jobs)
    assert all(found is None or isinstance(found, int | Refused) for found in results), results
    plan_changes.carry_latecomers(at=SECOND)
    assert ConsultDay.objects.get(pk=day.pk).is_cancelled
    assert not Seat.objects.filter(day=day).exclude(uscc=None).exists()
    for firm in map(fresh, (firm.pk for firm in firms)):
        carried = firm.day_id != day.pk and firm.stage == Stage.ACCEPTED and bool(firm.priority_since)
        left = firm.stage == Stage.WITHDRAWN or (firm.day_id == day.pk and not firm.wants_onsite)
        assert carried != left  # carried over, or off the list by its own click or because its offer lapsed


@pytest.mark.parametrize("same", [True, False], ids=["one firm twice", "two firms"])
@pytest.mark.parametrize("round_", range(5))
def test_simultaneous_calls_fill_a_freed_seat_once(coordinator, same, round_):
    tenth = datetime(2026, 12, 10, 9, tzinfo=SHANGHAI)
    firms = [seated(n, confirmed=True) for n in range(1, 11)]
    waiting = [appointment(n, stage=Stage.DEFERRED) for n in (11, 12)]
    hearing.conclude(firms[3], Outcome.ABSENT, "", [], by=coordinator, at=tenth)
    called = [waiting[0], waiting[0] if same else waiting[1]]
    results = at_once(
        [lambda pk=firm.pk: standby.call_in(fresh(pk), by=coordinator, at=tenth) for firm in called]
    )
    assert sorted(type(found).__name__ for found in results) in (
        ["NoSeatFreed", "Seat"],
        ["IllegalMove", "Seat"],
    )
    assert Seat.objects.exclude(uscc=None).count() == 10
    assert Appointment.objects.filter(stage=Stage.SEATED).count() == 10


LEAVES = {
    "withdraws": booking.withdraw,
    "gives up": booking.give_up_seat,
    "has enough": booking.written_reply_is_enough,
}


@pytest.mark.parametrize("leaves", LEAVES.values(), ids=LEAVES)
@pytest.mark.parametrize("round_", range(5))
def test_firm_that_signs_in_while_it_leaves_does_only_one_of_both(coordinator, leaves, round_):
    """At a quarter past eight on the day: the officer at the entrance, and a hand on the telephone."""
    morning = datetime(2026, 12, 10, 8, 15, tzinfo=SHANGHAI)
    firms = [seated(n, confirmed=True) for n in range(1, 7)]
    for firm in firms:
        released(firm, "水处", "可以。", by=coordinator)
    arrive = [lambda pk=f.pk: hearing.check_in(fresh(pk), by=coordinator, at=morning) for f in firms]
    leave = [lambda pk=f.pk: leaves(fresh(pk), at=morning) for f in firms]
    results = at_once([job for pair in zip(arrive, leave, strict=True) for job in pair])
    assert all(found is None or isinstance(found, Hearing | Refused) for found in results), results
    for firm in map(fresh, (firm.pk for firm in firms)):
        came = Hearing.objects.filter(appointment=firm).exists()
        assert came == (firm.stage == Stage.SEATED) == bool(firm.seat), firm.stage
        assert came == Seat.objects.filter(uscc=firm.uscc).exists()
