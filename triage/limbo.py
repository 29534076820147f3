"""Nothing in limbo: every live registration, 交办, plan, answer and 督办 has a next event and a person whose turn it is.

Each hole below names a way in which a matter could wait for no person. A duty looks into all of them each morning and tells
综合处 and 系统管理 what it finds; the home page of 综合处 lists it. In good order every hole is empty.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Exists, Model, OuterRef, Q

from appointments.facts import ASKING_KINDS, facts_of
from appointments.lifecycle import ENDED, Stage
from appointments.models import Appointment, Publicity, PublishedAnswer, StageMove
from appointments.situation import ANSWERABLE, Turn, situation_of
from sessions_app.models import ConsultDay, Plan, Seat
from zhoushan_consult.bureau.models import Division, Officer
from zhoushan_consult.bureau.roles import Act, Role
from zhoushan_consult.clock import local_date
from zhoushan_consult.duties.kinds import Kind, daily
from zhoushan_consult.duties.models import Duty
from zhoushan_consult.outbox import posting

from . import calls, notifications, second_person
from .models import Assignment, AssignmentState, FollowUp, Reply
from .work import UNFINISHED, revisions_in_hand

SETTLED_IN = timedelta(days=1)
"""Duties mend some states by themselves within this time: a firm's 未解决 becomes a 督办 the next morning, for example."""


@dataclass(frozen=True)
class Hole:
    """A way to wait for no person: its name, what to do about it, and the records in it at an instant."""

    name: str
    title: str
    advice: str
    find: Callable[[datetime], Iterable[Model]]


@dataclass(frozen=True)
class Found:
    """A record in a hole."""

    hole: Hole
    record: Model


def search(now: datetime) -> Iterator[Found]:
    """Everything that waits for no person at `now`."""
    for hole in HOLES:
        for record in hole.find(now):
            yield Found(hole, record)


def _ended_with_work(now: datetime) -> Iterable[Model]:
    return Assignment.objects.filter(state__in=UNFINISHED, appointment__stage__in=ENDED)


def _ended_followed(now: datetime) -> Iterable[Model]:
    open_ = FollowUp.objects.filter(closed_at=None, appointment__stage__in=ENDED)
    return open_.exclude(origin=FollowUp.Origin.RATING)


def _not_followed(now: datetime) -> Iterable[Model]:
    open_ = FollowUp.objects.filter(appointment=OuterRef("pk"), closed_at=None)
    recent = StageMove.objects.filter(appointment=OuterRef("pk"), at__gt=now - SETTLED_IN)
    following = Appointment.objects.filter(stage=Stage.FOLLOWING)
    return following.exclude(Exists(open_)).exclude(Exists(recent))


def _unassigned(now: datetime) -> Iterable[Model]:
    given = Assignment.objects.filter(appointment=OuterRef("pk")).exclude(state=AssignmentState.CANCELLED)
    stages = [Stage.ACCEPTED, Stage.SEATED, Stage.DEFERRED, Stage.ABSENT]
    owed = Appointment.objects.filter(stage__in=stages)
    return owed.exclude(Exists(given))


def _seat_of_nobody(now: datetime) -> Iterable[Model]:
    holder = Appointment.objects.filter(seat=OuterRef("pk"), uscc=OuterRef("uscc"))
    return Seat.objects.filter(uscc__isnull=False).exclude(Exists(holder))


def _firm_not_asked(now: datetime) -> Iterator[Model]:
    """The firm's answer is awaited, but the question has not reached it and is not on its way."""
    asked = Appointment.objects.filter(stage__in=[*ANSWERABLE - {Stage.FOLLOWING}, Stage.DEFERRED])
    recent = StageMove.objects.filter(appointment=OuterRef("pk"), at__gt=now - SETTLED_IN)
    for appointment in asked.exclude(Exists(recent)).select_related("day", "seat"):
        known = situation_of(facts_of(appointment, now)).next
        if known.turn == Turn.FIRM and known.by is None and not _will_be_asked(appointment):
            yield appointment


def _will_be_asked(appointment: Appointment) -> bool:
    """The question is on its way; or the telephone is wrong, and the firm stands in the list 联系不上的企业."""
    return posting.on_its_way(appointment, ASKING_KINDS) or calls.is_unreachable(appointment)


