"""`make bench`: how fast the service is, and what ten times the data costs.

Things that are compared run alternately, so that a busy machine slows both down alike. So read the ratios first, and the
absolute figures second. A slow figure is not an error here; docs/operations.md says how to read them.

`python -m bench routing staff` measures only these two.
"""

import os
import platform
import sys
import time
import traceback
from importlib import import_module

import django

from .environment import BenchEnvironment
from .figures import Table, verdict

MEASURES = ("pages", "routing", "similarity", "settling", "staff", "letters")


def main(names: list[str]) -> int:
    """Measure and print. Returns 1 if a measure failed, 2 if a name is unknown."""
    if unknown := set(names) - set(MEASURES):
        print(f"{', '.join(sorted(unknown))}: not one of {', '.join(MEASURES)}", file=sys.stderr)
        return 2
    started = time.perf_counter()
    with BenchEnvironment() as environment:
        print(f"{_machine()}, {environment.database}", flush=True)
        tables = [_measure(name, environment) for name in names or MEASURES]
    print(f"\n{verdict([table for table in tables if table])}")
    print(f"measured in {time.perf_counter() - started:.0f} s")
    return int(None in tables)


def _measure(name: str, environment: BenchEnvironment) -> Table | None:
    """One measure, printed when it is ready. None if it failed: the others still run."""
    try:
        # Imported here: the module needs Django, which the environment has set up by now.
        table = import_module(f"bench.{name}").measure(environment)
    except Exception:
        print(f"\n{name} broke, and was not measured:\n{traceback.format_exc()}", flush=True)
        return None
    print(f"\n{table}", flush=True)
    return table


def _machine() -> str:
    """What the absolute figures depend on."""
    load = f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"
    return f"Python {platform.python_version()}, Django {django.__version__}, {load}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
