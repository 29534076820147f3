"""A firm whose 咨询日 is cancelled comes to the next one instead, ahead of the others (六（五）：下次活动优先安排)."""

from dataclasses import dataclass, replace
from datetime import datetime

from sessions_app import calendar
from sessions_app.days import first_open_day
from sessions_app.models import ConsultDay, Seat
from zhoushan_consult.audit.trail import record
from zhoushan_consult.audit.verbs import Verb
from zhoushan_consult.bureau.models import Officer
from zhoushan_consult.outbox import posting

from . import letters
from .lifecycle import Stage
from .models import Appointment
from .seat_moves import carry_over, go_on, grant_priority
from .waiting_list import of_day

COUNTS_ON_DAY = (Stage.SUBMITTED, Stage.ACCEPTED, Stage.SEATED)
"""Stages in which a firm that wants to come still counts on its day."""
CAN_TAKE_PRIORITY = (Stage.SUBMITTED, Stage.ACCEPTED)
"""Stages in which the firm's other registration can take the priority over."""
OUTDATED_KINDS = ("seat_offered", "seat_confirmed", "plan_changed", "day_near")
"""Letters that call the firm to the cancelled day: what of them is not yet sent is taken back."""


@dataclass(frozen=True)
class Cancellation:
    """What is told of it: which day, why, and which one comes instead."""

    day: ConsultDay
    instead: ConsultDay
    by: Officer | None
    at: datetime


def carry_over_all(cancelled: Cancellation) -> int:
    """Every firm that wanted to come to the cancelled day; those who asked for a written reply go on as they are.

    Seats are freed. A right to a seat dates from its offer, so a seated firm stands before those who waited. Runs in
    the caller's transaction; run again, it finds nobody. Returns how many firms were told.
    """
    # Seats before registrations: every act that changes both locks them in this order.
    list(Seat.objects.filter(day=cancelled.day).select_for_update(no_key=True).order_by("pk"))
    rows = Appointment.objects.filter(day=cancelled.day, wants_onsite=True, stage__in=COUNTS_ON_DAY)
    firms = list(
        rows.select_for_update(of=("self",), no_key=True).select_related("day", "seat").order_by("pk")
    )
    for firm in firms:
        _carry(firm, cancelled)
    return len(firms)


def _carry(firm: Appointment, cancelled: Cancellation) -> None:
    seat, since = firm.seat, _since(firm, cancelled.at)
    note = f"{calendar.short(cancelled.day.date)}活动取消，转到{calendar.short(cancelled.instead.date)}，优先安排"
    who = {"by": cancelled.by, "at": cancelled.at}
    heir = carry_over(firm, cancelled.instead, note, since=since, **who)
    if heir and heir.stage not in CAN_TAKE_PRIORITY:
        # That registration is answered already: the priority goes to the day after.
        later = first_open_day(calendar.following(cancelled.instead.date), at=cancelled.at)
        return _carry(firm, replace(cancelled, instead=later))
    if heir:
        _hand_over(firm, heir, cancelled, since)
    facts = of_day(cancelled.day, seat, to=calendar.slug(cancelled.instead.date))
    record(Verb.CARRIED_OVER, firm, **who, **facts)
    _tell(firm, heir, cancelled)


def _since(firm: Appointment, at: datetime) -> datetime:
    """From when the firm's priority counts: an earlier one is kept, a seat counts from its offer."""
    known = [firm.priority_since, firm.seat and firm.seat.offered_at, at]
    return min(moment for moment in known if moment)


def _hand_over(firm: Appointment, heir: Appointment, cancelled: Cancellation, since: datetime) -> None:
    """One firm, one booking a day: the other registration gets the priority, this one its answer in writing."""
    note = f"{calendar.short(cancelled.day.date)}活动取消，优先资格转到贵单位{calendar.short(heir.day.date)}的登记"
    go_on(firm, note, by=cancelled.by, at=cancelled.at, wants_onsite=False)
    grant_priority(heir, since)


def _tell(firm: Appointment, other: Appointment | None, cancelled: Cancellation) -> None:
    for kind in OUTDATED_KINDS:
        posting.cancel(firm, kind, at=cancelled.at)
    letters.write(
        "day_cancelled",
        firm,
        at=cancelled.at,
        key=calendar.slug(cancelled.day.date),
        other=other,
        reason=cancelled.day.remark,
        cancelled=calendar.short(cancelled.day.date),
        next_day=calendar.short(cancelled.instead.date),
    )
