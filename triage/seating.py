"""现场名单 (六（五）): at most ten firms; priority first, then time of registration; the rest answered in writing first."""

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F

from appointments import letters
from appointments.lifecycle import Stage
from appointments.models import Appointment, IllegalMove
from sessions_app import calendar, policy, seats
from sessions_app.models import ConsultDay, Seat
from zhoushan_consult.audit.trail import record
from zhoushan_consult.bureau.models import Officer
from zhoushan_consult.bureau.refusals import Refused
from zhoushan_consult.bureau.roles import Act
from zhoushan_consult.duties.kinds import Kind, every


class StillToReview(Refused):
    def __init__(self, count: int):
        super().__init__(f"还有 {count} 条登记待初审。请先完成初审，再确定名单。")


class AlreadySettled(Refused):
    def __init__(self):
        super().__init__("本期名单已经确定。空出的名额会自动递补，请在下方查看。")


class SeatsStillFree(Refused):
    def __init__(self):
        super().__init__("本期还有空余名额，会自动通知下一家，不需要增加名额。")


class NotYetClosed(Refused):
    def __init__(self, day: ConsultDay):
        last = calendar.short(calendar.last_booking_date(day.date))
        super().__init__(f"本期预约到{last}24:00截止，截止后才能确定名单。")


def line(day: ConsultDay):
    """Who would sit down next, in order: priority carried over first, then time of registration."""
    wanting = Appointment.objects.filter(
        day=day, stage__in=[Stage.ACCEPTED, Stage.DEFERRED], wants_onsite=True
    )
    return wanting.order_by(F("priority_since").asc(nulls_last=True), "submitted_at", "pk")


def settle(day: ConsultDay, *, by: Officer, at: datetime) -> tuple[int, int]:
    """确定名单 in one act: seats offered in order, everyone after them deferred and told. Returns (seated, deferred).

    Raises NotYetClosed before the cutoff, StillToReview while registrations wait, AlreadySettled the second time.
    """
    by.must(Act.SETTLE)
    if at < calendar.booking_closes(day.date):
        raise NotYetClosed(day)
    if pending := Appointment.objects.filter(day=day, stage=Stage.SUBMITTED).count():
        raise StillToReview(pending)
    with transaction.atomic():
        if not ConsultDay.objects.filter(pk=day.pk, settled_at=None).update(settled_at=at):
            raise AlreadySettled
        record("确定名单", day, by=by, at=at)
        return _hand_out(day, by=by, at=at)


def _hand_out(day: ConsultDay, *, by: Officer, at: datetime) -> tuple[int, int]:
    seated = offer_free_seats(day, by=by, at=at)
    left = list(line(day).filter(stage=Stage.ACCEPTED).select_related("day"))
    for appointment in left:
        defer(appointment, by=by, at=at)
    return seated, len(left)


def offer_free_seats(day: ConsultDay, *, by: Officer | None, at: datetime) -> int:
    """Offer every free seat to the next in line; returns how many were offered. Runs in the caller's transaction."""
    free = Seat.objects.filter(day=day, uscc=None).count()
    offered = 0
    for appointment in line(day).select_related("day")[:free]:
        seat_firm(appointment, by=by, at=at)
        offered += 1
    return offered


def seat_firm(appointment: Appointment, *, by: Officer | None, at: datetime) -> Seat:
    """One firm gets one seat, and is asked to confirm it. Raises seats.NoSeatLeft, IllegalMove."""
    with transaction.atomic():
        seat = seats.take(appointment.day, appointment.uscc, at=at)
        appointment.move_to(Stage.SEATED, f"{seat.number}号名额", by=by, at=at, seat=seat)
        letters.write("seat_offered", appointment, at=at, key=_offer_key(seat, at), reply_by=seat.reply_by)
        return seat


def _offer_key(seat: Seat, at: datetime) -> str:
    return f"seat{seat.number}:{at:%Y%m%d%H%M%S}"


def defer(appointment: Appointment, *, by: Officer | None, at: datetime) -> None:
    """Beyond the ten: told first, answered in writing first, and asked whether it still wants to come next time."""
    following = calendar.following(appointment.day.date)
    appointment.move_to(Stage.DEFERRED, "名额已满，先行书面答复", by=by, at=at)
    letters.write(
        "deferred",
        appointment,
        at=at,
        key=calendar.slug(appointment.day.date),
        next_day=calendar.short(following),
    )


def add_seat(day: ConsultDay, appointment: Appointment, reason: str, *, by: Officer, at: datetime) -> Seat:
    """An 11th seat: 局领导 only, with a reason, for one named firm. Raises SeatsStillFree while one of the ten is free."""
    by.must(Act.EXTRA_SEAT)
    if not reason.strip():
        raise IllegalMove("请写明增加名额的理由。")
    with transaction.atomic():
        if Seat.objects.filter(day=day, uscc=None).exists():
            raise SeatsStillFree
        seat = seats.add(day, reason=reason)
        record("增加名额", seat, by=by, at=at, reason=reason)
        return seat_firm(appointment, by=by, at=at)


def fill(day: ConsultDay, *, at: datetime) -> int:
    """After the list is settled: lapsed offers go back, freed seats go to the next in line. Safe to repeat."""
    with transaction.atomic():
        ConsultDay.objects.select_for_update(no_key=True).get(
            pk=day.pk
        )  # one filler at a time; bookings go on meanwhile
        lapsed = let_lapse(day, at=at)
        if at > calendar.starts_at(day.date) - policy.OFFER_ENDS_BEFORE:
            return lapsed
        return lapsed + offer_free_seats(day, by=None, at=at)


def let_lapse(day: ConsultDay, *, at: datetime) -> int:
    """Offers unanswered past their time: the firm keeps its written reply, the seat is free again."""
    late = Appointment.objects.filter(
        day=day, stage=Stage.SEATED, seat__confirmed_at=None, seat__reply_by__lt=at
    )
    lapsed = list(late.select_related("day", "seat"))
    for appointment in lapsed:
        seat = appointment.seat
        appointment.move_to(
            Stage.ACCEPTED,
            "逾期未确认，名额已递补，改为书面答复",
            by=None,
            at=at,
            seat=None,
            wants_onsite=False,
        )
        seats.give_back(seat, appointment.uscc)
        letters.write("seat_lapsed", appointment, at=at, key=f"{day.date}:{seat.number}")
    return len(lapsed)


def _fill_settled(about: str, due_at: datetime, now: datetime) -> int:
    today = now.astimezone(calendar.SHANGHAI).date()
    days = ConsultDay.objects.filter(settled_at__isnull=False, date__gte=today)
    return sum(fill(day, at=now) for day in days)


FILL = Kind(
    name="fill_seats",
    label="名额递补",
    schedule=every(timedelta(minutes=1)),
    run=_fill_settled,
    useful_for=timedelta(minutes=10),
)
