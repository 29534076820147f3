"""Seats and days (六（五）), row by row: each act touches one seat of one day, and the day it finds is the right one."""

from datetime import date, datetime, timedelta

import pytest
from django.db import connection

from sessions_app import calendar, seats
from sessions_app.days import (
    accepts_firms,
    day_on,
    first_not_cancelled,
    first_open_day,
    joining_date,
    joining_day,
    lock_day,
)
from sessions_app.models import ConsultDay, Plan, Seat
from zhoushan_consult.clock import SHANGHAI
from zhoushan_consult.tests.evidence import rows
from zhoushan_consult.tests.people import uscc

pytestmark = pytest.mark.django_db

AT = datetime(2026, 12, 3, 10, tzinfo=SHANGHAI)
LATER = AT + timedelta(hours=1)
TICK = timedelta(microseconds=1)
NOVEMBER, DECEMBER, JANUARY, FEBRUARY = (date(2026, 11, 10), date(2026, 12, 10), date(2027, 1, 10),
                                         date(2027, 2, 10))  # fmt: skip
MINE, THEIRS = uscc(1), uscc(2)
FREE = (None, None, None, None)


def at(text: str) -> datetime:
    return datetime.fromisoformat(f"2026-{text}:00+08:00")


def held_by(seat) -> tuple:
    return Seat.objects.values_list("uscc", "offered_at", "reply_by", "confirmed_at").get(pk=seat.pk)


@pytest.fixture
def day():
    """December, of which THEIRS holds the second seat; January, of which both hold one."""
    december, january = day_on(DECEMBER), day_on(JANUARY)
    for of_day, number, who in ((december, 2, THEIRS), (january, 1, THEIRS), (january, 2, MINE)):
        Seat.objects.filter(day=of_day, number=number).update(uscc=who, offered_at=AT, reply_by=LATER)
    return december


@pytest.fixture
def mine(day):
    return seats.take(day, MINE, at=AT)


@pytest.fixture
def told(mine):
    """The firm has read the offer: it has until 5 December, 10:00."""
    seats.start_term(mine, MINE, AT)
    return mine


@pytest.fixture
def theirs(day):
    return Seat.objects.get(day=day, uscc=THEIRS)


def others(*seats_) -> dict:
    return rows(ConsultDay, Seat, but=seats_)


# --- Taking ----------------------------------------------------------------------------------------------------------
def test_first_free_seat_of_the_day_is_taken_and_no_other_row(day):
    Seat.objects.get(day=day, number=1).delete()
    first = Seat.objects.create(day=day, number=1)  # the first by its number, the last by its key
    before = others(first)
    taken = seats.take(day, MINE, at=AT)
    assert taken == first
    assert held_by(taken) == (MINE, AT, None, None)
    assert others(first) == before


def test_taken_seat_is_passed_over(day, mine):
    assert seats.take(day, uscc(3), at=AT).number == 3


def test_seats_of_another_day_are_no_help_to_a_full_one(day):
    Seat.objects.filter(day=day).exclude(number=2).delete()
    before = rows()
    with pytest.raises(seats.NoSeatLeft, match="名额已满"):
        seats.take(day, MINE, at=AT)
    assert rows() == before


def test_added_seat_is_for_its_firm_alone(day):
    Seat.objects.filter(day=day).delete()
    extra = seats.add(day, MINE, reason="重点企业", at=AT)
    seats.release(extra, MINE)
    assert not seats.free_seats(day).exists()
    with pytest.raises(seats.NoSeatLeft):
        seats.take(day, THEIRS, at=AT)


def test_added_seat_has_the_next_number_of_its_day_and_its_reason(day):
    Seat.objects.create(day=day_on(JANUARY), number=40)
    before = others()
    extra = seats.add(day, MINE, reason="重点企业", at=AT)
    assert (extra.day, extra.number, extra.extra_reason) == (day, 11, "重点企业")
    assert held_by(extra) == (MINE, AT, None, None)
    assert others(extra) == before


def test_added_seat_of_a_day_without_seats_is_the_first():
    assert seats.add(ConsultDay.objects.create(date=FEBRUARY), MINE, reason="理由", at=AT).number == 1


