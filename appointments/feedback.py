"""企业反馈 (六（六）): 已解决, 未解决, and the 好差评."""

from datetime import datetime

from django.db import IntegrityError, transaction

from zhoushan_consult.audit.trail import record
from zhoushan_consult.audit.verbs import Verb
from zhoushan_consult.bureau.refusals import Refused

from .facts import require
from .lifecycle import Stage
from .models import Appointment, Grade, Rating
from .situation import RATED, FirmAct


class AlreadyRated(Refused):
    def __init__(self):
        super().__init__(RATED)


@transaction.atomic
def report_solved(appointment: Appointment, *, at: datetime) -> None:
    """The firm reports 已解决; the registration is closed. A second click does nothing. Raises NotOpen."""
    if appointment.stage == Stage.CLOSED:
        return
    require(appointment, FirmAct.SOLVED, at)
    appointment.move_to(Stage.CLOSED, "企业反馈已解决", by=None, at=at)


@transaction.atomic
def report_unsolved(appointment: Appointment, reason: str, *, at: datetime) -> None:
    """The firm reports 未解决: it is followed up, also after closing, within REOPEN_WITHIN_DAYS. Raises NotOpen.

    The duty `triage.follow_up.LADDER` opens the follow-up and tells the division.
    """
    if appointment.stage == Stage.FOLLOWING:
        return
    require(appointment, FirmAct.UNSOLVED, at)
    appointment.move_to(Stage.FOLLOWING, f"企业反馈未解决：{reason}"[:300], by=None, at=at)


def rate(appointment: Appointment, grade: Grade, remark: str, *, at: datetime) -> Rating:
    """One 好差评 per registration. Raises NotOpen, AlreadyRated where a second click comes at the same time."""
    require(appointment, FirmAct.RATE, at)
    try:
        with transaction.atomic():
            rating = Rating.objects.create(appointment=appointment, grade=grade, remark=remark, at=at)
            record(Verb.RATED, appointment, by=None, at=at, grade=int(grade))
            return rating
    except IntegrityError:
        raise AlreadyRated from None
