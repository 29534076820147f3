"""名额分配说明 (六（五）): every decision about the seats of a 咨询日, in order of time, from the audit trail alone."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q, QuerySet

from appointments.models import Appointment
from appointments.waiting_list import describe_basis
from sessions_app import calendar
from sessions_app.models import ConsultDay
from zhoushan_consult.audit.models import Entry
from zhoushan_consult.audit.verbs import Verb

VERBS = [
    Verb.LIST_SETTLED,
    Verb.STAGE_SEATED,
    Verb.STAGE_DEFERRED,
    Verb.STAGE_ACCEPTED,
    Verb.STAGE_WITHDRAWN,
    Verb.STAGE_CLOSED,
    Verb.SEAT_CONFIRMED,
    Verb.SEAT_VACATED,
    Verb.CARRIED_OVER,
]
"""Verbs of entries about a seat. Entries of these verbs about other things carry no `day`."""
KIND = Appointment._meta.label_lower


@dataclass(frozen=True)
class SeatDecision:
    """One line of the page. `by` is empty where the firm or a duty did it."""

    at: datetime
    what: str
    why: str
    by: str
    firm: Appointment | None = None


def history_of(day: ConsultDay) -> list[SeatDecision]:
    """The decisions about the seats of `day`, oldest first. Names of firms are looked up: the trail keeps none."""
    entries = list(_entries(day))
    pks = {int(entry.about_id) for entry in entries if entry.about_kind == KIND}
    firms = Appointment.objects.only("pk", "enterprise_name").in_bulk(pks)
    return [_decision(entry, firms, day) for entry in entries]


def _entries(day: ConsultDay) -> QuerySet[Entry]:
    seats = Q(verb__in=VERBS, facts__day=calendar.slug(day.date))
    cancelled = Q(verb=Verb.DAY_CANCELLED, about_kind=day._meta.label_lower, about_id=str(day.pk))
    kept = Entry.objects.filter(seats | cancelled, at__gte=calendar.booking_opens(day.date))
    return kept.order_by("at", "pk")


def _decision(entry: Entry, firms: dict[int, Appointment], day: ConsultDay) -> SeatDecision:
    firm = firms.get(int(entry.about_id)) if entry.about_kind == KIND else None
    what, why = _describe(entry.verb, entry.facts, day)
    return SeatDecision(entry.at, what, why, entry.actor_name, firm)


def _describe(verb: str, facts: dict, day: ConsultDay) -> tuple[str, str]:
    """What was done and why, in Chinese."""
    if verb == Verb.DAY_CANCELLED:
        return "取消活动", f"理由：{day.remark}"
    if verb == Verb.LIST_SETTLED:
        return "确定名单", f"名额 {facts['free']} 个，要求现场咨询的 {facts['waiting']} 家，以下按当时的次序"
    if verb == Verb.STAGE_SEATED:
        return _offered(facts)
    if verb == Verb.STAGE_DEFERRED:
        return "没有名额，先行书面答复", f"排在第 {facts['place']} 位，{describe_basis(facts)}"
    if verb == Verb.CARRIED_OVER:
        return _carried(facts), "活动取消，下次优先安排（六（五））"
    return _left(verb, facts), ""


def _offered(facts: dict) -> tuple[str, str]:
    if facts.get("standby"):
        skipped = facts["place"] - 1
        absent = f"；排在前面的 {skipped} 家不在现场" if skipped else ""
        return f"现场候补入场，{facts['seat']}号名额", describe_basis(facts) + absent
    if "extra" in facts:
        return f"增加名额，给出{facts['seat']}号", f"理由：{facts['extra']}"
    moved_up = "递补" if facts["old"] == "deferred" else "给出"
    return f"{moved_up}{facts['seat']}号名额", f"排在第 {facts['place']} 位，{describe_basis(facts)}"


def _carried(facts: dict) -> str:
    freed = f"{facts['seat']}号名额作废，" if "seat" in facts else ""
    return f"{freed}顺延到{calendar.short(calendar.parse_slug(facts['to']))}"


def _left(verb: str, facts: dict) -> str:
    seat = f"{facts['seat']}号名额"
    if verb == Verb.SEAT_CONFIRMED:
        return f"确认参加，{seat}"
    if verb == Verb.SEAT_VACATED:
        return f"未到场，让出{seat}"
    if verb == Verb.STAGE_WITHDRAWN:
        return f"撤回登记，空出{seat}"
    if verb == Verb.STAGE_CLOSED:
        return f"书面答复已够，退回{seat}"
    if not facts.get("lapsed"):
        return f"放弃{seat}，改为书面答复"
    return (
        f"逾期未确认，收回{seat}"
        if facts.get("told", True)
        else f"通知没有送达，收回{seat}，企业保留优先资格"
    )
