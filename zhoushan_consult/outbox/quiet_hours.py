"""At night no telephone rings, except in answer to its owner's own act."""

from datetime import datetime, time, timedelta

from zhoushan_consult.clock import SHANGHAI, local_date, local_datetime

from . import kinds
from .models import Notice

# Between these times of day telephones stay silent.
MORNING, EVENING = time(8), time(21)
# A person who has just acted waits for the answer, also at night: so long is it sent then, with its repeats.
ANSWER_WITHIN = timedelta(minutes=10)


def waking_time(at: datetime) -> datetime:
    """`at`, or the next morning if that is at night."""
    local = at.astimezone(SHANGHAI)
    if MORNING <= local.time() < EVENING:
        return at
    return local_datetime(local.date() + timedelta(days=local.time() >= EVENING), MORNING)


def next_morning(now: datetime) -> datetime:
    """The morning of tomorrow."""
    return local_datetime(local_date(now) + timedelta(days=1), MORNING)


def may_leave_from(letter: Notice, at: datetime) -> datetime:
    """When this letter may leave, if it is due at `at`."""
    declared = kinds.exists(letter.kind) and kinds.find(letter.kind)
    is_fresh_answer = declared and declared.answers_act and at - letter.created_at <= ANSWER_WITHIN
    return at if is_fresh_answer else waking_time(at)
