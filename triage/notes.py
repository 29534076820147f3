"""Notes to officers: a short sentence by SMS and e-mail that something waits for them, never what it is about."""

from datetime import datetime

from django.db.models import Model

from zhoushan_consult.bureau.models import Division, Officer
from zhoushan_consult.bureau.roles import Role
from zhoushan_consult.outbox.posting import Recipient, post

from .models import Assignment


def to_division(
    assignment: Assignment, kind: str, *, at: datetime, role: Role = Role.HANDLER, key: str = "1", **context
) -> None:
    """To everyone who holds `role` in the division of a 交办."""
    to_role(
        role, kind, assignment, at=at, key=key, division=assignment.division, assignment=assignment, **context
    )


def to_role(
    role: Role,
    kind: str,
    about: Model,
    *,
    at: datetime,
    key: str = "1",
    division: Division | None = None,
    **context,
) -> None:
    """To everyone who holds `role`, in `division` where one is given."""
    for officer in Officer.objects.of(role, division):
        to_officer(officer, kind, about, at=at, key=key, **context)


def to_officer(officer: Officer, kind: str, about: Model, *, at: datetime, key: str = "1", **context) -> None:
    recipient = Recipient(name=officer.name, phone=officer.phone, email=officer.email)
    post(kind, about=about, to=recipient, key=f"{key}:{officer.pk}", at=at, about_row=about, **context)
