"""Limits of guessing passwords and codes: by account, by address, by both together, and by remembered device.

A try is counted before the secret is looked at and taken back if it was right, so tries at the same instant cannot slip
through. A try beyond a limit costs one query and no password hash. The names are counted as keyed hashes: people also
type their password into the field of the name.
"""

import logging
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.conf import settings
from django.http import HttpRequest

from zhoushan_consult.bureau.models import Officer
from zhoushan_consult.bureau.refusals import Refused
from zhoushan_consult.web import throttle
from zhoushan_consult.web.address import client_network

from . import known_device

WINDOW = timedelta(minutes=settings.LOGIN_WINDOW_MINUTES)

log = logging.getLogger(__name__)


class TooManyTries(Refused):
    """A limit is reached. The secret was not looked at."""

    status = 429

    def __init__(self):
        super().__init__(f"输错的次数太多，请 {settings.LOGIN_WINDOW_MINUTES} 分钟后再试。")


@dataclass
class Try:
    """One try at a secret. `limits`: how many failed ones each bucket takes in a window.

    `pair` and `network`: the first failure of a name at an address counts for the address, which is so limited by the
    number of different names. One officer who mistypes does not shut the door of an office.
    """

    limits: dict[str, int]
    now: datetime
    pair: str = ""
    network: str = ""
    counted: list[str] = field(default_factory=list)

    def begin(self) -> "Try":
        """Count it as failed, for now. Raises TooManyTries."""
        if throttle.reached(self._all_limits(), WINDOW, self.now):
            raise self._refusal()
        for bucket, limit in self.limits.items():
            count = self._count(bucket, limit)
            if bucket == self.pair and count == 1:
                self._count(self.network, settings.LOGIN_NAMES_OF_AN_ADDRESS)
        return self

    def succeeded(self) -> None:
        throttle.uncount(self.counted, WINDOW, self.now)

    def _all_limits(self) -> dict[str, int]:
        return self.limits | ({self.network: settings.LOGIN_NAMES_OF_AN_ADDRESS} if self.network else {})

    def _count(self, bucket: str, limit: int) -> int:
        """Again compared: others may have counted since `reached` looked."""
        self.counted.append(bucket)
        count = throttle.count(bucket, WINDOW, self.now)
        if count > limit:
            raise self._refusal()
        return count

    def _refusal(self) -> TooManyTries:
        log.warning("limit of failed logins reached")
        return TooManyTries()


def at_password(request: HttpRequest, name: str, now: datetime) -> Try:
    """A try at the password of the account `name`, which need not exist."""
    if device := known_device.of(request, name):
        return Try({f"login device {device}": settings.LOGIN_TRIES_OF_A_DEVICE}, now)
    network = client_network(request)
    pair = f"login pair {network} {name}"
    limits = {pair: settings.LOGIN_TRIES_OF_A_PAIR, f"login name {name}": settings.LOGIN_TRIES_OF_AN_ACCOUNT}
    return Try(limits, now, pair=pair, network=f"login network {network}")


def at_code(request: HttpRequest, officer: Officer, now: datetime) -> Try:
    """A try at the second factor of an officer whose password was right, or at their own password when they change it."""
    device = known_device.of(request, officer.username)
    bucket = f"code device {device}" if device else f"code {officer.pk}"
    return Try({bucket: settings.LOGIN_TRIES_OF_A_DEVICE}, now)
