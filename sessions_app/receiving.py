"""接待人员 (二): who comes. 办公室 asks them and records the answer (七（二）：协调局领导的活动安排)."""

from datetime import date, datetime, timedelta

from django.db import transaction
from django.db.models import QuerySet

from zhoushan_consult.audit.trail import record
from zhoushan_consult.audit.verbs import Verb
from zhoushan_consult.bureau.models import Officer
from zhoushan_consult.bureau.refusals import Refused
from zhoushan_consult.bureau.roles import Act, Role
from zhoushan_consult.clock import local_date
from zhoushan_consult.duties.kinds import Kind, daily

from . import calendar, notifications, policy
from .models import Plan, Reception


class ReasonMissing(Refused):
    status = 422

    def __init__(self):
        super().__init__("请写明不能参加的原因，或改由谁接待，便于综合处调整方案。")


class DayPast(Refused):
    def __init__(self):
        super().__init__("这一期活动已经结束或取消，不再记录接待安排。")


@transaction.atomic
def confirm(person: Reception, *, by: Officer, at: datetime) -> None:
    """The person will come. A second click keeps the first time."""
    _must_be_ahead(person, by, at)
    one = Reception.objects.filter(pk=person.pk, confirmed_at=None)
    if one.update(confirmed_at=at, declined="", recorded_by=by):
        record(Verb.RECEPTION_CONFIRMED, person, by=by, at=at)
    person.refresh_from_db()


@transaction.atomic
def decline(person: Reception, why: str, *, by: Officer, at: datetime) -> None:
    """The person cannot come, for a reason or with a deputy named. 综合处 is told, and changes the plan. Raises ReasonMissing."""
    _must_be_ahead(person, by, at)
    why = why.strip()
    if not why:
        raise ReasonMissing
    one = Reception.objects.filter(pk=person.pk).exclude(declined=why)
    if one.update(confirmed_at=None, declined=why, recorded_by=by):
        record(Verb.RECEPTION_DECLINED, person, by=by, at=at)
        key = f"{at:%Y%m%d%H%M%S}"
        notifications.to_role(Role.COORDINATOR, "reception_declined", person, at=at, key=key)
    person.refresh_from_db()


def _must_be_ahead(person: Reception, by: Officer, at: datetime) -> None:
    by.must(Act.RECEIVE)
    if person.day.is_cancelled or at >= calendar.ends_at(person.day.date):
        raise DayPast


def upcoming_receptions(now: datetime) -> QuerySet[Reception]:
    """Everyone on a plan that is submitted or published, and whose day is not over."""
    ahead = Reception.objects.filter(
        day__plan__in=[Plan.SUBMITTED, Plan.PUBLISHED], day__date__gte=calendar.current_day(now)
    )
    return ahead.select_related("day", "division", "area", "recorded_by").order_by("day__date", "order", "pk")


def unanswered(day: date) -> QuerySet[Reception]:
    """The people on the published list of `day` who have not answered yet."""
    return Reception.objects.filter(
        day__date=day, day__plan=Plan.PUBLISHED, confirmed_at=None, declined=""
    ).select_related("day")


def _remind(about: str, due_at: datetime, now: datetime) -> int:
    """Daily from RECEPTION_REMIND_DAYS before the day: 办公室 is told how many have not answered. Returns how many."""
    today = local_date(due_at)
    date_ = calendar.current_day(due_at)
    if (date_ - today).days > policy.RECEPTION_REMIND_DAYS:
        return 0
    waiting = list(unanswered(date_))
    if waiting:
        day = waiting[0].day
        notifications.to_role(Role.WATCH, "reception_open", day, at=now, key=str(today))
    return len(waiting)


RECEPTION = Kind(
    name="reception_open",
    label="接待人员确认催办",
    schedule=daily("09:10"),
    run=_remind,
    useful_for=timedelta(hours=10),
)
