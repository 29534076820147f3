"""Which face draws a character: the main one, or one of the rows in `fonts/fallback.zip`.

`.ci/fonts.py` builds both files in fonts/. No font is read here: a web process would keep it in memory.
"""

import json
from bisect import bisect_right
from functools import cache
from itertools import chain
from pathlib import Path

FONTS = Path(__file__).parent / "fonts"
MAIN = "main"


def face_of(character: str) -> str | None:
    """MAIN, or the name of a fallback face; None if no face draws the character."""
    ranges = _ranges()
    # The last range that starts at this character or before it.
    index = bisect_right(ranges, (ord(character), chr(0x10FFFF))) - 1
    if index < 0:
        return None
    _, face, last = ranges[index]
    return face if ord(character) <= last else None


@cache
def _ranges() -> list[tuple[int, str, int]]:
    """(first, face, last) in ascending order. No two overlap."""
    coverage = json.loads((FONTS / "coverage.json").read_text())
    faces = chain([(MAIN, coverage["main"])], coverage["fallback"].items())
    return sorted((first, face, last) for face, ranges in faces for first, last in ranges)
