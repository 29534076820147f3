"""Beat and its workers on the clock of the run: duties, letters and routing traces, and the times in which nothing of it runs."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, time, timedelta

from django.conf import settings
from django.utils.module_loading import import_string

from sessions_app import policy
from triage.rulebook import routing_traces
from zhoushan_consult.clock import local_date, local_datetime
from zhoushan_consult.duties.models import OPEN, Duty
from zhoushan_consult.duties.runner import run_due
from zhoushan_consult.outbox.delivery import deliver_due

from . import facts
from .clock import Clock
from .gateway import Gateway

# When the daily duties are over; on the first of a month, the cutoff; and on the eve of a day, the offers that never arrived.
CUTOFF, MORNING, FORENOON, EVE = time(0, 6), time(8, 31), time(9, 21), time(18, 31)
FIRST, EVE_OF_DAY = 1, policy.DAY_OF_MONTH - 1
SWEEP_AFTER, ROUND_EVERY = timedelta(seconds=5), timedelta(minutes=9)
# While the gateway is down, each letter is tried at its time; the attempts of so long a span are made at once.
SWEEP_WHEN_DOWN = timedelta(minutes=30)
# They change nothing that a person or another duty reads, so that once a day is enough.
HOUSEKEEPING = {"seal_trail", "throttle_purge", "draft_purge"}


class Worker:
    """`run_until` moves the clock, and does on the way what is due. `on_duties` is called after the duties of a round, `on_round` at its end."""

    def __init__(self, clock: Clock, on_duties: Callable[[], None], on_round: Callable[[], None]):
        self.clock, self.on_duties, self.on_round = clock, on_duties, on_round
        self.kinds = {path: import_string(path) for path in settings.DUTIES}
        self.stopped_until: datetime | None = None
        self.up_since = clock.now
        self._known_until: datetime | None = None
        self._round_at: datetime | None = None

    @property
    def is_up(self) -> bool:
        return not (self.stopped_until and self.clock.now < self.stopped_until)

    def stop_for(self, span: timedelta) -> None:
        self.stopped_until = self.clock.now + span
        self.up_since = self.stopped_until
        self._round_at = self.stopped_until

    def hurry(self) -> None:
        """After an act that changed something: its letters leave within seconds in any case, duties follow within minutes."""
        self._round_at = self._round_at or self.clock.now + ROUND_EVERY

    def run_until(self, instant: datetime) -> None:
        while (found := self._next(instant)) is not None:
            at, whole = found
            self.clock.move_to(at)
            if self.is_up:
                self.work() if whole else self.sweep()

    def sweep(self) -> None:
        """The tasks that beat sends every few seconds."""
        routing_traces.store_missing(self.clock.now)
        deliver_due(self.clock.now)

    def work(self) -> None:
        """A whole round: exactly what the tasks of beat would do now."""
        now = self.clock.now
        self._round_at = None
        self.beat()
        with _only(list(self._due_kinds(now))):
            run_due(now)
        self._known_until = now
        self.on_duties()
        self.sweep()
        self.on_round()

    def beat(self) -> None:
        """Beat sends a round every minute; most of them have nothing to do and are left out here."""
        if self.is_up and (self._known_until is None or self._known_until >= self.up_since):
            facts.heart_beats(self.clock.now)

    def _due_kinds(self, now: datetime) -> Iterator[str]:
        """The duties with something to do: to ask all of them each time would take most of the run."""
        begun = set(Duty.objects.filter(state__in=OPEN, next_try_at__lte=now).values_list("kind", flat=True))
        for path, kind in self.kinds.items():
            if kind.name in HOUSEKEEPING and now != local_datetime(local_date(now), MORNING):
                continue
            new = self._known_until is None or any(kind.schedule(self._known_until, now))
            if new or kind.name in begun:
                yield path

    def _next(self, until: datetime) -> tuple[datetime, bool] | None:
        """The next instant before `until` at which a worker has something to do, and whether duties are part of it."""
        now = self.clock.now
        if not self.is_up:
            return (self.stopped_until, True) if self.stopped_until < until else None
        found = [(at, True) for at in self._rounds(now, until)]
        found += [(self._round_at, True)] if self._round_at else []
        if end := facts.end_of_an_offer(now):
            found.append((end + SWEEP_AFTER, True))
        if letter := facts.next_letter_at():
            found.append((max(letter, self._sweeps_again_at(now)), False))
        ahead = [(at, not whole) for at, whole in found if now < at < until]
        return (min(ahead)[0], not min(ahead)[1]) if ahead else None

    def _sweeps_again_at(self, now: datetime) -> datetime:
        down_until = Gateway.down_until
        if down_until is None or now >= down_until:
            return now + SWEEP_AFTER
        return min(now + SWEEP_WHEN_DOWN, down_until + SWEEP_AFTER)

    def _rounds(self, now: datetime, until: datetime) -> Iterator[datetime]:
        day = local_date(now)
        while local_datetime(day) < until:
            for at in self._times(day.day):
                if now < (moment := local_datetime(day, at)) < until:
                    yield moment
                    return
            day += timedelta(days=1)

    def _times(self, day_of_month: int) -> list[time]:
        found = [CUTOFF] if day_of_month == FIRST else []
        found += [MORNING, FORENOON]
        return found + ([EVE] if day_of_month == EVE_OF_DAY else [])


@contextmanager
def _only(duties: list[str]):
    before = settings.DUTIES
    settings.DUTIES = duties
    try:
        yield
    finally:
        settings.DUTIES = before
