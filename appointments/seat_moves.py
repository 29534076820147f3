"""How a firm leaves its seat, and how it is carried over to another day: one way for each (六（五）)."""

from datetime import datetime

from django.db import IntegrityError, transaction

from sessions_app import calendar, seats
from sessions_app.models import ConsultDay
from zhoushan_consult.audit.trail import record
from zhoushan_consult.audit.verbs import Verb
from zhoushan_consult.bureau.models import Officer

from . import letters, upper_floor
from .lifecycle import Stage
from .models import Appointment, IllegalMove, StageMove
from .priority import comes_back_to, own_registration
from .waiting_list import seat_facts


def leave(
    firm: Appointment,
    stage: Stage,
    note: str,
    *,
    by: Officer | None,
    at: datetime,
    lapsed: bool = False,
    facts: dict | None = None,
    **changes,
) -> None:
    """Free the seat that the firm holds, if it holds one, and move its registration to `stage`.

    `lapsed`: only where the offer is unanswered past its time. `facts` go into the audit entry of the move, by default the
    day and the seat, by which 名额分配说明 finds it; `changes` are columns that change with the stage.
    Raises seats.SeatGone where the seat is not the firm's any more (with `lapsed`: or was confirmed at this instant), IllegalMove.
    """
    seat = firm.seat
    # The seat first, then the registration: all who change both lock the rows in this order, so that there is no deadlock.
    if seat:
        seats.release(seat, firm.uscc, unconfirmed_at=at if lapsed else None)
        facts = seat_facts(firm.day, seat) if facts is None else facts
    firm.move_to(stage, note, by=by, at=at, facts=facts, seat=None, **changes)
    # The row is locked now: a firm that signed in at this instant keeps its seat.
    if seat and upper_floor.work_of(firm).checked_in:
        raise IllegalMove


def vacate(absent: Appointment, *, at: datetime) -> None:
    """Free the seat of a firm that did not come. Its stage stays 未到场; the number of the seat is in its trail."""
    seats.release(absent.seat, absent.uscc)
    record(Verb.SEAT_VACATED, absent, by=None, at=at, **seat_facts(absent.day, absent.seat))
    Appointment.objects.filter(pk=absent.pk).update(seat=None)


def carry_over(
    firm: Appointment,
    day: ConsultDay,
    note: str,
    *,
    since: datetime,
    by: Officer | None,
    at: datetime,
    **changes,
) -> Appointment | None:
    """Take a registration along to `day`, with the priority that dates from `since` (六（五）：下次活动优先安排).

    A firm has one live booking a day. Where it has registered for `day` itself, nothing is changed and that registration
    is returned: `grant_priority` hands the priority over to it. Runs in the caller's transaction. Raises IllegalMove.
    """
    if own := own_registration(firm, day.date):
        return own
    try:
        with transaction.atomic():
            changes |= {"day": day, "priority_since": since}
            continue_registration(firm, note, by=by, at=at, **changes)
    except IntegrityError:
        # Between our look and our write the firm registered for that day.
        if own := own_registration(firm, day.date):
            return own
        raise
    return None


def hand_over(
    firm: Appointment, own: Appointment, note: str, *, since: datetime, by: Officer | None, at: datetime
) -> None:
    """The firm's own registration for a later day takes the priority over; this one goes on in writing.

    Runs in the caller's transaction. Raises IllegalMove where one of the two was moved at this instant.
    """
    changes = {"wants_onsite": False, "handed_to": own, "priority_since": since}
    continue_registration(firm, note, by=by, at=at, **changes)
    grant_priority(own, since)
    record(Verb.PRIORITY_GRANTED, own, by=by, at=at, day=calendar.slug(own.day.date))


def return_priority(ended: Appointment, *, by: Officer | None, at: datetime) -> None:
    """A registration that had taken a priority over ends before it was used: the priority goes back to where it came from.

    That registration is open again, and the firm is asked as before whether it still wants to come. One that is still 待初审
    stands on a cancelled day: `plan_changes.CARRY` carries it over, and tells the firm.
    """
    note, changes = "下期的登记已结束，优先资格退回", {"wants_onsite": True, "handed_to": None}
    for earlier in comes_back_to(ended):
        record(Verb.PRIORITY_GRANTED, earlier, by=by, at=at, day=calendar.slug(earlier.day.date))
        if earlier.stage == Stage.SUBMITTED:
            continue_registration(earlier, note, by=by, at=at, **changes)
            continue
        earlier.move_to(Stage.DEFERRED, note, by=by, at=at, closed_at=None, **changes)
        letters.write("priority_returned", earlier, at=at, key=letters.key_at(at))


def grant_priority(registration: Appointment, since: datetime) -> None:
    """The firm's registration for a later day takes the priority over; an earlier claim of its own stays.

    Raises IllegalMove where it ended at this instant.
    """
    since = min(since, registration.priority_since or since)
    waiting = Appointment.objects.filter(pk=registration.pk, stage__in=[Stage.SUBMITTED, Stage.ACCEPTED])
    if not waiting.update(priority_since=since):
        raise IllegalMove


def continue_registration(
    firm: Appointment, note: str, *, by: Officer | None, at: datetime, **changes
) -> None:
    """A registration goes on with `changes`: out of its seat or its deferral, or at the stage where it stands.

    Either way the firm's page says why.
    """
    if firm.stage in (Stage.SEATED, Stage.DEFERRED):
        # The caller writes the entry that explains the seat: without facts, 名额分配说明 passes over this one.
        leave(firm, Stage.ACCEPTED, note, by=by, at=at, facts={}, **changes)
        return
    Appointment.objects.filter(pk=firm.pk, stage=firm.stage).update(**changes)
    StageMove.objects.create(appointment=firm, old=firm.stage, new=firm.stage, note=note, by=by, at=at)
    for name, value in changes.items():
        setattr(firm, name, value)
