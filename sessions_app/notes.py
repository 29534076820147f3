"""Notes to officers about a 咨询日: a short sentence by SMS and e-mail that something waits for them."""

from datetime import datetime

from django.db.models import Model

from zhoushan_consult.bureau.models import Officer
from zhoushan_consult.bureau.roles import Role
from zhoushan_consult.outbox.posting import Recipient, post


def to_role(role: Role, kind: str, about: Model, *, at: datetime, key: str, **context) -> int:
    """To everyone at work who holds `role`. Returns how many were told."""
    officers = list(Officer.objects.of(role))
    for officer in officers:
        recipient = Recipient(name=officer.name, phone=officer.phone, email=officer.email)
        post(kind, about=about, to=recipient, key=f"{key}:{officer.pk}", at=at, **context)
    return len(officers)
