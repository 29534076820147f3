"""The rounds: write down what fell due, then do it, each duty once however many rounds are made at a time.

A duty and its mark `done` are one transaction: a crash at any point leaves neither, and the duty is taken up
again when its claim has run out. A round that lost its claim meanwhile finds so at the mark, and takes back
what it did.
"""

import logging
from contextlib import suppress
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Max, Q

from .kinds import Due, Kind, kinds
from .mishap import told
from .models import OPEN, Duty, Heartbeat, State

HELD_FOR = timedelta(minutes=15)  # how long a claim is believed; a duty takes seconds
WAITS = [timedelta(minutes=minutes) for minutes in (1, 5, 15, 60)]  # after each failure; then the last again
MOST = 200  # duties written down of one kind, and duties run, in one round

log = logging.getLogger(__name__)


class ClaimLost(Exception):
    """Another round took the duty over: what this one did is taken back."""


def run_due(now: datetime) -> list[Duty]:
    """Do all that is due at `now`, the oldest first, and return the duties that this round took up."""
    present = {kind.name: kind for kind in kinds()}
    for kind in present.values():
        _write_down(kind, now)
        _give_up(kind, now)
    taken = [_do(present[duty.kind], duty, now) for duty in _due(list(present), now) if _claim(duty, now)]
    Heartbeat.objects.update_or_create(pk=1, defaults={"at": now})
    return taken


def last_rounds() -> datetime | None:
    """When the rounds were last made to the end; None where they never were."""
    return Heartbeat.objects.values_list("at", flat=True).first()


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
    late = Duty.objects.filter(_ready(now), kind=kind.name, due_at__lt=now - kind.useful_for)
    if count := late.update(state=State.MISSED, next_try_at=None):
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
    try:
        with transaction.atomic():
            rows = kind.run(duty.about, duty.due_at, now)
            _mark(duty, state=State.DONE, rows=rows, finished_at=now, next_try_at=None, last_error="")
            if not kind.record_quiet:
                _forget_quiet_before(duty)
    except ClaimLost:
        log.warning("duty %s %s: taken over by another round", kind.name, duty.due_at)
    except Exception as error:
        _record_failure(duty, error, now)
    return duty


def _mark(duty: Duty, **changes) -> None:
    if not Duty.objects.filter(pk=duty.pk, state=State.RUNNING, attempts=duty.attempts).update(**changes):
        raise ClaimLost
    for name, value in changes.items():
        setattr(duty, name, value)


def _forget_quiet_before(duty: Duty) -> None:
    """Runs that found nothing would fill the ledger minute by minute. The latest stays, as the mark."""
    Duty.objects.filter(kind=duty.kind, state=State.DONE, rows=0, due_at__lt=duty.due_at).delete()


def _record_failure(duty: Duty, error: Exception, now: datetime) -> None:
    log.error("duty %s %s failed: %s", duty.kind, duty.due_at, told(error))
    wait = WAITS[min(duty.attempts, len(WAITS)) - 1]
    with suppress(ClaimLost):
        _mark(duty, state=State.FAILED, finished_at=now, next_try_at=now + wait, last_error=told(error)[:200])
