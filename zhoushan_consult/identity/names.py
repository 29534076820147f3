"""Names of people and firms: kept as they are written, rare characters included."""

import re
import unicodedata

from django.core.exceptions import ValidationError

from .canonical import is_blank

MAX_LENGTH = 100
# Not the full stop of Latin writing: it belongs to "Co., Ltd."
_TRAILING = "。．，、；：！？… "

# Full-width digits and letters. Full-width brackets and other punctuation belong to the names of firms.
_FULL_WIDTH = {
    code: code - 0xFEE0 for code in (*range(0xFF10, 0xFF1A), *range(0xFF21, 0xFF3B), *range(0xFF41, 0xFF5B))
}
# Texts copied from a PDF contain radicals in place of the characters that look the same: ⼭ for 山.
_RADICALS = {code: unicodedata.normalize("NFKC", chr(code)) for code in range(0x2F00, 0x2FD6)}
# The dots that keyboards offer between the parts of a name: 阿卜杜拉·买买提.
_DOTS = dict.fromkeys(map(ord, "•‧∙⋅・･"), "·")
_LOOKALIKES = {**_FULL_WIDTH, **_RADICALS, **_DOTS}
# A selector of the written form of a rare character cannot be seen, but it belongs to the character before it.
_VARIANTS = re.compile("[\ufe00-\ufe0f\U000e0100-\U000e01ef]")
_NUMBER = re.compile(r"[0-9]{6}")


def tidy(text: str) -> str:
    """`text` on one line: blanks joined, invisible characters removed, digits and letters in half width."""
    kept = (" " if char.isspace() else char for char in text if char.isspace() or not _is_invisible(char))
    return " ".join("".join(kept).translate(_LOOKALIKES).split())


def clean(text: str) -> str:
    """The name of a firm as typed, on one line, without punctuation after it; "" for an empty text.

    Raises ValidationError; its code is one of too_long, no_letter.
    """
    name = tidy(text).rstrip(_TRAILING)
    if len(name) > MAX_LENGTH:
        raise ValidationError(f"已写 {len(name):,} 字，最多 {MAX_LENGTH} 字，请精简。", code="too_long")
    if tidy(text) and not any(unicodedata.category(char).startswith("L") for char in name):
        raise ValidationError("名称里至少要有一个汉字或字母，请检查。", code="no_letter")
    return name


def clean_person(text: str) -> str:
    """The name of a person as typed. Raises ValidationError as `clean` does, and with the code not_a_name."""
    name = clean(text)
    if "@" in name or _NUMBER.search(name):
        raise ValidationError("这里只填姓名，电话和邮箱请填在下面的栏里。", code="not_a_name")
    return name


def _is_invisible(char: str) -> bool:
    return is_blank(char) and not _VARIANTS.match(char)
