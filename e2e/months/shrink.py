"""The fewest steps of a run that still break the same invariant in the same way (delta debugging)."""

import re
from collections.abc import Callable
from datetime import datetime, timedelta

from .run import play_steps
from .steps import LOOK, Step
from .violations import Violation

BEFORE, AFTER = timedelta(hours=1), timedelta(minutes=2)
MAX_REPLAYS = 120
# Of outages, in minutes, the shortest first.
SPANS = (10, 2 * 1440)


class Shrinker:
    """`reset` empties the service before each replay."""

    def __init__(self, wanted: Violation, reset: Callable[[], None]):
        self.wanted, self._reset, self.replays = wanted, reset, 0

    def shrink(self, steps: list[Step]) -> list[Step]:
        """Returns steps that still show it; all of them, if a replay does not show it at all."""
        until = self.wanted.at + AFTER
        kept = [step for step in steps if step.at <= until]
        guesses = (self._of_the_firm(kept, with_bureau=False), self._of_the_firm(kept))
        kept = next((fewer for fewer in guesses if len(fewer) < len(kept) and self._shows(fewer)), kept)
        acts = [step for step in kept if step.act != LOOK]
        if acts and self._shows(acts):
            kept = acts
        return self._plainer(self._delta(kept))

    def _of_the_firm(self, steps: list[Step], *, with_bureau: bool = True) -> list[Step]:
        """The steps about the firm of the violation, and those about a day, the gateway and the worker."""
        found = re.match(r"(?:status |registration |table |work |matter )?F(\d+)/", self.wanted.subject)
        if not found:
            return steps
        number = found[1]

        def belongs(step: Step) -> bool:
            if step.who == f"firm {number}" or f"F{number}/" in step.page:
                return True
            return with_bureau and "F" not in step.page and not step.who.startswith("firm ")

        return list(filter(belongs, steps))

    def _delta(self, steps: list[Step]) -> list[Step]:
        """Leaves out ever smaller parts, as long as that shows it."""
        size = max(1, len(steps) // 2)
        while self.replays < MAX_REPLAYS:
            at, smaller = 0, False
            while at < len(steps) and self.replays < MAX_REPLAYS:
                candidate = steps[:at] + steps[at + size :]
                if candidate and self._shows(candidate):
                    steps, smaller = candidate, True
                else:
                    at += size
            if size == 1 and not smaller:
                break
            size = max(1, size // 2)
        return steps

    def _plainer(self, steps: list[Step]) -> list[Step]:
        """Without wrong input and old pages, where those do not matter; and with shorter outages."""
        for place in range(len(steps)):
            for simpler in _simpler(steps[place]):
                step = steps[place]
                candidate = [*steps[:place], simpler, *steps[place + 1 :]]
                if simpler != step and self.replays < MAX_REPLAYS and self._shows(candidate):
                    steps = candidate
        return steps

    def _shows(self, steps: list[Step]) -> bool:
        self.replays += 1
        self._reset()
        begin, until = span(steps, self.wanted.at)
        found = play_steps(steps, begin, until, stop=self._is_found)
        return self._is_found(found.violations)

    def _is_found(self, violations: list[Violation]) -> bool:
        return any(each.key == self.wanted.key for each in violations)


def _simpler(step: Step) -> list[Step]:
    found = [step.changed(wrong=False), step.changed(kept=None)]
    return found + [step.changed(minutes=minutes) for minutes in SPANS if minutes < step.minutes]


def span(steps: list[Step], at: datetime) -> tuple[datetime, datetime]:
    """When a replay begins, and until when the worker goes on after the last step."""
    return steps[0].at - BEFORE, max(at, steps[-1].at) + AFTER
