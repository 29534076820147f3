"""Whether a letter may still leave; and the end of one that may not."""

import logging
from datetime import datetime

from django.db import transaction
from django.db.models import Model

from zhoushan_consult.audit.trail import record
from zhoushan_consult.audit.verbs import Verb
from zhoushan_consult.duties.safe_error import describe

from . import kinds
from .models import Notice, State

log = logging.getLogger(__name__)


def why_not(notice: Notice, about: Model | None, now: datetime) -> str:
    """Why the letter must not leave at `now`: it is not true any more, or of no use; "" if it may.

    A letter of a kind that is not declared any more was written before an update: it is sent as it was written.
    """
    if not kinds.exists(notice.kind):
        return ""
    if about is None:
        return "所涉记录已不存在"
    return kinds.find(notice.kind).why_not(about, notice.params, notice.created_at, now)


def why_not_of_many(notice: Notice, about: Model | None, now: datetime) -> str:
    """`why_not` for one of many: a fault of its kind is logged, so that it does not take the others along."""
    try:
        return why_not(notice, about, now)
    except Exception as error:
        log.error("outbox: cannot check notice %s: %s", notice.pk, describe(error))
        return ""


@transaction.atomic
def retract(notice: Notice, about: Model | None, reason: str, now: datetime) -> bool:
    """Cancel a letter that must not leave any more, or a call that need not be made. Whether it stood as it was read.

    A letter that another worker or an officer has taken up since then is theirs.
    """
    same = Notice.objects.filter(
        pk=notice.pk, state=notice.state, attempts=notice.attempts, claimed_by=notice.claimed_by
    )
    ended = {"state": State.CANCELLED, "next_try_at": None, "claimed_by": "", "last_error": reason[:200]}
    if not same.update(**ended):
        return False
    facts = {"channel": notice.channel, "kind": notice.kind, "why": reason}
    record(Verb.NOTICE_RETRACTED, about or notice, by=None, at=now, **facts)
    return True
