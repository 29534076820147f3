"""Notifications to officers: to a role, or to the division of a 交办."""

from datetime import datetime

from sessions_app.notifications import moment_key, to_officers, to_role
from zhoushan_consult.bureau.roles import Role

from .models import Assignment

__all__ = ["moment_key", "to_division", "to_officers", "to_role"]


def to_division(
    assignment: Assignment, kind: str, *, at: datetime, role: Role = Role.HANDLER, key: str = "1", **context
) -> None:
    """Notify every officer who holds `role` in the division of a 交办."""
    to_role(
        role, kind, assignment, at=at, key=key, division=assignment.division, assignment=assignment, **context
    )
