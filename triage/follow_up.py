"""跟踪督办 (六（六）): what is promised is followed until done; progress reaches 综合处 and 办公室, and the firm where marked."""

from datetime import date, datetime, timedelta

from django.db import transaction
from django.db.models import Exists, OuterRef, Subquery

from appointments import letters
from appointments.lifecycle import Stage
from appointments.models import Appointment, Grade, IllegalMove, Rating, StageMove
from sessions_app import policy
from sessions_app.calendar import SHANGHAI, local_datetime
from zhoushan_consult.audit.trail import record
from zhoushan_consult.audit.verbs import Verb
from zhoushan_consult.bureau.models import Division, Officer
from zhoushan_consult.bureau.refusals import Refused
from zhoushan_consult.bureau.roles import Act, Role
from zhoushan_consult.duties.kinds import Kind, daily
from zhoushan_consult.workdays.days import add_workdays

from . import notifications
from .models import Assignment, AssignmentState, FollowUp, FollowUpPost, Part

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
    """Enter a matter into 督办 and tell its division. Runs in the caller's transaction."""
    matter = FollowUp.objects.create(
        appointment=appointment,
        division=division,
        origin=origin,
        promise=promise,
        due_on=due_on or term(at, policy.FOLLOW_UP_WORKDAYS),
        opened_by=by,
        opened_at=at,
    )
    record(Verb.FOLLOW_UP_OPENED, matter, by=by, at=at, division=division.code)
    notifications.to_role(Role.HANDLER, "follow_up_new", matter, at=at, division=division, matter=matter)
    return matter


def term(at: datetime, workdays: int) -> date:
    """The last day of a term of `workdays` working days that begins at `at`."""
    return add_workdays(at.astimezone(SHANGHAI).date(), workdays)


@transaction.atomic
def post_progress(matter: FollowUp, text: str, *, to_firm: bool, by: Officer, at: datetime) -> FollowUpPost:
    """What was done about a matter; 综合处 and 办公室 are told, and the firm where the division marks it so.

    The same words once more by the same officer are a second click, and one post.
    """
    _must_be_open_to(FollowUp.objects.select_for_update().get(pk=matter.pk), by)
    last = matter.posts.order_by("pk").last()
    if last and (last.text, last.to_firm, last.by_id) == (text, to_firm, by.pk):
        return last
    entry = FollowUpPost.objects.create(follow_up=matter, text=text, to_firm=to_firm, by=by, at=at)
    record(Verb.FOLLOW_UP_POSTED, matter, by=by, at=at, to_firm=to_firm)
    for role in (Role.COORDINATOR, Role.WATCH):
        notifications.to_role(role, "follow_up_progress", matter, at=at, key=f"p{entry.pk}", matter=matter)
    if to_firm:
        letters.write(
            "progress_to_firm", matter.appointment, at=at, key=f"p{entry.pk}", progress=text, matter=matter
        )
    return entry


@transaction.atomic
def close(matter: FollowUp, result: str, *, by: Officer, at: datetime) -> None:
    """A matter is done. With the last one the registration is closed, and the firm asked whether it is solved."""
    _must_be_open_to(matter, by)
    _end(matter, result, by=by, at=at, closed_at=at)
    appointment = matter.appointment
    if not appointment.follow_ups.filter(closed_at=None).exists() and appointment.stage == Stage.FOLLOWING:
        appointment.move_to(Stage.CLOSED, "督办事项已办结", by=by, at=at)
        letters.write("closed", appointment, at=at, key=f"f{matter.pk}", result=result)


def _end(matter: FollowUp, result: str, *, by: Officer | None, at: datetime, closed_at: datetime) -> None:
    """A matter is done; 综合处 and 办公室 are told. Raises IllegalMove where it was done before."""
    still_open = FollowUp.objects.filter(pk=matter.pk, closed_at=None)
    if not still_open.update(closed_at=closed_at, closed_by=by, result=result):
        raise IllegalMove("这件督办已经办结，请刷新后查看。")
    record(Verb.FOLLOW_UP_CLOSED, matter, by=by, at=at)
    for role in (Role.COORDINATOR, Role.WATCH):
        notifications.to_role(role, "follow_up_closed", matter, at=at, matter=matter)


class ReplyOwed(Refused):
    def __init__(self):
        super().__init__("这家企业当天未到场，问题还没有全部书面答复。请等处室审签答复后再办结。")


@transaction.atomic
def close_registration(appointment: Appointment, *, by: Officer, at: datetime) -> None:
    """综合处 closes a registration in which nothing is left to do. Raises ReplyOwed: a firm that did not come is
    answered in writing first."""
    by.must(Act.FOLLOW_UP)
    if appointment.stage == Stage.ABSENT and not _answered(appointment):
        raise ReplyOwed
    appointment.move_to(Stage.CLOSED, by=by, at=at)
    letters.write("closed", appointment, at=at, key="heard", result="")


