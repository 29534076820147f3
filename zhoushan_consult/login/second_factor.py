"""动态口令 and 备用码: binding, checking, renewing, resetting. TOTP (RFC 6238) is computed by django-otp.

The models are our own, since those of django-otp keep the secret and the recovery codes readable (D-36).
"""

import secrets
from base64 import b32decode, b32encode
from datetime import datetime
from urllib.parse import quote, urlencode

from django.db import transaction
from django_otp.oath import TOTP

from zhoushan_consult.audit.trail import record
from zhoushan_consult.audit.verbs import Verb
from zhoushan_consult.bureau.accounts import (
    READABLE_CHARACTERS,
    OwnAccountChange,
    may_change,
    readable_secret,
)
from zhoushan_consult.bureau.models import Officer
from zhoushan_consult.bureau.refusals import Refused
from zhoushan_consult.bureau.roles import Act
from zhoushan_consult.outbox.posting import Recipient, post
from zhoushan_consult.vault.blind_index import blind_index

from .models import Authenticator, RecoveryCode

ISSUER = "企业环保咨询日"
STEP_SECONDS = 30
DIGITS = 6
# The clock of a telephone may be off by one step.
TOLERANCE = 1
KEY_BYTES = 20
RECOVERY_CODES = 10
RECOVERY_CODE_GROUPS = 3


class NotBound(Refused):
    def __init__(self):
        super().__init__("这个账号没有绑定动态口令，不用解除。")


def new_key() -> str:
    """A fresh secret, in base32 as telephones take it."""
    return b32encode(secrets.token_bytes(KEY_BYTES)).decode()


def key_uri(key: str, officer: Officer) -> str:
    """What the QR code says: a link that every authenticator app reads."""
    label = quote(f"{ISSUER}:{officer.username}", safe="")
    facts = {"secret": key, "issuer": ISSUER, "digits": DIGITS, "period": STEP_SECONDS}
    return f"otpauth://totp/{label}?{urlencode(facts, quote_via=quote)}"


def step_of(code: str, key: str, now: datetime, *, after: int = -1) -> int | None:
    """The time step for which `code` is right, later than `after`. None if there is none."""
    digits = "".join(code.split())
    if len(digits) != DIGITS or not (digits.isascii() and digits.isdigit()):
        return None
    totp = TOTP(b32decode(key), STEP_SECONDS, digits=DIGITS)
    totp.time = now.timestamp()
    return totp.t() if totp.verify(int(digits), TOLERANCE, min_t=after + 1) else None


@transaction.atomic
def bind(officer: Officer, key: str, step: int, *, at: datetime) -> list[str]:
    """Bind a telephone that has shown the code of `step`. Returns fresh recovery codes, which are shown once.

    A factor that was bound before ends, and so do the sessions that it opened.
    """
    Authenticator.objects.update_or_create(officer=officer, defaults={"key": key, "last_step": step})
    officer.second_factor_at = at
    officer.save(update_fields=["second_factor_at"])
    record(Verb.FACTOR_BOUND, officer, by=officer, at=at)
    return _fresh_codes(officer)


@transaction.atomic
def check(officer: Officer, code: str, *, at: datetime) -> bool:
    """Whether `code` is the officer's 动态口令 or one of their 备用码. It is used up: the same one is refused next time."""
    return _check_totp(officer, code, at) or _check_recovery_code(officer, code, at)


@transaction.atomic
def renew_codes(officer: Officer, *, at: datetime) -> list[str]:
    """Ten fresh recovery codes, shown once. The old ones end."""
    record(Verb.RECOVERY_CODES_RENEWED, officer, by=officer, at=at)
    return _fresh_codes(officer)


def codes_left(officer: Officer) -> int:
    return officer.recovery_codes.filter(used_at=None).count()


@transaction.atomic
def reset(officer: Officer, *, by: Officer, at: datetime) -> None:
    """A lost telephone: the officer binds another one at their next log-in, and is told. Raises OwnAccountChange, NotBound."""
    by.must(Act.ACCOUNTS)
    if not may_change(officer, by):
        raise OwnAccountChange
    _unbind(officer, by, at)


@transaction.atomic
def reset_on_the_server(officer: Officer, *, at: datetime) -> None:
    """By a person with the server's shell, for the last 系统管理. Raises NotBound."""
    _unbind(officer, None, at)


def _unbind(officer: Officer, by: Officer | None, at: datetime) -> None:
    """Erase the secret and the codes, in the trail, and tell the officer."""
    if not Authenticator.objects.filter(officer=officer).delete()[0]:
        raise NotBound
    officer.recovery_codes.all().delete()
    officer.second_factor_at = None
    officer.save(update_fields=["second_factor_at"])
    record(Verb.FACTOR_RESET, officer, by=by, at=at)
    to = Recipient(name=officer.name, phone=officer.phone, email=officer.email)
    post("factor_reset", about=officer, to=to, key=at.isoformat(), at=at, by=by.name if by else "")


def _check_totp(officer: Officer, code: str, at: datetime) -> bool:
    bound = Authenticator.objects.filter(officer=officer).first()
    step = bound and step_of(code, bound.key.open(), at, after=bound.last_step)
    if not step:
        return False
    # Only if no other request has used it since it was read.
    return bool(Authenticator.objects.filter(pk=bound.pk, last_step__lt=step).update(last_step=step))


def _check_recovery_code(officer: Officer, code: str, at: datetime) -> bool:
    fresh = RecoveryCode.objects.filter(officer=officer, digest=_digest(officer, code), used_at=None)
    if not fresh.update(used_at=at):
        return False
    record(Verb.RECOVERY_CODE_USED, officer, by=officer, at=at, left=codes_left(officer))
    return True


def _fresh_codes(officer: Officer) -> list[str]:
    codes = [readable_secret(RECOVERY_CODE_GROUPS) for _ in range(RECOVERY_CODES)]
    officer.recovery_codes.all().delete()
    RecoveryCode.objects.bulk_create(
        RecoveryCode(officer=officer, digest=_digest(officer, code)) for code in codes
    )
    return codes


def _digest(officer: Officer, code: str) -> str:
    """Blanks, hyphens and capitals do not matter: codes are copied by hand."""
    canonical = "".join(sign for sign in code.lower() if sign in READABLE_CHARACTERS)
    return blind_index("recovery_code", f"{officer.pk}:{canonical}")
