"""组织现场活动 (六（五）): check-in on the 10th, and how the talk with each firm ended."""

from dataclasses import dataclass
from datetime import date, datetime

from django.db import transaction

from appointments import letters
from appointments.facts import require
from appointments.lifecycle import Stage
from appointments.models import Appointment
from appointments.situation import StaffAct
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


@dataclass(frozen=True)
class Promise:
    """What was promised on the day: by which division, and by when (None: the policy's working days)."""

    text: str
    division: Division
    due_on: date | None = None


@transaction.atomic
def check_in(appointment: Appointment, *, by: Officer, at: datetime) -> Hearing:
    """签到, on the day itself. A second check-in keeps the first time. Raises NotOpen."""
    by.must(Act.RUN_DAY)
    # The row is locked, so that a firm that leaves at this instant is not signed in.
    Appointment.objects.select_for_update(of=("self",), no_key=True).get(pk=appointment.pk)
    if earlier := Hearing.objects.filter(appointment=appointment, outcome="").first():
        return earlier
    current = Appointment.objects.select_related("day", "seat").get(pk=appointment.pk)
    require(current, StaffAct.CHECK_IN, at)
    record(Verb.CHECKED_IN, appointment, by=by, at=at)
    return Hearing.objects.create(appointment=appointment, day=current.day, checked_in_at=at, by=by, at=at)


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
    """Write down how the talk ended; what could not be solved becomes 跟踪督办. Raises PromiseMissing, NotOpen."""
    by.must(Act.RUN_DAY)
    require(appointment, StaffAct.CONCLUDE, at)
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