def _answered(appointment: Appointment) -> bool:
    """Whether every 交办 of it that stands has its released reply."""
    states = set(
        appointment.assignments.exclude(state=AssignmentState.CANCELLED)
        .order_by()
        .values_list("state", flat=True)
    )
    return states == {AssignmentState.RELEASED}


def _must_be_open_to(matter: FollowUp, officer: Officer) -> None:
    officer.must(Act.FOLLOW_UP)
    if not (officer.may(Act.READ_ALL) or matter.division_id == officer.division_id):
        raise IllegalMove("这件督办不属于您所在的处室。")
    if matter.closed_at:
        raise IllegalMove("这件督办已经办结，请刷新后查看。")


def lead_division(appointment: Appointment) -> Division:
    """Who answers for a registration: its lead 交办's division, otherwise 综合处."""
    lead = (
        Assignment.objects.filter(appointment=appointment, part=Part.LEAD).select_related("division").last()
    )
    return lead.division if lead else Division.objects.get(code="general")


def process_feedback(*, at: datetime) -> int:
    """What the firms said on their pages enters 督办: 已解决 ends its matters, 未解决 and 差评 open new ones.

    Safe to repeat; returns how many matters were ended and opened.
    """
    return _end_solved(at=at) + _take_up_unsolved(at=at) + _take_up_poor_ratings(at=at)


def _end_solved(*, at: datetime) -> int:
    """Matters of which the firm has said 已解决 since they were opened. A 差评回访 is not the firm's to end."""
    said = StageMove.objects.filter(
        appointment=OuterRef("appointment"),
        old=Stage.FOLLOWING,
        new=Stage.CLOSED,
        by=None,
        at__gte=OuterRef("opened_at"),
    )
    still_open = FollowUp.objects.filter(closed_at=None).exclude(origin=FollowUp.Origin.RATING)
    solved = still_open.annotate(solved_at=Subquery(said.order_by("at").values("at")[:1]))
    found = list(solved.exclude(solved_at=None).select_related("division"))
    for matter in found:
        with transaction.atomic():
            _end(matter, "企业反馈已解决", by=None, at=at, closed_at=matter.solved_at)
    return len(found)


def _take_up_unsolved(*, at: datetime) -> int:
    """The firm's last 未解决 of every registration in 督办 opens a matter with a term, and so a ladder, of its own."""
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
    """The ladder: handler the day before, head on the day after the term, then 综合处 and 办公室, then 局领导."""
    today = at.astimezone(SHANGHAI).date()
    matters = FollowUp.objects.filter(closed_at=None, due_on__lte=today + timedelta(days=1)).select_related(
        "division"
    )
    return sum(_remind_one(matter, today, at=at) for matter in matters)


LADDER_STEPS = [
    (-1, "handler", (Role.HANDLER,)),
    (1, "head", (Role.HEAD,)),
    (4, "bureau", (Role.COORDINATOR, Role.WATCH)),
    (8, "leader", (Role.LEADER,)),
]
"""Days past the term, the step's name, and who is told."""


def _remind_one(matter: FollowUp, today: date, *, at: datetime) -> int:
    late = (today - matter.due_on).days
    reached = [step for step in LADDER_STEPS if late >= step[0]]
    for _, name, roles in reached[-1:]:
        for role in roles:
            division = matter.division if role in (Role.HANDLER, Role.HEAD) else None
            notifications.to_role(
                role, "follow_up_late", matter, at=at, key=name, division=division, matter=matter
            )
    return len(reached[-1:])


AGE_ALERTS = [
    (policy.FOLLOW_UP_ALARM_DAYS, (Role.COORDINATOR, Role.WATCH)),
    (policy.FOLLOW_UP_LEADER_DAYS, (Role.LEADER,)),
]
"""Days that a matter has been open, whatever its term, and who is told."""


def alert_long_open(*, at: datetime) -> int:
    """A matter that is open for long is told once at each step, long before 90 days, be its term ever so far off."""
    today = at.astimezone(SHANGHAI).date()
    count = 0
    for days, roles in AGE_ALERTS:
        opened_by = local_datetime(today - timedelta(days=days - 1))
        for matter in FollowUp.objects.filter(closed_at=None, opened_at__lt=opened_by).select_related(
            "division"
        ):
            for role in roles:
                notifications.to_role(
                    role, "follow_up_old", matter, at=at, key=f"old{days}", matter=matter, days=days
                )
            count += 1
    return count


def _make_the_round(about: str, due_at: datetime, now: datetime) -> int:
    return process_feedback(at=now) + remind(at=now) + alert_long_open(at=now)


LADDER = Kind(
    name="follow_up_ladder",
    label="督办提醒",
    schedule=daily("08:30"),
    run=_make_the_round,
    useful_for=timedelta(hours=20),
)
