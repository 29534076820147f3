"""A paper as PDF: a Typst template, filled with data."""

import json
import logging
import re
import subprocess
import sys
from pathlib import Path
from threading import BoundedSemaphore

from .faces import FONTS, MAIN
from .printable import Printable

ROOT = Path(__file__).parent.parent.parent
PRESS = Path(__file__).parent / "press.py"
# Seconds. A paper takes a fifth of one.
TIMEOUT = 30
# Each takes 60 MB while it works. The downloads of a crowd wait for each other, instead of filling the memory.
_presses = BoundedSemaphore(2)

log = logging.getLogger(__name__)


class PaperError(Exception):
    """The paper could not be set. Nothing that was typed caused it: the template, the fonts or the machine is at fault."""


def typeset(template: Path, data: dict) -> bytes:
    """The PDF of a template. It reads `data` from `paper.typ`, with every text made printable. Raises PaperError."""
    printable = Printable()
    prepared = printable.prepare(data)
    job = {
        "root": str(ROOT),
        "template": str(template),
        "archive": str(FONTS / "fallback.zip"),
        "faces": sorted(printable.faces - {MAIN}),
        "inputs": {
            "data": prepared,
            "missing": [f"U+{ord(character):04X}" for character in printable.missing],
        },
    }
    with _presses:
        return _press(job, template.name)


def _press(job: dict, name: str) -> bytes:
    """The data go through a pipe: command lines can be read by every user of the machine."""
    try:
        done = subprocess.run(
            [sys.executable, str(PRESS)], input=json.dumps(job).encode(), capture_output=True, timeout=TIMEOUT
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise _failed(name, type(error).__name__) from None
    if done.returncode:
        raise _failed(name, _error_class(done.stderr))
    return done.stdout


def _failed(name: str, why: str) -> PaperError:
    log.error("paper %s not set: %s", name, why)
    return PaperError(name)


def _error_class(stderr: bytes) -> str:
    """The first word of the last line: the name that press.py leaves, or that of an error before it began."""
    lines = stderr.decode(errors="replace").splitlines()
    name = re.match(r"[\w.]+", lines[-1]) if lines else None
    return name[0] if name else "no reason given"
