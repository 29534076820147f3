"""Normalizes what people type: full-width digits, spaces, hyphens, lower case."""

import unicodedata

from django.core.exceptions import ValidationError

# A longer text is refused before any work is done on it. The longest valid number has 30 characters.
MAX_LENGTH = 100

# Spaces, invisible characters, dashes.
_GAP_CATEGORIES = frozenset(["Zs", "Zl", "Zp", "Cf", "Pd"])
# Characters that look like a space, a hyphen or nothing, but are in none of those categories.
_OTHER_GAPS = frozenset(
    "\u02d7\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u2043\u2212\u2800\ufe0e\ufe0f"
)


def canonical(text: str) -> str:
    """`text` in NFKC and upper case, without spaces, hyphens and invisible characters.

    Raises ValidationError (too_long) for a text longer than MAX_LENGTH.
    """
    return "".join(char for char in normalized(text) if not _is_gap(char)).upper()


def normalized(text: str) -> str:
    """`text` in NFKC, without spaces at its ends. The inside stays as it is. Raises ValidationError (too_long)."""
    text = _check_length(text.strip())
    # Checked again, because NFKC makes up to eighteen characters of one.
    return _check_length(unicodedata.normalize("NFKC", text).strip())


def _check_length(text: str) -> str:
    if len(text) > MAX_LENGTH:
        raise ValidationError("填写的内容太长。这里只填一个号码，请删去其他文字。", code="too_long")
    return text


def _is_gap(char: str) -> bool:
    return char.isspace() or char in _OTHER_GAPS or unicodedata.category(char) in _GAP_CATEGORIES
