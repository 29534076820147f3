"""企业反馈 (六（六）): 已解决, 未解决, and the 好差评."""

from datetime import datetime, timedelta

from django.db import IntegrityError, transaction

from sessions_app import policy
from zhoushan_consult.audit.trail import record
from zhoushan_consult.audit.verbs import Verb
from zhoushan_consult.bureau.refusals import Refused

from .lifecycle import Stage
from .models import Appointment, Grade, IllegalMove, Rating

ANSWERABLE = frozenset({Stage.ANSWERED, Stage.HEARD, Stage.ABSENT, Stage.FOLLOWING})
RATABLE = ANSWERABLE | {Stage.CLOSED}


class AlreadyRated(Refused):
    def __init__(self):
        super().__init__("您已经评价过，谢谢。每条登记评价一次。")


class ReopenTooLate(Refused):
    def __init__(self):
        super().__init__(f"办结已超过 {policy.REOPEN_WITHIN_DAYS} 天。如仍有问题，请重新登记。")


@transaction.atomic
def report_solved(appointment: Appointment, *, at: datetime) -> None:
    """The firm reports 已解决; the registration is closed. A second click does nothing. Raises IllegalMove."""
    if appointment.stage == Stage.CLOSED:
        return
    if appointment.stage not in ANSWERABLE:
        raise IllegalMove
    appointment.move_to(Stage.CLOSED, "企业反馈已解决", by=None, at=at)


@transaction.atomic
def report_unsolved(appointment: Appointment, reason: str, *, at: datetime) -> None:
    """The firm reports 未解决: it is followed up, also after closing, within REOPEN_WITHIN_DAYS. Raises ReopenTooLate.

    The duty `triage.follow_up.LADDER` opens the follow-up and tells the division.
    """
    if appointment.stage == Stage.FOLLOWING:
        return
    if appointment.stage == Stage.CLOSED and at > appointment.closed_at + timedelta(
        days=policy.REOPEN_WITHIN_DAYS
    ):
        raise ReopenTooLate
    appointment.move_to(Stage.FOLLOWING, f"企业反馈未解决：{reason}"[:300], by=None, at=at)


def rate(appointment: Appointment, grade: Grade, remark: str, *, at: datetime) -> Rating:
    """One 好差评 per registration. Raises AlreadyRated the second time."""
    if appointment.stage not in RATABLE:
        raise IllegalMove("答复或现场咨询之后即可评价。")
    try:
        with transaction.atomic():
            rating = Rating.objects.create(appointment=appointment, grade=grade, remark=remark, at=at)
            record(Verb.RATED, appointment, by=None, at=at, grade=int(grade))
            return rating
    except IntegrityError:
        raise AlreadyRated from None
