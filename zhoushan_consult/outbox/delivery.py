"""Sending what is due, each letter once however many sweeps run, and mending by hand what did not go.

A sweep claims a letter by a conditional UPDATE, speaks to the gateway outside any transaction, and writes
down the answer only while the claim is still its own. A sweep that dies in between leaves a claim that runs
out; the letter is then sent again under the same key, by which a gateway knows it.
"""

import logging
import os
import socket
from collections.abc import Callable
from datetime import datetime, time, timedelta
from secrets import token_hex
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import transaction
from django.db.models import Count, Exists, F, Min, OuterRef, Q, QuerySet
from django.utils.module_loading import import_string

from zhoushan_consult.audit.trail import record
from zhoushan_consult.audit.verbs import Verb
from zhoushan_consult.bureau.models import NotAllowed, Officer
from zhoushan_consult.bureau.refusals import Refused
from zhoushan_consult.bureau.roles import Act
from zhoushan_consult.duties.safe_error import told

from .adapters import Adapter, Permanent, Temporary
from .models import OPEN, CallOutcome, Channel, Notice, State
from .posting import dedupe_key, store

SHANGHAI = ZoneInfo("Asia/Shanghai")
WAITS = [
    timedelta(minutes=wait) for wait in (1, 5, 15, 60, 180, 360, 720, 1440)
]  # after each try that failed
STRANGE_TRIES = 3  # for a letter that makes the adapter itself stumble
HELD_FOR = timedelta(minutes=2)  # how long a claim is believed; an adapter answers within ten seconds
LONGEST_SWEEP = timedelta(seconds=10)  # by one channel, so that a slow gateway keeps nobody else waiting
MOST = 200  # letters by one channel in one sweep
OVERDUE = timedelta(minutes=10)  # a letter leaves within seconds of its time
DEAD_GATEWAY = 3  # people whose letters it refuses while it takes nobody's
MORNING = time(8)  # when letters over the daily cap go out

log = logging.getLogger(__name__)


class NotNow(Refused):
    def __init__(self):
        super().__init__("这条通知已送出、已取消或正在发送，不能再这样处理。请刷新后查看最新情况。")


def deliver_due(now: datetime, *, limit: int = MOST, clock: Callable[[], datetime] | None = None) -> int:
    """Send what is due at `now`, the longest waiting first, at most `limit` by a channel. Returns how many.

    `clock` tells the time between letters; without one, it stands still at `now`.
    """
    return sum(_sweep(channel, limit, clock or (lambda: now)) for channel in settings.OUTBOX_ADAPTERS)


@transaction.atomic
def retry(notice: Notice, *, by: Officer, at: datetime) -> None:
    """Send it anew, with all its tries before it. Raises NotNow where it is sent, cancelled or being sent."""
    _must_mend(by)
    stopped = Q(state__in=[State.WAITING, State.RETRY, State.FAILED]) | _ready(at)
    mine = Notice.objects.filter(stopped, pk=notice.pk, channel__in=settings.OUTBOX_ADAPTERS)
    if not mine.update(state=State.WAITING, next_try_at=at, attempts=0, claimed_by="", last_error=""):
        raise NotNow
    record(Verb.NOTICE_RETRIED, notice.matter(), by=by, at=at, channel=notice.channel, kind=notice.kind)


@transaction.atomic
def replace_by_call(notice: Notice, *, by: Officer, at: datetime) -> Notice:
    """Have a person telephone where an SMS has not gone. Returns the call to make. Raises NotNow."""
    _must_mend(by)
    unsent = Notice.objects.filter(
        pk=notice.pk, channel=Channel.SMS, state__in=[State.WAITING, State.RETRY, State.FAILED]
    )
    if not unsent.update(state=State.CANCELLED, next_try_at=None):
        raise NotNow
    record(Verb.NOTICE_TO_CALL, notice.matter(), by=by, at=at, kind=notice.kind)
    return put_on_call_list(notice, at)


@transaction.atomic
def let_be(notice: Notice, *, by: Officer, at: datetime) -> None:
    """Say of a letter that failed that nothing more need be done about it. Raises NotNow."""
    _must_mend(by)
    if not Notice.objects.filter(pk=notice.pk, state=State.FAILED).update(state=State.CANCELLED):
        raise NotNow
    record(Verb.NOTICE_DISMISSED, notice.matter(), by=by, at=at, channel=notice.channel, kind=notice.kind)


