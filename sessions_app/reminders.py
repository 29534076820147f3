"""From the 20th on, whoever holds the next plan is reminded daily until it is published (六（一）)."""

from datetime import datetime, timedelta

from zhoushan_consult.bureau.models import Officer
from zhoushan_consult.bureau.roles import Role
from zhoushan_consult.duties.kinds import Kind, daily
from zhoushan_consult.outbox.posting import Recipient, post

from . import calendar, policy
from .days import day_on
from .models import Plan

WAITS_FOR = {Plan.DRAFT: Role.COORDINATOR, Plan.RETURNED: Role.COORDINATOR, Plan.SUBMITTED: Role.LEADER}


def remind_of_plan(about: str, due_at: datetime, now: datetime) -> int:
    """Tell 综合处 to draft, then 局领导 to approve. Returns how many officers were told."""
    today = due_at.astimezone(calendar.SHANGHAI).date()
    if today.day < policy.PLAN_WANTED_FROM:
        return 0
    day = day_on(calendar.booking_day(due_at))
    role = WAITS_FOR.get(Plan(day.plan))
    officers = list(Officer.objects.of(role)) if role else []
    for officer in officers:
        to = Recipient(name=officer.name, phone=officer.phone, email=officer.email)
        post("plan_wanted", about=day, to=to, key=f"{today}:{officer.pk}", at=now, day=day, submitted=day.plan == Plan.SUBMITTED)
    return len(officers)


PLAN_WANTED = Kind(
    name="plan_wanted",
    label="活动方案催办",
    schedule=daily("09:00"),
    run=remind_of_plan,
    useful_for=timedelta(hours=10),
)
