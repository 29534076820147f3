"""Runs the scheduled duties. Any number of runners may work at the same time: each duty is done once.

A duty and its mark `done` are one transaction. If a worker dies, both are gone, and the duty is run again when the
claim has expired. A runner that lost its claim in the meantime notices that when it sets the mark, and rolls back.

A duty that failed or was missed waits for a person: `retry` gives it to the next run, `waive` records that it need not
be made up for.
"""

import logging
from collections import Counter
from collections.abc import Iterable
from contextlib import suppress
from datetime import datetime, timedelta
from functools import reduce
from operator import or_
from time import monotonic

from django.db import transaction
from django.db.models import Max, Q

from zhoushan_consult.audit.trail import record
from zhoushan_consult.audit.verbs import Verb
from zhoushan_consult.bureau.models import Officer
from zhoushan_consult.bureau.refusals import Refused
from zhoushan_consult.bureau.roles import Act

from .kinds import Due, Kind, kinds
from .models import NEEDS_ATTENTION, OPEN, Duty, Heartbeat, State
from .safe_error import describe

# After this time a claim has expired. A duty takes seconds, so its worker is dead by then.
CLAIM_LEASE = timedelta(minutes=15)
# The wait after the first, second … failure. Later failures wait as long as the last.
RETRY_DELAYS = [timedelta(minutes=minutes) for minutes in (1, 5, 15, 60)]
# Beat sends the task every minute (DUTIES_EVERY): three in a row did not arrive.
HEARTBEAT_TIMEOUT = timedelta(minutes=3)
# The most rows of one kind written in one run, and the most duties done in one run.
BATCH_SIZE = 200

log = logging.getLogger(__name__)


class DutyAlreadyHandled(Refused):
    def __init__(self):
        super().__init__("这项任务已经执行、正在执行或已有人处理。请刷新后查看最新情况。")


class ClaimLost(Exception):
    """Another runner took the duty over. What this one did is rolled back."""


def run_due(now: datetime) -> list[Duty]:
    """Run every duty that is due at `now`, the oldest first. Returns the duties that this runner claimed."""
    by_name = {kind.name: kind for kind in kinds()}
    # A row whose kind was removed from settings.DUTIES is left alone: it can be seen in the admin.
    _create_due_rows(by_name.values(), now)
    _mark_missed(by_name, now)
    ran = [_run(by_name[duty.kind], duty, now) for duty in _due(list(by_name), now) if _claim(duty, now)]
    _delete_empty_runs_before(ran, by_name)
    _record_heartbeat(now)
    return ran


def last_run_at() -> datetime | None:
    """When the runner last finished; None if it never did."""
    return Heartbeat.objects.values_list("at", flat=True).first()


def stalled_for(now: datetime) -> timedelta | None:
    """How long the runner has not finished a run, if that is too long; None while it works.

    A heartbeat in the future, written by a clock that was wrong, is no sign of life either.
    """
    last = last_run_at()
    since = abs(now - last) if last else timedelta.max
    return since if since > HEARTBEAT_TIMEOUT else None


@transaction.atomic
def retry(duty: Duty, *, by: Officer, at: datetime) -> None:
    """Let the next run do a duty that failed or was missed, as of the time at which it was due.

    Raises DutyAlreadyHandled if it is done, running or waived by now.
    """
    by.must(Act.HEALTH)
    _handle(duty, state=State.DUE, next_try_at=at, asked_at=at)
    record(Verb.DUTY_RERUN, duty, by=by, at=at, kind=duty.kind, due_at=duty.due_at)


@transaction.atomic
def waive(duty: Duty, *, by: Officer, at: datetime) -> None:
    """Record that a duty that failed or was missed need not be made up for. Raises DutyAlreadyHandled."""
    by.must(Act.HEALTH)
    _handle(duty, state=State.WAIVED, next_try_at=None)
    record(Verb.DUTY_DISMISSED, duty, by=by, at=at, kind=duty.kind, due_at=duty.due_at)


def _handle(duty: Duty, **changes) -> None:
    # `attempts` as the officer saw it: if the duty was tried since then, the officer decided on an old state.
    as_shown = Duty.objects.filter(pk=duty.pk, state__in=NEEDS_ATTENTION, attempts=duty.attempts)
    if not as_shown.update(**changes):
        raise DutyAlreadyHandled


def _record_heartbeat(now: datetime) -> None:
    """Note that this run has finished. After an interruption, note when that began and ended: the digest reports it."""
    last = last_run_at()
    was_stalled = last and now - last > HEARTBEAT_TIMEOUT
    interruption = {"silent_from": last, "silent_until": now} if was_stalled else {}
    if not Heartbeat.objects.filter(pk=1).update(at=now, **interruption):
        Heartbeat.objects.bulk_create([Heartbeat(pk=1, at=now)], ignore_conflicts=True)


