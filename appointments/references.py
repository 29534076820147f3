"""受理编号: random, so that one number says nothing about other registrations or how many there are."""

import secrets
import unicodedata

ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"  # 32 letters, without 0 1 I O, which people misread
LENGTH = 14  # 70 bits, and a second secret is asked with it


def new_reference() -> str:
    """A 受理编号 as it is stored and read aloud: K7M2-9QRT-4WXP-2H."""
    letters = "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))
    return grouped(letters)


def grouped(letters: str) -> str:
    return "-".join(letters[i : i + 4] for i in range(0, len(letters), 4))


def clean_reference(text: str) -> str:
    """The stored form of what a person typed: blanks, hyphens, case and the look-alikes 0 1 I O do not matter."""
    letters = "".join(
        ch
        for ch in unicodedata.normalize("NFKC", text).upper().translate(str.maketrans("01IO", "QLLQ"))
        if ch.isalnum()
    )
    return grouped(letters[:LENGTH])
