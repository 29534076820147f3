"""管理账号 (七（二）): opened, changed, stopped; never deleted, so that acts keep their names."""

import secrets
from datetime import datetime

from django.contrib.auth.models import Group
from django.db import IntegrityError, transaction

from zhoushan_consult.audit.trail import record
from zhoushan_consult.audit.verbs import Verb

from .models import Officer
from .refusals import Refused
from .roles import Act, Role

AT_ADMIN = frozenset({Role.COORDINATOR, Role.LEADER, Role.SYSTEM})
"""Roles whose work is in the admin. The others work at the desk and need not enter it."""

PLAIN = "abcdefghjkmnpqrstuvwxyz23456789"  # letters and digits that nobody misreads over the telephone


class OwnAccount(Refused):
    def __init__(self):
        super().__init__("不能修改自己的岗位、处室或停用自己的账号。请由另一位系统管理员办理。")


class NameTaken(Refused):
    def __init__(self):
        super().__init__("这个用户名已经有人使用，请换一个。")


def open_account(
    username: str, roles: list[str], *, by: Officer, at: datetime, **particulars
) -> tuple[Officer, str]:
    """A new officer and the first password, which is told once and kept nowhere. Raises NameTaken."""
    by.must(Act.ACCOUNTS)
    password = new_password()
    try:
        with transaction.atomic():
            officer = Officer.objects.create_user(username, password=password, **particulars)
            _give_roles(officer, roles)
            record(Verb.ACCOUNT_OPENED, officer, by=by, at=at, roles=sorted(roles))
    except IntegrityError:
        raise NameTaken from None
    return officer, password


@transaction.atomic
def change(officer: Officer, roles: list[str], *, by: Officer, at: datetime, **particulars) -> None:
    """Other particulars or roles for an officer. Raises OwnAccount: nobody raises their own rights."""
    by.must(Act.ACCOUNTS)
    _must_be_anothers(officer, by)
    for name, value in particulars.items():
        setattr(officer, name, value)
    before = sorted(officer.groups.values_list("name", flat=True))
    officer.save(update_fields=list(particulars))
    _give_roles(officer, roles)
    record(Verb.ACCOUNT_CHANGED, officer, by=by, at=at, roles=sorted(roles), before=before)


@transaction.atomic
def reset_password(officer: Officer, *, by: Officer, at: datetime) -> str:
    """A new password, told once; sessions under the old one end. Raises OwnAccount."""
    by.must(Act.ACCOUNTS)
    _must_be_anothers(officer, by)
    password = new_password()
    officer.set_password(password)
    officer.save(update_fields=["password"])
    record(Verb.PASSWORD_RESET, officer, by=by, at=at)
    return password


@transaction.atomic
def set_active(officer: Officer, active: bool, *, by: Officer, at: datetime) -> None:
    """Stop an account, which ends its sessions, or open it again. Raises OwnAccount."""
    by.must(Act.ACCOUNTS)
    _must_be_anothers(officer, by)
    officer.is_active = active
    officer.save(update_fields=["is_active"])
    record(Verb.ACCOUNT_ENABLED if active else "停用账号", officer, by=by, at=at)


def new_password() -> str:
    """Three groups of four signs (59 bits), to be read aloud and changed at once."""
    return "-".join("".join(secrets.choice(PLAIN) for _ in range(4)) for _ in range(3))


def _must_be_anothers(officer: Officer, by: Officer) -> None:
    if officer.pk == by.pk or (officer.is_superuser and not by.is_superuser):
        raise OwnAccount


def _give_roles(officer: Officer, roles: list[str]) -> None:
    officer.groups.set(Group.objects.filter(name__in=roles))
    officer.is_staff = officer.is_superuser or bool(AT_ADMIN & set(roles))
    officer.save(update_fields=["is_staff"])
