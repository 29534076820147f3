"""After publication (六（一）): a change reaches every seated firm at once; a cancelled day is carried to the next.

The plan's own moves are in `sessions_app.planning`; here it is one transaction with what they mean for the firms.
"""

from datetime import datetime, timedelta

from django.db import transaction

from appointments import letters
from appointments.cancellation import COUNTS_ON_DAY, Cancellation, carry_over_all
from appointments.lifecycle import Stage
from appointments.models import Appointment
from sessions_app import calendar, planning
from sessions_app.days import first_open_day
from sessions_app.models import ConsultDay, Plan, PlanChange, Reception
from zhoushan_consult.bureau.models import Officer
from zhoushan_consult.bureau.refusals import Refused
from zhoushan_consult.bureau.roles import Role
from zhoushan_consult.duties.kinds import Kind, every

from . import notifications
from .models import Hearing

TOLD = (Role.COORDINATOR, Role.WATCH, Role.HEAD)
"""Whose work a change or a cancellation touches, besides the firms."""


class DayBegun(Refused):
    def __init__(self):
        super().__init__("已有企业签到，活动已经开始，不能取消。没有谈成的，请在该企业的登记里记录现场结果。")


@transaction.atomic
def change(
    day: ConsultDay, receptions: list[Reception], reason: str, *, by: Officer, at: datetime, **wording
) -> None:
    """综合处 changes a published plan for a reason, and every seated firm and the bureau are told.

    `wording` is what `planning.change` takes, and its refusals come through. Other receptions alone are no news to
    the firms: the portal shows them.
    """
    before = ConsultDay.objects.get(pk=day.pk)
    made = planning.change(day, receptions, reason, by=by, at=at, **wording)
    if made is None:
        return
    if any(getattr(before, name) != getattr(day, name) for name in planning.TEXTS):
        _tell_seated(day, made, moved=before.place != day.place)
    to_bureau("plan_changed_bureau", day, at=at, key=f"c{made.pk}")


def _tell_seated(day: ConsultDay, made: PlanChange, *, moved: bool) -> None:
    """Those with a seat, offered or confirmed; the others learn the place with their seat."""
    seated = Appointment.objects.filter(day=day, stage=Stage.SEATED).select_related("day", "seat")
    for firm in seated:
        letters.write(
            "plan_changed", firm, at=made.at, key=f"c{made.pk}", change=made, moved=moved, seat=firm.seat
        )


@transaction.atomic
def cancel(day: ConsultDay, reason: str, *, by: Officer, at: datetime) -> None:
    """局领导 calls the day off: its firms are carried to the next with priority and told, in the same act.

    A second click finds it done. Raises DayBegun once a firm has signed in, and what `planning.cancel` raises.
    """
    if Hearing.objects.filter(day=day).exists():
        raise DayBegun
    if not planning.cancel(day, reason, by=by, at=at):
        return
    instead = first_open_day(calendar.following(day.date), at=at)
    carried = carry_over_all(Cancellation(day, instead, by, at))
    to_bureau(
        "day_cancelled_bureau", day, at=at, key="1", carried=carried, next_day=calendar.short(instead.date)
    )


def to_bureau(kind: str, day: ConsultDay, *, at: datetime, key: str, **context) -> None:
    for role in TOLD:
        notifications.to_role(role, kind, day, at=at, key=key, day=day, **context)


@transaction.atomic
def carry_latecomers(*, at: datetime) -> int:
    """Whoever came onto a cancelled day afterwards: registered in that very moment, or taken up for review again."""
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
