"""Telephone calls: a person gives letters by telephone, and every attempt is recorded with its result."""

from collections.abc import Iterable
from datetime import datetime

from django.db import transaction
from django.db.models import F

from zhoushan_consult.audit.trail import record
from zhoushan_consult.audit.verbs import Verb
from zhoushan_consult.bureau.models import Officer
from zhoushan_consult.bureau.refusals import Refused
from zhoushan_consult.bureau.roles import Act

from . import reaching
from .calls import Call, as_of
from .delivery import LetterAlreadyHandled
from .models import CallOutcome, Channel, Notice, NoticeCall, State
from .records import record_of


class CallNotNeeded(Refused):
    """What was to be said on the telephone is not true any more."""

    def __init__(self, reason: str):
        super().__init__(
            f"这个电话不用再打：{reason}。已经打过的，请把说了什么记在登记页的“电话记录”里，必要时再打一次说明。"
        )


@transaction.atomic
def record_call(
    letters: Iterable[Notice], *, by: Officer, at: datetime, outcome: str, gist: str
) -> NoticeCall:
    """One call about these letters. Reached: they are told. No answer: they stay on the list. Wrong number: they have failed.

    A letter that was told meanwhile, or is not true any more, is passed over: the call was made all the same. Where that is so
    of all of them, raises CallNotNeeded or LetterAlreadyHandled.
    """
    by.must(Act.CALL)
    outcome = CallOutcome(outcome)
    # In one order: two calls that share letters must not wait for each other.
    to_make = as_of(sorted(letters, key=lambda letter: letter.pk), at)
    told = [call.notice for call in to_make if _settle(call, outcome, gist, at)]
    if not told:
        raise _nothing_told(to_make)
    made = NoticeCall.objects.create(by=by, at=at, outcome=outcome, gist=gist)
    made.notices.set(told)
    for letter in told:
        about = record_of(letter)
        record(Verb.NOTICE_CALLED, about or letter, by=by, at=at, outcome=outcome, kind=letter.kind)
        if outcome == CallOutcome.REACHED:
            reaching.delivered(letter, about, at)
    return made


def _settle(call: Call, outcome: CallOutcome, gist: str, at: datetime) -> bool:
    """Write the result into a letter that still waits for its call. False where it does not any more."""
    if call.not_needed:
        return False
    changes: dict = {}
    if outcome == CallOutcome.REACHED:
        changes = {"state": State.SENT, "sent_at": at, "next_try_at": None, "body": call.text}
    elif outcome == CallOutcome.WRONG_NUMBER:
        changes = {"state": State.FAILED, "next_try_at": None, "last_error": outcome.label}
    waiting = Notice.objects.filter(pk=call.notice.pk, channel=Channel.CALL, state=State.WAITING)
    return bool(waiting.update(outcome=outcome, gist=gist, attempts=F("attempts") + 1, **changes))


def _nothing_told(to_make: list[Call]) -> Refused:
    untrue = [call.not_needed for call in to_make if call.not_needed]
    return CallNotNeeded(untrue[0]) if untrue else LetterAlreadyHandled()
