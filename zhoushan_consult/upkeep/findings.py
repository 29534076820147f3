"""What does not run as it should: counted and timed, and never whose it is."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from zhoushan_consult.audit.sealing import count_unsealed_before
from zhoushan_consult.duties.kinds import SHANGHAI
from zhoushan_consult.duties.models import Duty, Heartbeat
from zhoushan_consult.duties.models import State as DutyState
from zhoushan_consult.duties.runner import stalled_for
from zhoushan_consult.outbox import delivery
from zhoushan_consult.vault.checks import self_test
from zhoushan_consult.vault.keyring import InvalidKeys
from zhoushan_consult.workdays.days import published

UNSENT_FOR = timedelta(hours=1)  # a letter that waits longer is told
SEALED_WITHIN = timedelta(hours=3)  # the trail is sealed hourly
LOOKS_BACK = timedelta(days=1)  # for a silence that is over
ANNOUNCED_BY = 12  # the month; 国务院办公厅 announces the holidays of a year in the November before


@dataclass(frozen=True)
class Findings:
    """Nothing of it set: all is well."""

    failed_letters: int = 0
    oldest_unsent: datetime | None = None
    failed_duties: int = 0
    missed_duties: int = 0
    silent_from: datetime | None = None
    silent_until: datetime | None = None
    unsealed: int = 0
    year_unknown: int | None = None
    bad_keys: str = ""


def look(now: datetime) -> Findings:
    """What is found at `now`. Reads, and changes nothing."""
    silent_from, silent_until = _silence(now)
    return Findings(
        failed_letters=delivery.failed().count(),
        oldest_unsent=_unsent(now),
        failed_duties=Duty.objects.filter(state=DutyState.FAILED).count(),
        missed_duties=Duty.objects.filter(state=DutyState.MISSED).count(),
        silent_from=silent_from,
        silent_until=silent_until,
        unsealed=count_unsealed_before(now - SEALED_WITHIN),
        year_unknown=_year_unknown(now),
        bad_keys=_bad_keys(),
    )


def _unsent(now: datetime) -> datetime | None:
    oldest = delivery.oldest_unsent(now)
    return oldest if oldest and now - oldest > UNSENT_FOR else None


def _silence(now: datetime) -> tuple[datetime | None, datetime | None]:
    """The silence that is still on, or the last one if it ended within a day."""
    beat = Heartbeat.objects.first()
    if beat and stalled_for(now):
        return beat.at, None
    if beat and beat.silent_until and now - beat.silent_until < LOOKS_BACK:
        return beat.silent_from, beat.silent_until
    return None, None


def _year_unknown(now: datetime) -> int | None:
    today = now.astimezone(SHANGHAI).date()
    due = today.month >= ANNOUNCED_BY
    return today.year + 1 if due and not published(today.year + 1) else None


def _bad_keys() -> str:
    try:
        self_test()
    except InvalidKeys as bad:
        return bad.message
    return ""
