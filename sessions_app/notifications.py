"""Notifications to officers: one sentence by SMS and e-mail that work is waiting, never the content of the matter."""

from collections.abc import Collection
from datetime import datetime

from django.db.models import Model

from zhoushan_consult.bureau.models import Division, Officer
from zhoushan_consult.bureau.roles import Role
from zhoushan_consult.outbox.models import Notice
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
    **params,
) -> int:
    """Notify every active officer who holds `role`, in `division` if one is given. Returns how many.

    `but`: the one who did what is told. `params` are ids and plain values, as `outbox.posting.post` takes them.
    """
    if division:
        params["division"] = division.code
    told = [officer for officer in Officer.objects.with_role(role, division) if officer != but]
    return to_officers(told, kind, about, at=at, key=key, **params)


def to_officers(
    officers: Collection[Officer], kind: str, about: Model, *, at: datetime, key: str = "1", **params
) -> int:
    """Notify each of `officers`. Returns how many."""
    for officer in officers:
        to_one(officer, kind, about, at=at, key=key, **params)
    return len(officers)


def to_one(
    officer: Officer, kind: str, about: Model, *, at: datetime, key: str = "1", **params
) -> list[Notice]:
    """Notify one officer."""
    to = Recipient.officer(officer)
    return post(kind, about=about, to=to, key=f"{key}:{officer.pk}", at=at, officer=officer.pk, **params)


def moment_key(at: datetime) -> str:
    """The key of a notification that each round sends again: each time a draft goes up or comes back."""
    return f"{at:%Y%m%d%H%M%S}"
