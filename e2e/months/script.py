"""A run as a text that people read, and `--replay` plays again."""

import re
from datetime import datetime
from pathlib import Path

from .run import Result
from .steps import FORMAT, Step, parse
from .violations import Violation

_UNTIL = "# until "


def path(folder: Path, violation: Violation) -> Path:
    """The file for violations of this kind."""
    name = re.sub(r"[^\w\-（）]+", "_", f"{violation.invariant}-{violation.kind}")
    return folder / f"{name[:90]}.txt"


def write(folder: Path, violation: Violation, text: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    file = path(folder, violation)
    file.write_text(text)
    return file


def text(violation: Violation, steps: list[Step], *, docstring: str, seed: int, until: datetime) -> str:
    head = [f"# {violation.invariant}: {violation.kind}", f"# {docstring}", f"# seed {seed}; {violation}"]
    return "\n".join([*head, f"{_UNTIL}{until:{FORMAT}}", *map(str, steps), ""])


def read(file: Path) -> tuple[list[Step], datetime]:
    """The steps, and until when they are played. Raises ValueError for a line that is no step."""
    lines = file.read_text().splitlines()
    steps = [step for line in lines if (step := parse(line))]
    ends = [line.removeprefix(_UNTIL) for line in lines if line.startswith(_UNTIL)]
    last = datetime.strptime(ends[0], FORMAT).replace(tzinfo=steps[0].at.tzinfo) if ends else steps[-1].at
    return steps, last


def told(result: Result) -> str:
    """What became of each step, and what was found."""
    lines = [f"{step}   → {outcome}" for step, outcome in zip(result.steps, result.outcomes, strict=False)]
    return "\n".join([*lines, "", *(f"{v.invariant}: {v.kind}\n    {v}" for v in result.violations)])
