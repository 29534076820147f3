"""Usual misspellings and homophones of the trade, as firms type them (misspellings.toml)."""

import tomllib
from pathlib import Path

_FILE = Path(__file__).with_name("misspellings.toml")


def _read(path: Path) -> dict[str, str]:
    tables = tomllib.loads(path.read_text(encoding="utf-8"))
    corrections = {
        wrong: right for right, spellings in tables["misspellings"].items() for wrong in spellings.split()
    }
    # A protected word is its own correction: as the longer match it keeps the short one inside it from being corrected.
    return corrections | {word: word for word in tables["protected"]["words"].split()}


# As typed → as meant, both in the form that `normalize` gives to every character.
CORRECTIONS = _read(_FILE)