def _create_due_rows(of_kinds: Iterable[Kind], now: datetime) -> None:
    """Write a row for each due time since the last known one of each kind."""
    rows = [
        Duty(kind=kind.name, about=about, due_at=due_at, next_try_at=due_at)
        for kind in of_kinds
        for about, due_at in _new_dues(kind, now)
    ]
    # Two runners may write the same rows at the same time. The unique constraint keeps one of each.
    Duty.objects.bulk_create(rows, ignore_conflicts=True)


def _new_dues(kind: Kind, now: datetime) -> list[Due]:
    # Rows later than `now` were written while a clock was wrong. They must not hide what is due today.
    known = Duty.objects.filter(kind=kind.name, due_at__lte=now).aggregate(last=Max("due_at"))["last"]
    return _first_batch(list(kind.schedule(known or now - kind.useful_for, now)))


def _first_batch(dues: list[Due]) -> list[Due]:
    """The first BATCH_SIZE, and all others with the same time as the last of them.

    The next run continues after that time, so a time must not be split between two runs.
    """
    return dues[:BATCH_SIZE] + [due for due in dues[BATCH_SIZE:] if due[1] == dues[BATCH_SIZE - 1][1]]


def _mark_missed(by_name: dict[str, Kind], now: datetime) -> None:
    ready = Duty.objects.filter(_ready(now), kind__in=by_name)
    # After a retry by hand, the time of use counts from the retry: else the retry would be missed at once.
    late = {
        pk: kind
        for pk, kind, due_at, asked_at in ready.values_list("pk", "kind", "due_at", "asked_at")
        if (asked_at or due_at) < now - by_name[kind].useful_for
    }
    for name, count in Counter(late.values()).items():
        log.error("duty %s: %s missed", name, count)
    if late:
        ready.filter(pk__in=late).update(state=State.MISSED, next_try_at=None)


def _due(names: list[str], now: datetime) -> list[Duty]:
    ready = Duty.objects.filter(_ready(now), kind__in=names).order_by("due_at")[:BATCH_SIZE]
    # Duties of the same time run in the order of settings.DUTIES.
    return sorted(ready, key=lambda duty: (duty.due_at, names.index(duty.kind)))


def _ready(now: datetime) -> Q:
    return Q(state__in=OPEN, next_try_at__lte=now)


def _claim(duty: Duty, now: datetime) -> bool:
    """Whether this runner may do it, and no other. The number of the attempt is the claim."""
    unclaimed = Duty.objects.filter(_ready(now), pk=duty.pk, attempts=duty.attempts)
    duty.attempts += 1
    expires = now + CLAIM_LEASE
    return bool(
        unclaimed.update(state=State.RUNNING, started_at=now, next_try_at=expires, attempts=duty.attempts)
    )


def _run(kind: Kind, duty: Duty, now: datetime) -> Duty:
    started = monotonic()
    try:
        with transaction.atomic():
            rows = kind.run(duty.about, duty.due_at, now)
            done = {"state": State.DONE, "rows": rows, "next_try_at": None, "last_error": ""}
            _mark(duty, finished_at=now, took=_elapsed(started), **done)
    except ClaimLost:
        log.warning("duty %s %s: taken over by another runner", kind.name, duty.due_at)
    except Exception as error:
        # One duty that fails must not stop the others.
        _record_failure(duty, error, now, _elapsed(started))
    return duty


def _elapsed(started: float) -> timedelta:
    return timedelta(seconds=monotonic() - started)


def _mark(duty: Duty, **changes) -> None:
    """Write the result, if the claim is still ours. Raises ClaimLost."""
    if not Duty.objects.filter(pk=duty.pk, state=State.RUNNING, attempts=duty.attempts).update(**changes):
        raise ClaimLost
    for name, value in changes.items():
        setattr(duty, name, value)


def _delete_empty_runs_before(ran: list[Duty], by_name: dict[str, Kind]) -> None:
    """Runs that changed nothing would fill the table minute by minute. The latest stays as the last known due time."""
    done = [duty for duty in ran if duty.state == State.DONE and not by_name[duty.kind].keep_empty_runs]
    before = [Q(kind=duty.kind, due_at__lt=duty.due_at) for duty in done]
    if before:
        Duty.objects.filter(reduce(or_, before), state=State.DONE, rows=0).delete()


def _record_failure(duty: Duty, error: Exception, now: datetime, took: timedelta) -> None:
    reason = describe(error)
    log.error("duty %s %s failed: %s", duty.kind, duty.due_at, reason)
    delay = RETRY_DELAYS[min(duty.attempts, len(RETRY_DELAYS)) - 1]
    # If the claim is lost, the other runner writes its own result.
    with suppress(ClaimLost):
        failed = {"state": State.FAILED, "next_try_at": now + delay, "last_error": reason[:200]}
        _mark(duty, finished_at=now, took=took, **failed)
