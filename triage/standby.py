"""候补入场 (六（五）): on the day, a waiting firm takes the seat of a firm that did not come."""

from datetime import datetime

from django.db import transaction
from django.db.models import QuerySet

from appointments import letters, seat_moves
from appointments.facts import require
from appointments.lifecycle import Stage
from appointments.models import Appointment, IllegalMove
from appointments.situation import StaffAct
from appointments.waiting_list import basis, seat_facts
from appointments.waiting_list import waiting as waiting_firms
from sessions_app import seats
from sessions_app.days import lock_day
from sessions_app.models import ConsultDay, Seat
from zhoushan_consult.bureau.models import Officer
from zhoushan_consult.bureau.refusals import Refused
from zhoushan_consult.bureau.roles import Act

from . import timetable
from .models import Outcome


class NoSeatFreed(Refused):
    def __init__(self):
        super().__init__("现在没有空出的名额。有企业未到场的，先记“未到场”，再请候补企业入场。")


def waiting(day: ConsultDay) -> QuerySet[Appointment]:
    """The firms that may be called in, in the order of the waiting list."""
    return waiting_firms(day).select_related("day")


def freed(day: ConsultDay) -> int:
    """How many seats a waiting firm could take now."""
    return seats.free_seats(day).count() + _absent(day).count()


def _absent(day: ConsultDay) -> QuerySet[Appointment]:
    """Absent firms whose seat is not given to another firm yet."""
    absent = Appointment.objects.filter(day=day, seat__day=day, hearing__outcome=Outcome.ABSENT)
    return absent.filter(seat__extra_reason="").order_by("seat__number")


def call_in(appointment: Appointment, *, by: Officer, at: datetime) -> Seat:
    """请候补企业入场: the firm takes a free seat and counts as confirmed. The timetable of the others stays as it is.

    Raises NotOpen on another day, NoSeatFreed, IllegalMove where the firm does not wait any more.
    """
    by.must(Act.RUN_DAY)
    day = appointment.day
    with transaction.atomic():
        # Two officers at once must not give the same seat twice.
        lock_day(day)
        require(appointment, StaffAct.CALL_IN, at)
        timetable.freeze(day, by=by, at=at)
        place = _place(appointment)
        seat = _free_seat(day, appointment.uscc, at=at)
        facts = seat_facts(day, seat, **basis(appointment), standby=True, place=place)
        note = f"候补入场，{seat.number}号名额"
        appointment.move_to(Stage.SEATED, note, by=by, at=at, facts=facts, seat=seat)
        letters.write("standby_called", appointment, at=at, **letters.seat_params(appointment))
        return seat


def _place(appointment: Appointment) -> int:
    """Its position, from 1; the firms before it are not present either. Raises IllegalMove where it does not wait."""
    order = list(waiting(appointment.day).values_list("pk", flat=True))
    if appointment.pk not in order:
        raise IllegalMove
    return order.index(appointment.pk) + 1


def _free_seat(day: ConsultDay, uscc: str, *, at: datetime) -> Seat:
    if not seats.free_seats(day).exists():
        absent = _absent(day).select_related("seat", "day").first()
        if absent is None:
            raise NoSeatFreed
        seat_moves.vacate(absent, at=at)
    seat = seats.take(day, uscc, at=at)
    seats.confirm(seat, uscc, at=at)
    return seat
