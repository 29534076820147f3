"""演练: a span of days played on a copy of the data, with nobody at work: which duties would run, which letters go."""

import logging
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import NamedTuple

from django.apps import apps
from django.conf import settings
from django.db.models import Q

from zhoushan_consult.bureau.models import Officer
from zhoushan_consult.duties import runner
from zhoushan_consult.duties.kinds import SHANGHAI, kinds
from zhoushan_consult.duties.models import Duty, Heartbeat, State
from zhoushan_consult.outbox.adapters import Adapter
from zhoushan_consult.outbox.delivery import deliver_due
from zhoushan_consult.outbox.models import Channel, Notice
from zhoushan_consult.outbox.posting import address_index, canonical_phone

from .database_copy import working_copy

HOUR, MINUTE, DAY = timedelta(hours=1), timedelta(minutes=1), timedelta(days=1)
LEAD_IN = timedelta(
    days=31
)  # at most so long before the span is played unseen, to begin it as it would begin
SITE = "企业环保咨询日："


class Letter(NamedTuple):
    """Letters that are alike: what they say in a word, how they go, and to whom by what those people do."""

    title: str
    channel: str
    to: str


@dataclass
class RehearsedDay:
    """A day as it would go: what each kind of duty did, those that failed with the reason, and the letters."""

    day: date
    rows: Counter[str] = field(default_factory=Counter)
    quiet: set[str] = field(default_factory=set)
    failed: dict[str, str] = field(default_factory=dict)
    letters: Counter[Letter] = field(default_factory=Counter)


class DiscardAdapter(Adapter):
    """Takes every letter, and sends none."""

    def send(self, notice: Notice) -> str:
        return "rehearsal"


def rehearse(first: date, last: date) -> Iterator[RehearsedDay]:
    """Play every day from `first` to `last`. Nothing is sent, and the data is as it was.

    Rounds are made every three hours and whenever a duty falls due. Nobody registers, decides or replies meanwhile.
    """
    with working_copy(), _nothing_sent(), _nothing_logged():
        stage = _Stage()
        for day in _days(stage.begins(first), last):
            played = stage.play(day)
            if day >= first:
                yield played


def count_unreachable_officers() -> int:
    """How many of those at work have neither a telephone nor an e-mail address, and so read no reminder."""
    return Officer.objects.filter(is_active=True, phone="", email="").count()


def _days(first: date, last: date) -> Iterator[date]:
    while first <= last:
        yield first
        first += DAY


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time.min, SHANGHAI)


class _Stage:
    """The copy while it is played on: who is who, and from when on rounds are made."""

    def __init__(self) -> None:
        self.from_when = runner.last_run_at()
        self.people = dict(_people())

    def begins(self, first: date) -> date:
        """The day of the last rounds, or `first`: what falls due in between must not look as if it were late."""
        if self.from_when is None:
            return first
        real = max(self.from_when, _midnight(first) - LEAD_IN)
        return min(first, real.astimezone(SHANGHAI).date())

    def play(self, day: date) -> RehearsedDay:
        played = RehearsedDay(day)
        for at in _instants(day):
            if self.from_when is None or at > self.from_when:
                self._make_the_rounds(at, played)
        return played

    def _make_the_rounds(self, at: datetime, played: RehearsedDay) -> None:
        Heartbeat.objects.update_or_create(pk=1, defaults={"at": at - MINUTE})  # as if made every minute
        for duty in runner.run_due(at):
            _write_down(duty, played)
        while deliver_due(at):
            pass
        gone = Q(sent_at=at) | Q(channel=Channel.CALL, created_at=at)
        for notice in Notice.objects.filter(gone).order_by("pk"):
            played.letters[self._as_letter(notice)] += 1

    def _as_letter(self, notice: Notice) -> Letter:
        title = notice.subject.removeprefix(SITE) or "通知"
        about = apps.get_model(notice.about_kind)._meta.verbose_name
        return Letter(
            title, Channel(notice.channel).label, self.people.get(notice.to_index, f"{about}联系人")
        )


def _write_down(duty: Duty, played: RehearsedDay) -> None:
    if duty.state == State.DONE and duty.rows:
        played.rows[duty.label] += duty.rows
    elif duty.state == State.DONE:
        played.quiet.add(duty.label)
    else:
        played.failed[duty.label] = Duty.objects.get(pk=duty.pk).last_error


def _instants(day: date) -> list[datetime]:
    """Every third hour of the day, and every moment at which a duty falls due that does not do so all day long."""
    begins = _midnight(day)
    before, ends = begins - timedelta(microseconds=1), begins + DAY - MINUTE
    due = {due_at for kind in kinds() for _, due_at in kind.schedule(before, ends)}
    return sorted(due | {begins + hours * HOUR for hours in range(0, 24, 3)})


def _people() -> Iterator[tuple[str, str]]:
    """By the index of each telephone and e-mail address: whose it is, by division and roles."""
    officers = Officer.objects.filter(is_active=True).select_related("division", "area")
    for officer in officers.prefetch_related("groups"):
        roles = "、".join(group.name for group in officer.groups.all())
        place = officer.division or officer.area or ""
        for address in (canonical_phone(officer.phone), officer.email):
            if address:
                yield address_index(address), f"{place} {roles}".strip()


@contextmanager
def _nothing_sent() -> Iterator[None]:
    real = settings.OUTBOX_ADAPTERS
    settings.OUTBOX_ADAPTERS = dict.fromkeys(real, f"{__name__}.DiscardAdapter")
    try:
        yield
    finally:
        settings.OUTBOX_ADAPTERS = real


@contextmanager
def _nothing_logged() -> Iterator[None]:
    """Receipts of seals and errors of a rehearsal must not be taken for real ones."""
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(before)
