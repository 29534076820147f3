"""One run: an empty service, a clock, a player, and its steps: made from a seed, or given."""

import random
import secrets
import time
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from zhoushan_consult.clock import SHANGHAI

from .clock import standing_at
from .director import Director
from .player import Player
from .steps import Step
from .violations import Violation

BEGINS = [datetime(2025, 11, 1, tzinfo=SHANGHAI), datetime(2026, 3, 1, tzinfo=SHANGHAI), datetime(2026, 8, 1, tzinfo=SHANGHAI)]


@dataclass
class Result:
    """What a run did and found."""

    steps: list[Step]
    violations: list[Violation]
    begin: datetime
    figures: Counter = field(default_factory=Counter)


def play_seed(seed: int, months: int) -> Result:
    """Play so many months at random."""
    begin = BEGINS[seed % len(BEGINS)] + timedelta(hours=8)
    until = _months_later(begin, months)
    with _standing(begin, seed) as clock:
        player = Player(clock)
        director = Director(player, seed, begin, until)
        started = time.process_time()
        director.play()
        return _result(player, director.steps, begin, months, time.process_time() - started)


def play_steps(steps: list[Step], begin: datetime, until: datetime, *, stop=None) -> Result:
    """Play these steps again. `stop(violations)`: whether to end at once."""
    with _standing(begin, 0) as clock:
        player = Player(clock)
        started = time.process_time()
        for step in steps:
            if step.who.startswith("firm "):
                player.firm(int(step.who[5:]))
            player.play(step)
            if stop and stop(player.judge.violations):
                break
        else:
            player.worker.run_until(until)
        return _result(player, steps, begin, 0, time.process_time() - started)


@contextmanager
def _standing(begin: datetime, seed: int):
    with standing_at(begin) as clock, _no_chance(seed):
        yield clock


@contextmanager
def _no_chance(seed: int):
    """References and tokens follow from the seed: a script names the same ones each time."""
    rng = random.Random(f"secrets {seed}")
    before = secrets.choice, secrets.token_bytes
    secrets.choice, secrets.token_bytes = rng.choice, lambda size=None: rng.randbytes(size or 32)
    try:
        yield
    finally:
        secrets.choice, secrets.token_bytes = before


def _months_later(begin: datetime, months: int) -> datetime:
    year, month = divmod(begin.year * 12 + begin.month - 1 + months, 12)
    return begin.replace(year=year, month=month + 1)


def _result(player: Player, steps: list[Step], begin: datetime, months: int, seconds: float) -> Result:
    figures = Counter(
        months=months,
        steps=player.steps_played,
        letters=player.judge.letters_judged,
        outages=sum(step.who in ("gateway", "worker") for step in steps),
        registrations=len(player.judge.world().registrations),
        seconds=seconds,
    )
    return Result(steps, player.judge.violations, begin, figures)
