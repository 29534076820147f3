"""邮政编码: six digits."""

import re

from django.core.exceptions import ValidationError

from .canonical import canonical

_LABEL = re.compile(r"(?:邮政编码|邮编)[::]?")


def clean(text: str) -> str:
    """The six digits of a postcode as typed; "" for an empty text, because the field is optional.

    Raises ValidationError; its code is one of too_long, invalid.
    """
    code = _LABEL.sub("", canonical(text), count=1)
    if code and not re.fullmatch(r"[0-9]{6}", code):
        raise ValidationError("邮政编码是 6 位数字，如 316021；不清楚的可以不填。", code="invalid")
    return code
