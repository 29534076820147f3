"""What does not work as it should: counts and times, without personal data."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from zhoushan_consult.audit.sealing import count_unsealed_before
from zhoushan_consult.clock import local_date
from zhoushan_consult.duties.models import Duty, Heartbeat
from zhoushan_consult.duties.models import State as DutyState
from zhoushan_consult.duties.runner import stalled_for
from zhoushan_consult.outbox import delivery
from zhoushan_consult.vault.checks import self_test
from zhoushan_consult.vault.keyring import InvalidKeys
from zhoushan_consult.workdays.days import year_wanted

# A letter that waits longer is reported.
UNSENT_LIMIT = timedelta(hours=1)
# The trail is sealed each hour. Three hours allow for two runs that failed.
SEALED_WITHIN = timedelta(hours=3)
# An interruption that ended longer ago was in an earlier digest.
LOOK_BACK = timedelta(days=1)
# The month. In November there is a letter of its own (`holidays_wanted`): the announcement may still be to come.
ANNOUNCED_BY = 12


@dataclass(frozen=True)
class Findings:
    """If no field is set, all is well."""

    failed_letters: int = 0
    oldest_unsent: datetime | None = None
    failed_duties: int = 0
    missed_duties: int = 0
    silent_from: datetime | None = None
    silent_until: datetime | None = None
    unsealed: int = 0
    year_unknown: int | None = None
    bad_keys: str = ""


def collect(now: datetime) -> Findings:
    """The findings at `now`. It only reads."""
    silent_from, silent_until = _interruption(now)
    return Findings(
        failed_letters=delivery.failed().count(),
        oldest_unsent=_oldest_unsent(now),
        failed_duties=Duty.objects.filter(state=DutyState.FAILED).count(),
        missed_duties=Duty.objects.filter(state=DutyState.MISSED).count(),
        silent_from=silent_from,
        silent_until=silent_until,
        unsealed=count_unsealed_before(now - SEALED_WITHIN),
        year_unknown=_year_unknown(now),
        bad_keys=_bad_keys(),
    )


def _oldest_unsent(now: datetime) -> datetime | None:
    oldest = delivery.oldest_unsent(now)
    return oldest if oldest and now - oldest > UNSENT_LIMIT else None


def _interruption(now: datetime) -> tuple[datetime | None, datetime | None]:
    """Begin and end of the present interruption of the runner, or of the last one if it ended within a day."""
    heartbeat = Heartbeat.objects.first()
    if heartbeat and stalled_for(now):
        return heartbeat.at, None
    if heartbeat and heartbeat.silent_until and now - heartbeat.silent_until < LOOK_BACK:
        return heartbeat.silent_from, heartbeat.silent_until
    return None, None


def _year_unknown(now: datetime) -> int | None:
    today = local_date(now)
    return year_wanted(today) if today.month >= ANNOUNCED_BY else None


def _bad_keys() -> str:
    try:
        self_test()
    except InvalidKeys as error:
        return error.message
    return ""
