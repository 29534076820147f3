"""The 活动方案 from draft to publication (六（一）：综合处制定，局领导审核同意后公布)."""

from datetime import datetime

from django.core.exceptions import ValidationError
from django.db import transaction

from zhoushan_consult.audit.trail import record
from zhoushan_consult.bureau.models import Officer
from zhoushan_consult.bureau.refusals import Refused
from zhoushan_consult.bureau.roles import Act

from .models import ConsultDay, Plan, Reception

MOVES: dict[Plan, frozenset[Plan]] = {
    Plan.DRAFT: frozenset({Plan.SUBMITTED}),
    Plan.RETURNED: frozenset({Plan.SUBMITTED}),
    Plan.SUBMITTED: frozenset({Plan.PUBLISHED, Plan.RETURNED}),
    Plan.PUBLISHED: frozenset({Plan.CANCELLED}),
    Plan.CANCELLED: frozenset(),
}


class PlanMoved(Refused):
    def __init__(self):
        super().__init__("方案状态已被他人更改，请刷新后查看。")


EDITABLE = frozenset({Plan.DRAFT, Plan.RETURNED})


@transaction.atomic
def edit(day: ConsultDay, receptions: list[Reception], *, by: Officer, at: datetime, **texts: str) -> None:
    """综合处 writes the plan: theme, partners, place, note, and who receives. Raises PlanMoved once it is submitted."""
    by.must(Act.PLAN)
    if not ConsultDay.objects.filter(pk=day.pk, plan__in=EDITABLE).update(**texts):
        raise PlanMoved
    day.receptions.all().delete()
    for order, reception in enumerate(receptions):
        reception.day, reception.order = day, order
    Reception.objects.bulk_create(receptions)
    record("拟订方案", day, by=by, at=at)
    day.refresh_from_db()


def submit(day: ConsultDay, *, by: Officer, at: datetime) -> None:
    """综合处 puts the plan before 局领导. Raises ValidationError where theme or place is missing."""
    by.must(Act.PLAN)
    missing = [field for field in ("theme", "place") if not getattr(day, field)]
    if missing:
        raise ValidationError({field: "送审前请填写。" for field in missing})
    _move(day, Plan.SUBMITTED, "方案送审", by=by, at=at)


def approve(day: ConsultDay, *, by: Officer, at: datetime) -> None:
    """局领导 agrees, and with that the plan is published on the portal."""
    by.must(Act.APPROVE_PLAN)
    _move(day, Plan.PUBLISHED, "方案审核同意并公布", by=by, at=at, remark="", published_at=at)


def send_back(day: ConsultDay, remark: str, *, by: Officer, at: datetime) -> None:
    """局领导 sends the plan back to 综合处 with a remark."""
    by.must(Act.APPROVE_PLAN)
    _move(day, Plan.RETURNED, "方案退回修改", by=by, at=at, remark=remark)


@transaction.atomic
def _move(day: ConsultDay, to: Plan, verb: str, *, by: Officer, at: datetime, **changes) -> None:
    """One conditional UPDATE against the table above: of two who click at once, one wins, the other is told."""
    if to not in MOVES[Plan(day.plan)]:
        raise PlanMoved
    if not ConsultDay.objects.filter(pk=day.pk, plan=day.plan).update(plan=to, **changes):
        raise PlanMoved
    record(verb, day, by=by, at=at)
    day.refresh_from_db()
