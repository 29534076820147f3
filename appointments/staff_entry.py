"""代录和补录 (六（二）): 综合处 registers a firm that telephoned or was visited, also after the cutoff, with a reason."""

from datetime import date, datetime

from django.db import transaction

from sessions_app import calendar
from sessions_app.days import accepts_firms, day_on, joining_date, lock_day
from sessions_app.models import ConsultDay
from zhoushan_consult.bureau.refusals import Refused
from zhoushan_consult.bureau.roles import Act

from .booking import FormAlreadyUsed, Registration, Source, submit
from .models import Appointment


class ReasonMissing(Refused):
    def __init__(self):
        super().__init__("请写明代录或补录的理由。")


class ListClosed(Refused):
    def __init__(self, day: date):
        super().__init__(f"{calendar.short(day)}的现场名单已经确定或活动已结束，不能再补录。请改选下一期。")


def days_to_join(now: datetime) -> list[date]:
    """The 咨询日 for which an officer may register a firm: the one already closed to the public, while its list is open; the next."""
    this, following = calendar.current_day(now), joining_date(now)
    if now < calendar.booking_closes(this):
        return [following]
    known = ConsultDay.objects.filter(date=this).first()
    return [this, following] if known is None or accepts_firms(known, at=now) else [following]


@transaction.atomic
def enter(form: Registration, *, key: str, day: date, source: Source, at: datetime) -> Appointment:
    """Store a registration entered by an officer, with the usual receipt letter. A `key` sent before returns the first one.

    Raises NotAllowed, ReasonMissing, ListClosed, and what `booking.submit` raises. The day is locked: its list must not be
    settled while a registration for it is being written.
    """
    source.by.must(Act.REVIEW)
    if not source.reason.strip():
        raise ReasonMissing
    joined = lock_day(day_on(day))
    if not (day in days_to_join(at) or Appointment.objects.filter(form_key=key).exists()):
        raise ListClosed(day)
    made = submit(form, key=key, at=at, day=joined, source=source)
    if (made.day_id, made.channel, made.entry_reason) != (joined.pk, source.channel, source.reason):
        raise FormAlreadyUsed
    return made
