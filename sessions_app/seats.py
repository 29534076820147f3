"""Taking, confirming and giving back one of a day's seats (六（五）).

A seat is taken by a conditional UPDATE of a free row. A taker that waits behind another's uncommitted take sees
zero rows updated and tries the next number; everyone tries in the same order and holds at most one, so no two
takers ever wait for each other.
"""

from datetime import datetime, timedelta

from django.db.models import Max, QuerySet

from zhoushan_consult.bureau.refusals import Refused

from . import calendar, policy
from .models import ConsultDay, Seat


class NoSeatLeft(Refused):
    def __init__(self):
        super().__init__("本期名额已满。可以先行书面答复，下期优先安排。")


FREE = {"uscc": None, "offered_at": None, "reply_by": None, "confirmed_at": None}
"""The columns of a seat that nobody holds."""


class SeatGone(Refused):
    def __init__(self):
        super().__init__("这个名额已不在您名下，可能已过确认期限。请刷新页面查看最新安排。")


def take(day: ConsultDay, uscc: str, *, at: datetime) -> Seat:
    """A free seat of `day`, now the firm's, offered until its reply-by time. Raises NoSeatLeft."""
    free = free_seats(day)
    for pk in free.order_by("number").values_list("pk", flat=True):
        if free.filter(pk=pk).update(uscc=uscc, offered_at=at, reply_by=reply_by(day, at)):
            return Seat.objects.get(pk=pk)
    raise NoSeatLeft


def free_seats(day: ConsultDay) -> QuerySet[Seat]:
    """The seats that the next in line may take. An added one was for its firm alone: given back, it stays empty."""
    return Seat.objects.filter(day=day, uscc=None, extra_reason="")


def offers_end(day: ConsultDay) -> datetime:
    """The last instant at which a seat is offered to the next in line: the evening before."""
    return calendar.starts_at(day.date) - policy.OFFER_ENDS_BEFORE


def reply_by(day: ConsultDay, at: datetime) -> datetime:
    """Until when an offer made at `at` stands: two days, but no later than offers end; two hours at the least."""
    return max(at + timedelta(hours=2), min(at + policy.CONFIRM_WITHIN, offers_end(day)))


def confirm(seat: Seat, uscc: str, *, at: datetime) -> bool:
    """The firm will come; whether it had not said so before. Raises SeatGone where the seat is not its own any more."""
    own = Seat.objects.filter(pk=seat.pk, uscc=uscc)
    if own.filter(confirmed_at=None).update(confirmed_at=at):
        return True
    if not own.exists():
        raise SeatGone
    return False


def release(seat: Seat, uscc: str, *, unconfirmed_at: datetime | None = None) -> None:
    """The row is free for the next in line.

    With `unconfirmed_at`, only where the offer is unanswered and past its time at that instant: a firm that confirms or gives
    up at the same moment has its own word stand. Raises SeatGone where the seat is not free to be taken back.
    """
    own = Seat.objects.filter(pk=seat.pk, uscc=uscc)
    if unconfirmed_at:
        own = own.filter(confirmed_at=None, reply_by__lt=unconfirmed_at)
    if not own.update(**FREE):
        raise SeatGone


def add(day: ConsultDay, uscc: str, *, reason: str, at: datetime) -> Seat:
    """One more seat than the policy's ten, for one firm and for a reason that stays with it.

    Whoever calls holds the row of the day locked: two added at once get two numbers.
    """
    last = Seat.objects.filter(day=day).aggregate(last=Max("number"))["last"] or 0
    return Seat.objects.create(
        day=day, number=last + 1, extra_reason=reason, uscc=uscc, offered_at=at, reply_by=reply_by(day, at)
    )
