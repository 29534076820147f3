"""One writing for what people type in many: full-width digits, blanks, hyphens, lower case."""

import unicodedata

from django.core.exceptions import ValidationError

LONGEST = 100  # characters that are read at all; the longest right answer has 30

_GAP_CATEGORIES = frozenset(["Zs", "Zl", "Zp", "Cf", "Pd"])  # blanks, invisible marks, dashes
# Characters that look like a blank, a hyphen or nothing at all but belong to none of those categories.
_OTHER_GAPS = frozenset(
    "\u02d7\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u2043\u2212\u2800\ufe0e\ufe0f"
)


def canonical(text: str) -> str:
    """`text` in NFKC and upper case, without blanks, hyphens and invisible characters of any kind.

    Raises ValidationError (too_long) before any work is done on a text longer than LONGEST.
    """
    return "".join(char for char in folded(text) if not _is_gap(char)).upper()


def folded(text: str) -> str:
    """`text` in NFKC without blanks at its ends; what stands inside stays. Raises ValidationError (too_long)."""
    text = _within_limit(text.strip())
    return _within_limit(unicodedata.normalize("NFKC", text).strip())  # one character may become eighteen


def _within_limit(text: str) -> str:
    if len(text) > LONGEST:
        raise ValidationError("填写的内容太长。这里只填一个号码，请删去其他文字。", code="too_long")
    return text


def _is_gap(char: str) -> bool:
    return char.isspace() or char in _OTHER_GAPS or unicodedata.category(char) in _GAP_CATEGORIES
