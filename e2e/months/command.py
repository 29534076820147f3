"""The command: plays seeds or a script, and prints what was found."""

import argparse
from collections import Counter
from pathlib import Path

import django

django.setup()

from django.db import connection  # noqa: E402  needs the settings

from .database import Database, Postgres  # noqa: E402
from .run import Result, play_seed  # noqa: E402
from .violations import Violation  # noqa: E402


def run(options: argparse.Namespace) -> int:
    database = _database()
    database.prepare()
    try:
        results = [_play(seed, options, database) for seed in _seeds(options.seeds)]
    finally:
        database.clear()
    return _report(results)


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
    result = play_seed(seed, options.months)
    print(f"seed {seed}: {_figures(result.figures)}; {len(result.violations)} violations", flush=True)
    if options.steps:
        Path(options.steps).write_text("\n".join(map(str, result.steps)) + "\n")
    return result


def _figures(figures: Counter) -> str:
    named = [f"{figures[name]:.0f} {name}" for name in ("months", "registrations", "steps", "letters", "outages")]
    return ", ".join(named) + f", {figures['seconds']:.1f} s CPU"


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
