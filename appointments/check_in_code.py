"""The code that a seated firm shows at the door: a link which opens its 签到 for an officer, on that one day.

The link names nothing: whose it is is found by trying the firms that are expected on the day.
"""

from collections.abc import Iterable
from typing import Any

import segno
from django.utils.crypto import constant_time_compare, salted_hmac

SALT = "appointments.check_in_code"


def token(firm: Any) -> str:
    """128 bits that only this site can make, for this registration and its day."""
    return salted_hmac(SALT, f"{firm.pk}:{firm.day.date}", algorithm="sha256").hexdigest()[:32]


def whose(shown: str, expected: Iterable[Any]) -> Any | None:
    """Which of those expected today shows the token; None for a forged one and for another day's."""
    return next((firm for firm in expected if constant_time_compare(token(firm), shown)), None)


def picture(link: str) -> str:
    """The link as a QR code, as the address of an image that needs no second request."""
    return segno.make(link, micro=False, error="m").svg_data_uri(scale=4, border=4, dark="#000", light="#fff")
