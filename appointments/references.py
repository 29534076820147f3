"""受理编号: random, so that one number says nothing about other registrations or how many there are."""

import re
import secrets
import unicodedata

ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"  # 32 letters, without 0 1 I O, which people misread
LENGTH = 14  # 70 bits, and a second secret is asked with it

_LOOKALIKES = str.maketrans("01IO", "QLLQ")
# As it is written, within any text; then the letters however they are set apart. A time is set apart like that too.
_WRITTEN = re.compile(r"(?<![0-9A-Z])[0-9A-Z]{4}(?:-[0-9A-Z]{4}){2}-[0-9A-Z]{2}(?![0-9A-Z])")
_SPREAD = re.compile(f"(?<![0-9A-Z])(?:[0-9A-Z][^0-9A-Z\u4e00-\u9fff]*){{{LENGTH}}}(?![0-9A-Z])")


def new_reference() -> str:
    """A 受理编号 as it is stored and read aloud: K7M2-9QRT-4WXP-2H."""
    letters = "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))
    return grouped(letters)


def grouped(letters: str) -> str:
    return "-".join(letters[i : i + 4] for i in range(0, len(letters), 4))


def clean_reference(text: str) -> str:
    """The stored form of what a person typed or pasted, also of a whole SMS with the number in it.

    Blanks, hyphens, case, full-width letters, the words around it and the look-alikes 0 1 I O do not matter. A text with too
    many letters gives a number that is too long, which no registration has.
    """
    text = unicodedata.normalize("NFKC", text).upper()
    found = _WRITTEN.search(text) or next(filter(_has_letter, _SPREAD.finditer(text)), None)
    letters = re.sub("[^0-9A-Z]", "", found[0] if found else text)
    return grouped(letters.translate(_LOOKALIKES)[: LENGTH + 1])


def _has_letter(found: re.Match) -> bool:
    """A 受理编号 of digits alone is one in a hundred million; a date with its time is not rare."""
    return re.search("[A-Z]", found[0]) is not None
