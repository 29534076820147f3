"""签到码: a link that a seated firm shows at the entrance, and that opens its 签到 for an officer on that day.

The token in the link names nothing. The site finds its firm by comparing it with the token of each firm expected today.
"""

from collections.abc import Iterable
from typing import Any

import segno
from django.utils.crypto import constant_time_compare, salted_hmac

SALT = "appointments.check_in_code"


def token(firm: Any) -> str:
    """The token of this registration on its day: 128 bits, which only this site can compute."""
    return salted_hmac(SALT, f"{firm.pk}:{firm.day.date}", algorithm="sha256").hexdigest()[:32]


def find(shown: str, expected: Iterable[Any]) -> Any | None:
    """The firm among `expected` that shows this token; None for a forged token and for one of another day."""
    return next((firm for firm in expected if constant_time_compare(token(firm), shown)), None)


def qr_code(link: str) -> str:
    """The link as a QR code, as a data: URI, so that the page needs no second request."""
    return segno.make(link, micro=False, error="m").svg_data_uri(scale=4, border=4, dark="#000", light="#fff")
