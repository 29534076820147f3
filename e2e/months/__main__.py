"""`python -m e2e.months --seeds 1-20 --months 10 --database postgres`: see CONTRIBUTING.md."""

import argparse
import os
import sys


def main() -> int:
    options = _options()
    _configure(options.database)
    from . import command

    return command.run(options)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make months", description="Play the service at random for months.")
    parser.add_argument("--seeds", default="1", help="1, or 1-20, or 3,5,8")
    parser.add_argument("--months", type=int, default=2, help="months a seed")
    parser.add_argument("--database", choices=["sqlite", "postgres"], default="sqlite")
    parser.add_argument("--replay", metavar="FILE", help="play the steps of a file instead")
    parser.add_argument(
        "--scripts", metavar="FOLDER", help="write a script for each kind of violation into this folder"
    )
    parser.add_argument("--shrink", action="store_true", help="shrink them to the fewest steps; slow")
    parser.add_argument("--only", default="", help="shrink and print only kinds that contain this text")
    parser.add_argument("--steps", metavar="FILE", help="write all steps of the run into this file")
    return parser.parse_args()


def _configure(database: str) -> None:
    os.environ["DJANGO_SETTINGS_MODULE"] = "e2e.months.settings"
    if database == "postgres":
        server = os.environ.get("TEST_DATABASE_URL", "postgres://postgres@127.0.0.1:5432/consult")
        os.environ["DATABASE_URL"] = f"{server.rpartition('/')[0]}/months_{os.getpid()}"
    else:
        os.environ.pop("DATABASE_URL", None)
    os.environ.pop("REDIS_URL", None)


if __name__ == "__main__":
    sys.exit(main())
