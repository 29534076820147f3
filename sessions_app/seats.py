"""Taking, confirming and giving back one of a day's seats (六（五）).

A seat is taken by a conditional UPDATE of a free row. A caller that waits behind an uncommitted UPDATE sees zero rows changed and tries
the next number. All try in the same order and take at most one row, so two of them never wait for each other.
"""

from datetime import date, datetime

from django.db.models import Max, Q, QuerySet

from zhoushan_consult.bureau.refusals import Refused

from . import calendar, policy
from .models import ConsultDay, Seat


class NoSeatLeft(Refused):
    def __init__(self):
        super().__init__("本期名额已满。可以先行书面答复，下期优先安排。")


FREE = {"uscc": None, "offered_at": None, "reply_by": None, "confirmed_at": None}
"""The columns of a free seat."""


class SeatGone(Refused):
    def __init__(self):
        super().__init__("这个名额已不在您名下，可能已过确认期限。请刷新页面查看最新安排。")


def take(day: ConsultDay, uscc: str, *, at: datetime) -> Seat:
    """Give the firm a free seat of `day`. Its time to answer begins when the offer has reached it. Raises NoSeatLeft."""
    free = free_seats(day)
    for pk in free.order_by("number").values_list("pk", flat=True):
        if free.filter(pk=pk).update(uscc=uscc, offered_at=at):
            return Seat.objects.get(pk=pk)
    raise NoSeatLeft


def free_seats(day: ConsultDay) -> QuerySet[Seat]:
    """The seats that the next firm may take. An added seat was for one firm alone: when that leaves it, it stays empty."""
    return Seat.objects.filter(day=day, uscc=None, extra_reason="")


def reply_by(day: date, told_at: datetime) -> datetime:
    """Until when a firm may confirm an offer that reached it at `told_at` (六（五）：通知确认)."""
    return min(calendar.deadline_after(told_at, policy.CONFIRM_WITHIN), calendar.eve(day))


def start_term(seat: Seat, uscc: str, told_at: datetime) -> None:
    """The offer has reached the firm: its time to answer begins. Told by a second way, it keeps the later end."""
    end = reply_by(seat.day.date, told_at)
    own = Seat.objects.filter(pk=seat.pk, uscc=uscc, confirmed_at=None)
    own.filter(Q(reply_by=None) | Q(reply_by__lt=end)).update(reply_by=end)


def suspend_term(seat: Seat, uscc: str) -> None:
    """The offer has not reached the firm after all: its time has not begun."""
    Seat.objects.filter(pk=seat.pk, uscc=uscc, confirmed_at=None).update(reply_by=None)


def confirm(seat: Seat, uscc: str, *, at: datetime) -> bool:
    """The firm will come. True the first time. Raises SeatGone where the seat is not the firm's any more."""
    own = Seat.objects.filter(pk=seat.pk, uscc=uscc)
    if own.filter(confirmed_at=None).update(confirmed_at=at):
        return True
    if not own.exists():
        raise SeatGone
    return False


def release(seat: Seat, uscc: str, *, unconfirmed_at: datetime | None = None) -> None:
    """The row is free for the next in line.

    With `unconfirmed_at`, only where the offer has lapsed at that instant: if the firm confirms or gives up at the same
    moment, its own answer is kept. Raises SeatGone where the seat is not free to be taken back.
    """
    own = Seat.objects.filter(pk=seat.pk, uscc=uscc)
    if unconfirmed_at:
        own = lapsed(own, seat.day.date, unconfirmed_at)
    if not own.update(**FREE):
        raise SeatGone


def lapsed(held: QuerySet[Seat], day: date, at: datetime) -> QuerySet[Seat]:
    """Those of the seats of `day` whose offer is unanswered past its time.

    An offer that never reached the firm lapses on the eve of the day.
    """
    over = Q(reply_by__lt=at)
    if at > calendar.eve(day):
        over |= Q(reply_by=None)
    return held.filter(over, confirmed_at=None)


def add(day: ConsultDay, uscc: str, *, reason: str, at: datetime) -> Seat:
    """One more seat than the policy's ten, for one firm and for a reason that stays with it.

    The caller has locked the row of the day (`days.lock_day`): two seats added at once get two numbers.
    """
    last = Seat.objects.filter(day=day).aggregate(last=Max("number"))["last"] or 0
    return Seat.objects.create(day=day, number=last + 1, extra_reason=reason, uscc=uscc, offered_at=at)
