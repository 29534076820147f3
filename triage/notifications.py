"""Notifications to officers: to a role, or to the division of a 交办."""

from datetime import datetime

from django.db.models import Model

from sessions_app.notifications import moment_key, to_one, to_role
from zhoushan_consult.bureau.models import Division
from zhoushan_consult.bureau.roles import Role

from .models import Assignment

__all__ = ["moment_key", "to_division", "to_handlers", "to_one", "to_role"]


def to_division(
    assignment: Assignment, kind: str, *, at: datetime, role: Role = Role.HANDLER, key: str = "1", **params
) -> None:
    """Notify every officer who holds `role` in the division of a 交办."""
    to_role(role, kind, assignment, at=at, key=key, division=assignment.division, **params)


def to_handlers(
    division: Division, kind: str, about: Model, *, at: datetime, key: str = "1", **params
) -> None:
    """Notify the handlers of a division; where it has none, as 综合处 may, its 综合处经办."""
    for role in (Role.HANDLER, Role.COORDINATOR):
        if to_role(role, kind, about, at=at, key=key, division=division, **params):
            return
