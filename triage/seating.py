"""现场名单 (六（五）): at most ten firms; the others get a written reply first. The order is in `appointments.waiting_list`."""

from contextlib import suppress
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import QuerySet

from appointments import letters, seat_moves
from appointments.facts import require
from appointments.lifecycle import Stage
from appointments.models import Appointment, IllegalMove
from appointments.situation import StaffAct
from appointments.waiting_list import basis, position, seat_facts, waiting
from sessions_app import calendar, seats
from sessions_app.days import lock_day
from sessions_app.models import ConsultDay, Plan, Seat
from zhoushan_consult.audit.trail import record
from zhoushan_consult.audit.verbs import Verb
from zhoushan_consult.bureau.models import Officer
from zhoushan_consult.bureau.refusals import Refused
from zhoushan_consult.bureau.roles import Act
from zhoushan_consult.clock import local_date
from zhoushan_consult.duties.kinds import Kind, every

from . import deferral, replies


class StillToReview(Refused):
    def __init__(self, count: int):
        super().__init__(f"还有 {count} 条登记待初审。请先完成初审，再确定名单。")


class AlreadySettled(Refused):
    def __init__(self):
        super().__init__("本期名单已经确定。空出的名额会自动递补，请在下方查看。")


class DayCancelled(Refused):
    def __init__(self):
        super().__init__("这一期活动已经取消，不再安排名额。要求现场咨询的企业已转到下一期。")


class NotYetClosed(Refused):
    def __init__(self, day: ConsultDay):
        last = calendar.short(calendar.last_booking_date(day.date))
        super().__init__(f"本期预约到{last}24:00截止，截止后才能确定名单。")


def settle(day: ConsultDay, *, by: Officer, at: datetime) -> tuple[int, int]:
    """确定名单 in one act: offer the seats in order, defer and tell the rest. Returns (seated, deferred).

    Raises NotYetClosed before the cutoff, StillToReview while registrations wait, AlreadySettled the second time,
    DayCancelled. Once the day has begun no firm can be invited in time: all are deferred.
    """
    by.must(Act.SETTLE)
    if at < calendar.booking_closes(day.date):
        raise NotYetClosed(day)
    with transaction.atomic():
        if lock_day(day).is_cancelled:
            raise DayCancelled
        if not ConsultDay.objects.filter(pk=day.pk, settled_at=None).update(settled_at=at):
            raise AlreadySettled
        # Counted while the day is locked: otherwise a firm entered late could join a list that is being settled.
        if pending := Appointment.objects.filter(day=day, stage=Stage.SUBMITTED).count():
            raise StillToReview(pending)
        free = seats.free_seats(day).count()
        record(
            Verb.LIST_SETTLED, day, by=by, at=at, **seat_facts(day, free=free, waiting=waiting(day).count())
        )
        seated = offer_free_seats(day, by=by, at=at) if at < calendar.starts_at(day.date) else 0
        deferred = deferral.defer_remaining(day, after=seated, by=by, at=at)
        deferral.shorten_terms(day, by=by, at=at)
        return seated, deferred


def offer_free_seats(day: ConsultDay, *, by: Officer | None, at: datetime) -> int:
    """Offer every free seat to the next firm. Returns how many were offered. Runs in the caller's transaction."""
    free, offered = seats.free_seats(day).count(), 0
    for place, appointment in enumerate(waiting(day).select_related("day") if free else (), 1):
        if offered == free:
            break
        # Withdrawn at this instant: the next firm gets the offer.
        with suppress(IllegalMove):
            seat_firm(appointment, place, by=by, at=at)
            offered += 1
    return offered


def seat_firm(
    appointment: Appointment, place: int | None = None, *, by: Officer | None, at: datetime
) -> Seat:
    """Offer a seat to the firm at position `place`; it is asked to confirm. Raises seats.NoSeatLeft, IllegalMove."""
    with transaction.atomic():
        seat = seats.take(appointment.day, appointment.uscc, at=at)
        _offer(appointment, seat, by=by, at=at, place=place or position(appointment))
        return seat


def _offer(appointment: Appointment, seat: Seat, *, by: Officer | None, at: datetime, **facts) -> None:
    facts = seat_facts(appointment.day, seat, **basis(appointment), **facts)
    appointment.move_to(Stage.SEATED, f"{seat.number}号名额", by=by, at=at, facts=facts, seat=seat)
    offer = letters.seat_params(appointment)
    letters.write("seat_offered", appointment, at=at, key=offer["seat"], **offer)


