"""Sends the letters that are due, each once, however many workers do so at the same time; and what officers do by hand.

A worker claims a letter by a conditional UPDATE, asks its kind whether it is still true, renders it, calls the gateway outside
any transaction, and writes the result only while the claim is still its own. If the worker dies in between, the claim expires
and the letter is sent again under the same key, by which a gateway can recognise it.
"""

import logging
import os
import socket
from collections.abc import Callable
from datetime import datetime, timedelta
from secrets import token_hex

from django.conf import settings
from django.db import transaction
from django.db.models import Count, Exists, Min, Model, OuterRef, Q, QuerySet
from django.utils.module_loading import import_string

from zhoushan_consult.audit.trail import record
from zhoushan_consult.audit.verbs import Verb
from zhoushan_consult.bureau.models import NotAllowed, Officer
from zhoushan_consult.bureau.refusals import Refused
from zhoushan_consult.bureau.roles import Act
from zhoushan_consult.clock import local_date, local_datetime
from zhoushan_consult.duties.safe_error import describe

from . import reaching
from .adapters import Adapter, PermanentFailure, TemporaryFailure
from .models import OPEN, Channel, Notice, State
from .posting import copy_of, store
from .quiet_hours import may_leave_from, next_morning, waking_time
from .records import record_of
from .rendering import render
from .validity import retract, why_not

# The wait after each attempt that failed. After the last one the letter has failed.
RETRY_DELAYS = [timedelta(minutes=minutes) for minutes in (1, 5, 15, 60, 180, 360, 720, 1440)]
MAX_ATTEMPTS = len(RETRY_DELAYS) + 1
# Attempts for a letter on which the adapter itself breaks: most likely it always will.
MAX_ATTEMPTS_AFTER_BUG = 3
# After this time a claim has expired. An adapter answers within ten seconds.
CLAIM_LEASE = timedelta(minutes=2)
# The longest that one channel may take in one run, so that a slow gateway does not delay the other channel.
MAX_RUN = timedelta(seconds=10)
# The most letters of one channel in one run.
BATCH_SIZE = 200
# A letter normally leaves within seconds.
OVERDUE_AFTER = timedelta(minutes=10)
# A gateway that refuses the letters of so many people, and takes no letter meanwhile, counts as down.
PEOPLE_REFUSED = 3

log = logging.getLogger(__name__)


class LetterAlreadyHandled(Refused):
    def __init__(self):
        super().__init__("这条通知已送出、已取消或正在发送，不能再这样处理。请刷新后查看最新情况。")


def deliver_due(
    now: datetime, *, limit: int = BATCH_SIZE, clock: Callable[[], datetime] | None = None
) -> int:
    """Send what is due at `now`, the longest waiting first, at most `limit` letters per channel. Returns how many.

    `clock` gives the time between letters. Without it, the time stays at `now`.
    """
    return sum(_deliver(channel, limit, clock or (lambda: now)) for channel in settings.OUTBOX_ADAPTERS)


@transaction.atomic
def retry(notice: Notice, *, by: Officer, at: datetime) -> None:
    """Send it again, with all its attempts before it: now, or as early as a letter may leave, as `next_try_at` then says.

    Raises LetterAlreadyHandled if it is sent, cancelled or in flight.
    """
    _check_may_manage(by)
    # `_ready` includes a letter whose worker died: its claim has expired.
    stopped = Q(state__in=[State.WAITING, State.RETRY, State.FAILED]) | _ready(at)
    letter = Notice.objects.filter(stopped, pk=notice.pk, channel__in=settings.OUTBOX_ADAPTERS)
    leaves, reason = _put_off_until(notice, at) or (at, "")
    if not letter.update(
        state=State.WAITING, next_try_at=leaves, attempts=0, claimed_by="", last_error=reason
    ):
        raise LetterAlreadyHandled
    record(Verb.NOTICE_RETRIED, notice.about(), by=by, at=at, channel=notice.channel, kind=notice.kind)


@transaction.atomic
def replace_by_call(notice: Notice, *, by: Officer, at: datetime) -> Notice:
    """Let a person telephone instead of an SMS that was not sent. Returns the call. Raises LetterAlreadyHandled."""
    _check_may_manage(by)
    unsent = Notice.objects.filter(
        pk=notice.pk, channel=Channel.SMS, state__in=[State.WAITING, State.RETRY, State.FAILED]
    )
    if not unsent.update(state=State.CANCELLED, next_try_at=None):
        raise LetterAlreadyHandled
    record(Verb.NOTICE_TO_CALL, notice.about(), by=by, at=at, kind=notice.kind)
    call = add_to_call_list(notice, at)
    # A call that ended without reaching its reader may be there already: the officer asks for one to be made now.
    ended = Notice.objects.filter(pk=call.pk, state__in=[State.FAILED, State.CANCELLED])
    due = waking_time(at)
    ended.update(state=State.WAITING, due_at=due, next_try_at=due, outcome="", last_error="")
    call.refresh_from_db()
    return call


