"""The 活动方案 from draft to publication, and its changes afterwards (六（一）：综合处制定，局领导审核同意后公布)."""

from collections.abc import Container, Iterable
from datetime import datetime

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import F, QuerySet

from zhoushan_consult.audit import trail
from zhoushan_consult.audit.trail import record
from zhoushan_consult.audit.verbs import Verb
from zhoushan_consult.bureau.models import Officer
from zhoushan_consult.bureau.refusals import Refused
from zhoushan_consult.bureau.roles import Act, Role

from . import calendar, notifications
from .days import lock_day
from .models import ConsultDay, Plan, PlanChange, Reception

MOVES: dict[Plan, frozenset[Plan]] = {
    Plan.DRAFT: frozenset({Plan.SUBMITTED, Plan.CANCELLED}),
    Plan.RETURNED: frozenset({Plan.SUBMITTED, Plan.CANCELLED}),
    Plan.SUBMITTED: frozenset({Plan.PUBLISHED, Plan.RETURNED, Plan.CANCELLED}),
    Plan.PUBLISHED: frozenset({Plan.CANCELLED}),
    Plan.CANCELLED: frozenset(),
}
EDITABLE = frozenset({Plan.DRAFT, Plan.RETURNED})
TEXTS = ("theme", "partners", "place", "note")
# Longer texts are not quoted in the line about a change on the portal, which must stay readable.
MAX_QUOTED_CHARACTERS = 120


class PlanStateChanged(Refused):
    def __init__(self):
        super().__init__("方案状态已被他人更改，请刷新后查看。")


class EditedMeanwhile(Refused):
    """Another wording was saved after this page was opened. The second officer sees both, and loses nothing typed."""

    def __init__(self, day: ConsultDay):
        last = (
            trail.about(day).filter(verb__in=[Verb.PLAN_EDITED, Verb.PLAN_CHANGED, Verb.PLAN_COPIED]).last()
        )
        who = last.actor_name if last and last.actor_name else "系统"
        super().__init__(
            f"您填写期间，{who}保存了另一份。您填写的都在表里，没有丢失；请对照下面两份的不同修改好，再保存一次。"
        )


class NothingChanged(Refused):
    def __init__(self):
        super().__init__("与已公布的方案完全相同，没有需要变更的内容。")


class DayOver(Refused):
    def __init__(self):
        super().__init__("这一期活动已经结束，方案不能再改动。")


def is_ahead(day: ConsultDay, at: datetime) -> bool:
    """Whether the plan can still be acted on: until the day is over."""
    return at < calendar.ends_at(day.date)


def _must_be_ahead(day: ConsultDay, at: datetime) -> None:
    if not is_ahead(day, at):
        raise DayOver


@transaction.atomic
def edit(
    day: ConsultDay, receptions: list[Reception], *, version: int, by: Officer, at: datetime, **texts: str
) -> None:
    """综合处 writes the plan: theme, partners, place, note, and who receives.

    `version` is the wording that the officer started from. Raises EditedMeanwhile where another one is saved by now,
    PlanStateChanged once the plan is submitted, DayOver. A second click with the same content saves nothing.
    """
    by.must(Act.PLAN)
    _must_be_ahead(day, at)
    if _write(day, EDITABLE, receptions, version, texts):
        record(Verb.PLAN_EDITED, day, by=by, at=at)
    day.refresh_from_db()


@transaction.atomic
def change(
    day: ConsultDay,
    receptions: list[Reception],
    reason: str,
    *,
    version: int,
    by: Officer,
    at: datetime,
    **texts: str,
) -> PlanChange | None:
    """综合处 changes a published plan; the portal says what was changed, and why. None for a second click.

    Raises NothingChanged, DayOver, PlanStateChanged, EditedMeanwhile. The firms are told by `triage.plan_changes`.
    """
    by.must(Act.PLAN)
    _must_be_ahead(day, at)
    before = {name: getattr(day, name) for name in TEXTS}
    people = _identities(_people_of(day))
    if not _write(day, {Plan.PUBLISHED}, receptions, version, texts):
        last = PlanChange.objects.filter(day=day).last()
        if last and (last.reason, last.by_id) == (reason, by.pk):
            return None
        raise NothingChanged
    what = _describe_changes(before, texts, receptions_changed=people != _identities(receptions))
    made = PlanChange.objects.create(day=day, what=what, reason=reason, by=by, at=at)
    record(Verb.PLAN_CHANGED, day, by=by, at=at, what=what, reason=reason)
    day.refresh_from_db()
    return made


def _write(
    day: ConsultDay, here: Container[Plan], receptions: list[Reception], version: int, texts: dict[str, str]
) -> bool:
    """Save a wording by one conditional UPDATE. False where this wording is saved already."""
    one = ConsultDay.objects.filter(pk=day.pk, plan__in=here)
    if lock_day(day).plan not in here:
        raise PlanStateChanged
    if one.filter(**texts).exists() and _identities(_people_of(day)) == _identities(receptions):
        return False
    if not one.filter(version=version).update(version=F("version") + 1, **texts):
        raise EditedMeanwhile(day)
    _save_receptions(day, receptions)
    return True