def test_free_seats_are_those_of_the_day_that_no_firm_holds(day):
    assert list(seats.free_seats(day).order_by("number").values_list("number", flat=True)) == [
        1,
        *range(3, 11),
    ]


@pytest.mark.parametrize(
    ("told_at", "until"),
    [
        ("12-03 10:00", "12-05 10:00"),
        ("12-03 10:01", "12-05 11:00"),
        ("12-03 19:30", "12-05 20:00"),
        ("12-03 20:01", "12-06 08:00"),
        ("12-03 03:00", "12-05 08:00"),
        ("12-07 17:59", "12-09 18:00"),
        ("12-07 18:01", "12-09 18:00"),
        ("12-09 15:59", "12-09 18:00"),
        ("12-09 23:00", "12-09 18:00"),
    ],
)
def test_offer_stands_two_days_and_ends_at_a_whole_hour_by_day_or_on_the_eve(told_at, until):
    assert seats.reply_by(DECEMBER, at(told_at)) == at(until)


def test_no_seat_is_offered_in_the_two_hours_before_the_eve_ends(day):
    assert calendar.offers_end(day.date) == at("12-09 16:00")


# --- The term, from delivery -----------------------------------------------------------------------------------------
def test_term_begins_when_the_offer_has_reached_the_firm(mine):
    before = others(mine)
    seats.start_term(mine, MINE, at("12-04 15:10"))
    assert held_by(mine) == (MINE, AT, at("12-06 16:00"), None)
    assert others(mine) == before


@pytest.mark.parametrize(
    ("second", "until"), [("12-03 15:00", "12-05 15:00"), ("12-03 09:00", "12-05 10:00")]
)
def test_offer_told_in_two_ways_keeps_the_later_end(told, second, until):
    seats.start_term(told, MINE, at(second))
    assert held_by(told)[2] == at(until)


@pytest.mark.parametrize("act", [seats.suspend_term, lambda seat, who: seats.start_term(seat, who, LATER)])
def test_term_of_a_confirmed_seat_and_of_another_firm_stays(act, told, theirs):
    seats.confirm(told, MINE, at=LATER)
    before = rows()
    act(told, MINE)
    act(theirs, MINE)
    assert rows() == before


def test_term_has_not_begun_where_the_offer_did_not_arrive_after_all(told):
    before = others(told)
    seats.suspend_term(told, MINE)
    assert held_by(told) == (MINE, AT, None, None)
    assert others(told) == before


# --- Confirming, lapsing, giving back --------------------------------------------------------------------------------
def test_firm_confirms_its_own_seat_once(mine):
    before = others(mine)
    assert seats.confirm(mine, MINE, at=LATER) is True
    assert seats.confirm(mine, MINE, at=LATER + TICK) is False
    assert held_by(mine) == (MINE, AT, None, LATER)
    assert others(mine) == before


def lapse(seat, who, at=AT + timedelta(days=30)) -> bool:
    """Whether the unconfirmed seat could be taken back at `at`."""
    try:
        seats.release(seat, who, unconfirmed_at=at)
    except seats.SeatGone:
        return False
    return True


@pytest.mark.parametrize(
    "act",
    [lambda seat, who: seats.confirm(seat, who, at=LATER), seats.release],
    ids=["confirm", "release"],
)
def test_seat_of_another_firm_is_refused(act, mine, theirs):
    before = rows()
    with pytest.raises(seats.SeatGone, match="不在您名下"):
        act(theirs, MINE)
    with pytest.raises(seats.SeatGone):
        act(Seat.objects.get(day=mine.day, number=5), MINE)
    assert rows() == before


@pytest.mark.parametrize(("late", "lapsed"), [(timedelta(0), False), (TICK, True)])
def test_offer_lapses_after_its_last_instant(told, late, lapsed):
    before = others(told)
    assert lapse(told, MINE, AT + timedelta(hours=48) + late) is lapsed
    assert held_by(told) == (FREE if lapsed else (MINE, AT, AT + timedelta(hours=48), None))
    assert others(told) == before


@pytest.mark.parametrize(("late", "lapsed"), [(timedelta(0), False), (TICK, True)])
def test_offer_that_never_arrived_ends_on_the_eve(mine, late, lapsed):
    before = others(mine)
    assert lapse(mine, MINE, at("12-09 18:00") + late) is lapsed
    assert held_by(mine) == (FREE if lapsed else (MINE, AT, None, None))
    assert others(mine) == before


