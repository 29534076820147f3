"""What a sign-on of the province must be able to do: a ticket → the person, or the firm. Named by a setting.

To connect one, write a class with these three methods and name it in STAFF_SIGN_ON or FIRM_SIGN_ON. `trial.TrialProvider`
shows how small it is.
"""

from dataclasses import dataclass
from typing import Protocol

from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.module_loading import import_string

from zhoushan_consult.bureau.refusals import Refused
from zhoushan_consult.identity import names, uscc

UNREADABLE_FIRM = "法人账号里的企业名称或统一社会信用代码不能识别。请回到登记页直接填写，或联系综合处。"


class InvalidTicket(Refused):
    """The ticket is forged, used or too old, or the province does not vouch for it."""

    status = 403

    def __init__(self, why: str = "统一身份登录没有成功，可能已超时。请返回登录页重新点一次。"):
        super().__init__(why)


@dataclass(frozen=True)
class Person:
    """An officer. `account` is the user name here: 系统管理 opens the account with the name that the province knows."""

    account: str


@dataclass(frozen=True)
class Firm:
    """A firm whose legal person, or their deputy, has signed on."""

    uscc: str
    name: str


class Provider(Protocol):
    """A sign-on of the province."""

    def address(self, return_to: str) -> str:
        """Where the browser signs on. It comes back to `return_to`, with `ticket` added to the query."""

    def person(self, ticket: str) -> Person:
        """Raises InvalidTicket."""

    def firm(self, ticket: str) -> Firm:
        """Raises InvalidTicket."""


def for_staff() -> Provider | None:
    """None: the door shows name and password only."""
    return _named(settings.STAFF_SIGN_ON)


def for_firms() -> Provider | None:
    """None: the form shows nothing of it."""
    return _named(settings.FIRM_SIGN_ON)


def checked(firm: Firm) -> Firm:
    """The firm as the form takes it. Raises InvalidTicket: fields that the firm cannot change must not be wrong."""
    try:
        clean = Firm(uscc.clean(firm.uscc), names.clean(firm.name))
    except ValidationError:
        raise InvalidTicket(UNREADABLE_FIRM) from None
    if not clean.name:
        raise InvalidTicket(UNREADABLE_FIRM)
    return clean


def _named(path: str) -> Provider | None:
    return import_string(path)() if path else None
