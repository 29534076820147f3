"""Letters follow a corrected address: those that have not left yet, and those that went to the wrong one."""

from collections.abc import Collection, Iterator
from datetime import datetime

from django.db import transaction
from django.db.models import Model, Q

from . import reaching
from .models import OPEN, Channel, Notice, State
from .posting import (
    CANCELLABLE,
    Recipient,
    address_index,
    canonical_phone,
    channel_to,
    copy_of,
    dedupe_key,
    letters_to_reader,
    store,
)
from .quiet_hours import waking_time
from .records import record_of
from .validity import why_not

CORRECTED = "联系方式已更正"


@transaction.atomic
def readdress(
    about: Model,
    *,
    old: Recipient,
    new: Recipient,
    at: datetime,
    sent_since: datetime | None = None,
    said_otherwise: Collection[str] = (),
) -> int:
    """Let the letters about `about` go to `new` instead of `old`. Returns how many do.

    What has not left, or could not be delivered, goes to the new address. With `sent_since`, so does what was sent to the
    wrong one since then: its reader has not been told, so a term that began with it begins again when the words have reached
    the new address. A letter that is not true any more stays where it is. Letters of the kinds `said_otherwise` are not sent
    again: another letter says what they say.
    """
    moved = 0
    for letter in _letters_to_wrong_address(about, old, new, sent_since):
        reason = "另有通知" if letter.kind in said_otherwise else why_not(letter, record_of(letter), at)
        if not reason:
            moved += _move(letter, new, at)
        elif letter.state not in (State.SENT, State.INFLIGHT):
            _end(letter, reason)
    letters_to_reader(about).filter(state__in=CANCELLABLE).update(to_name=new.name)
    return moved


def may_be_readdressed(about: Model, sent_since: datetime) -> bool:
    """Whether a letter about `about` waits, could not be delivered, or was sent since then."""
    pending = Q(state__in=[*OPEN, State.FAILED]) | Q(state=State.SENT, sent_at__gte=sent_since)
    return letters_to_reader(about).filter(pending).exists()


def _letters_to_wrong_address(
    about: Model, old: Recipient, new: Recipient, sent_since: datetime | None
) -> Iterator[Notice]:
    """Locked, so that no worker takes one up meanwhile."""
    letters = list(letters_to_reader(about).select_for_update().order_by("pk"))
    keys = {letter.dedupe_key for letter in letters}
    wrong = _changed_indexes(old, new)
    for letter in letters:
        # An SMS that failed has become a call: that one goes on instead.
        became_call = dedupe_key(letter.dedupe_key, Channel.CALL) in keys
        if letter.to_index in wrong and not became_call and _is_undelivered(letter, sent_since):
            yield letter


def _changed_indexes(old: Recipient, new: Recipient) -> set[str]:
    """The blind indexes of the addresses of `old` that are not those of `new`."""
    pairs = [(canonical_phone(old.phone), canonical_phone(new.phone)), (old.email, new.email)]
    return {address_index(before) for before, after in pairs if before and before != after}


def _is_undelivered(letter: Notice, sent_since: datetime | None) -> bool:
    if letter.state not in (State.SENT, State.INFLIGHT):
        return letter.state != State.CANCELLED
    # A person who was reached by a call has been told, by any number.
    if sent_since is None or letter.channel == Channel.CALL:
        return False
    return letter.sent_at is None or letter.sent_at >= sent_since


def _move(letter: Notice, new: Recipient, at: datetime) -> int:
    """End the letter and write it again to the new address. 0 where `new` has no such address."""
    was_sent = letter.state in (State.SENT, State.INFLIGHT)
    address = new.email if letter.channel == Channel.EMAIL else canonical_phone(new.phone)
    if not address:
        _end(letter, CORRECTED)
        return 0
    _end(letter, f"{CORRECTED}，已改发")
    # It is rendered when it leaves.
    copy = copy_of(letter, "to", address_index(address), due_at=max(letter.due_at, waking_time(at)))
    copy.channel = Channel.EMAIL if letter.channel == Channel.EMAIL else channel_to(address)
    copy.to_name, copy.to, copy.to_index = new.name, address, address_index(address)
    store([copy])
    if was_sent:
        reaching.lost(letter, record_of(letter), at)
    return 1


def _end(letter: Notice, reason: str) -> None:
    """A worker that has the letter in hand finds it ended, and leaves it so."""
    Notice.objects.filter(pk=letter.pk).update(state=State.CANCELLED, next_try_at=None, last_error=reason)
