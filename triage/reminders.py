"""Reminders: firms with a seat before the 10th (六（五）), divisions before a reply is due (六（四）)."""

from datetime import date, datetime, timedelta

from django.db.models import QuerySet

from appointments import letters
from appointments.lifecycle import Stage
from appointments.models import Appointment
from sessions_app import policy, seats
from sessions_app.models import ConsultDay, Plan, Seat
from zhoushan_consult.bureau.roles import Role
from zhoushan_consult.clock import local_date
from zhoushan_consult.duties.kinds import Kind, daily
from zhoushan_consult.workdays.days import add_workdays

from . import notifications, timetable, worklists
from .models import Assignment
from .work import UNANSWERED, revisions_in_hand


def remind_firms(about: str, due_at: datetime, now: datetime) -> int:
    """REMIND_DAYS_BEFORE the day: tell every seated firm time and place. Returns how many.

    Not a firm whose offer has lapsed: it loses its seat in this same round.
    """
    today = local_date(due_at)
    count = 0
    for days in policy.REMIND_DAYS_BEFORE:
        day = today + timedelta(days=days)
        lapsed = seats.lapsed(Seat.objects.filter(day__date=day), day, now)
        seated = Appointment.objects.filter(stage=Stage.SEATED, day__date=day).exclude(seat__in=lapsed)
        for appointment in seated.select_related("day", "seat"):
            key = f"{appointment.day.date}:{days}"
            letters.write("day_near", appointment, at=now, key=key, **letters.seat_params(appointment))
            count += 1
    return count


def remind_divisions(about: str, due_at: datetime, now: datetime) -> int:
    """Before and after the term: tell the handlers of each 交办 without a released reply; once it is late, the head too.

    So for each 更正 or 补充 that is not signed. Returns how many wait.
    """
    today = local_date(due_at)
    soon = add_workdays(today, policy.REPLY_REMIND_WORKDAYS)
    waiting = Assignment.objects.filter(state__in=UNANSWERED, due_on__lte=soon)
    count = 0
    for assignment in waiting.select_related("division", "appointment"):
        step, roles = _step(assignment.due_on, today)
        for role in roles:
            notifications.to_division(assignment, f"reply_{step}", at=now, role=role, key=step)
        count += 1
    return count + _remind_of_revisions(today, soon, now)


def _step(due_on: date, today: date) -> tuple[str, tuple[Role, ...]]:
    """The name of the reminder, and the roles that get it."""
    return ("late", (Role.HANDLER, Role.HEAD)) if due_on < today else ("soon", (Role.HANDLER,))


def _remind_of_revisions(today: date, soon: date, now: datetime) -> int:
    waiting = revisions_in_hand().filter(due_on__lte=soon)
    count = 0
    for reply in waiting.select_related("assignment__division", "assignment__appointment"):
        step, roles = _step(reply.due_on, today)
        for role in roles:
            division = reply.assignment.division
            notifications.to_role(role, f"revision_{step}", reply, at=now, key=step, division=division)
        count += 1
    return count


def remind_to_settle(about: str, due_at: datetime, now: datetime) -> int:
    """Daily from the 2nd until the list is settled: tell 综合处; past SETTLE_BY 局领导 too (六（五）). Returns how many wait.

    It goes on after the day, as long as firms wait to hear whether they get a seat.
    """
    today = local_date(due_at)
    count = 0
    for day in worklists.to_settle(due_at):
        wanted_from = day.date.replace(day=policy.SETTLE_WANTED_FROM)
        if today < wanted_from or not day.pending + day.wanting:
            continue
        late = today > day.date.replace(day=policy.SETTLE_BY)
        for role in (Role.COORDINATOR, Role.LEADER) if late else (Role.COORDINATOR,):
            notifications.to_role(role, "settle_wanted", day, at=now, key=str(today))
        count += day.pending + day.wanting
    return count


def send_run_sheets(about: str, due_at: datetime, now: datetime) -> int:
    """On the same days: tell every division that is needed at a table. On the last one the timetable is frozen."""
    today = local_date(due_at)
    count = 0
    for days in policy.REMIND_DAYS_BEFORE:
        for day in _settled(today + timedelta(days=days)):
            if days == min(policy.REMIND_DAYS_BEFORE):
                timetable.freeze(day, at=now)
            count += _send_run_sheet(timetable.schedule_of(day), f"{day.date}:{days}", now)
    return count


def _settled(date_: date) -> QuerySet[ConsultDay]:
    return ConsultDay.objects.filter(date=date_, settled_at__isnull=False).exclude(plan=Plan.CANCELLED)


def _send_run_sheet(schedule: timetable.Schedule, key: str, now: datetime) -> int:
    for division in schedule.divisions:
        notifications.to_role(
            Role.HANDLER, "run_sheet_ready", schedule.day, at=now, key=key, division=division
        )
    return len(schedule.divisions)


RUN_SHEET = Kind(
    name="run_sheet",
    label="现场安排表告知处室",
    schedule=daily("09:10"),
    run=send_run_sheets,
    useful_for=timedelta(hours=10),
)
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
SETTLE_WANTED = Kind(
    name="settle_wanted",
    label="现场名单催办",
    schedule=daily("09:10"),
    run=remind_to_settle,
    useful_for=timedelta(hours=10),
)
