"""`make bench`: how fast the service is, and what ten times the data costs it.

What is compared is done in turns within one run, so that a busy machine slows down both sides alike: read the ratios
first, the plain figures second. Nothing here fails for being slow; docs/operations.md says how to read it.

`python -m bench routing staff` measures these two only.
"""

import os
import platform
import sys
import time
import traceback
from importlib import import_module

import django

from .environment import Ground
from .figures import Table, verdict

MEASURES = ("pages", "routing", "similarity", "settling", "staff")


def main(names: list[str]) -> int:
    """Measure and print. Returns 1 where something broke, 2 where a name is none of ours."""
    if unknown := set(names) - set(MEASURES):
        print(f"{', '.join(sorted(unknown))}: not one of {', '.join(MEASURES)}", file=sys.stderr)
        return 2
    began = time.perf_counter()
    with Ground() as ground:
        print(f"{_machine()}, {ground.database}", flush=True)
        tables = [_measured(name, ground) for name in names or MEASURES]
    print(f"\n{verdict([table for table in tables if table])}")
    print(f"measured in {time.perf_counter() - began:.0f} s")
    return int(None in tables)


def _measured(name: str, ground: Ground) -> Table | None:
    """One measure, printed as soon as it is there; None where it broke: the others still have their turn."""
    try:
        table = import_module(f"bench.{name}").measure(ground)  # it needs Django, which the ground has set up
    except Exception:
        print(f"\n{name} broke, and was not measured:\n{traceback.format_exc()}", flush=True)
        return None
    print(f"\n{table}", flush=True)
    return table


def _machine() -> str:
    """What the plain figures depend on."""
    load = f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"
    return f"Python {platform.python_version()}, Django {django.__version__}, {load}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