@transaction.atomic
def dismiss(notice: Notice, *, by: Officer, at: datetime) -> None:
    """Record that nothing more need be done about a letter that failed. Raises LetterAlreadyHandled.

    A term that a reader must keep begins now where they were told by no other way: nothing else would begin it.
    """
    _check_may_manage(by)
    failed = Notice.objects.filter(pk=notice.pk, state=State.FAILED)
    if not failed.update(state=State.CANCELLED, dismissed_at=at):
        raise LetterAlreadyHandled
    about = record_of(notice)
    record(Verb.NOTICE_DISMISSED, about or notice, by=by, at=at, channel=notice.channel, kind=notice.kind)
    reaching.delivered(notice, about, at)


def may_manage_letters(officer: Officer) -> bool:
    """Whether the officer may send letters again: those who run the site, and those who answer to the firms."""
    return officer.may(Act.HEALTH) or officer.may(Act.READ_ALL)


def is_stalled(now: datetime) -> bool:
    """Whether letters do not leave: no worker takes them up, or a gateway refuses everyone's.

    A letter that waits for its next attempt, or for the morning after the daily cap, is not counted: the gateway
    refused this one letter, and the digest reports it.
    """
    late = Notice.objects.filter(_ready(now - OVERDUE_AFTER), channel__in=settings.OUTBOX_ADAPTERS)
    return late.exists() or any(_refuses_everyone(channel, now) for channel in settings.OUTBOX_ADAPTERS)


def oldest_unsent(now: datetime) -> datetime | None:
    """The due time of the oldest letter that should have left by `now`, including one that is being retried."""
    unsent = Notice.objects.filter(state__in=OPEN, channel__in=settings.OUTBOX_ADAPTERS, due_at__lte=now)
    return unsent.aggregate(first=Min("due_at"))["first"]


def failed() -> QuerySet[Notice]:
    """The letters that failed and need a decision. An SMS that became a call does not: the call is on the list."""
    call = Notice.objects.filter(
        channel=Channel.CALL,
        kind=OuterRef("kind"),
        about_kind=OuterRef("about_kind"),
        about_id=OuterRef("about_id"),
        to_index=OuterRef("to_index"),
    )
    return Notice.objects.filter(state=State.FAILED).exclude(Exists(call), channel=Channel.SMS)


def calls_to_make() -> QuerySet[Notice]:
    """The letters that a person has to telephone, the oldest first."""
    return Notice.objects.filter(channel=Channel.CALL, state=State.WAITING).order_by("due_at", "pk")


def add_to_call_list(notice: Notice, at: datetime) -> Notice:
    """The call that a person makes instead of an SMS. If it is already on the list, that one.

    It is the same letter by another way, so it was written when the SMS was.
    """
    call = copy_of(notice, Channel.CALL, due_at=waking_time(at))
    call.channel = Channel.CALL
    return store([call])[0]


def _check_may_manage(by: Officer) -> None:
    if not may_manage_letters(by):
        raise NotAllowed(Act.HEALTH)


def _refuses_everyone(channel: str, now: datetime) -> bool:
    refused = Notice.objects.filter(state=State.RETRY, channel=channel, due_at__lt=now - OVERDUE_AFTER)
    found = refused.aggregate(people=Count("to_index", distinct=True), first=Min("created_at"))
    if found["people"] < PEOPLE_REFUSED:
        return False
    taken = Notice.objects.filter(state=State.SENT, channel=channel, created_at__gte=found["first"])
    return not taken.exists()


def _deliver(channel: str, limit: int, clock: Callable[[], datetime]) -> int:
    started, sent = clock(), 0
    adapter = _adapter(channel)
    for notice in _due(channel, started)[:limit] if adapter else []:
        if clock() - started >= MAX_RUN:
            break
        sent += _claim(notice, clock()) and _send(notice, adapter, clock)
    return sent


def _adapter(channel: str) -> Adapter | None:
    """None if the channel is badly configured: then its letters wait, and the other channels go on."""
    try:
        return import_string(settings.OUTBOX_ADAPTERS[channel])()
    except Exception as error:
        log.error("outbox: no adapter for %s: %s", channel, describe(error))
        return None


def _due(channel: str, now: datetime) -> list[Notice]:
    ready = Notice.objects.filter(_ready(now), channel=channel)
    return list(ready.order_by("next_try_at", "pk").defer("calendar", "gist")[:BATCH_SIZE])


def _ready(now: datetime) -> Q:
    return Q(state__in=OPEN, next_try_at__lte=now)


