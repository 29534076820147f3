"""The command: plays seeds or a script, and prints what was found."""

import argparse
from collections import Counter
from pathlib import Path

import django

django.setup()

from django.db import connection  # noqa: E402  needs the settings

from . import script  # noqa: E402
from .database import Database, Postgres  # noqa: E402
from .invariants import INVARIANTS  # noqa: E402
from .run import Result, play_months, play_steps  # noqa: E402
from .shrink import Shrinker, span  # noqa: E402
from .violations import Violation  # noqa: E402


def run(options: argparse.Namespace) -> int:
    database = _database()
    database.prepare()
    try:
        if options.replay:
            return _replay(options, database)
        return _report([_play(seed, options, database) for seed in _seeds(options.seeds)])
    finally:
        database.clear()


def _replay(options: argparse.Namespace, database: Database) -> int:
    """The steps of a file, with what became of each; with `--scripts`, its violations shrunk into that folder."""
    steps, until = script.read(Path(options.replay))
    database.reset()
    result = play_steps(steps, span(steps, until)[0], until)
    print(script.told(result))
    if options.scripts:
        _write_scripts(0, result, options, database)
    return 1 if result.violations else 0


def _database() -> Database:
    if connection.vendor != "postgresql":
        return Database()
    made = Postgres(connection.settings_dict["NAME"])
    made.create()
    return made


def _seeds(text: str) -> list[int]:
    found: list[int] = []
    for part in text.split(","):
        first, _, last = part.partition("-")
        found += range(int(first), int(last or first) + 1)
    return found


def _play(seed: int, options: argparse.Namespace, database: Database) -> Result:
    database.reset()
    result = play_months(seed, options.months)
    print(f"seed {seed}: {_figures(result.figures)}; {len(result.violations)} violations", flush=True)
    if options.steps:
        Path(options.steps).write_text("\n".join(map(str, result.steps)) + "\n")
    if options.scripts:
        _write_scripts(seed, result, options, database)
    return result


def _write_scripts(seed: int, result: Result, options: argparse.Namespace, database: Database) -> None:
    """One for each kind that has no script yet: the first violation of its kind is mostly the shortest."""
    folder, docs = Path(options.scripts), {check.__name__: check.__doc__ for check in INVARIANTS}
    for first in {violation.key: violation for violation in reversed(result.violations)}.values():
        if options.only not in " ".join(first.key) or script.path(folder, first).exists():
            continue
        shrinker = Shrinker(first, database.reset)
        steps = shrinker.shrink(result.steps) if options.shrink else result.steps
        until = span(steps, first.at)[1]
        text = script.text(first, steps, docstring=docs.get(first.invariant, ""), seed=seed, until=until)
        print(
            f"{script.write(folder, first, text)}: {len(steps)} steps, {shrinker.replays} replays", flush=True
        )


def _figures(figures: Counter) -> str:
    named = [
        f"{figures[name]:.0f} {name}" for name in ("months", "registrations", "steps", "letters", "outages")
    ]
    a_month = figures["seconds"] / max(figures["months"], 1)
    return ", ".join(named) + f", {figures['seconds']:.0f} s CPU ({a_month:.0f} a month)"


def _report(results: list[Result]) -> int:
    kinds: dict[tuple, list[Violation]] = {}
    for result in results:
        for violation in result.violations:
            kinds.setdefault(violation.key, []).append(violation)
    for (invariant, kind), found in sorted(kinds.items(), key=lambda each: (each[0][0], -len(each[1]))):
        print(f"{len(found):5}  {invariant}: {kind}\n         {found[0]}")
    print(f"\nin all: {_figures(sum((result.figures for result in results), Counter()))}")
    print(f"violations: {sum(map(len, kinds.values()))} of {len(kinds)} kinds")
    return 1 if kinds else 0
