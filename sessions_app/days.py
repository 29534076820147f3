"""The row of a 咨询日 with its ten seats: found, made on first use, and locked while its list is changed."""

from datetime import date, datetime

from django.db import transaction

from . import calendar, policy
from .models import ConsultDay, Plan, Seat


def day_on(day: date) -> ConsultDay:
    """The ConsultDay of `day` with its seats (三, 六（五）); made on first use. Two callers at once get the same row."""
    return ConsultDay.objects.filter(date=day).first() or _make(day)


def accepts_firms(day: ConsultDay, *, at: datetime) -> bool:
    """Whether a firm can still join the list of `day`: not settled, not over, not cancelled."""
    return not (day.settled_at or day.plan == Plan.CANCELLED or at >= calendar.ends_at(day.date))


def lock_day(day: ConsultDay) -> ConsultDay:
    """The row as it stands now, locked until the caller's transaction ends: no list is settled or filled meanwhile."""
    # NO KEY: a booking inserts a foreign key to this row, and must not wait for the lock.
    return ConsultDay.objects.select_for_update(no_key=True).get(pk=day.pk)


def first_open_day(first: date, *, at: datetime) -> ConsultDay:
    """The first 咨询日 from `first` on whose list is open to firms, locked. Runs in the caller's transaction."""
    day = lock_day(day_on(first))
    return day if accepts_firms(day, at=at) else first_open_day(calendar.following(first), at=at)


def next_open_date(first: date, *, at: datetime) -> date:
    """The date that `first_open_day` would give, without a lock and without making its row: for letters and pages."""
    while (day := ConsultDay.objects.filter(date=first).first()) and not accepts_firms(day, at=at):
        first = calendar.following(first)
    return first if at < calendar.ends_at(first) else next_open_date(calendar.following(first), at=at)


def first_not_cancelled(day: date) -> date:
    """`day`, or the first 咨询日 after it that is not cancelled."""
    while ConsultDay.objects.filter(date=day, plan=Plan.CANCELLED).exists():
        day = calendar.following(day)
    return day


def joining_date(now: datetime) -> date:
    """The date that a registration made at `now` joins (六（二）): the 10th of next month, or the next one not cancelled."""
    return first_not_cancelled(calendar.booking_day(now))


def joining_day(now: datetime) -> ConsultDay:
    """The row of `joining_date(now)`."""
    day = day_on(calendar.booking_day(now))
    return day_on(joining_date(now)) if day.is_cancelled else day


@transaction.atomic
def _make(day: date) -> ConsultDay:
    found, made = ConsultDay.objects.get_or_create(date=day)
    if made:
        Seat.objects.bulk_create(Seat(day=found, number=n) for n in range(1, policy.SEATS + 1))
    return found
