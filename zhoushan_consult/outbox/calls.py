"""What a person has to say on the telephone, as of now; or why the call need not be made any more."""

import logging
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from django.db.models import Model

from zhoushan_consult.duties.safe_error import describe

from .models import Notice
from .records import record_of, records_of
from .rendering import render
from .validity import why_not, why_not_of_many

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Call:
    """A call of the list at an instant. `not_needed` says why it need not be made; then there is nothing to say."""

    notice: Notice
    text: str = field(repr=False)
    not_needed: str = ""


def as_of(notices: Iterable[Notice], now: datetime) -> list[Call]:
    """The calls with the text of `now`, in the same order."""
    notices = list(notices)
    records = records_of(notices)
    return [_as_of(notice, records[notice.pk], now) for notice in notices]


def call_now(notice: Notice, now: datetime) -> Call:
    """One call with the text of `now`."""
    return _as_of(notice, record_of(notice), now)


def not_needed(notices: Iterable[Notice], now: datetime) -> dict[int, str]:
    """Why calls need not be made any more, by the key of the letter. Those that must be made are not in it."""
    notices = list(notices)
    records = records_of(notices)
    reasons = {notice.pk: why_not_of_many(notice, records[notice.pk], now) for notice in notices}
    return {key: reason for key, reason in reasons.items() if reason}


def _as_of(notice: Notice, about: Model | None, now: datetime) -> Call:
    try:
        if reason := why_not(notice, about, now):
            return Call(notice, "", reason)
        return Call(notice, render(notice, about or notice, now).body)
    except Exception as error:
        # A fault of one kind must not take the whole list from the person who telephones.
        log.error("outbox: cannot render notice %s: %s", notice.pk, describe(error))
        return Call(notice, notice.text)