def _save_receptions(day: ConsultDay, receptions: list[Reception]) -> None:
    """The people who receive, in this order. A person who was on the list before keeps their answer."""
    before = {_identity(person): person for person in _people_of(day)}
    for order, person in enumerate(receptions):
        kept = before.pop(_identity(person), person)
        kept.day, kept.order = day, order
        kept.save(update_fields=["order"] if kept.pk else None)
    Reception.objects.filter(pk__in=[person.pk for person in before.values()]).delete()


def _people_of(day: ConsultDay) -> QuerySet[Reception]:
    """Read from the database each time: the page may hold an older list."""
    return Reception.objects.filter(day=day)


def _identity(person: Reception) -> tuple:
    return person.name, person.title, person.division_id, person.area_id


def _identities(people: Iterable[Reception]) -> list[tuple]:
    return [_identity(person) for person in people]


def _describe_changes(before: dict[str, str], after: dict[str, str], *, receptions_changed: bool) -> str:
    """The changes in words, for the portal."""
    changes = [
        _describe_change(name, old, after[name])
        for name, old in before.items()
        if after.get(name, old) != old
    ]
    return "；".join(changes + ["接待人员已调整"] * receptions_changed)


def _describe_change(name: str, old: str, new: str) -> str:
    label = ConsultDay._meta.get_field(name).verbose_name
    if name == "note" or len(old) + len(new) > MAX_QUOTED_CHARACTERS:
        return f"{label}已修改"
    if not old or not new:
        return f"{label}增加“{new}”" if new else f"{label}删去“{old}”"
    return f"{label}由“{old}”改为“{new}”"


def missing_texts(day: ConsultDay) -> list[str]:
    """The columns that are still empty, and without which a plan does not go to 局领导."""
    return [name for name in ("theme", "place") if not getattr(day, name)]


@transaction.atomic
def submit(day: ConsultDay, *, by: Officer, at: datetime) -> None:
    """综合处 submits the plan; 局领导 is told. Raises ValidationError where theme or place is missing, DayOver,
    PlanStateChanged.
    """
    by.must(Act.PLAN)
    _must_be_ahead(day, at)
    if missing := missing_texts(day):
        raise ValidationError(dict.fromkeys(missing, "送审前请填写。"))
    _move(day, Plan.SUBMITTED, Verb.PLAN_SUBMITTED, by=by, at=at)
    _tell(Role.LEADER, "plan_to_approve", day, by=by, at=at)


@transaction.atomic
def approve(day: ConsultDay, *, by: Officer, at: datetime) -> None:
    """局领导 agrees; with that the plan is on the portal, and 综合处 is told. Raises DayOver, PlanStateChanged."""
    by.must(Act.APPROVE_PLAN)
    _must_be_ahead(day, at)
    _move(day, Plan.PUBLISHED, Verb.PLAN_APPROVED, by=by, at=at, remark="", published_at=at)
    _tell(Role.COORDINATOR, "plan_approved", day, by=by, at=at)


@transaction.atomic
def send_back(day: ConsultDay, remark: str, *, by: Officer, at: datetime) -> None:
    """局领导 sends the plan back to 综合处 with a remark. Raises DayOver, PlanStateChanged."""
    by.must(Act.APPROVE_PLAN)
    _must_be_ahead(day, at)
    _move(day, Plan.RETURNED, Verb.PLAN_SENT_BACK, by=by, at=at, remark=remark)
    _tell(Role.COORDINATOR, "plan_sent_back", day, by=by, at=at)


def _tell(role: Role, kind: str, day: ConsultDay, *, by: Officer, at: datetime) -> None:
    """Tell those whose turn it is: each round of 送审 and 退回 sends its own letters."""
    notifications.to_role(role, kind, day, at=at, key=notifications.moment_key(at), but=by)


@transaction.atomic
def cancel(day: ConsultDay, reason: str, *, by: Officer, at: datetime) -> bool:
    """局领导 cancels the day; the portal shows the reason. False for a second click. Raises DayOver, PlanStateChanged.

    `triage.plan_changes` moves the firms of the day, in the same transaction.
    """
    by.must(Act.APPROVE_PLAN)
    current = lock_day(day)
    if current.is_cancelled and current.remark == reason:
        return False
    _must_be_ahead(day, at)
    _move(current, Plan.CANCELLED, Verb.DAY_CANCELLED, by=by, at=at, remark=reason)
    day.refresh_from_db()
    return True


@transaction.atomic
def _move(day: ConsultDay, to: Plan, verb: Verb, *, by: Officer, at: datetime, **changes) -> None:
    """One conditional UPDATE against the table above: of two clicks at once, one wins, the other is refused.

    The condition names the wording that the officer read: without it, 局领导 could approve a text that they never saw.
    """
    if to not in MOVES[Plan(day.plan)]:
        raise PlanStateChanged
    read = ConsultDay.objects.filter(pk=day.pk, plan=day.plan, version=day.version)
    if not read.update(plan=to, **changes):
        raise PlanStateChanged
    record(verb, day, by=by, at=at)
    day.refresh_from_db()
