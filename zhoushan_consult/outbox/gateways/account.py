"""What every vendor needs: the settings of an account, an https address, and a number of the mainland."""

from collections.abc import Iterable
from urllib.parse import urlsplit

from django.conf import settings

from ..adapters import PermanentFailure
from ..models import Notice

MAINLAND = "+86"


def mainland_number(notice: Notice) -> str:
    """The recipient's eleven digits. Raises PermanentFailure for other numbers (港澳台): those get a call."""
    number = notice.to.open()
    if not number.startswith(MAINLAND):
        raise PermanentFailure("短信网关只能发往内地手机号码")
    return number.removeprefix(MAINLAND)


def missing_settings(names: Iterable[str]) -> list[str]:
    """A sentence for each of these settings that is empty."""
    return [f"没有设置 {name}。" for name in names if not getattr(settings, name)]


def unsafe_address(name: str) -> list[str]:
    """A sentence if the address is not https: else the texts and the account would be sent unencrypted."""
    url = urlsplit(getattr(settings, name))
    safe = url.scheme == "https" and url.hostname and not url.username
    return [] if safe else [f"{name} 应是 https:// 开头的网关地址，不带用户名和口令。"]
