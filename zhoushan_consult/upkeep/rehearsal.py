"""演练: runs the duties of a span of days on a copy of the data, and shows which duties run and which letters are sent."""

import logging
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import NamedTuple

from django.apps import apps
from django.conf import settings
from django.db.models import Q

from zhoushan_consult.bureau.models import Officer
from zhoushan_consult.clock import local_date, local_datetime
from zhoushan_consult.duties import runner
from zhoushan_consult.duties.kinds import kinds as duty_kinds
from zhoushan_consult.duties.models import Duty, Heartbeat, State
from zhoushan_consult.outbox import kinds
from zhoushan_consult.outbox.adapters import Adapter
from zhoushan_consult.outbox.delivery import deliver_due
from zhoushan_consult.outbox.models import Channel, Notice
from zhoushan_consult.outbox.posting import address_index, canonical_phone

from .database_copy import working_copy

HOUR, MINUTE, DAY = timedelta(hours=1), timedelta(minutes=1), timedelta(days=1)
# If the span begins in the future, the days before it are run too, but not shown. At most so many.
MAX_LEAD_IN = timedelta(days=31)


class Letter(NamedTuple):
    """What letters that count as alike have in common: title, channel, and the role of the recipient."""

    title: str
    channel: str
    to: str


@dataclass
class RehearsedDay:
    """One day: the rows changed by each kind of duty, the duties that failed with the reason, and the letters."""

    day: date
    rows: Counter[str] = field(default_factory=Counter)
    quiet: set[str] = field(default_factory=set)
    failed: dict[str, str] = field(default_factory=dict)
    letters: Counter[Letter] = field(default_factory=Counter)


class DiscardAdapter(Adapter):
    """Accepts every letter and sends none."""

    def send(self, notice: Notice) -> str:
        return "rehearsal"


def rehearse(first: date, last: date) -> Iterator[RehearsedDay]:
    """Rehearse every day from `first` to `last`. Nothing is sent, and the data stays as it is.

    The runner runs every three hours and at each due time. In the rehearsal no firm registers and no officer acts.
    """
    with working_copy(), _letters_discarded(), _logging_disabled():
        rehearsal = _Rehearsal()
        for day in _days(rehearsal.start_day(first), last):
            result = rehearsal.run_day(day)
            if day >= first:
                yield result


def count_unreachable_officers() -> int:
    """How many active officers have neither a telephone nor an e-mail address, and so get no reminder."""
    return Officer.objects.filter(is_active=True, phone="", email="").count()


def _days(first: date, last: date) -> Iterator[date]:
    while first <= last:
        yield first
        first += DAY


class _Rehearsal:
    """The state of a rehearsal: the roles behind the addresses, and when the runner last ran in reality."""

    def __init__(self) -> None:
        self.last_run_at = runner.last_run_at()
        self.roles_by_address = dict(_roles_by_address())

    def start_day(self, first: date) -> date:
        """The day of the last real run, or `first`. Duties that are due in between must not appear as late."""
        if self.last_run_at is None:
            return first
        start = max(self.last_run_at, local_datetime(first) - MAX_LEAD_IN)
        return min(first, local_date(start))

    def run_day(self, day: date) -> RehearsedDay:
        result = RehearsedDay(day)
        for at in _run_times(day):
            if self.last_run_at is None or at > self.last_run_at:
                self._run_at(at, result)
        return result

    def _run_at(self, at: datetime, result: RehearsedDay) -> None:
        # As if the runner had run every minute. Otherwise each run would record an interruption.
        Heartbeat.objects.update_or_create(pk=1, defaults={"at": at - MINUTE})
        for duty in runner.run_due(at):
            _note_duty(duty, result)
        # One call sends at most one batch.
        while deliver_due(at):
            pass
        sent_now = Q(sent_at=at) | Q(channel=Channel.CALL, created_at=at)
        for notice in Notice.objects.filter(sent_now).order_by("pk"):
            result.letters[self._to_letter(notice)] += 1

    def _to_letter(self, notice: Notice) -> Letter:
        title = kinds.find(notice.kind).title if kinds.exists(notice.kind) else notice.subject
        about = apps.get_model(notice.about_kind)._meta.verbose_name
        return Letter(
            title, Channel(notice.channel).label, self.roles_by_address.get(notice.to_index, f"{about}联系人")
        )


def _note_duty(duty: Duty, result: RehearsedDay) -> None:
    if duty.state == State.DONE and duty.rows:
        result.rows[duty.label] += duty.rows
    elif duty.state == State.DONE:
        result.quiet.add(duty.label)
    else:
        result.failed[duty.label] = Duty.objects.get(pk=duty.pk).last_error


def _run_times(day: date) -> list[datetime]:
    """Every third hour of the day, and every time at which a daily or monthly duty is due."""
    start = local_datetime(day)
    before, end = start - timedelta(microseconds=1), start + DAY - MINUTE
    due = {due_at for kind in duty_kinds() for _, due_at in kind.schedule(before, end)}
    return sorted(due | {start + hours * HOUR for hours in range(0, 24, 3)})


def _roles_by_address() -> Iterator[tuple[str, str]]:
    """The index of each telephone and e-mail address of an officer, with division and roles."""
    officers = Officer.objects.filter(is_active=True).select_related("division", "area")
    for officer in officers.prefetch_related("groups"):
        roles = "、".join(group.name for group in officer.groups.all())
        place = officer.division or officer.area or ""
        for address in (canonical_phone(officer.phone), officer.email):
            if address:
                yield address_index(address), f"{place} {roles}".strip()


@contextmanager
def _letters_discarded() -> Iterator[None]:
    real = settings.OUTBOX_ADAPTERS
    settings.OUTBOX_ADAPTERS = dict.fromkeys(real, f"{__name__}.DiscardAdapter")
    try:
        yield
    finally:
        settings.OUTBOX_ADAPTERS = real


@contextmanager
def _logging_disabled() -> Iterator[None]:
    """The seal receipts and errors of a rehearsal must not be taken for real ones."""
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(before)
