"""跟踪督办 (六（六）): what is promised is followed until done; progress reaches 综合处 and 办公室, and the firm where marked."""

from datetime import date, datetime, timedelta

from django.db import transaction
from django.db.models import Exists, OuterRef

from appointments import letters
from appointments.lifecycle import Stage
from appointments.models import Appointment, Grade, IllegalMove, Rating, StageMove
from sessions_app import policy
from sessions_app.calendar import local_datetime
from zhoushan_consult.audit.trail import record
from zhoushan_consult.audit.verbs import Verb
from zhoushan_consult.bureau.models import Division, Officer
from zhoushan_consult.bureau.roles import Act, Role
from zhoushan_consult.clock import local_date
from zhoushan_consult.duties.kinds import Kind, daily
from zhoushan_consult.workdays.days import add_workdays

from . import notifications, work
from .models import FollowUp, FollowUpPost, Part

POOR_RATING_WORKDAYS = 5


def open_follow_up(
    appointment: Appointment,
    division: Division,
    promise: str,
    origin: str,
    *,
    due_on: date | None = None,
    by: Officer | None,
    at: datetime,
) -> FollowUp:
    """督办立项: open a follow-up and tell its division. Runs in the caller's transaction."""
    follow_up = FollowUp.objects.create(
        appointment=appointment,
        division=division,
        origin=origin,
        promise=promise,
        due_on=due_on or term(at, policy.FOLLOW_UP_WORKDAYS),
        opened_by=by,
        opened_at=at,
    )
    record(Verb.FOLLOW_UP_OPENED, follow_up, by=by, at=at, division=division.code)
    notifications.to_handlers(division, "follow_up_new", follow_up, at=at)
    return follow_up


def term(at: datetime, workdays: int) -> date:
    """The last day of a term of `workdays` working days that begins at `at`."""
    return add_workdays(local_date(at), workdays)


@transaction.atomic
def post_progress(
    follow_up: FollowUp, text: str, *, to_firm: bool, by: Officer, at: datetime
) -> FollowUpPost:
    """Record progress. 综合处 and 办公室 are told, and the firm where the division asks for it (六（六）).

    The same text again from the same officer is a second click: it is stored once. Raises IllegalMove, NotAllowed.
    """
    _must_be_open_to(FollowUp.objects.select_for_update().get(pk=follow_up.pk), by)
    last = follow_up.posts.order_by("pk").last()
    if last and (last.text, last.to_firm, last.by_id) == (text, to_firm, by.pk):
        return last
    entry = FollowUpPost.objects.create(follow_up=follow_up, text=text, to_firm=to_firm, by=by, at=at)
    record(Verb.FOLLOW_UP_POSTED, follow_up, by=by, at=at, to_firm=to_firm)
    for role in (Role.COORDINATOR, Role.WATCH):
        notifications.to_role(role, "follow_up_progress", follow_up, at=at, key=f"p{entry.pk}")
    if to_firm:
        letters.write("progress_to_firm", follow_up.appointment, at=at, key=f"p{entry.pk}", post=entry.pk)
    return entry


@transaction.atomic
def close(follow_up: FollowUp, result: str, *, by: Officer, at: datetime) -> None:
    """Close a follow-up. With the last one the registration is closed, and the firm is asked whether it is solved.

    A 差评回访 is not counted: it goes on for itself, and nothing that the firm reported ends with it.
    """
    _must_be_open_to(follow_up, by)
    _end(follow_up, result, by=by, at=at, closed_at=at)
    appointment = follow_up.appointment
    if follow_up.origin == FollowUp.Origin.RATING or appointment.stage != Stage.FOLLOWING:
        return
    still_open = appointment.follow_ups.filter(closed_at=None).exclude(origin=FollowUp.Origin.RATING)
    if not still_open.exists():
        appointment.move_to(Stage.CLOSED, "督办事项已办结", by=by, at=at)
        letters.write("closed", appointment, at=at, key=f"f{follow_up.pk}", follow_up=follow_up.pk)


def _end(follow_up: FollowUp, result: str, *, by: Officer | None, at: datetime, closed_at: datetime) -> None:
    """Close it; 综合处 and 办公室 are told. Raises IllegalMove where it is closed already."""
    still_open = FollowUp.objects.filter(pk=follow_up.pk, closed_at=None)
    if not still_open.update(closed_at=closed_at, closed_by=by, result=result):
        raise IllegalMove("这件督办已经办结，请刷新后查看。")
    record(Verb.FOLLOW_UP_CLOSED, follow_up, by=by, at=at)
    for role in (Role.COORDINATOR, Role.WATCH):
        notifications.to_role(role, "follow_up_closed", follow_up, at=at)


def end_work(appointment: Appointment, *, by: Officer | None, at: datetime) -> None:
    """A registration has ended: its 交办 are cancelled, its 督办 end, and so do the 更正 of a firm that hears nothing more.

    Runs in the caller's transaction (`upper_floor`).

    A 差评回访 goes on: it is about the service, not about the matter.
    """
    work.cancel_assignments(appointment, by=by, at=at)
    work.drop_revisions(appointment, by=by, at=at)
    result = "企业反馈已解决" if by is None else f"登记{appointment.get_stage_display()}"
    still_open = FollowUp.objects.filter(appointment=appointment, closed_at=None)
    for follow_up in still_open.exclude(origin=FollowUp.Origin.RATING).select_related("division"):
        _end(follow_up, result, by=by, at=at, closed_at=at)


