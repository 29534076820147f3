"""A letter to 系统管理 each November while the holidays of the coming year are unknown."""

from datetime import datetime, timedelta

from zhoushan_consult.bureau.models import Officer
from zhoushan_consult.bureau.roles import Role
from zhoushan_consult.clock import local_date
from zhoushan_consult.duties.kinds import Kind, yearly
from zhoushan_consult.outbox.kinds import LetterKind, account_closed
from zhoushan_consult.outbox.posting import Recipient, post
from zhoushan_consult.workdays.days import year_wanted


def remind(about: str, due_at: datetime, now: datetime) -> int:
    """Ask for the holidays of the coming year, if they are not entered yet. Returns how many officers were asked."""
    year = year_wanted(local_date(due_at))
    officers = list(Officer.objects.with_role(Role.SYSTEM)) if year else []
    for officer in officers:
        post("holidays_wanted", about=officer, to=Recipient.officer(officer), key=about, at=now, year=year)
    return len(officers)


def _entered(officer: Officer, params: dict, now: datetime) -> str:
    if year_wanted(local_date(now)) != params["year"]:
        return "放假安排已经录入"
    return account_closed(officer, params, now)


LETTERS = [
    LetterKind(
        name="holidays_wanted",
        title="请录入下一年放假安排",
        facts=lambda officer, params, now: {"year": params["year"]},
        outdated=_entered,
    )
]
HOLIDAYS_WANTED = Kind(
    name="holidays_wanted",
    label="催录下一年放假安排",
    # By then most years were announced: 2024 to 2026 in the first half of November or before.
    schedule=yearly(month=11, day=20, at="09:00"),
    run=remind,
    useful_for=timedelta(days=10),
)
