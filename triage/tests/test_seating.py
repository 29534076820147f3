"""现场名单 (六（五）): ten firms, priority first, the rest deferred; a seat given up goes to the next in line."""

from datetime import date, datetime, timedelta

import pytest

from appointments import booking
from appointments.facts import NotOpen
from appointments.lifecycle import Stage
from appointments.models import Appointment
from sessions_app import calendar
from sessions_app.models import Seat
from triage import hearing, seating
from triage.models import Outcome
from triage.tests.factories import DAY, NOW, appointment, deliver, officer, seated
from zhoushan_consult.bureau.models import NotAllowed
from zhoushan_consult.bureau.roles import Role
from zhoushan_consult.clock import SHANGHAI
from zhoushan_consult.outbox.models import Notice

pytestmark = pytest.mark.django_db

SECOND = datetime(2026, 12, 2, 10, tzinfo=SHANGHAI)


def accepted(count: int, **columns) -> list[Appointment]:
    return [appointment(n, stage=Stage.ACCEPTED, handled_by="水处", **columns) for n in range(1, count + 1)]


def stages(firms) -> list[str]:
    return [Appointment.objects.get(pk=firm.pk).stage for firm in firms]


def test_list_seats_ten_and_defers_the_rest(coordinator):
    firms = accepted(12)
    assert seating.settle(firms[0].day, by=coordinator, at=SECOND) == (10, 2)
    assert stages(firms) == [Stage.SEATED] * 10 + [Stage.DEFERRED] * 2
    assert Notice.objects.filter(kind="seat_offered", channel="sms").count() == 10
    assert Notice.objects.filter(kind="deferred", channel="page").count() == 2


def test_list_seats_priority_first_then_by_time(coordinator):
    firms = accepted(12)
    Appointment.objects.filter(pk=firms[11].pk).update(priority_since=NOW)
    seating.settle(firms[0].day, by=coordinator, at=SECOND)
    assert stages(firms) == [Stage.SEATED] * 9 + [Stage.DEFERRED] * 2 + [Stage.SEATED]


def test_list_leaves_out_firms_that_asked_for_a_written_reply(coordinator):
    firms = accepted(3)
    written = appointment(20, stage=Stage.ACCEPTED, wants_onsite=False)
    assert seating.settle(firms[0].day, by=coordinator, at=SECOND) == (3, 0)
    assert stages([written]) == [Stage.ACCEPTED]


def test_list_is_settled_only_once(coordinator):
    firms = accepted(2)
    seating.settle(firms[0].day, by=coordinator, at=SECOND)
    with pytest.raises(seating.AlreadySettled):
        seating.settle(firms[0].day, by=coordinator, at=SECOND)


def test_list_waits_for_the_cutoff_and_the_review(coordinator):
    day = accepted(1)[0].day
    with pytest.raises(seating.NotYetClosed, match="11月30日"):
        seating.settle(day, by=coordinator, at=NOW)
    appointment(5)
    with pytest.raises(seating.StillToReview, match="1 条"):
        seating.settle(day, by=coordinator, at=SECOND)


def test_given_up_seat_is_offered_once_to_the_next_in_line(coordinator):
    firms = accepted(12)
    seating.settle(firms[0].day, by=coordinator, at=SECOND)
    firms[3].refresh_from_db()
    booking.give_up_seat(firms[3], at=SECOND + timedelta(hours=1))
    later = SECOND + timedelta(hours=2)
    assert seating.fill(firms[0].day, at=later) == 1
    assert seating.fill(firms[0].day, at=later) == 0
    assert stages(firms[10:]) == [Stage.SEATED, Stage.DEFERRED]
    assert stages([firms[3]]) == [Stage.ACCEPTED]


def test_unconfirmed_seat_passes_to_the_next_in_line(coordinator):
    firms = accepted(11)
    seating.settle(firms[0].day, by=coordinator, at=SECOND)
    deliver(SECOND)
    for firm in firms[1:10]:
        firm.refresh_from_db()
        booking.confirm_seat(firm, at=SECOND)
    seating.fill(firms[0].day, at=SECOND + timedelta(hours=49))
    assert stages([firms[0], firms[10]]) == [Stage.ACCEPTED, Stage.SEATED]
    assert Notice.objects.filter(kind="seat_lapsed", channel="page").count() == 1


