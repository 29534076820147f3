"""办结: by 综合处, or because the firm has its answer and says nothing in its time (六（五）（六）)."""

from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Exists, OuterRef

from appointments import letters
from appointments.facts import facts_of, require
from appointments.lifecycle import Stage
from appointments.models import Appointment, IllegalMove, StageMove
from appointments.situation import StaffAct
from sessions_app import policy
from zhoushan_consult.bureau.models import Officer
from zhoushan_consult.bureau.roles import Act
from zhoushan_consult.clock import local_date
from zhoushan_consult.duties.kinds import Kind, daily


@transaction.atomic
def close_registration(appointment: Appointment, *, by: Officer, at: datetime) -> None:
    """综合处 closes a registration that needs nothing more. Raises NotOpen: the firm gets its replies first."""
    by.must(Act.FOLLOW_UP)
    # A division does not see what the others still have to do.
    by.must(Act.READ_ALL)
    require(appointment, StaffAct.CLOSE, at)
    appointment.move_to(Stage.CLOSED, by=by, at=at)
    letters.write("closed", appointment, at=at, key=letters.key_at(at), follow_up=None)


WAITS_FOR_FIRM = (Stage.DEFERRED, Stage.ANSWERED, Stage.HEARD, Stage.ABSENT)
"""Stages in which the firm is asked, and its silence closes the registration after its time."""


def unanswered(now: datetime) -> Iterator[Appointment]:
    """Registrations whose firm has its answer and has not reacted in its time (`situation.Facts.answer_by`).

    The time runs from the instant at which the words reached the firm. A deferred firm is asked until its 咨询日 is over:
    before that a seat may come free for it.
    """
    asked = Appointment.objects.filter(stage__in=WAITS_FOR_FIRM, day__date__lt=local_date(now))
    # A first sieve, by an index: nothing that moved later can be due.
    long_ago = now - timedelta(days=policy.DEFERRAL_ANSWER_DAYS)
    recent = StageMove.objects.filter(appointment=OuterRef("pk"), at__gt=long_ago)
    for appointment in asked.exclude(Exists(recent)).select_related("day", "seat").order_by("pk"):
        facts = facts_of(appointment, now)
        if facts.is_answered and facts.answer_by and facts.answer_by < now:
            yield appointment


def close_unanswered(about: str, due_at: datetime, now: datetime) -> int:
    """Close them with a letter; 未解决 reopens as usual. Returns how many were closed."""
    days = policy.DEFERRAL_ANSWER_DAYS
    closed = 0
    for appointment in unanswered(now):
        deferred = appointment.stage == Stage.DEFERRED
        note = f"书面答复后{days}天未提出仍需现场咨询" if deferred else f"答复后{days}天没有反馈"
        # The firm answers at this instant: its answer stands.
        with suppress(IllegalMove), transaction.atomic():
            appointment.move_to(Stage.CLOSED, f"{note}，按已答复办结", by=None, at=now)
            letters.write(
                "deferral_closed" if deferred else "feedback_closed",
                appointment,
                at=now,
                key=letters.key_at(now),
            )
            closed += 1
    return closed


CLOSE_UNANSWERED = Kind(
    name="close_unanswered_deferrals",
    label="企业逾期没有反馈的办结",
    schedule=daily("09:20"),
    run=close_unanswered,
    useful_for=timedelta(hours=20),
)