def test_confirmed_seat_and_the_seat_of_another_firm_do_not_lapse(mine, theirs):
    seats.confirm(mine, MINE, at=LATER)
    before = rows()
    assert lapse(mine, MINE) is False
    assert lapse(theirs, MINE) is False
    assert rows() == before


def test_seat_given_back_is_free_in_every_column(mine):
    seats.confirm(mine, MINE, at=LATER)
    before = others(mine)
    seats.release(mine, MINE)
    assert held_by(mine) == FREE
    assert others(mine) == before
    with pytest.raises(seats.SeatGone):
        seats.release(mine, MINE)


# --- Days ------------------------------------------------------------------------------------------------------------
def test_day_is_made_once_with_its_ten_seats():
    day = day_on(DECEMBER)
    assert [seat.number for seat in day.seats.order_by("number")] == list(range(1, 11))
    assert day_on(DECEMBER) == day
    assert day_on(JANUARY) != day
    assert Seat.objects.count() == 20


def test_day_that_is_there_is_given_no_seats_again():
    day = ConsultDay.objects.create(date=DECEMBER)
    assert day_on(DECEMBER) == day
    assert not day.seats.exists()


def test_day_that_another_makes_at_the_same_moment_is_given_no_seats_twice():
    made = []

    def meanwhile(execute, sql, params, many, context):
        found = execute(sql, params, many, context)
        if not made:
            made.append(sql)
            made.append(ConsultDay.objects.create(date=DECEMBER))
        return found

    with connection.execute_wrapper(meanwhile):
        assert day_on(DECEMBER) == made[-1]
    assert made[0].startswith("SELECT")
    assert not Seat.objects.exists()  # they are the other's to make


@pytest.mark.parametrize(
    ("changes", "when", "takes"),
    [
        ({}, "12-10 11:29", True),
        ({}, "12-10 11:30", False),
        ({"settled_at": AT}, "12-03 10:00", False),
        ({"plan": Plan.CANCELLED}, "12-03 10:00", False),
        ({"plan": Plan.PUBLISHED, "place": "厅"}, "12-03 10:00", True),
    ],
)
def test_day_takes_firms_until_it_is_settled_cancelled_or_over(changes, when, takes):
    day = day_on(DECEMBER)
    ConsultDay.objects.filter(pk=day.pk).update(**changes)
    assert accepts_firms(lock_day(day), at=at(when)) is takes


def test_held_day_is_read_as_it_stands_now():
    day, other = day_on(DECEMBER), day_on(JANUARY)
    ConsultDay.objects.filter(pk=day.pk).update(theme="新的")
    assert (lock_day(day).theme, lock_day(day).pk, lock_day(other).pk) == ("新的", day.pk, other.pk)


def settle(*dates):
    for day in dates:
        ConsultDay.objects.filter(pk=day_on(day).pk).update(settled_at=AT)


def cancel_days(*dates):
    for day in dates:
        ConsultDay.objects.filter(pk=day_on(day).pk).update(plan=Plan.CANCELLED)


def test_first_open_day_passes_over_settled_and_cancelled_ones():
    assert first_open_day(DECEMBER, at=AT).date == DECEMBER
    settle(DECEMBER)
    assert first_open_day(DECEMBER, at=AT).date == JANUARY
    cancel_days(JANUARY)
    assert first_open_day(DECEMBER, at=AT).date == FEBRUARY


def test_day_after_cancelled_ones_takes_their_place():
    settle(DECEMBER)
    assert first_not_cancelled(DECEMBER) == DECEMBER
    cancel_days(DECEMBER, JANUARY)
    assert (first_not_cancelled(NOVEMBER), first_not_cancelled(DECEMBER)) == (NOVEMBER, FEBRUARY)


def test_registration_joins_the_next_months_day_or_the_next_that_is_held():
    november = datetime(2026, 11, 20, 10, tzinfo=SHANGHAI)
    assert (joining_date(november), joining_day(november).date) == (DECEMBER, DECEMBER)
    cancel_days(DECEMBER)
    assert (joining_date(november), joining_day(november).date) == (JANUARY, JANUARY)
