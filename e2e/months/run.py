"""One run: an empty service, a clock, a player, and its steps: made from a seed, or given."""

import gc
import random
import secrets
import time
from collections import Counter
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from zhoushan_consult.clock import SHANGHAI

from .clock import standing_at
from .director import Director
from .player import Player
from .steps import Step
from .violations import Violation

BEGINS = [datetime(year, month, 1, 8, tzinfo=SHANGHAI) for year, month in ((2025, 11), (2026, 3), (2026, 8))]
A_MONTH = timedelta(days=30.4)


@dataclass
class Result:
    """What a run did and found."""

    steps: list[Step]
    violations: list[Violation]
    begin: datetime
    figures: Counter = field(default_factory=Counter)
    # What became of each step, of a replay.
    outcomes: list[str] = field(default_factory=list)


def play_months(seed: int, months: int) -> Result:
    """Play so many months at random; each seed begins in one of three seasons."""
    begin = BEGINS[seed % len(BEGINS)]
    return play_seed(seed, begin, _months_later(begin, months))


def play_seed(seed: int, begin: datetime, until: datetime) -> Result:
    """Play at random from `begin` on."""
    with _standing(begin, seed) as clock:
        player = Player(clock)
        director = Director(player, seed, begin, until)
        gc.collect()
        gc.freeze()
        started = time.process_time()
        director.play()
        return _result(player, director.steps, begin, until, time.process_time() - started)


def play_steps(
    steps: list[Step],
    begin: datetime,
    until: datetime,
    *,
    stop: Callable[[list[Violation]], bool] = lambda found: False,
) -> Result:
    """Play these steps again, until `stop` says that what was found is enough."""
    outcomes = []
    with _standing(begin, 0) as clock:
        player = Player(clock)
        started = time.process_time()
        for step in steps:
            outcomes.append(_again(player, step))
            if stop(player.judge.violations):
                break
        else:
            player.worker.run_until(until)
            player.judge.look()
        result = _result(player, steps, begin, until, time.process_time() - started)
    result.outcomes = outcomes
    return result


def _again(player: Player, step: Step) -> str:
    if step.who.startswith("firm "):
        player.firm(int(step.who[5:]))
    outcome = player.play(step)
    return f"{outcome.result} {outcome.sentence}".strip()


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


def _result(player: Player, steps: list[Step], begin: datetime, until: datetime, seconds: float) -> Result:
    figures = Counter(
        months=(until - begin) / A_MONTH,
        steps=player.steps_played,
        letters=player.judge.letters_judged,
        outages=sum(step.who in ("gateway", "worker") for step in steps),
        registrations=len(player.judge.world().registrations),
        seconds=seconds,
    )
    return Result(steps, player.judge.violations, begin, figures)