def _must_be_open_to(follow_up: FollowUp, officer: Officer) -> None:
    officer.must(Act.FOLLOW_UP)
    if not (officer.may(Act.READ_ALL) or follow_up.division_id == officer.division_id):
        raise IllegalMove("这件督办不属于您所在的处室。")
    if follow_up.closed_at:
        raise IllegalMove("这件督办已经办结，请刷新后查看。")


def lead_division(appointment: Appointment) -> Division:
    """The division responsible for a registration: that of its lead 交办 in force, otherwise 综合处."""
    leads = appointment.assignments.filter(part=Part.LEAD).exclude(state__in=work.NOT_IN_FORCE)
    last = leads.select_related("division").last()
    return last.division if last else Division.objects.get(code="general")


def process_feedback(*, at: datetime) -> int:
    """Bring the feedback of firms into 督办: 未解决 and 差评 open new ones.

    The firm's page is in `appointments`, which does not import `triage`: so a duty reads what the firm wrote there. Safe to repeat.
    Returns how many follow-ups were opened.
    """
    return _take_up_unsolved(at=at) + _take_up_poor_ratings(at=at)


def _take_up_unsolved(*, at: datetime) -> int:
    """The latest 未解决 of each registration opens a follow-up of its own, with its own term and reminders."""
    taken_up = FollowUp.objects.filter(
        appointment=OuterRef("appointment"), origin=FollowUp.Origin.FIRM, opened_at__gte=OuterRef("at")
    )
    said = StageMove.objects.filter(new=Stage.FOLLOWING, by=None, appointment__stage=Stage.FOLLOWING)
    waiting = said.exclude(Exists(taken_up)).select_related("appointment").order_by("at", "pk")
    last = {move.appointment_id: move for move in waiting}
    for move in last.values():
        firm, words = move.appointment, move.note or "企业反馈未解决"
        with transaction.atomic():
            open_follow_up(firm, lead_division(firm), words, FollowUp.Origin.FIRM, by=None, at=at)
    return len(last)


def _take_up_poor_ratings(*, at: datetime) -> int:
    poor = Rating.objects.filter(grade__lte=Grade.POOR).exclude(
        appointment__follow_ups__origin=FollowUp.Origin.RATING
    )
    found = list(poor.select_related("appointment"))
    for rating in found:
        with transaction.atomic():
            due_on = term(rating.at, POOR_RATING_WORKDAYS)
            general = Division.objects.get(code="general")
            open_follow_up(
                rating.appointment,
                general,
                "差评回访：了解原因并整改",
                FollowUp.Origin.RATING,
                due_on=due_on,
                by=None,
                at=at,
            )
    return len(found)


def remind(*, at: datetime) -> int:
    """The ladder: the handler a day before the term, the head a day after it, then 综合处 and 办公室, then 局领导."""
    today = local_date(at)
    follow_ups = FollowUp.objects.filter(
        closed_at=None, due_on__lte=today + timedelta(days=1)
    ).select_related("division")
    return sum(_remind_one(follow_up, today, at=at) for follow_up in follow_ups)


LADDER_STEPS = [
    (-1, "handler", (Role.HANDLER,)),
    (1, "head", (Role.HEAD,)),
    (4, "bureau", (Role.COORDINATOR, Role.WATCH)),
    (8, "leader", (Role.LEADER,)),
]
"""Days past the term, the name of the step (part of the dedupe key: each step is told once), and the roles told."""


def _remind_one(follow_up: FollowUp, today: date, *, at: datetime) -> int:
    late = (today - follow_up.due_on).days
    reached = [step for step in LADDER_STEPS if late >= step[0]]
    for _, name, roles in reached[-1:]:
        for role in roles:
            division = follow_up.division if role in (Role.HANDLER, Role.HEAD) else None
            if role == Role.HANDLER:
                notifications.to_handlers(division, "follow_up_late", follow_up, at=at, key=name)
            else:
                notifications.to_role(role, "follow_up_late", follow_up, at=at, key=name, division=division)
    return len(reached[-1:])


AGE_ALERTS = [
    (policy.FOLLOW_UP_ALARM_DAYS, (Role.COORDINATOR, Role.WATCH)),
    (policy.FOLLOW_UP_LEADER_DAYS, (Role.LEADER,)),
]
"""Days that a follow-up has been open, independent of its term, and the roles told."""


def alert_long_open(*, at: datetime) -> int:
    """Report a follow-up that stays open for long, once at each step. A distant term must not hide it."""
    today = local_date(at)
    count = 0
    for days, roles in AGE_ALERTS:
        opened_by = local_datetime(today - timedelta(days=days - 1))
        for follow_up in FollowUp.objects.filter(closed_at=None, opened_at__lt=opened_by).select_related(
            "division"
        ):
            for role in roles:
                notifications.to_role(role, "follow_up_old", follow_up, at=at, key=f"old{days}", days=days)
            count += 1
    return count


def _run_daily(about: str, due_at: datetime, now: datetime) -> int:
    return process_feedback(at=now) + remind(at=now) + alert_long_open(at=now)


LADDER = Kind(
    name="follow_up_ladder",
    label="督办提醒",
    schedule=daily("08:30"),
    run=_run_daily,
    useful_for=timedelta(hours=20),
)
