"""The rounds: write down what fell due, then do it, each duty once however many rounds are made at a time.

A duty and its mark `done` are one transaction: a crash at any point leaves neither, and the duty is taken up
again when its claim has run out. A round that lost its claim meanwhile finds so at the mark, and takes back
what it did.

A duty that failed for good or was missed waits for a person: `again` gives it to the next round, `waive` says that it
need not be made up for.
"""

import logging
from contextlib import suppress
from datetime import datetime, timedelta
from time import monotonic

from django.db import transaction
from django.db.models import Max, Q

from zhoushan_consult.audit.trail import record
from zhoushan_consult.audit.verbs import Verb
from zhoushan_consult.bureau.models import Officer
from zhoushan_consult.bureau.refusals import Refused
from zhoushan_consult.bureau.roles import Act

from .kinds import Due, Kind, kinds
from .models import OPEN, TROUBLE, Duty, Heartbeat, State
from .safe_error import told

HELD_FOR = timedelta(minutes=15)  # how long a claim is believed; a duty takes seconds
WAITS = [timedelta(minutes=minutes) for minutes in (1, 5, 15, 60)]  # after each failure; then the last again
SILENT_AFTER = timedelta(minutes=3)  # rounds are made every minute
MOST = 200  # duties written down of one kind, and duties run, in one round

log = logging.getLogger(__name__)


class NotInTrouble(Refused):
    def __init__(self):
        super().__init__("这项任务已经执行、正在执行或已有人处理。请刷新后查看最新情况。")


class ClaimLost(Exception):
    """Another round took the duty over: what this one did is taken back."""


def run_due(now: datetime) -> list[Duty]:
    """Do all that is due at `now`, the oldest first, and return the duties that this round took up."""
    present = {kind.name: kind for kind in kinds()}
    for kind in present.values():
        _write_down(kind, now)
        _give_up(kind, now)
    taken = [_do(present[duty.kind], duty, now) for duty in _due(list(present), now) if _claim(duty, now)]
    _beat(now)
    return taken


def last_rounds() -> datetime | None:
    """When the rounds were last made to the end; None where they never were."""
    return Heartbeat.objects.values_list("at", flat=True).first()


def silent_for(now: datetime) -> timedelta | None:
    """How long no rounds have been made, where that is too long; None while they are made as they should.

    Rounds that seem to come from the future, by a clock that was ahead, are no sign of life either.
    """
    last = last_rounds()
    since = abs(now - last) if last else timedelta.max
    return since if since > SILENT_AFTER else None


@transaction.atomic
def again(duty: Duty, *, by: Officer, at: datetime) -> None:
    """Let the next round do a duty that failed or was missed, for the moment at which it was due.

    Raises NotInTrouble where it is done, being done or waived by now.
    """
    by.must(Act.HEALTH)
    _settle(duty, state=State.DUE, next_try_at=at, asked_at=at)
    record(Verb.DUTY_RERUN, duty, by=by, at=at, kind=duty.kind, due_at=duty.due_at)


@transaction.atomic
def waive(duty: Duty, *, by: Officer, at: datetime) -> None:
    """Say of a duty that failed or was missed that it need not be made up for. Raises NotInTrouble."""
    by.must(Act.HEALTH)
    _settle(duty, state=State.WAIVED, next_try_at=None)
    record(Verb.DUTY_DISMISSED, duty, by=by, at=at, kind=duty.kind, due_at=duty.due_at)


def _settle(duty: Duty, **changes) -> None:
    in_trouble = Duty.objects.filter(pk=duty.pk, state__in=TROUBLE, attempts=duty.attempts)
    if not in_trouble.update(**changes):
        raise NotInTrouble


def _beat(now: datetime) -> None:
    """Write down that these rounds are over; where none had been made for long, the silence before them too."""
    last = last_rounds()
    silence = {"silent_from": last, "silent_until": now} if last and now - last > SILENT_AFTER else {}
    Heartbeat.objects.update_or_create(pk=1, defaults={"at": now, **silence})


def _write_down(kind: Kind, now: datetime) -> None:
    """A row for each moment since the last one known. Rows beyond `now` come of a wrong clock."""
    known = Duty.objects.filter(kind=kind.name, due_at__lte=now).aggregate(last=Max("due_at"))["last"]
    fell_due = _first(list(kind.schedule(known or now - kind.useful_for, now)))
    Duty.objects.bulk_create(
        [Duty(kind=kind.name, about=about, due_at=due_at, next_try_at=due_at) for about, due_at in fell_due],
        ignore_conflicts=True,
    )


def _first(dues: list[Due]) -> list[Due]:
    """The first MOST, and whatever else is of the last one's moment: the next round begins after it."""
    return dues[:MOST] + [due for due in dues[MOST:] if due[1] == dues[MOST - 1][1]]


def _give_up(kind: Kind, now: datetime) -> None:
    useless = now - kind.useful_for
    late = Q(asked_at=None, due_at__lt=useless) | Q(asked_at__lt=useless)
    missed = Duty.objects.filter(_ready(now), late, kind=kind.name)
    if count := missed.update(state=State.MISSED, next_try_at=None):
        log.error("duty %s: %s missed", kind.name, count)


def _due(names: list[str], now: datetime) -> list[Duty]:
    ready = Duty.objects.filter(_ready(now), kind__in=names).order_by("due_at")[:MOST]
    return sorted(ready, key=lambda duty: (duty.due_at, names.index(duty.kind)))


def _ready(now: datetime) -> Q:
    return Q(state__in=OPEN, next_try_at__lte=now)


def _claim(duty: Duty, now: datetime) -> bool:
    """Whether this round, and no other, may do it. The number of the attempt is the claim."""
    seen = Duty.objects.filter(_ready(now), pk=duty.pk, attempts=duty.attempts)
    duty.attempts += 1
    return bool(
        seen.update(state=State.RUNNING, started_at=now, next_try_at=now + HELD_FOR, attempts=duty.attempts)
    )


def _do(kind: Kind, duty: Duty, now: datetime) -> Duty:
    began = monotonic()
    try:
        with transaction.atomic():
            rows = kind.run(duty.about, duty.due_at, now)
            done = {"state": State.DONE, "rows": rows, "next_try_at": None, "last_error": ""}
            _mark(duty, finished_at=now, took=_since(began), **done)
            if not kind.record_quiet:
                _forget_quiet_before(duty)
    except ClaimLost:
        log.warning("duty %s %s: taken over by another round", kind.name, duty.due_at)
    except Exception as error:
        _record_failure(duty, error, now, _since(began))
    return duty


def _since(began: float) -> timedelta:
    return timedelta(seconds=monotonic() - began)


def _mark(duty: Duty, **changes) -> None:
    if not Duty.objects.filter(pk=duty.pk, state=State.RUNNING, attempts=duty.attempts).update(**changes):
        raise ClaimLost
    for name, value in changes.items():
        setattr(duty, name, value)


def _forget_quiet_before(duty: Duty) -> None:
    """Runs that found nothing would fill the ledger minute by minute. The latest stays, as the mark."""
    Duty.objects.filter(kind=duty.kind, state=State.DONE, rows=0, due_at__lt=duty.due_at).delete()


def _record_failure(duty: Duty, error: Exception, now: datetime, took: timedelta) -> None:
    log.error("duty %s %s failed: %s", duty.kind, duty.due_at, told(error))
    wait = WAITS[min(duty.attempts, len(WAITS)) - 1]
    with suppress(ClaimLost):
        failed = {"state": State.FAILED, "next_try_at": now + wait, "last_error": told(error)[:200]}
        _mark(duty, finished_at=now, took=took, **failed)
