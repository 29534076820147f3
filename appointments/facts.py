"""Reads the facts of a registration from the rows of every floor, for `situation`."""

from datetime import date, datetime, timedelta

from sessions_app import calendar, policy
from sessions_app.days import next_open_date
from sessions_app.models import ConsultDay, Seat
from zhoushan_consult.outbox.posting import told_at

from . import upper_floor, waiting_list
from .lifecycle import AWAITING_DAY, ENDED, Stage
from .models import Appointment, IllegalMove, Rating
from .situation import (
    ANSWERABLE,
    RATABLE,
    DayFacts,
    Facts,
    FirmAct,
    SeatFacts,
    Situation,
    StaffAct,
    situation_of,
    why_not,
)

ASKING_KINDS = (
    "deferred",
    "reply_released",
    "reply_corrected",
    "heard_solved",
    "heard_follow",
    "heard_absent",
)
"""Letters after which the firm has its time to answer: they must have reached it first."""
CLOSING_KINDS = ("closed", "deferral_closed", "feedback_closed")
"""Letters that tell the firm of 办结: from then on it has its time to say 未解决."""


def facts_of(appointment: Appointment, now: datetime) -> Facts:
    """The facts of a registration at `now`. Reads only what its stage needs."""
    stage = Stage(appointment.stage)
    waiting = stage in AWAITING_DAY and appointment.wants_onsite
    asked = stage in ANSWERABLE or stage == Stage.DEFERRED
    return Facts(
        now=now,
        stage=stage,
        day=_day_facts(appointment.day, _next_date(appointment, now) if stage == Stage.DEFERRED else None),
        wants_onsite=appointment.wants_onsite,
        seat=_seat_facts(appointment.seat) if appointment.seat else None,
        position=waiting_list.position(appointment) if waiting and stage != Stage.SEATED else None,
        priority_since=appointment.priority_since,
        answer_by=_term(appointment, ASKING_KINDS, policy.DEFERRAL_ANSWER_DAYS) if asked else None,
        reopen_until=_reopen_until(appointment) if stage == Stage.CLOSED else None,
        seated_since=stage == Stage.DEFERRED and was_seated_after(appointment),
        other_live=stage in ENDED and _other_live(appointment),
        rated=stage in RATABLE and Rating.objects.filter(appointment=appointment).exists(),
        work=upper_floor.work_of(appointment),
    )


def read(appointment: Appointment, now: datetime) -> Situation:
    """The situation of a registration at `now`."""
    return situation_of(facts_of(appointment, now))


def require(appointment: Appointment, act: FirmAct | StaffAct, now: datetime) -> None:
    """Raises NotOpen, with the sentence that explains it, where the act is not open to this registration now."""
    if reason := why_not(act, facts_of(appointment, now)):
        raise NotOpen(reason)


class NotOpen(IllegalMove):
    """The act is not open in the present situation of the registration."""


def was_seated_after(appointment: Appointment) -> bool:
    """Whether the firm had a seat of a later 咨询日: then its priority is used."""
    later = Appointment.objects.filter(uscc=appointment.uscc, day__date__gt=appointment.day.date)
    return later.filter(moves__new=Stage.SEATED).exists()


def _other_live(appointment: Appointment) -> bool:
    same_day = Appointment.objects.live().filter(day=appointment.day_id, uscc=appointment.uscc)
    return same_day.exclude(pk=appointment.pk).exists()


def _day_facts(day: ConsultDay, next_date: date | None) -> DayFacts:
    return DayFacts(
        date=day.date,
        published=day.is_published,
        cancelled=day.is_cancelled,
        settled=day.settled_at is not None,
        place=day.place if day.is_published else "",
        next_date=next_date,
    )


def _seat_facts(seat: Seat) -> SeatFacts:
    return SeatFacts(number=seat.number, confirmed=seat.confirmed_at is not None, reply_by=seat.reply_by)


def _next_date(appointment: Appointment, now: datetime) -> date:
    return next_open_date(calendar.following(appointment.day.date), at=now)


def _term(appointment: Appointment, kinds: tuple[str, ...], days: int) -> datetime | None:
    """The end of a term that began when the last of these letters reached the firm; None while it has not begun."""
    told = told_at(appointment, kinds)
    return calendar.deadline_after(told, timedelta(days=days)) if told else None


def _reopen_until(appointment: Appointment) -> datetime:
    """A firm that closed its registration itself knows it at once; otherwise the letter must have reached it."""
    told = told_at(appointment, CLOSING_KINDS) or appointment.closed_at
    begins = max(told, appointment.closed_at)
    return calendar.deadline_after(begins, timedelta(days=policy.REOPEN_WITHIN_DAYS))
