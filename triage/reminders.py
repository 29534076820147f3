"""Reminders: firms with a seat before the 10th (六（五）), divisions before a reply is due (六（四）)."""

from datetime import datetime, timedelta

from appointments import letters
from appointments.lifecycle import Stage
from appointments.models import Appointment
from sessions_app import calendar, policy
from zhoushan_consult.bureau.roles import Role
from zhoushan_consult.duties.kinds import Kind, daily
from zhoushan_consult.workdays.days import add_workdays

from . import notes
from .models import Assignment, Work


def remind_firms(about: str, due_at: datetime, now: datetime) -> int:
    """Three days and one day before: every seated firm, with time and place. Returns how many."""
    today = due_at.astimezone(calendar.SHANGHAI).date()
    count = 0
    for days in policy.REMIND_DAYS_BEFORE:
        seated = Appointment.objects.filter(stage=Stage.SEATED, day__date=today + timedelta(days=days))
        for appointment in seated.select_related("day", "seat"):
            key = f"{appointment.day.date}:{days}"
            letters.write("day_near", appointment, at=now, key=key, days=days, seat=appointment.seat)
            count += 1
    return count


def remind_divisions(about: str, due_at: datetime, now: datetime) -> int:
    """Before and after the term: handlers of every 交办 without a released reply, its head once it is late."""
    today = due_at.astimezone(calendar.SHANGHAI).date()
    soon = add_workdays(today, policy.REPLY_REMIND_WORKDAYS)
    waiting = Assignment.objects.filter(state__in=[Work.OPEN, Work.DRAFTED], due_on__lte=soon)
    count = 0
    for assignment in waiting.select_related("division", "appointment"):
        late = assignment.due_on < today
        step = "late" if late else "soon"
        for role in (Role.HANDLER, Role.HEAD) if late else (Role.HANDLER,):
            notes.to_division(assignment, f"reply_{step}", at=now, role=role, key=step)
        count += 1
    return count


DAY_NEAR = Kind(
    name="day_near",
    label="现场咨询提醒企业",
    schedule=daily("09:00"),
    run=remind_firms,
    useful_for=timedelta(hours=12),
)
REPLY_DUE = Kind(
    name="reply_due",
    label="答复到期提醒处室",
    schedule=daily("08:40"),
    run=remind_divisions,
    useful_for=timedelta(hours=10),
)
