"""管理账号 (七（二）). Accounts are created, changed and deactivated, never deleted: old entries keep their names."""

import secrets
from datetime import datetime

from django.conf import settings
from django.contrib.auth.models import Group
from django.db import IntegrityError, transaction

from zhoushan_consult.audit.trail import record
from zhoushan_consult.audit.verbs import Verb

from .models import Officer, PastPassword
from .passwords import meets_the_rules
from .refusals import Refused
from .roles import Act, Role

ADMIN_ROLES = frozenset({Role.COORDINATOR, Role.LEADER, Role.SYSTEM})
"""Roles that work in the admin. The others work at the desk and are not let into the admin."""

# Without i, l, o, 0 and 1, which are confused when a password is read out over the telephone.
READABLE_CHARACTERS = "abcdefghjkmnpqrstuvwxyz23456789"


class OwnAccountChange(Refused):
    def __init__(self):
        super().__init__("不能修改自己的岗位、处室或停用自己的账号。请由另一位系统管理员办理。")


class UsernameTaken(Refused):
    def __init__(self):
        super().__init__("这个用户名已经有人使用，请换一个。")


def create_account(
    username: str, roles: list[str], *, by: Officer, at: datetime, **details
) -> tuple[Officer, str]:
    """Returns the new officer and the first password, which is shown once and stored nowhere. Raises UsernameTaken."""
    by.must(Act.ACCOUNTS)
    password = new_password()
    # The form has checked the name, but another officer may create the same account at the same time.
    try:
        with transaction.atomic():
            officer = Officer.objects.create_user(
                username, password=password, password_set_at=at, password_is_first=True, **details
            )
            _set_roles(officer, roles)
            record(Verb.ACCOUNT_OPENED, officer, by=by, at=at, roles=sorted(roles))
    except IntegrityError:
        raise UsernameTaken from None
    return officer, password


@transaction.atomic
def change(officer: Officer, roles: list[str], *, by: Officer, at: datetime, **details) -> None:
    """Set other details or roles. Raises OwnAccountChange: no officer may extend their own rights."""
    by.must(Act.ACCOUNTS)
    _refuse_own_account(officer, by)
    for name, value in details.items():
        setattr(officer, name, value)
    before = sorted(officer.groups.values_list("name", flat=True))
    officer.save(update_fields=list(details))
    _set_roles(officer, roles)
    record(Verb.ACCOUNT_CHANGED, officer, by=by, at=at, roles=sorted(roles), before=before)


@transaction.atomic
def reset_password(officer: Officer, *, by: Officer, at: datetime) -> str:
    """Returns a new password, shown once. Sessions that began with the old one end. Raises OwnAccountChange."""
    by.must(Act.ACCOUNTS)
    _refuse_own_account(officer, by)
    password = new_password()
    _set_password(officer, password, at, is_first=True)
    record(Verb.PASSWORD_RESET, officer, by=by, at=at)
    return password


@transaction.atomic
def change_own_password(officer: Officer, password: str, *, at: datetime) -> None:
    """The officer's own new password, which meets the rules (`OwnPasswordForm`). Their other sessions end."""
    _set_password(officer, password, at, is_first=False)
    record(Verb.PASSWORD_CHANGED, officer, by=officer, at=at)


@transaction.atomic
def set_active(officer: Officer, active: bool, *, by: Officer, at: datetime) -> None:
    """Deactivate an account, which ends its sessions, or activate it again. Raises OwnAccountChange."""
    by.must(Act.ACCOUNTS)
    _refuse_own_account(officer, by)
    officer.is_active = active
    officer.save(update_fields=["is_active"])
    record(Verb.ACCOUNT_ENABLED if active else Verb.ACCOUNT_DISABLED, officer, by=by, at=at)


def new_password() -> str:
    """Three groups of four characters (59 bits), to be read out and changed at once. It meets the rules too."""
    while True:
        password = readable_secret(groups=3)
        if meets_the_rules(password):
            return password


def readable_secret(groups: int) -> str:
    """Groups of four characters (20 bits each) that can be read out over the telephone."""
    return "-".join("".join(secrets.choice(READABLE_CHARACTERS) for _ in range(4)) for _ in range(groups))


def may_change(officer: Officer, by: Officer) -> bool:
    """Whether `by` may change this account: not the own one, and that of a superuser only as one."""
    # With a new password for a superuser's account, any system administrator would be a superuser.
    return officer.pk != by.pk and (by.is_superuser or not officer.is_superuser)


def _set_password(officer: Officer, password: str, at: datetime, *, is_first: bool) -> None:
    """Replace the password, and remember the old one, so that it is not taken again soon."""
    PastPassword.objects.create(officer=officer, password=officer.password, replaced_at=at)
    kept = officer.past_passwords.values("pk")[: settings.PASSWORD_HISTORY]
    officer.past_passwords.exclude(pk__in=[row["pk"] for row in kept]).delete()
    officer.set_password(password)
    officer.password_set_at, officer.password_is_first = at, is_first
    officer.save(update_fields=["password", "password_set_at", "password_is_first"])


def _refuse_own_account(officer: Officer, by: Officer) -> None:
    if not may_change(officer, by):
        raise OwnAccountChange


def _set_roles(officer: Officer, roles: list[str]) -> None:
    officer.groups.set(Group.objects.filter(name__in=roles))
    officer.is_staff = officer.is_superuser or bool(ADMIN_ROLES & set(roles))
    officer.save(update_fields=["is_staff"])