@transaction.atomic
def record_call(notice: Notice, *, by: Officer, at: datetime, outcome: str, gist: str) -> None:
    """A person telephoned. Reached, it is done; not answered, it stays on the list; a wrong number ends it.

    Raises NotNow where somebody else has recorded the call meanwhile.
    """
    by.must(Act.CALL)
    to_make = Notice.objects.filter(pk=notice.pk, channel=Channel.CALL, state=State.WAITING)
    done = _after_call(CallOutcome(outcome), at)
    if not to_make.update(outcome=outcome, gist=gist, attempts=F("attempts") + 1, **done):
        raise NotNow
    record(Verb.NOTICE_CALLED, notice.matter(), by=by, at=at, outcome=outcome, kind=notice.kind)


def may_mend(officer: Officer) -> bool:
    """Whether the officer may send letters again: whoever runs the site, and whoever answers to the firms."""
    return officer.may(Act.HEALTH) or officer.may(Act.READ_ALL)


def overdue(now: datetime) -> bool:
    """Whether letters do not leave: nobody takes them up, or a gateway takes none of anybody's for long.

    A letter that waits for its next try, or for the morning after the daily cap, is none of our trouble: the
    gateway refused this one, and the digest says so.
    """
    late = Notice.objects.filter(_ready(now - OVERDUE), channel__in=settings.OUTBOX_ADAPTERS)
    return late.exists() or any(_refuses_all(channel, now) for channel in settings.OUTBOX_ADAPTERS)


def oldest_unsent(now: datetime) -> datetime | None:
    """Since when the oldest letter that should have left waits, one that is tried again and again included."""
    unsent = Notice.objects.filter(state__in=OPEN, channel__in=settings.OUTBOX_ADAPTERS, due_at__lte=now)
    return unsent.aggregate(first=Min("due_at"))["first"]


def failed() -> QuerySet[Notice]:
    """The letters that did not go and wait for somebody to decide: an SMS whose call is made instead does not."""
    call = Notice.objects.filter(
        channel=Channel.CALL,
        kind=OuterRef("kind"),
        about_kind=OuterRef("about_kind"),
        about_id=OuterRef("about_id"),
        to_index=OuterRef("to_index"),
    )
    return Notice.objects.filter(state=State.FAILED).exclude(Exists(call), channel=Channel.SMS)


def calls_to_make() -> QuerySet[Notice]:
    """The letters that wait for a person to telephone, the oldest first."""
    return Notice.objects.filter(channel=Channel.CALL, state=State.WAITING).order_by("due_at", "pk")


def _must_mend(by: Officer) -> None:
    if not may_mend(by):
        raise NotAllowed(Act.HEALTH)


def _refuses_all(channel: str, now: datetime) -> bool:
    refused = Notice.objects.filter(state=State.RETRY, channel=channel, due_at__lt=now - OVERDUE)
    found = refused.aggregate(people=Count("to_index", distinct=True), first=Min("created_at"))
    if found["people"] < DEAD_GATEWAY:
        return False
    taken = Notice.objects.filter(state=State.SENT, channel=channel, created_at__gte=found["first"])
    return not taken.exists()


def _after_call(outcome: CallOutcome, at: datetime) -> dict:
    if outcome == CallOutcome.REACHED:
        return {"state": State.SENT, "sent_at": at, "next_try_at": None}
    if outcome == CallOutcome.WRONG_NUMBER:
        return {"state": State.FAILED, "next_try_at": None, "last_error": outcome.label}
    return {}


def _sweep(channel: str, limit: int, clock: Callable[[], datetime]) -> int:
    began, sent = clock(), 0
    adapter = _adapter(channel)
    for pk in _due(channel, began)[:limit] if adapter else []:
        if clock() - began >= LONGEST_SWEEP:
            break
        notice = _claim(pk, clock())
        sent += bool(notice and _send(notice, adapter, clock))
    return sent


def _adapter(channel: str) -> Adapter | None:
    """Its letters wait, and only they, while a channel is badly configured."""
    try:
        return import_string(settings.OUTBOX_ADAPTERS[channel])()
    except Exception as error:
        log.error("outbox: no adapter for %s: %s", channel, told(error))
        return None


def _due(channel: str, now: datetime) -> list[int]:
    ready = Notice.objects.filter(_ready(now), channel=channel)
    return list(ready.order_by("next_try_at", "pk").values_list("pk", flat=True)[:MOST])


