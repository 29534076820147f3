"""Beat and its workers on the clock of the run: duties, letters and routing traces, and the times in which nothing of it runs."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, time, timedelta

from django.conf import settings
from django.utils.module_loading import import_string

from sessions_app.models import Seat
from triage.rulebook import routing_traces
from zhoushan_consult.clock import local_date, local_datetime
from zhoushan_consult.duties.models import OPEN, Duty
from zhoushan_consult.duties.runner import run_due
from zhoushan_consult.outbox.delivery import deliver_due

from . import facts
from .clock import Clock

# When the daily duties are over; and, on the first of a month, the cutoff.
ROUNDS = (time(0, 6), time(8, 31), time(9, 21), time(18, 31))
# While offers run, one may end at any hour.
HOURS = tuple(time(hour, 1) for hour in range(8, 21))
SWEEP_AFTER, ROUND_AFTER = timedelta(seconds=5), timedelta(seconds=65)


class Worker:
    """`run_until` moves the clock, and does on the way what is due. `on_round` is called after each round."""

    def __init__(self, clock: Clock, on_round: Callable[[], None]):
        self.clock, self.on_round = clock, on_round
        self.kinds = {path: import_string(path) for path in settings.DUTIES}
        self.stopped_until: datetime | None = None
        self.up_since = clock.now
        self._known_until: datetime | None = None
        self._soon: list[datetime] = []

    @property
    def is_up(self) -> bool:
        return not (self.stopped_until and self.clock.now < self.stopped_until)

    def stop_for(self, span: timedelta) -> None:
        self.stopped_until = self.clock.now + span
        self.up_since = self.stopped_until
        self._soon = [self.stopped_until]

    def hurry(self) -> None:
        """After an act: letters leave within seconds, duties follow within the minute."""
        self._soon += [self.clock.now + SWEEP_AFTER, self.clock.now + ROUND_AFTER]

    def run_until(self, instant: datetime) -> None:
        while (at := self._next(instant)) is not None:
            self.clock.move_to(at)
            self._soon = [each for each in self._soon if each > at]
            if self.is_up:
                self.work()

    def work(self) -> None:
        """One round: exactly what the three tasks of beat would do now."""
        now = self.clock.now
        routing_traces.store_missing(now)
        with _only(list(self._due_kinds(now))):
            run_due(now)
        self._known_until = now
        deliver_due(now)
        self.on_round()

    def _due_kinds(self, now: datetime) -> Iterator[str]:
        """The duties with something to do: to ask all of them each time would take most of the run."""
        begun = set(Duty.objects.filter(state__in=OPEN, next_try_at__lte=now).values_list("kind", flat=True))
        for path, kind in self.kinds.items():
            new = self._known_until is None or any(kind.schedule(self._known_until, now))
            if new or kind.name in begun:
                yield path

    def _next(self, until: datetime) -> datetime | None:
        """The next instant at which a worker has something to do, before `until`."""
        now, found = self.clock.now, [*self._soon]
        found += self._rounds(now, until)
        if letter := facts.next_letter_at():
            found.append(max(letter, now + SWEEP_AFTER))
        return min((at for at in found if now < at < until), default=None)

    def _rounds(self, now: datetime, until: datetime) -> Iterator[datetime]:
        day = local_date(now)
        while local_datetime(day) < until:
            for at in self._times(day.day):
                if now < (moment := local_datetime(day, at)) < until:
                    yield moment
                    return
            day += timedelta(days=1)

    def _times(self, day_of_month: int) -> list[time]:
        rounds = [each for each in ROUNDS if each.hour or day_of_month == 1]
        offers = Seat.objects.filter(offered_at__isnull=False, confirmed_at=None, uscc__isnull=False)
        running = offers.filter(reply_by__gt=self.clock.now - timedelta(hours=2)).exists()
        return sorted(rounds + (list(HOURS) if running else []))


@contextmanager
def _only(duties: list[str]):
    before = settings.DUTIES
    settings.DUTIES = duties
    try:
        yield
    finally:
        settings.DUTIES = before
