"""受理编号 and the other names of a registration: from the system's randomness, telling nothing of volume or neighbours."""

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
    """What a person typed, as it would be stored: blanks, hyphens, case and the letters 0 1 I O forgiven."""
    letters = "".join(
        ch
        for ch in unicodedata.normalize("NFKC", text).upper().translate(str.maketrans("01IO", "QLLQ"))
        if ch.isalnum()
    )
    return grouped(letters[:LENGTH])
