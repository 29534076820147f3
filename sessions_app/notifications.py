"""Notifications to officers: one sentence by SMS and e-mail that work is waiting, never the content of the matter."""

from collections.abc import Collection
from datetime import datetime

from django.db.models import Model

from zhoushan_consult.bureau.models import Division, Officer
from zhoushan_consult.bureau.roles import Role
from zhoushan_consult.outbox.posting import Recipient, post


def to_role(
    role: Role,
    kind: str,
    about: Model,
    *,
    at: datetime,
    key: str = "1",
    division: Division | None = None,
    but: Officer | None = None,
    **context,
) -> int:
    """Notify every active officer who holds `role`, in `division` if one is given. Returns how many.

    `but`: the one who did what is told.
    """
    told = [officer for officer in Officer.objects.with_role(role, division) if officer != but]
    return to_officers(told, kind, about, at=at, key=key, **context)


def to_officers(
    officers: Collection[Officer], kind: str, about: Model, *, at: datetime, key: str = "1", **context
) -> int:
    """Notify each of `officers`. Returns how many."""
    for officer in officers:
        recipient = Recipient(name=officer.name, phone=officer.phone, email=officer.email)
        post(kind, about=about, to=recipient, key=f"{key}:{officer.pk}", at=at, about_row=about, **context)
    return len(officers)


def moment_key(at: datetime) -> str:
    """The key of a notification that each round sends again: each time a draft goes up or comes back."""
    return f"{at:%Y%m%d%H%M%S}"
