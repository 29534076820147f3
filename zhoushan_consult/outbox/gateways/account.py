"""What every vendor wants: an account that is set, a safe address, a number it can reach."""

from collections.abc import Iterable
from urllib.parse import urlsplit

from django.conf import settings

from ..adapters import Permanent
from ..models import Notice

MAINLAND = "+86"


def mainland_number(notice: Notice) -> str:
    """The recipient's eleven digits. Raises Permanent for Hong Kong, Macao and Taiwan: those are telephoned."""
    number = notice.to.open()
    if not number.startswith(MAINLAND):
        raise Permanent("短信网关只能发往内地手机号码")
    return number.removeprefix(MAINLAND)


def missing(names: Iterable[str]) -> list[str]:
    """Which of these settings are empty, in words for whoever runs the site."""
    return [f"没有设置 {name}。" for name in names if not getattr(settings, name)]


def unsafe_address(name: str) -> list[str]:
    """Whether the gateway would be spoken to in clear, or at no address at all."""
    url = urlsplit(getattr(settings, name))
    safe = url.scheme == "https" and url.hostname and not url.username
    return [] if safe else [f"{name} 应是 https:// 开头的网关地址，不带用户名和口令。"]
