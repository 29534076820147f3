"""A cancelled 咨询日: its firms are carried over to the next one, with priority (六（五）：下次活动优先安排)."""

from dataclasses import dataclass, replace
from datetime import datetime

from django.db.models import Q, QuerySet

from sessions_app import calendar
from sessions_app.days import first_open_day
from sessions_app.models import ConsultDay, Seat
from zhoushan_consult.audit.trail import record
from zhoushan_consult.audit.verbs import Verb
from zhoushan_consult.bureau.models import Officer

from . import letters
from .lifecycle import Stage
from .models import Appointment
from .priority import can_take_priority
from .seat_moves import carry_over, hand_over
from .waiting_list import seat_facts

COUNTS_ON_DAY = (Stage.SUBMITTED, Stage.ACCEPTED, Stage.SEATED)
"""Stages in which a firm that wants to come expects its day to take place."""


@dataclass(frozen=True)
class Cancellation:
    """The cancelled day, the day that replaces it, and who cancelled it when."""

    day: ConsultDay
    next_day: ConsultDay
    by: Officer | None
    at: datetime


def expecting(day: ConsultDay) -> QuerySet[Appointment]:
    """The firms that expect `day` to take place, and are told if it does not."""
    comes = Q(wants_onsite=True, stage__in=COUNTS_ON_DAY) | Q(stage=Stage.SEATED)
    return Appointment.objects.filter(comes, day=day)


def carry_over_all(cancelled: Cancellation) -> int:
    """Carry over every firm that wanted to come to the cancelled day, or holds a seat of it.

    Firms that wait for a written reply stay as they are. Seats are freed. The right to a seat dates from its offer, so a
    seated firm comes before those that waited. Runs in the caller's transaction; a second run finds no firm. Returns how
    many firms were told.
    """
    # Seats before registrations: every act that changes both locks them in this order.
    list(Seat.objects.filter(day=cancelled.day).select_for_update(no_key=True).order_by("pk"))
    rows = expecting(cancelled.day).select_for_update(of=("self",), no_key=True)
    firms = list(rows.select_related("day", "seat").order_by("pk"))
    for firm in firms:
        _carry(firm, cancelled)
    return len(firms)


def _carry(firm: Appointment, cancelled: Cancellation) -> None:
    seat, since = firm.seat, _since(firm, cancelled.at)
    note = f"{calendar.short(cancelled.day.date)}活动取消，转到{calendar.short(cancelled.next_day.date)}，优先安排"
    who = {"by": cancelled.by, "at": cancelled.at}
    other = carry_over(firm, cancelled.next_day, note, since=since, wants_onsite=True, **who)
    if other and not can_take_priority(other):
        # That registration is answered already, or in writing: the priority goes to the day after.
        later = first_open_day(calendar.following(cancelled.next_day.date), at=cancelled.at)
        return _carry(firm, replace(cancelled, next_day=later))
    if other:
        day = calendar.short(other.day.date)
        note = f"{calendar.short(cancelled.day.date)}活动取消，优先资格转到贵单位{day}的登记"
        hand_over(firm, other, note, since=since, **who)
    facts = seat_facts(cancelled.day, seat, to=calendar.slug(cancelled.next_day.date))
    record(Verb.CARRIED_OVER, firm, **who, **facts)
    _tell(firm, other, cancelled)


def _since(firm: Appointment, at: datetime) -> datetime:
    """The date of the firm's priority: an earlier one is kept, a seat counts from its offer."""
    known = [firm.priority_since, firm.seat and firm.seat.offered_at, at]
    return min(moment for moment in known if moment)


def _tell(firm: Appointment, other: Appointment | None, cancelled: Cancellation) -> None:
    about = {"cancelled": calendar.slug(cancelled.day.date), "other": other.pk if other else None}
    letters.write("day_cancelled", firm, at=cancelled.at, key=letters.key_at(cancelled.at), **about)
