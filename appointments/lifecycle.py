"""The stages of a registration and every allowed move: one literal table (实施方案 六（二）—（六）)."""

from django.db.models import TextChoices


class Stage(TextChoices):
    """办理阶段."""

    SUBMITTED = "submitted", "待初审"
    ACCEPTED = "accepted", "通过初审"
    DECLINED = "declined", "不予通过"
    WITHDRAWN = "withdrawn", "已撤回"
    SEATED = "seated", "现场咨询"
    DEFERRED = "deferred", "先行书面答复"
    ANSWERED = "answered", "已书面答复"
    HEARD = "heard", "已现场咨询"
    ABSENT = "absent", "未到场"
    FOLLOWING = "following", "跟踪督办"
    CLOSED = "closed", "办结"


S = Stage

MOVES: dict[Stage, frozenset[Stage]] = {
    S.SUBMITTED: frozenset({S.ACCEPTED, S.DECLINED, S.WITHDRAWN}),
    S.ACCEPTED: frozenset({S.SEATED, S.DEFERRED, S.ANSWERED, S.WITHDRAWN, S.SUBMITTED}),
    S.DECLINED: frozenset({S.SUBMITTED}),
    S.WITHDRAWN: frozenset(),
    S.SEATED: frozenset({S.HEARD, S.ABSENT, S.ACCEPTED, S.DEFERRED, S.CLOSED, S.WITHDRAWN}),
    S.DEFERRED: frozenset({S.SEATED, S.ACCEPTED, S.CLOSED, S.WITHDRAWN}),
    S.ANSWERED: frozenset({S.FOLLOWING, S.CLOSED, S.DEFERRED}),
    S.HEARD: frozenset({S.FOLLOWING, S.CLOSED}),
    S.ABSENT: frozenset({S.FOLLOWING, S.CLOSED}),
    S.FOLLOWING: frozenset({S.CLOSED}),
    S.CLOSED: frozenset({S.FOLLOWING, S.DEFERRED}),
}

LIVE = frozenset(S) - {S.DECLINED, S.WITHDRAWN, S.CLOSED}
"""Stages in which a registration is its firm's one booking for the day (constraint one_live_booking_a_firm_a_day)."""

ENDED = frozenset({S.DECLINED, S.WITHDRAWN, S.CLOSED})
"""Stages in which a registration has no more work, terms, calls or offers."""

AWAITING_DAY = frozenset({S.SUBMITTED, S.ACCEPTED, S.SEATED, S.DEFERRED})
"""Stages before the day, in which the firm may still withdraw."""


def allowed(old: Stage, new: Stage) -> bool:
    """Whether the table allows the move."""
    return new in MOVES[old]
