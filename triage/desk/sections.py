"""The sections of the desk: which officers have which, and where an officer starts after login."""

from collections.abc import Callable
from dataclasses import dataclass

from django.urls import reverse

from zhoushan_consult.bureau.models import Officer
from zhoushan_consult.bureau.roles import Act


@dataclass(frozen=True)
class Section:
    """A part of the desk. `name` is its URL name, `label` its link in the menu."""

    name: str
    label: str
    open_to: Callable[[Officer], bool]

    @property
    def url(self) -> str:
        return reverse(f"desk:{self.name}")


# In the order of the menu. An officer starts in the first section that is open to them.
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
# Acts that are done in the admin. The link 管理后台 is shown to officers who may do one of them.
ADMIN_ACTS = frozenset({Act.REVIEW, Act.PLAN, Act.APPROVE_PLAN, Act.ACCOUNTS, Act.HEALTH})


def sections_of(officer: Officer) -> list[Section]:
    """The sections that are open to the officer. Their daily work is in the first one."""
    return [section for section in SECTIONS if section.open_to(officer)]


def has_admin(officer: Officer) -> bool:
    # Django lets an officer with `is_staff` into the admin. Without one of the acts it would be empty.
    return officer.is_staff and (officer.is_superuser or bool(ADMIN_ACTS & officer.acts))


def landing(officer: Officer) -> str:
    """The page after login: the admin for 综合处 and 科监处, the desk for all others."""
    first = sections_of(officer)[:1]
    if has_admin(officer) and (officer.may(Act.REVIEW) or not first):
        return reverse("admin:index")
    return first[0].url if first else reverse("desk:home")
