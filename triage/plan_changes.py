"""Changes after publication (六（一）): seated firms learn of a change at once; the firms of a cancelled day are carried over.

The moves of the plan itself are in `sessions_app.planning`. Here plan and firms change in one transaction.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Count, Q

from appointments import letters
from appointments.day_cancellation import COUNTS_ON_DAY, Cancellation, carry_over_all, expecting
from appointments.lifecycle import Stage
from appointments.models import Appointment
from sessions_app import calendar, planning
from sessions_app.days import first_open_day, next_open_date
from sessions_app.models import ConsultDay, Plan, PlanChange, Reception
from zhoushan_consult.bureau.models import Officer
from zhoushan_consult.bureau.refusals import Refused
from zhoushan_consult.bureau.roles import Role
from zhoushan_consult.duties.kinds import Kind, every

from . import notifications
from .models import Hearing

TOLD = (Role.COORDINATOR, Role.WATCH, Role.HEAD)
"""Roles that are told of a change or a cancellation, in addition to the firms."""


class DayBegun(Refused):
    def __init__(self):
        super().__init__("已有企业签到，活动已经开始，不能取消。没有谈成的，请在该企业的登记里记录现场结果。")


@transaction.atomic
def change(
    day: ConsultDay, receptions: list[Reception], reason: str, *, by: Officer, at: datetime, **wording
) -> None:
    """综合处 changes a published plan for a reason; every seated firm and the bureau are told.

    `wording` and the exceptions are those of `planning.change`. If only the people change, firms get no letter: the portal
    shows it.
    """
    before = ConsultDay.objects.get(pk=day.pk)
    made = planning.change(day, receptions, reason, by=by, at=at, **wording)
    if made is None:
        return
    if any(getattr(before, name) != getattr(day, name) for name in planning.TEXTS):
        _tell_seated(day, made, moved=before.place != day.place)
    to_bureau("plan_changed_bureau", day, at=at, key=f"c{made.pk}")


def _tell_seated(day: ConsultDay, made: PlanChange, *, moved: bool) -> None:
    """Firms with a seat, offered or confirmed. The others learn the place with their offer."""
    seated = Appointment.objects.filter(day=day, stage=Stage.SEATED).select_related("day", "seat")
    for firm in seated:
        seat = letters.seat_params(firm)
        letters.write(
            "plan_changed", firm, at=made.at, key=f"c{made.pk}", change=made.pk, moved=moved, **seat
        )


@dataclass(frozen=True)
class Affected:
    """Whom a cancellation would affect: firms that confirmed, that were offered a seat, that wait; and where they would go."""

    confirmed: int
    offered: int
    waiting: int
    next_day: str

    @property
    def told(self) -> int:
        return self.confirmed + self.offered + self.waiting


def affected_by_cancelling(day: ConsultDay, now: datetime) -> Affected:
    """What 局领导 read before they cancel the day."""
    seated, confirmed = Q(stage=Stage.SEATED), Q(seat__confirmed_at__isnull=False)
    counts = expecting(day).aggregate(
        confirmed=Count("pk", filter=seated & confirmed),
        offered=Count("pk", filter=seated & ~confirmed),
        waiting=Count("pk", filter=~seated),
    )
    return Affected(**counts, next_day=calendar.short(next_open_date(calendar.following(day.date), at=now)))


@transaction.atomic
def cancel(day: ConsultDay, reason: str, *, by: Officer, at: datetime) -> None:
    """局领导 cancels the day: its firms are carried over to the next one with priority and told, in the same act.

    A second click changes nothing. Raises DayBegun once a firm has signed in, and what `planning.cancel` raises.
    """
    if Hearing.objects.filter(day=day).exists():
        raise DayBegun
    if not planning.cancel(day, reason, by=by, at=at):
        return
    instead = first_open_day(calendar.following(day.date), at=at)
    carried = carry_over_all(Cancellation(day, instead, by, at))
    to_bureau("day_cancelled_bureau", day, at=at, key="1", carried=carried, next=calendar.slug(instead.date))


def to_bureau(kind: str, day: ConsultDay, *, at: datetime, key: str, **params) -> None:
    for role in TOLD:
        notifications.to_role(role, kind, day, at=at, key=key, **params)


@transaction.atomic
def carry_latecomers(*, at: datetime) -> int:
    """Carry over firms that joined a cancelled day afterwards: registered at that instant, or reconsidered later."""
    waiting = Appointment.objects.filter(
        day__plan=Plan.CANCELLED, wants_onsite=True, stage__in=COUNTS_ON_DAY
    ).order_by()
    carried = 0
    for day in ConsultDay.objects.filter(pk__in=waiting.values("day")):
        first = max(calendar.following(day.date), calendar.current_day(at))
        carried += carry_over_all(Cancellation(day, first_open_day(first, at=at), None, at))
    return carried


CARRY = Kind(
    name="carry_latecomers",
    label="取消场次的企业顺延",
    schedule=every(timedelta(minutes=5)),
    run=lambda about, due_at, now: carry_latecomers(at=now),
    useful_for=timedelta(hours=1),
)
