"""电子邮箱: one address, as a mail server takes it."""

import re

from django.core.exceptions import ValidationError
from django.core.validators import EmailValidator

from .canonical import compact

MAX_LENGTH = 120
EXAMPLE = "name@example.com"

_LABEL = re.compile(r"mailto:|e-?mail:|(?:电子)?(?:邮箱|邮件)(?:地址)?:?", re.IGNORECASE)
_OTHER_WRITING = re.compile(r"[^\x00-\x7f]")
_is_address = EmailValidator()


def clean(text: str) -> str:
    """The address as typed, without blanks, its domain in lower case; "" for an empty text: the field is optional.

    Raises ValidationError; its code is one of too_long, two_addresses, characters, invalid.
    """
    address = _bare(text)
    if not address:
        return ""
    if address.count("@") > 1:
        raise ValidationError("这里只能填一个邮箱，请留下最常用的那一个。", code="two_addresses")
    if "@" in address and _OTHER_WRITING.search(address):
        raise ValidationError(f"邮箱前后有其他文字，请只留邮箱，如 {EXAMPLE}。", code="characters")
    name, at, domain = address.rpartition("@")
    address = name + at + domain.lower()
    try:
        _is_address(address)
    except ValidationError:
        raise ValidationError(
            f"邮箱地址不完整，请检查，如 {EXAMPLE}；没有可以不填。", code="invalid"
        ) from None
    return address


def _bare(text: str) -> str:
    """The address without what stands around it: a label, brackets, blanks. A 。 in place of a dot is a slip of the keyboard."""
    bare = compact(text, MAX_LENGTH).replace("。", ".")
    return bare[label.end() :].strip("<>《》") if (label := _LABEL.match(bare)) else bare.strip("<>《》")
