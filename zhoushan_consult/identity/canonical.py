"""Normalizes what people type and paste: full-width characters, blanks, invisible marks, punctuation after it."""

import unicodedata

from django.core.exceptions import ValidationError

# A longer text is refused before any work is done on it. The longest valid number has 30 characters.
MAX_LENGTH = 100
# What is left of the sentence from which a text was copied.
TRAILING = "。．.,，、；;：:！!？?…"

# Spaces, invisible characters.
_BLANK_CATEGORIES = frozenset(["Zs", "Zl", "Zp", "Cf"])
# Characters that look like a space or nothing, but are in none of those categories.
_OTHER_BLANKS = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u2800\ufe0e\ufe0f")
# Characters that look like a hyphen, but are not in Pd.
_OTHER_DASHES = frozenset("\u02d7\u2043\u2212")


def canonical(text: str) -> str:
    """`text` in NFKC and upper case, without spaces, hyphens, invisible characters and punctuation after it.

    Raises ValidationError (too_long) for a text longer than MAX_LENGTH.
    """
    return "".join(char for char in normalized(text) if not (is_blank(char) or _is_dash(char))).upper()


def compact(text: str, limit: int = MAX_LENGTH) -> str:
    """`text` in NFKC without spaces, invisible characters and punctuation after it. Hyphens stay, and become "-".

    Raises ValidationError (too_long) for a text longer than `limit`.
    """
    return "".join("-" if _is_dash(char) else char for char in normalized(text, limit) if not is_blank(char))


def normalized(text: str, limit: int = MAX_LENGTH) -> str:
    """`text` in NFKC, without spaces at its ends and punctuation after it. The inside stays as it is.

    Raises ValidationError (too_long) for a text longer than `limit`.
    """
    text = _check_length(text.strip(), limit)
    # Checked again, because NFKC makes up to eighteen characters of one.
    return _without_end(_check_length(unicodedata.normalize("NFKC", text).strip(), limit))


def is_blank(char: str) -> bool:
    """Whether `char` is a space of any kind, or cannot be seen."""
    return char.isspace() or char in _OTHER_BLANKS or unicodedata.category(char) in _BLANK_CATEGORIES


def _is_dash(char: str) -> bool:
    return char in _OTHER_DASHES or unicodedata.category(char) == "Pd"


def _without_end(text: str) -> str:
    """`text` without blanks, invisible characters and punctuation at its end."""
    end = len(text)
    while end and (text[end - 1] in TRAILING or is_blank(text[end - 1])):
        end -= 1
    return text[:end]


def _check_length(text: str, limit: int) -> str:
    if len(text) > limit:
        raise ValidationError(
            f"已写 {len(text):,} 字，最多 {limit} 字。这里只填一个号码或邮箱，请删去其他文字。",
            code="too_long",
        )
    return text
