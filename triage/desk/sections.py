"""The rooms of the desk: who has which, and where each officer's work waits."""

from collections.abc import Callable
from dataclasses import dataclass

from django.urls import reverse

from zhoushan_consult.bureau.models import Officer
from zhoushan_consult.bureau.roles import Act


@dataclass(frozen=True)
class Section:
    """A part of the desk with an address of its own, open to those whose roles bring them there."""

    name: str
    label: str
    open_to: Callable[[Officer], bool]

    @property
    def url(self) -> str:
        return reverse(f"desk:{self.name}")


SECTIONS = (
    Section("assignments", "我的交办", lambda officer: officer.may(Act.DRAFT) and bool(officer.division_id)),
    Section(
        "registrations", "本辖区登记", lambda officer: officer.may(Act.READ_AREA) and bool(officer.area_id)
    ),
    Section("overview", "全局情况", lambda officer: officer.may(Act.READ_ALL)),
    Section(
        "follow_ups",
        "跟踪督办",
        lambda officer: officer.may(Act.WATCH) or (officer.may(Act.FOLLOW_UP) and bool(officer.division_id)),
    ),
    Section(
        "ratings",
        "服务评价",
        lambda officer: officer.may(Act.WATCH) or (officer.may(Act.DRAFT) and bool(officer.division_id)),
    ),
    Section("receptions", "接待安排", lambda officer: officer.may(Act.RECEIVE)),
    Section("run_sheet", "现场安排", lambda officer: officer.may(Act.DRAFT) and bool(officer.division_id)),
)
ADMIN_ACTS = frozenset({Act.REVIEW, Act.PLAN, Act.APPROVE_PLAN, Act.ACCOUNTS, Act.HEALTH})
"""Acts whose place is the admin."""


def sections_of(officer: Officer) -> list[Section]:
    """The rooms that the officer has, the first being where their work waits."""
    return [room for room in SECTIONS if room.open_to(officer)]


def has_admin(officer: Officer) -> bool:
    return officer.is_staff and (officer.is_superuser or bool(ADMIN_ACTS & officer.acts))


def landing(officer: Officer) -> str:
    """Where the officer arrives after signing in: 综合处 and 科监处 in the admin, the others at the desk."""
    first = sections_of(officer)[:1]
    if has_admin(officer) and (officer.may(Act.REVIEW) or not first):
        return reverse("admin:index")
    return first[0].url if first else reverse("desk:home")
