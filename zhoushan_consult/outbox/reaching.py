"""What follows when the words of a letter have reached their reader, or turn out not to have."""

import logging
from collections.abc import Callable
from datetime import datetime

from django.db import transaction
from django.db.models import Model, Q, QuerySet

from zhoushan_consult.duties.safe_error import describe

from . import kinds
from .models import Channel, Notice, State

log = logging.getLogger(__name__)


def begins_something(notice: Notice) -> bool:
    """Whether its kind wants to know that the letter has reached its reader."""
    return kinds.exists(notice.kind) and kinds.find(notice.kind).delivered is not kinds.no_effect


def delivered(notice: Notice, about: Model | None, promised_at: datetime) -> None:
    """Begin what begins with this letter, unless its words had reached the reader by another way before.

    `promised_at` is the instant that the text was rendered for: what it says of a term is counted from then. A text that
    was rendered before the other one had left says a term of its own, so its kind is told of both.
    """
    if begins_something(notice) and not _reached(notice).filter(sent_at__lte=promised_at).exists():
        _call(kinds.find(notice.kind).delivered, notice, about, promised_at)


def lost(notice: Notice, about: Model | None, now: datetime) -> None:
    """The SMS did not arrive. What began with it ends; if another way has reached the reader, it begins with that."""
    if not kinds.exists(notice.kind) or kinds.find(notice.kind).lost is kinds.no_effect:
        return
    kind, other = kinds.find(notice.kind), _reached(notice).order_by("sent_at").first()
    _call(kind.lost, notice, about, now)
    if other and other.sent_at:
        _call(kind.delivered, notice, about, other.sent_at)


def ways_of(notice: Notice) -> QuerySet[Notice]:
    """The rows of one letter: one for each channel, and the call made instead of its SMS."""
    return Notice.objects.filter(about_kind=notice.about_kind, about_id=notice.about_id, letter=notice.letter)


def _reached(notice: Notice) -> QuerySet[Notice]:
    """The other ways by which the letter has reached its reader. The progress page is none: it must be opened first."""
    return ways_of(notice).filter(~Q(pk=notice.pk), ~Q(channel=Channel.PAGE), state=State.SENT)


def _call(effect: Callable, notice: Notice, about: Model | None, at: datetime) -> None:
    """A fault of a kind must not undo what is written of its letter: otherwise the letter would be sent again."""
    if about is None:
        return
    try:
        with transaction.atomic():
            effect(about, notice.params, at)
    except Exception as error:
        log.error("outbox: what follows notice %s failed: %s", notice.pk, describe(error))
