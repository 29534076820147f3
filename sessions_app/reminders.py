"""Daily reminders about the next plan, from the 20th until it is published: to 综合处, then to 局领导 (六（一）).

A month that begins without a published plan is reported to 局领导 as well: 每月初公布 (四).
"""

from datetime import date, datetime, timedelta

from zhoushan_consult.bureau.roles import Role
from zhoushan_consult.clock import local_date
from zhoushan_consult.duties.kinds import Kind, daily

from . import calendar, notifications, policy
from .days import day_on
from .models import ConsultDay, Plan

WAITS_FOR = {Plan.DRAFT: Role.COORDINATOR, Plan.RETURNED: Role.COORDINATOR, Plan.SUBMITTED: Role.LEADER}


def remind_of_plans(about: str, due_at: datetime, now: datetime) -> int:
    """Tell 综合处 to draft, then 局领导 to approve. Returns how many letters that were."""
    today = local_date(due_at)
    return sum(_remind(day_on(date_), today, now) for date_ in _wanted(today, due_at))


def _wanted(today: date, due_at: datetime) -> list[date]:
    """The 咨询日 whose plan is due soon, and the one whose plan should be public by now."""
    this = calendar.consult_date(today.year, today.month)
    soon = [calendar.booking_day(due_at)] if today.day >= policy.PLAN_WANTED_FROM else []
    return [this] * (today < this) + soon


def _remind(day: ConsultDay, today: date, now: datetime) -> int:
    role = WAITS_FOR.get(Plan(day.plan))
    if role is None:
        return 0
    submitted = role == Role.LEADER
    told = notifications.to_role(role, "plan_wanted", day, at=now, key=str(today), submitted=submitted)
    if today < day.date.replace(day=1):
        return told
    return told + notifications.to_role(Role.LEADER, "plan_late", day, at=now, key="late")


PLAN_WANTED = Kind(
    name="plan_wanted",
    label="活动方案催办",
    schedule=daily("09:00"),
    run=remind_of_plans,
    useful_for=timedelta(hours=10),
)