def test_free_seat_is_not_offered_on_the_eve(coordinator):
    firms = accepted(11)
    seating.settle(firms[0].day, by=coordinator, at=SECOND)
    firms[0].refresh_from_db()
    eve = datetime(2026, 12, 9, 20, tzinfo=SHANGHAI)
    booking.give_up_seat(firms[0], at=eve)
    for firm in firms[1:10]:
        firm.refresh_from_db()
        Seat.objects.filter(pk=firm.seat.pk).update(confirmed_at=SECOND)
    assert seating.fill(firms[0].day, at=eve) == 0
    assert stages([firms[10]]) == [Stage.DEFERRED]


def test_only_局领导_adds_an_eleventh_seat(coordinator, leader):
    firms = accepted(11)
    seating.settle(firms[0].day, by=coordinator, at=SECOND)
    firms[10].refresh_from_db()
    with pytest.raises(NotAllowed):
        seating.add_seat(firms[0].day, firms[10], "急需", by=coordinator, at=SECOND)
    seat = seating.add_seat(firms[0].day, firms[10], "停产整改，急需当面指导", by=leader, at=SECOND)
    assert (seat.number, seat.uscc) == (11, firms[10].uscc)


def test_deferred_firm_that_asks_again_is_seated_the_next_month(coordinator):
    """A year of thirteen firms a month: each deferred firm that asks again is seated the next month."""
    day, number = DAY, 0
    for month in range(12):
        now = calendar.booking_closes(day) - timedelta(days=5)
        for _ in range(13):
            number += 1
            appointment(number, on=day, stage=Stage.ACCEPTED, submitted_at=now + timedelta(minutes=number))
        waited = list(Appointment.objects.filter(day__date=day, priority_since__isnull=False))
        assert len(waited) == (3 if month else 0)
        row = Appointment.objects.filter(day__date=day).first().day
        seating.settle(row, by=coordinator, at=calendar.local_datetime(day.replace(day=2)))
        assert stages(waited[:10]) == [Stage.SEATED] * min(len(waited), 10)
        for firm in Appointment.objects.filter(day=row, stage=Stage.DEFERRED)[:3]:
            booking.ask_for_seat_again(firm, at=calendar.local_datetime(day.replace(day=6)))
        day = calendar.following(day)


def test_priority_moves_to_the_registration_the_firm_already_has():
    deferred = appointment(1, stage=Stage.DEFERRED)
    newer = appointment(2, on=date(2027, 1, 10), uscc=deferred.uscc)
    booking.ask_for_seat_again(deferred, at=SECOND)
    newer.refresh_from_db()
    assert newer.priority_since == SECOND
    assert stages([deferred]) == [Stage.ACCEPTED]
    assert not Appointment.objects.get(pk=deferred.pk).wants_onsite


def test_division_cannot_settle_the_list():
    day = accepted(1)[0].day
    with pytest.raises(NotAllowed):
        seating.settle(day, by=officer(Role.HANDLER, "水处"), at=SECOND)


def test_no_seat_is_added_while_one_is_free(leader):
    firm = accepted(1)[0]
    seating.settle(firm.day, by=officer(Role.COORDINATOR, "综合处"), at=SECOND)
    waits = appointment(2, stage=Stage.DEFERRED)
    with pytest.raises(NotOpen, match="还有空余名额"):
        seating.add_seat(waits.day, waits, "急需", by=leader, at=SECOND)


def test_no_check_in_or_outcome_is_recorded_before_the_day(coordinator):
    firm = seated(1, confirmed=True)
    with pytest.raises(NotOpen, match="12月10日"):
        hearing.check_in(firm, by=coordinator, at=SECOND)
    with pytest.raises(NotOpen):
        hearing.conclude(firm, Outcome.ABSENT, "", [], by=coordinator, at=SECOND)
