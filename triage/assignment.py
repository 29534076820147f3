"""交办 (六（四）): each question goes to the division responsible; 综合处 assigns again what a division returns."""

from collections.abc import Set
from dataclasses import dataclass
from datetime import date, datetime

from django.db import IntegrityError, transaction

from appointments.facts import require
from appointments.models import Appointment, IllegalMove
from appointments.situation import StaffAct
from sessions_app import policy
from zhoushan_consult.audit.trail import record
from zhoushan_consult.audit.verbs import Verb
from zhoushan_consult.bureau.models import Division, Officer
from zhoushan_consult.bureau.refusals import Refused
from zhoushan_consult.bureau.roles import Act, Role
from zhoushan_consult.clock import local_date
from zhoushan_consult.workdays.days import add_workdays

from . import notifications
from .models import Assignment, AssignmentState, Part, RoutingTrace
from .routing.decision import Decision
from .rulebook.routing_traces import shown_trace
from .rulebook.suggestion import divisions_named, ground_for
from .work import NOT_IN_FORCE, UNANSWERED, update_firm_page


class NeedsDivision(Refused):
    def __init__(self):
        super().__init__("请至少选定一个主办处室，并写明交办事项。")


class NeedsReason(Refused):
    def __init__(self):
        super().__init__("所选处室与规则建议不同，请在该事项下写明调整理由。")


class AlreadyAssigned(Refused):
    def __init__(self):
        super().__init__("这个处室已有内容相同的交办，没有重复交办。请刷新后查看。")


@dataclass(frozen=True)
class AssignmentItem:
    """A question and the division that answers it."""

    division: Division
    question: str
    part: Part = Part.LEAD
    reason: str = ""


def assign(
    appointment: Appointment,
    portions: list[AssignmentItem],
    trace: RoutingTrace,
    *,
    by: Officer,
    at: datetime,
) -> list[Assignment]:
    """Store the 交办 and tell the divisions. `trace`: what the rules suggested. Runs in the caller's transaction.

    What a division has answered already is not asked again: a registration may come back to 初审 with answers.
    Raises NeedsDivision without a lead, NeedsReason where the officer departs from a confident suggestion without a reason.
    """
    by.must(Act.ASSIGN)
    if not any(portion.part == Part.LEAD for portion in portions):
        raise NeedsDivision
    decision = trace.to_decision()
    answered = _answered(appointment)
    made = [
        _give(appointment, portion, decision, by=by, at=at)
        for portion in portions
        if (portion.division.pk, portion.question) not in answered
    ]
    update_firm_page(appointment)
    return made


def _answered(appointment: Appointment) -> set[tuple[int, str]]:
    """The questions that are answered, each with the division that answered it."""
    released = Assignment.objects.filter(appointment=appointment, state=AssignmentState.RELEASED)
    return set(released.values_list("division", "question"))


def _give(
    appointment: Appointment, portion: AssignmentItem, decision: Decision, *, by: Officer, at: datetime
) -> Assignment:
    named = divisions_named(decision)
    if named and portion.division.code not in named and not portion.reason:
        raise NeedsReason
    ground = ground_for(decision, portion.division.code)
    made = _unless_given(
        appointment=appointment,
        division=portion.division,
        part=portion.part,
        question=portion.question,
        clause=ground.clause if ground else "",
        topic=ground.name if ground else "",
        by_hand_reason=portion.reason,
        due_on=due_on(at),
        assigned_by=by,
        assigned_at=at,
    )
    record(Verb.ASSIGNED, made, by=by, at=at, division=portion.division.code, part=portion.part)
    notifications.to_division(made, "assignment_new", at=at)
    return made


def _unless_given(**columns) -> Assignment:
    try:
        with transaction.atomic():
            return Assignment.objects.create(**columns)
    except IntegrityError:
        raise AlreadyAssigned from None


def due_on(at: datetime) -> date:
    """The last day for the reply: policy.REPLY_WORKDAYS working days after the 交办."""
    return add_workdays(local_date(at), policy.REPLY_WORKDAYS)


@transaction.atomic
def add(appointment: Appointment, portion: AssignmentItem, *, by: Officer, at: datetime) -> Assignment:
    """One more 交办 for a registration in progress: a question was overlooked, or another division is needed.

    Raises NotOpen where the registration has ended.
    """
    by.must(Act.ASSIGN)
    require(appointment, StaffAct.ADD, at)
    decision = shown_trace(appointment, at).to_decision()
    made = _give(appointment, portion, decision, by=by, at=at)
    update_firm_page(appointment)
    return made


@transaction.atomic
def return_assignment(assignment: Assignment, reason: str, *, by: Officer, at: datetime) -> None:
    """A division returns to 综合处 a 交办 that is not its duty, with the reason. Raises IllegalMove."""
    by.must(Act.DRAFT)
    require_own_division(assignment, by)
    turn(
        assignment,
        UNANSWERED,
        AssignmentState.RETURNED,
        return_reason=reason,
    )
    record(Verb.ASSIGNMENT_RETURNED, assignment, by=by, at=at)
    update_firm_page(assignment.appointment)
    notifications.to_role(Role.COORDINATOR, "assignment_returned", assignment, at=at)


@transaction.atomic
def reassign(assignment: Assignment, portion: AssignmentItem, *, by: Officer, at: datetime) -> Assignment:
    """改派: 综合处 sends the question to another division. A draft that exists stays with the old 交办. Raises IllegalMove.

    Where that division has the same question already, the old 交办 ends and the one that it has goes on.
    """
    by.must(Act.ASSIGN)
    if assignment.state != AssignmentState.RETURNED:
        turn(assignment, UNANSWERED, AssignmentState.CANCELLED)
    else:
        turn(assignment, {AssignmentState.RETURNED}, AssignmentState.CANCELLED)
    given = _in_force(assignment.appointment, portion)
    if given is None:
        return add(assignment.appointment, portion, by=by, at=at)
    record(Verb.ASSIGNMENT_CANCELLED, assignment, by=by, at=at)
    if portion.part == Part.LEAD and given.part != Part.LEAD:
        _make_lead(given, by=by, at=at)
    update_firm_page(assignment.appointment)
    return given


def _in_force(appointment: Appointment, portion: AssignmentItem) -> Assignment | None:
    """The 交办 by which the division has this question now."""
    same = Assignment.objects.filter(
        appointment=appointment, division=portion.division, question=portion.question
    )
    return same.exclude(state__in=NOT_IN_FORCE).first()


def _make_lead(given: Assignment, *, by: Officer, at: datetime) -> None:
    """The firm waits for the answer of a lead: without one, no division would owe it."""
    Assignment.objects.filter(pk=given.pk).update(part=Part.LEAD)
    record(Verb.ASSIGNED, given, by=by, at=at, division=given.division.code, part=Part.LEAD)


def turn(assignment: Assignment, here: Set[AssignmentState], there: AssignmentState, **changes) -> None:
    """A conditional UPDATE of the state: of two officers at once, one wins and the other gets IllegalMove."""
    if not Assignment.objects.filter(pk=assignment.pk, state__in=here).update(state=there, **changes):
        raise IllegalMove("这项交办已被他人处理，请刷新后查看最新情况。")
    assignment.refresh_from_db()


def require_own_division(assignment: Assignment, officer: Officer) -> None:
    if assignment.division_id != officer.division_id:
        raise IllegalMove("这项交办不属于您所在的处室。")
