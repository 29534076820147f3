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

from . import kinds
from .delivery import LetterAlreadyHandled, why_not
from .models import CallOutcome, Channel, Notice, NoticeCall, State
from .rendering import render


class NothingToTell(LetterAlreadyHandled):
    def __init__(self):
        Refused.__init__(self, "这些通知已经告知过，或者已不用再告知。通话内容可以记在“电话记录”。")


@transaction.atomic
def record_call(
    letters: Iterable[Notice], *, by: Officer, at: datetime, outcome: str, gist: str
) -> NoticeCall:
    """One call about these letters. Reached: they are told. No answer: they stay on the list. Wrong number: they have failed.

    A letter that was told meanwhile, or is not true any more, is passed over: the call was made all the same. Raises
    NothingToTell where that is so of all of them.
    """
    by.must(Act.CALL)
    outcome = CallOutcome(outcome)
    # In one order: two calls that share letters must not wait for each other.
    told = [one for one in sorted(letters, key=lambda one: one.pk) if _settle(one, outcome, gist, at)]
    if not told:
        raise NothingToTell
    call = NoticeCall.objects.create(by=by, at=at, outcome=outcome, gist=gist)
    call.notices.set(told)
    for letter in told:
        record(Verb.NOTICE_CALLED, letter.about(), by=by, at=at, outcome=outcome, kind=letter.kind)
        if outcome == CallOutcome.REACHED and kinds.exists(letter.kind):
            kinds.find(letter.kind).delivered(letter.about(), letter.params, at)
    return call


def words(letter: Notice, now: datetime) -> str:
    """What to say on the telephone: the text of the letter as of `now`."""
    return render(letter, letter.about(), now).body if kinds.exists(letter.kind) else letter.text


def _settle(letter: Notice, outcome: CallOutcome, gist: str, at: datetime) -> bool:
    """Write the result into a letter that still waits for its call. False where it does not any more."""
    if why_not(letter, at):
        return False
    changes: dict = {}
    if outcome == CallOutcome.REACHED:
        changes = {"state": State.SENT, "sent_at": at, "next_try_at": None, "body": words(letter, at)}
    elif outcome == CallOutcome.WRONG_NUMBER:
        changes = {"state": State.FAILED, "next_try_at": None, "last_error": outcome.label}
    waiting = Notice.objects.filter(pk=letter.pk, channel=Channel.CALL, state=State.WAITING)
    return bool(waiting.update(outcome=outcome, gist=gist, attempts=F("attempts") + 1, **changes))
