"""候补次序 (六（五）): which firm gets the next seat, on what basis, and what the trail keeps of each decision."""

from datetime import datetime

from django.db.models import F, Q, QuerySet

from sessions_app import calendar
from sessions_app.models import ConsultDay, Seat
from zhoushan_consult.clock import SHANGHAI

from .lifecycle import Stage
from .models import Appointment

WAITING = frozenset({Stage.ACCEPTED, Stage.DEFERRED})
PRIORITY, TIME = "priority", "time"


def waiting(day: ConsultDay) -> QuerySet[Appointment]:
    """The firms that wait for a seat of `day`, in order: carried-over priority first, then time of registration."""
    wanting = Appointment.objects.filter(day=day, stage__in=WAITING, wants_onsite=True)
    return wanting.order_by(F("priority_since").asc(nulls_last=True), "submitted_at", "pk")


def position(appointment: Appointment) -> int:
    """The position of a registration among those that wait for a seat of its day, from 1.

    Registrations still to be reviewed count too. So a position that was told to a firm only ever improves: by a decline.
    """
    others = Appointment.objects.filter(
        day=appointment.day_id, stage__in=WAITING | {Stage.SUBMITTED}, wants_onsite=True
    )
    return others.filter(_before(appointment)).count() + 1


def _before(appointment: Appointment) -> Q:
    earlier = Q(submitted_at__lt=appointment.submitted_at)
    earlier |= Q(submitted_at=appointment.submitted_at, pk__lt=appointment.pk)
    since = appointment.priority_since
    if since is None:
        return Q(priority_since__isnull=False) | earlier
    return Q(priority_since__lt=since) | (Q(priority_since=since) & earlier)


def basis(appointment: Appointment) -> dict[str, str]:
    """Why a registration has its position: by priority or by time, as the audit entry keeps it."""
    since = appointment.priority_since
    return {"ground": PRIORITY if since else TIME, "since": (since or appointment.submitted_at).isoformat()}


def describe_basis(kept: dict[str, str]) -> str:
    """A basis in words, from an audit entry or from `basis`."""
    since = datetime.fromisoformat(kept["since"]).astimezone(SHANGHAI)
    if kept["ground"] == PRIORITY:
        return f"上期顺延，优先（{since:%-m月%-d日}取得）"
    return f"按登记时间（{since:%-m月%-d日 %H:%M}）"


def seat_facts(day: ConsultDay, seat: Seat | None = None, **facts) -> dict:
    """Facts for an audit entry about a seat. 名额分配说明 (`triage.seat_history`) finds entries by `day`."""
    return {"day": calendar.slug(day.date)} | ({"seat": seat.number} if seat else {}) | facts