def _without_officer(now: datetime) -> Iterator[Model]:
    """Open 交办 and 督办 of a division in which no officer can work on them."""
    for division in Division.objects.all():
        if not _has_officer(division, Role.HANDLER, Role.HEAD, Role.COORDINATOR):
            yield from Assignment.objects.filter(division=division, state=AssignmentState.OPEN)
            yield from FollowUp.objects.filter(division=division, closed_at=None)
        if not _has_officer(division, Role.HEAD):
            yield from Assignment.objects.filter(division=division, state=AssignmentState.DRAFTED)


def _without_signer(now: datetime) -> Iterator[Model]:
    """A draft of the only head waits for a signature that must be another's."""
    heads = Officer.objects.who_may(Act.SIGN)
    drafts = Reply.objects.filter(signed_at=None, dropped_at=None, drafted_by__in=heads)
    waiting = drafts.filter(Q(assignment__state=AssignmentState.DRAFTED) | Q(submitted_at__isnull=False))
    for reply in waiting.select_related("drafted_by", "assignment__division"):
        if not second_person.signers(reply.assignment.division, reply.drafted_by):
            yield reply.assignment


def _revision_without_officer(now: datetime) -> Iterator[Model]:
    for reply in revisions_in_hand().select_related("assignment__division"):
        roles = (Role.HEAD,) if reply.submitted_at else (Role.HANDLER, Role.HEAD)
        if not _has_officer(reply.assignment.division, *roles):
            yield reply


def _has_officer(division: Division | None, *roles: Role) -> bool:
    return any(Officer.objects.with_role(role, division) for role in roles)


def _plan_without_leader(now: datetime) -> Iterable[Model]:
    waiting = ConsultDay.objects.filter(plan=Plan.SUBMITTED, date__gte=local_date(now))
    return [] if _has_officer(None, Role.LEADER) else waiting


def _answer_without_second_person(now: datetime) -> Iterator[Model]:
    """A 公开答复 is seen by two: another person than its author must be able to publish it."""
    may_publish = {o.pk for role in (Role.COORDINATOR, Role.LEADER) for o in Officer.objects.with_role(role)}
    for answer in PublishedAnswer.objects.filter(state=Publicity.DRAFT):
        if not may_publish - {answer.drafted_by_id}:
            yield answer


HOLES = [
    Hole("ended_with_work", "登记已结束，交办还开着", "请在登记页撤销或改派。", _ended_with_work),
    Hole("ended_followed", "登记已结束，督办还开着", "请办结这件督办。", _ended_followed),
    Hole("unassigned", "通过初审的登记没有交办", "请在登记页另行交办。", _unassigned),
    Hole("not_followed", "跟踪督办的登记没有督办事项", "请查看“督办提醒”任务是否运行。", _not_followed),
    Hole("seat_of_nobody", "名额没有对应的登记", "请联系系统管理查看。", _seat_of_nobody),
    Hole("firm_not_asked", "等企业反馈，但企业没有收到通知", "请核对联系电话，再电话告知。", _firm_not_asked),
    Hole("without_officer", "处室没有可办理的人", "请系统管理开通该处室的账号。", _without_officer),
    Hole("without_signer", "答复待审签，没有第二人可审签", "请负责人退回，由经办人送审签。", _without_signer),
    Hole(
        "revision_without_officer",
        "更正或补充没有可办理的人",
        "请系统管理开通该处室的账号。",
        _revision_without_officer,
    ),
    Hole(
        "plan_without_leader",
        "方案待审核，没有可审核的局领导",
        "请系统管理开通局领导账号。",
        _plan_without_leader,
    ),
    Hole(
        "answer_alone",
        "公开答复没有第二人可审核",
        "请系统管理开通审核人的账号。",
        _answer_without_second_person,
    ),
]


def report(about: str, due_at: datetime, now: datetime) -> int:
    """Tell 综合处 and 系统管理 what waits for no person. Returns how many records."""
    found = list(search(now))
    if found:
        titles = list(dict.fromkeys(each.hole.title for each in found))
        for role in (Role.COORDINATOR, Role.SYSTEM):
            for officer in Officer.objects.with_role(role):
                notifications.to_one(
                    officer, "limbo_found", officer, key=about, at=now, count=len(found), titles=titles
                )
    return len(found)


def found_last_time() -> int:
    """How many records the last search of the duty found. The home page looks again only where there were any."""
    searches = Duty.objects.filter(kind=LIMBO.name, rows__isnull=False).order_by("-due_at")
    return searches.values_list("rows", flat=True).first() or 0


LIMBO = Kind(
    name="limbo",
    label="查找没有着落的事项",
    schedule=daily("07:30"),
    run=report,
    useful_for=timedelta(hours=20),
)