def _claim(notice: Notice, at: datetime) -> bool:
    """Whether this worker and no other may send the letter now. If so, it stands as it was read, with the claim."""
    # Host and process tell an operator which worker has a letter; the token tells two claims of one process apart.
    claim = f"{socket.gethostname()[:50]}:{os.getpid()}:{token_hex(4)}"
    as_read = {name: getattr(notice, name) for name in ("state", "next_try_at", "attempts", "claimed_by")}
    changes = {"state": State.INFLIGHT, "next_try_at": at + CLAIM_LEASE, "claimed_by": claim}
    changes |= {"attempts": notice.attempts + 1}
    if not Notice.objects.filter(pk=notice.pk, **as_read).update(**changes):
        return False
    for name, value in changes.items():
        setattr(notice, name, value)
    return True


def _send(notice: Notice, adapter: Adapter, clock: Callable[[], datetime]) -> bool:
    """Whether it was sent. Every failure of the adapter is written down and does not stop the next letters."""
    # Each attempt ended with a dead worker, so no other branch has counted it.
    if notice.attempts > MAX_ATTEMPTS:
        return _fail(notice, "多次发送中断", clock())
    now = clock()
    try:
        about = record_of(notice)
        if reason := why_not(notice, about, now):
            retract(notice, about, reason, now)
            return False
        if put_off := _put_off_until(notice, now):
            return _put_off(notice, *put_off)
        notice.subject, notice.body, notice.calendar = render(notice, about or notice, now)
        gateway_id = adapter.send(notice)
    except PermanentFailure as failure:
        return _fail(notice, failure.reason, clock())
    except TemporaryFailure as failure:
        return _try_later(notice, failure.reason, clock(), max_attempts=MAX_ATTEMPTS)
    except Exception as error:
        return _try_later(notice, describe(error), clock(), max_attempts=MAX_ATTEMPTS_AFTER_BUG)
    return _has_left(notice, about, gateway_id, promised_at=now, sent_at=clock())


def _has_left(
    notice: Notice, about: Model | None, gateway_id: str, *, promised_at: datetime, sent_at: datetime
) -> bool:
    """Keep the text as it was sent, and begin what begins with it."""
    sent = {"state": State.SENT, "sent_at": sent_at, "gateway_id": gateway_id[:120], "last_error": ""}
    sent |= {"subject": notice.subject, "body": notice.body, "calendar": notice.calendar}
    if not reaching.begins_something(notice):
        return _finish(notice, **sent)
    with transaction.atomic():
        if has_left := _finish(notice, **sent):
            reaching.delivered(notice, about, promised_at)
    return has_left


def _put_off_until(notice: Notice, now: datetime) -> tuple[datetime, str] | None:
    """Until when this letter must wait, and why; None if it may leave at `now`."""
    if (morning := may_leave_from(notice, now)) != now:
        return morning, "夜间不打扰，早上再发"
    if notice.channel == Channel.SMS and _is_over_daily_cap(notice, now):
        return next_morning(now), "当日短信已达上限，次日再发"
    return None


def _is_over_daily_cap(notice: Notice, now: datetime) -> bool:
    """Whether the person has had the SMS of the day. Those in flight count, or parallel workers would exceed the cap."""
    midnight = local_datetime(local_date(now))
    others = Notice.objects.filter(channel=Channel.SMS, to_index=notice.to_index).exclude(pk=notice.pk)
    counted = Q(state=State.SENT, sent_at__gte=midnight) | Q(state=State.INFLIGHT)
    return others.filter(counted).count() >= settings.OUTBOX_DAILY_CAP


def _put_off(notice: Notice, until: datetime, reason: str) -> bool:
    # The gateway was not asked, so this was no attempt; and before that time, the letter is not late.
    attempts = notice.attempts - 1
    waits = {"state": State.WAITING, "due_at": until, "next_try_at": until}
    _finish(notice, attempts=attempts, last_error=reason, **waits)
    return False


def _try_later(notice: Notice, reason: str, now: datetime, *, max_attempts: int) -> bool:
    if notice.attempts >= max_attempts:
        return _fail(notice, reason, now)
    next_try_at = may_leave_from(notice, now + RETRY_DELAYS[notice.attempts - 1])
    _finish(notice, state=State.RETRY, next_try_at=next_try_at, last_error=reason[:200])
    return False


@transaction.atomic
def _fail(notice: Notice, reason: str, now: datetime) -> bool:
    """An SMS that cannot be sent becomes a call, so that the person is told in any case."""
    log.error("outbox: notice %s failed: %s", notice.pk, reason)
    still_ours = _finish(notice, state=State.FAILED, next_try_at=None, last_error=reason[:200])
    if still_ours and notice.channel == Channel.SMS:
        add_to_call_list(notice, now)
    return False


def _finish(notice: Notice, **changes) -> bool:
    """Write the result of an attempt, unless the claim has expired and another worker has the letter now."""
    claimed = Notice.objects.filter(pk=notice.pk, state=State.INFLIGHT, claimed_by=notice.claimed_by)
    if not claimed.update(claimed_by="", **changes):
        log.warning("outbox: notice %s was taken over by another worker", notice.pk)
        return False
    return True
