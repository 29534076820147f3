"""Reads the facts of a registration from the rows of every floor, for `situation`."""

from datetime import date, datetime, timedelta

from sessions_app import calendar, policy, seats
from sessions_app.days import accepts_firms, next_open_date
from sessions_app.models import ConsultDay, Seat
from zhoushan_consult.outbox.posting import on_its_way, told_at
from zhoushan_consult.outbox.readdressing import may_be_readdressed

from . import priority, upper_floor, waiting_list
from .lifecycle import LIVE, Stage
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
    "priority_returned",
    "reply_released",
    "reply_corrected",
    "reply_supplemented",
    "heard_solved",
    "heard_follow",
    "heard_absent",
)
"""Letters after which the firm has its time to answer: they must have reached it first."""
CLOSING_KINDS = ("closed", "deferral_closed", "feedback_closed")
"""Letters that tell the firm of 办结: from then on it has its time to say 未解决."""
RESEND_WITHIN = timedelta(days=policy.RESEND_WITHIN_DAYS)
"""A letter sent longer ago is not sent again to a corrected address."""


def facts_of(appointment: Appointment, now: datetime) -> Facts:
    """The facts of a registration at `now`. Reads only what its stage needs."""
    stage = Stage(appointment.stage)
    waits = stage in (Stage.SUBMITTED, Stage.ACCEPTED, Stage.DEFERRED)
    asked = stage in ANSWERABLE or stage == Stage.DEFERRED
    handed_to = _handed_to(appointment)
    return Facts(
        now=now,
        stage=stage,
        day=_day_facts(appointment, stage, now),
        wants_onsite=appointment.wants_onsite,
        seat=_seat_facts(appointment.seat) if appointment.seat else None,
        position=waiting_list.position(appointment) if waits and appointment.wants_onsite else None,
        priority_since=None if handed_to else appointment.priority_since,
        handed_to=handed_to,
        comes_back_to=_comes_back_to(appointment) if waits and appointment.priority_since else None,
        answer_by=_term(appointment, ASKING_KINDS, policy.DEFERRAL_ANSWER_DAYS) if asked else None,
        reopen_until=_reopen_until(appointment) if stage == Stage.CLOSED else None,
        seated_since=stage == Stage.DEFERRED and priority.is_used(appointment),
        other_live=_other_live(appointment, now),
        rated=stage in RATABLE and Rating.objects.filter(appointment=appointment).exists(),
        told_lately=stage not in LIVE and may_be_readdressed(appointment, now - RESEND_WITHIN),
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


def _day_facts(appointment: Appointment, stage: Stage, now: datetime) -> DayFacts:
    day = appointment.day
    chance = priority.next_chance(appointment, at=now) if stage == Stage.DEFERRED else None
    return DayFacts(
        date=day.date,
        published=day.is_published,
        cancelled=day.is_cancelled,
        settled=day.settled_at is not None,
        place=day.place if day.is_published else "",
        seat_free=_is_seat_free(day, stage, now),
        next_date=chance and chance.date,
        next_is_own=bool(chance and chance.own),
    )


def _is_seat_free(day: ConsultDay, stage: Stage, now: datetime) -> bool:
    """Whether the next firm gets a seat by itself. Only who waits for one has to know."""
    waits = stage in waiting_list.WAITING and day.settled_at is not None
    return waits and now <= calendar.offers_end(day.date) and seats.free_seats(day).exists()


def _seat_facts(seat: Seat) -> SeatFacts:
    return SeatFacts(number=seat.number, confirmed=seat.confirmed_at is not None, reply_by=seat.reply_by)


def _handed_to(appointment: Appointment) -> date | None:
    other = appointment.handed_to if appointment.handed_to_id else None
    return other.day.date if other and other.stage in LIVE else None


def _comes_back_to(appointment: Appointment) -> date | None:
    earlier = priority.comes_back_to(appointment)
    return earlier[-1].day.date if earlier else None


def _other_live(appointment: Appointment, now: datetime) -> bool:
    """Whether another registration of the firm is live for the day to which this one would go back.

    未解决 leaves it on its own day, 重新审核 moves it to one whose list is still open.
    """
    day, stage = appointment.day, appointment.stage
    if stage == Stage.CLOSED:
        target = day.date
    elif stage == Stage.DECLINED or (stage == Stage.ACCEPTED and not accepts_firms(day, at=now)):
        target = next_open_date(day.date, at=now)
    else:
        return False
    return priority.own_registration(appointment, target) is not None


def _term(appointment: Appointment, kinds: tuple[str, ...], days: int) -> datetime | None:
    """The end of a term that began when the last of these letters reached the firm; None while it has not begun."""
    told = told_at(appointment, kinds)
    return calendar.deadline_after(told, timedelta(days=days)) if told else None


def _reopen_until(appointment: Appointment) -> datetime | None:
    """A firm that closed its registration itself knows it at once; otherwise the letter must have reached it."""
    told = told_at(appointment, CLOSING_KINDS)
    if told is None and on_its_way(appointment, CLOSING_KINDS):
        return None
    begins = max(filter(None, (told, appointment.closed_at)))
    return calendar.deadline_after(begins, timedelta(days=policy.REOPEN_WITHIN_DAYS))