def _ready(now: datetime) -> Q:
    return Q(state__in=OPEN, next_try_at__lte=now)


def _claim(pk: int, at: datetime) -> Notice | None:
    """The letter, if this sweep and no other may send it now."""
    mine = f"{socket.gethostname()[:50]}:{os.getpid()}:{token_hex(4)}"
    ready = Notice.objects.filter(_ready(at), pk=pk)
    held = {"state": State.INFLIGHT, "next_try_at": at + HELD_FOR, "claimed_by": mine}
    if not ready.update(attempts=F("attempts") + 1, **held):
        return None
    return Notice.objects.filter(pk=pk, claimed_by=mine).first()


def _send(notice: Notice, adapter: Adapter, clock: Callable[[], datetime]) -> bool:
    """Whether it went. Whatever the adapter does is written down; nothing stops the letters behind it."""
    if notice.attempts > len(WAITS) + 1:
        return _fail(notice, "多次发送中断", clock())
    if notice.channel == Channel.SMS and _had_enough(notice, clock()):
        return _put_off(notice, clock())
    try:
        gateway_id = adapter.send(notice)
    except Permanent as refusal:
        return _fail(notice, refusal.reason, clock())
    except Temporary as refusal:
        return _try_later(notice, refusal.reason, clock(), tries=len(WAITS) + 1)
    except Exception as error:
        return _try_later(notice, told(error), clock(), tries=STRANGE_TRIES)
    return _settle(notice, state=State.SENT, sent_at=clock(), gateway_id=gateway_id[:120], last_error="")


def _had_enough(notice: Notice, now: datetime) -> bool:
    """Whether the person has had the day's letters, those being sent this moment counted in."""
    midnight = datetime.combine(now.astimezone(SHANGHAI).date(), time.min, SHANGHAI)
    others = Notice.objects.filter(channel=Channel.SMS, to_index=notice.to_index).exclude(pk=notice.pk)
    counted = Q(state=State.SENT, sent_at__gte=midnight) | Q(state=State.INFLIGHT)
    return others.filter(counted).count() >= settings.OUTBOX_DAILY_CAP


def _put_off(notice: Notice, now: datetime) -> bool:
    tomorrow = now.astimezone(SHANGHAI).date() + timedelta(days=1)
    morning = datetime.combine(tomorrow, MORNING, SHANGHAI)
    reason = "当日短信已达上限，次日再发"
    _settle(notice, state=State.WAITING, next_try_at=morning, attempts=notice.attempts - 1, last_error=reason)
    return False


def _try_later(notice: Notice, reason: str, now: datetime, *, tries: int) -> bool:
    if notice.attempts >= tries:
        return _fail(notice, reason, now)
    wait = WAITS[notice.attempts - 1]
    _settle(notice, state=State.RETRY, next_try_at=now + wait, last_error=reason[:200])
    return False


@transaction.atomic
def _fail(notice: Notice, reason: str, now: datetime) -> bool:
    """Nobody is left untold: an SMS that cannot be sent becomes a call."""
    log.error("outbox: notice %s failed: %s", notice.pk, reason)
    ours = _settle(notice, state=State.FAILED, next_try_at=None, last_error=reason[:200])
    if ours and notice.channel == Channel.SMS:
        put_on_call_list(notice, now)
    return False


def _settle(notice: Notice, **changes) -> bool:
    """Write down how a sending ended, unless the claim ran out and another sweep has it now."""
    mine = Notice.objects.filter(pk=notice.pk, state=State.INFLIGHT, claimed_by=notice.claimed_by)
    if not mine.update(claimed_by="", **changes):
        log.warning("outbox: notice %s was taken over by another sweep", notice.pk)
        return False
    return True


def put_on_call_list(notice: Notice, at: datetime) -> Notice:
    """The call that a person makes instead of an SMS; the one that is there already, where it is."""
    call = Notice(
        kind=notice.kind,
        channel=Channel.CALL,
        about_kind=notice.about_kind,
        about_id=notice.about_id,
        dedupe_key=dedupe_key(notice.dedupe_key, Channel.CALL),
        to_name=notice.to_name,
        to=notice.to,
        to_index=notice.to_index,
        subject=notice.subject,
        body=notice.body,
        created_at=at,
        due_at=at,
        next_try_at=at,
    )
    return store([call])[0]
