"""The kinds of letters to officers about a plan and its day (六（一）, 二)."""

from collections.abc import Callable
from datetime import datetime, timedelta

from zhoushan_consult.bureau.models import Officer
from zhoushan_consult.outbox.kinds import LetterKind, Params

from . import calendar, receiving
from .models import ConsultDay, Plan, Reception

A_DAY = timedelta(days=1)


def to_officers(name: str, title: str, facts: Callable, outdated: Callable, **options) -> LetterKind:
    """A kind that goes to officers: an account that is closed by now gets no more letters."""

    def why_not(about, params: Params, now: datetime) -> str:
        if not Officer.objects.filter(pk=params["officer"], is_active=True).exists():
            return "账号已停用"
        return outdated(about, params, now)

    return LetterKind(name=name, title=title, facts=facts, outdated=why_not, **options)


def day_facts(day: ConsultDay, params: Params, now: datetime) -> dict:
    """The variables of a letter about a 咨询日."""
    return {"day": day}


def day_over(day: ConsultDay, params: Params, now: datetime) -> str:
    """Why nothing need be done for this day any more."""
    if now >= calendar.ends_at(day.date):
        return "咨询日已过"
    return "活动已取消" if day.is_cancelled else ""


def in_plan(*plans: Plan) -> Callable[[ConsultDay, Params, datetime], str]:
    """For `outdated`: the letter is true while the plan is in one of these states and its day not over."""

    def why_not(day: ConsultDay, params: Params, now: datetime) -> str:
        if now >= calendar.ends_at(day.date):
            return "咨询日已过"
        return "" if day.plan in plans else f"方案{day.get_plan_display()}"

    return why_not


def _plan_wanted(day: ConsultDay, params: Params, now: datetime) -> str:
    if why_not := in_plan(Plan.DRAFT, Plan.SUBMITTED, Plan.RETURNED)(day, params, now):
        return why_not
    waits_for_leader = day.plan == Plan.SUBMITTED
    return "" if waits_for_leader == params.get("submitted", waits_for_leader) else "方案已由别人办理"


def _plan_late(day: ConsultDay, params: Params, now: datetime) -> str:
    return in_plan(Plan.DRAFT, Plan.SUBMITTED, Plan.RETURNED)(day, params, now)


def _plan_prepared(day: ConsultDay, params: Params, now: datetime) -> str:
    return in_plan(Plan.DRAFT)(day, params, now)


def _still_unanswered(day: ConsultDay, params: Params, now: datetime) -> dict:
    return {"day": day, "count": receiving.unanswered(day.date).count()}


def _reception_open(day: ConsultDay, params: Params, now: datetime) -> str:
    if not receiving.unanswered(day.date).exists():
        return "接待人员都已答复"
    return day_over(day, params, now)


def _reception_declined(person: Reception, params: Params, now: datetime) -> str:
    return day_over(person.day, params, now) if person.declined else "接待人员已改为参加"


LETTERS = [
    to_officers("plan_to_approve", "活动方案待审核", day_facts, in_plan(Plan.SUBMITTED)),
    to_officers("plan_approved", "活动方案已公布", day_facts, in_plan(Plan.PUBLISHED)),
    to_officers("plan_sent_back", "活动方案退回修改", day_facts, in_plan(Plan.RETURNED)),
    to_officers(
        "plan_wanted",
        "活动方案催办",
        lambda day, params, now: {"day": day, "submitted": day.plan == Plan.SUBMITTED},
        _plan_wanted,
        useful_for=A_DAY,
    ),
    to_officers("plan_late", "活动方案逾期未公布", day_facts, _plan_late),
    to_officers("plan_prepared", "下月方案底稿已备好", day_facts, _plan_prepared),
    to_officers("reception_open", "接待人员确认催办", _still_unanswered, _reception_open, useful_for=A_DAY),
    to_officers(
        "reception_declined",
        "有接待人员不能参加",
        lambda person, params, now: {"day": person.day},
        _reception_declined,
    ),
]
