"""候补顺序 (六（五）): who sits down next, on what ground, and what the trail keeps of every decision about a seat."""

from datetime import datetime

from django.db.models import F, Q, QuerySet

from sessions_app import calendar
from sessions_app.models import ConsultDay, Seat

from .lifecycle import Stage
from .models import Appointment

WAITING = frozenset({Stage.ACCEPTED, Stage.DEFERRED})
PRIORITY, TIME = "priority", "time"


def line(day: ConsultDay) -> QuerySet[Appointment]:
    """Who would sit down next, in order: priority carried over first, then time of registration."""
    wanting = Appointment.objects.filter(day=day, stage__in=WAITING, wants_onsite=True)
    return wanting.order_by(F("priority_since").asc(nulls_last=True), "submitted_at", "pk")


def place(appointment: Appointment) -> int:
    """The place of a registration among those that wait for a seat of its day, from 1.

    One that is not yet reviewed counts as waiting: whoever is told a place only ever moves up when it is declined.
    """
    rivals = Appointment.objects.filter(
        day=appointment.day_id, stage__in=WAITING | {Stage.SUBMITTED}, wants_onsite=True
    )
    return rivals.filter(_before(appointment)).count() + 1


def _before(appointment: Appointment) -> Q:
    earlier = Q(submitted_at__lt=appointment.submitted_at)
    earlier |= Q(submitted_at=appointment.submitted_at, pk__lt=appointment.pk)
    since = appointment.priority_since
    if since is None:
        return Q(priority_since__isnull=False) | earlier
    return Q(priority_since__lt=since) | (Q(priority_since=since) & earlier)


def ground(appointment: Appointment) -> dict[str, str]:
    """Why a registration stands where it stands in the line, as the trail keeps it."""
    since = appointment.priority_since
    return {"ground": PRIORITY if since else TIME, "since": (since or appointment.submitted_at).isoformat()}


def in_words(kept: dict[str, str]) -> str:
    """A ground, kept or present, in words."""
    since = datetime.fromisoformat(kept["since"]).astimezone(calendar.SHANGHAI)
    if kept["ground"] == PRIORITY:
        return f"上期顺延，优先（{since:%-m月%-d日}取得）"
    return f"按登记时间（{since:%-m月%-d日 %H:%M}）"


def of_day(day: ConsultDay, seat: Seat | None = None, **facts) -> dict:
    """The facts by which a decision is found and explained on the page of its 咨询日."""
    return {"day": calendar.slug(day.date)} | ({"seat": seat.number} if seat else {}) | facts
