"""Taking, confirming and giving back one of a day's seats (六（五）).

A seat is taken by a conditional UPDATE of a free row. A taker that waits behind another's uncommitted take sees
zero rows updated and tries the next number; everyone tries in the same order and holds at most one, so no two
takers ever wait for each other.
"""

from datetime import datetime, timedelta

from django.db.models import Max

from zhoushan_consult.bureau.refusals import Refused

from . import calendar, policy
from .models import ConsultDay, Seat


class NoSeatLeft(Refused):
    def __init__(self):
        super().__init__("本期名额已满。可以先行书面答复，下期优先安排。")


class SeatGone(Refused):
    def __init__(self):
        super().__init__("这个名额已不在您名下，可能已过确认期限。请刷新页面查看最新安排。")


def take(day: ConsultDay, uscc: str, *, at: datetime) -> Seat:
    """A free seat of `day`, now the firm's, offered until its reply-by time. Raises NoSeatLeft."""
    free = Seat.objects.filter(day=day, uscc=None)
    for pk in free.order_by("number").values_list("pk", flat=True):
        if free.filter(pk=pk).update(uscc=uscc, offered_at=at, reply_by=reply_by(day, at)):
            return Seat.objects.get(pk=pk)
    raise NoSeatLeft


def reply_by(day: ConsultDay, at: datetime) -> datetime:
    """Until when an offer made at `at` stands: two days, and never into the eve of the day itself."""
    latest = calendar.starts_at(day.date) - policy.OFFER_ENDS_BEFORE
    return max(at + timedelta(hours=2), min(at + policy.CONFIRM_WITHIN, latest))


def confirm(seat: Seat, uscc: str, *, at: datetime) -> None:
    """The firm will come. Confirming twice is one confirmation; raises SeatGone where the seat is another's."""
    if not Seat.objects.filter(pk=seat.pk, uscc=uscc).exists():
        raise SeatGone
    Seat.objects.filter(pk=seat.pk, uscc=uscc, confirmed_at=None).update(confirmed_at=at)


def give_back(seat: Seat, uscc: str) -> None:
    """The row is free for the next in line. Raises SeatGone where it was not the firm's any more."""
    freed = Seat.objects.filter(pk=seat.pk, uscc=uscc).update(
        uscc=None, offered_at=None, reply_by=None, confirmed_at=None
    )
    if not freed:
        raise SeatGone


def add(day: ConsultDay, *, reason: str) -> Seat:
    """One more seat than the policy's ten, for a reason that stays with it."""
    last = Seat.objects.filter(day=day).aggregate(last=Max("number"))["last"] or 0
    return Seat.objects.create(day=day, number=last + 1, extra_reason=reason)
