"""代录和补录 (六（二）): 综合处 registers a firm that telephoned or was visited, after the cutoff too, for a reason."""

from datetime import date, datetime

from django.db import transaction

from sessions_app import calendar
from sessions_app.days import accepts_firms, day_on, joining_date, lock_day
from sessions_app.models import ConsultDay
from zhoushan_consult.bureau.refusals import Refused
from zhoushan_consult.bureau.roles import Act

from .booking import Entry, FormAlreadyUsed, Registration, submit
from .models import Appointment


class ReasonMissing(Refused):
    def __init__(self):
        super().__init__("请写明代录或补录的理由。")


class ListClosed(Refused):
    def __init__(self, day: date):
        super().__init__(f"{calendar.short(day)}的现场名单已经确定或活动已结束，不能再补录。请改选下一期。")


def days_to_join(now: datetime) -> list[date]:
    """The 咨询日 that an officer may enter a firm for: the one that is closed to the public, while it takes firms; the next."""
    this, following = calendar.current_day(now), joining_date(now)
    if now < calendar.booking_closes(this):
        return [following]
    known = ConsultDay.objects.filter(date=this).first()
    return [this, following] if known is None or accepts_firms(known, at=now) else [following]


@transaction.atomic
def enter(form: Registration, *, key: str, day: date, entry: Entry, at: datetime) -> Appointment:
    """A registration entered by an officer, with the receipt letter that every firm gets; for a key sent before, the first.

    Raises NotAllowed, ReasonMissing, ListClosed, and what `booking.submit` raises. The day is held, so that its list
    is not settled over a registration that is just being written.
    """
    entry.by.must(Act.REVIEW)
    if not entry.reason.strip():
        raise ReasonMissing
    joined = lock_day(day_on(day))
    if not (day in days_to_join(at) or Appointment.objects.filter(form_key=key).exists()):
        raise ListClosed(day)
    made = submit(form, key=key, at=at, day=joined, entry=entry)
    if (made.day_id, made.channel, made.entry_reason) != (joined.pk, entry.channel, entry.reason):
        raise FormAlreadyUsed
    return made
