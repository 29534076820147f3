"""组织现场活动 (六（五）): check-in on the 10th, and how the talk with each firm ended."""

from dataclasses import dataclass
from datetime import date, datetime

from django.db import transaction

from appointments import letters
from appointments.lifecycle import Stage
from appointments.models import Appointment, IllegalMove
from sessions_app import calendar
from sessions_app.models import ConsultDay
from zhoushan_consult.audit.trail import record
from zhoushan_consult.audit.verbs import Verb
from zhoushan_consult.bureau.models import Division, Officer
from zhoushan_consult.bureau.refusals import Refused
from zhoushan_consult.bureau.roles import Act

from . import follow_up, replies, work
from .models import FollowUp, Hearing, Outcome

STAGE_AFTER = {Outcome.SOLVED: Stage.HEARD, Outcome.FOLLOW: Stage.HEARD, Outcome.ABSENT: Stage.ABSENT}


class PromiseMissing(Refused):
    def __init__(self):
        super().__init__("需跟踪督办的，请写明督办事项和责任处室。")


class NotTheDay(Refused):
    def __init__(self, day: ConsultDay):
        super().__init__(f"咨询日是{calendar.short(day.date)}，当天才能签到和记录结果。")


@dataclass(frozen=True)
class Promise:
    """What was promised on the day: by which division, and by when (None: the policy's working days)."""

    text: str
    division: Division
    due_on: date | None = None


@transaction.atomic
def check_in(appointment: Appointment, *, by: Officer, at: datetime) -> Hearing:
    """签到. A second check-in keeps the first time."""
    by.must(Act.RUN_DAY)
    _must_have_come(appointment.day, at)
    # The row is locked, so that a firm that leaves at this instant is not signed in.
    current = Appointment.objects.select_for_update(of=("self",), no_key=True).get(pk=appointment.pk)
    if current.stage != Stage.SEATED:
        raise IllegalMove
    hearing, made = Hearing.objects.get_or_create(
        appointment=appointment, defaults={"day": appointment.day, "checked_in_at": at, "by": by, "at": at}
    )
    if made:
        record(Verb.CHECKED_IN, appointment, by=by, at=at)
    return hearing


@transaction.atomic
def conclude(
    appointment: Appointment,
    outcome: Outcome,
    gist: str,
    promises: list[Promise],
    *,
    by: Officer,
    at: datetime,
) -> None:
    """Write down how the talk ended; what could not be solved becomes 跟踪督办. Raises PromiseMissing, IllegalMove."""
    by.must(Act.RUN_DAY)
    _must_have_come(appointment.day, at)
    if outcome == Outcome.FOLLOW and not promises:
        raise PromiseMissing
    appointment.move_to(STAGE_AFTER[outcome], Outcome(outcome).label, by=by, at=at)
    Hearing.objects.update_or_create(
        appointment=appointment,
        defaults={"day": appointment.day, "outcome": outcome, "gist": gist, "by": by, "at": at},
    )
    record(Verb.HEARING_CONCLUDED, appointment, by=by, at=at, outcome=outcome)
    if outcome == Outcome.ABSENT:
        replies.request_for_absent(appointment, at=at)
    else:
        # Answered at the table. What is still open is followed up by name, below.
        work.cancel_assignments(appointment, by=by, at=at)
    if outcome == Outcome.FOLLOW:
        appointment.move_to(Stage.FOLLOWING, by=by, at=at)
        for promise in promises:
            follow_up.open_follow_up(
                appointment,
                promise.division,
                promise.text,
                FollowUp.Origin.DAY,
                due_on=promise.due_on,
                by=by,
                at=at,
            )
    letters.write(f"heard_{outcome}", appointment, at=at)


def _must_have_come(day: ConsultDay, at: datetime) -> None:
    if at < calendar.local_datetime(day.date):
        raise NotTheDay(day)