def add_seat(day: ConsultDay, appointment: Appointment, reason: str, *, by: Officer, at: datetime) -> Seat:
    """An 11th seat for one firm: 局领导 only, with a reason (六（五）：原则上不超过10家).

    Raises NotOpen: also while one of the ten is free, because that one goes to the next firm by itself, and once the day has
    begun.
    """
    by.must(Act.EXTRA_SEAT)
    if not reason.strip():
        raise IllegalMove("请写明增加名额的理由。")
    with transaction.atomic():
        lock_day(day)
        require(appointment, StaffAct.EXTRA_SEAT, at)
        seat = seats.add(day, appointment.uscc, reason=reason, at=at)
        record(Verb.SEAT_ADDED, seat, by=by, at=at, **seat_facts(day, seat, reason=reason))
        _offer(appointment, seat, by=by, at=at, extra=reason)
        return seat


def fill(day: ConsultDay, *, at: datetime) -> int:
    """After the list is settled: take back lapsed offers, offer free seats to the next firms. Safe to repeat.

    Once the day has begun, an invited firm keeps its seat, confirmed or not: it may be at the entrance already.
    """
    with transaction.atomic():
        # The lock also keeps two workers from filling the same day at once.
        if lock_day(day).is_cancelled:
            return 0
        lapsed = let_lapse(day, at=at) if at < calendar.starts_at(day.date) else 0
        offered = offer_free_seats(day, by=None, at=at) if at <= calendar.offers_end(day.date) else 0
        return lapsed + offered


def let_lapse(day: ConsultDay, *, at: datetime) -> int:
    """Take back offers that are unanswered past their time: the firm gets a written reply. Returns how many."""
    lapsed = seats.lapsed(Seat.objects.filter(day=day), day.date, at)
    late = Appointment.objects.filter(day=day, stage=Stage.SEATED, seat__in=lapsed)
    count = 0
    for appointment in late.select_related("day", "seat"):
        # Its result may be recorded at this instant: the others still have their turn.
        with suppress(IllegalMove), transaction.atomic():
            count += _lapse(appointment, at=at)
    return count


def _lapse(appointment: Appointment, *, at: datetime) -> bool:
    """False where the firm confirms or gives up at this instant: then its own answer is kept.

    A firm that the offer never reached has lost nothing: it is told that it got no seat, and keeps or gets its priority.
    """
    seat = appointment.seat
    kept: dict[str, object]
    if seat.reply_by:
        note, kept = "逾期未确认，名额收回，改为书面答复", {"wants_onsite": False, "priority_since": None}
    else:
        since = appointment.priority_since or seat.offered_at
        note, kept = "名额通知没有送达，保留优先资格", {"priority_since": since}
    key = letters.seat_params(appointment)["seat"]
    facts = seat_facts(appointment.day, seat, lapsed=True, told=seat.reply_by is not None)
    try:
        seat_moves.leave(appointment, Stage.ACCEPTED, note, by=None, at=at, lapsed=True, facts=facts, **kept)
    except seats.SeatGone:
        return False
    if seat.reply_by:
        letters.write("seat_lapsed", appointment, at=at, key=key)
    return True


def _fill_settled(about: str, due_at: datetime, now: datetime) -> int:
    today = local_date(now)
    settled = ConsultDay.objects.filter(settled_at__isnull=False).exclude(plan=Plan.CANCELLED)
    count = sum(_fill_and_defer(day, now) for day in settled.filter(date__gte=today))
    # A registration may be accepted after its day: that firm is told as the others were.
    late = waiting_late(settled.filter(date__lt=today))
    count += sum(deferral.defer_remaining(day, by=None, at=now) for day in late)
    return count + replies.mark_answered(at=now)


def waiting_late(days: QuerySet[ConsultDay]) -> QuerySet[ConsultDay]:
    """Those of the days on which an accepted firm still waits to hear whether it gets a seat."""
    return days.filter(appointments__stage=Stage.ACCEPTED, appointments__wants_onsite=True).distinct()


def _fill_and_defer(day: ConsultDay, now: datetime) -> int:
    """Seats first; then defer the firms that were accepted after the list was settled."""
    filled = fill(day, at=now)
    return (
        filled + deferral.defer_remaining(day, by=None, at=now) + deferral.shorten_terms(day, by=None, at=now)
    )


FILL = Kind(
    name="fill_seats",
    label="名额递补",
    schedule=every(timedelta(minutes=1)),
    run=_fill_settled,
    # Longer than the claim of a worker that died: another worker repeats its round before it counts as missed.
    useful_for=timedelta(hours=1),
)
