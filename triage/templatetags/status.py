"""`{% tag record %}`: the state of a record as a word in a shape, and which state gets which shape.

A shape is a class of static/site.css, `tag-done` for "done": wait 等待, go 办理中, act 待您办理, done 办好,
stop 终止, late 超期.
"""

from functools import singledispatch

from django import template
from django.utils import timezone
from django.utils.dateformat import format as date_format
from django.utils.html import format_html

from appointments.lifecycle import Stage
from appointments.models import Appointment, Publicity, PublishedAnswer
from sessions_app.models import ConsultDay, Plan, Reception, Seat
from triage.models import Assignment, AssignmentState, FollowUp, Hearing, Outcome, RoutingLesson
from zhoushan_consult.bureau.models import Officer
from zhoushan_consult.bureau.worklist import Row
from zhoushan_consult.duties.models import Duty
from zhoushan_consult.outbox.models import Notice
from zhoushan_consult.outbox.models import State as Delivery

register = template.Library()

STAGE = {
    Stage.SUBMITTED: "wait",
    Stage.ACCEPTED: "go",
    Stage.DECLINED: "stop",
    Stage.WITHDRAWN: "stop",
    Stage.SEATED: "go",
    Stage.DEFERRED: "go",
    Stage.ANSWERED: "done",
    Stage.HEARD: "done",
    Stage.ABSENT: "wait",
    Stage.FOLLOWING: "go",
    Stage.CLOSED: "done",
}
PLAN = {
    Plan.DRAFT: "wait",
    Plan.SUBMITTED: "go",
    Plan.RETURNED: "wait",
    Plan.PUBLISHED: "done",
    Plan.CANCELLED: "stop",
}
ASSIGNMENT = {
    AssignmentState.OPEN: "go",
    AssignmentState.DRAFTED: "go",
    AssignmentState.RELEASED: "done",
    AssignmentState.RETURNED: "stop",
    AssignmentState.CANCELLED: "stop",
}
OUTCOME = {Outcome.SOLVED: "done", Outcome.FOLLOW: "go", Outcome.ABSENT: "stop"}
PUBLICITY = {
    Publicity.DRAFT: "wait",
    Publicity.PUBLISHED: "done",
    Publicity.WITHDRAWN: "stop",
    Publicity.SUPERSEDED: "stop",
    Publicity.DROPPED: "stop",
}
DELIVERY = {
    Delivery.WAITING: "wait",
    Delivery.INFLIGHT: "wait",
    Delivery.SENT: "done",
    Delivery.RETRY: "wait",
    Delivery.FAILED: "late",
    Delivery.CANCELLED: "stop",
}


@register.simple_tag
def tag(record, act: str = "") -> str:
    """The tag of a record. `act`: the state in which the reader of this page has to do something.

    The same state is shown without that mark on the pages of others, who need not act.
    """
    shape, words = status_of(record)
    if act and act in (getattr(record, "stage", ""), getattr(record, "state", "")):
        shape = "act"
    return format_html('<span class="tag tag-{}">{}</span>', shape, words)


@singledispatch
def status_of(record) -> tuple[str, str]:
    """The shape and the words of a record. The default is for objects that have both, such as `Deadline`."""
    return record.shape, record.words


@status_of.register
def _(record: Appointment):
    return STAGE[Stage(record.stage)], record.get_stage_display()


@status_of.register
def _(record: PublishedAnswer):
    return PUBLICITY[Publicity(record.state)], record.get_state_display()


@status_of.register
def _(record: ConsultDay):
    return PLAN[Plan(record.plan)], f"方案{record.get_plan_display()}"


@status_of.register
def _(record: Reception):
    if record.confirmed_at:
        return "done", f"{_local(record.confirmed_at, 'n月j日')}确认参加"
    return ("stop", "不能参加") if record.declined else ("wait", "待确认")


@status_of.register
def _(record: Seat):
    if record.confirmed_at:
        return "done", f"已确认 {_local(record.confirmed_at, 'n月j日 H:i')}"
    if record.reply_by is None:
        return "wait", "通知还没有送达"
    until = _local(record.reply_by, "n月j日 H:i")
    if record.reply_by < timezone.now():
        return "late", f"{until} 已过期限"
    return "wait", f"请于 {until} 前确认"


@status_of.register
def _(record: Assignment):
    return ASSIGNMENT[AssignmentState(record.state)], record.get_state_display()


@status_of.register
def _(record: Hearing):
    if record.outcome:
        return OUTCOME[Outcome(record.outcome)], record.get_outcome_display()
    return "go", f"{_local(record.checked_in_at, 'H:i')} 签到"


@status_of.register
def _(record: FollowUp):
    return ("done", "已办结") if record.closed_at else ("go", "在办")


@status_of.register
def _(record: RoutingLesson):
    return "done", str(record)


@status_of.register
def _(record: Notice):
    return DELIVERY[Delivery(record.state)], f"{record.get_channel_display()}{record.get_state_display()}"


@status_of.register
def _(record: Duty):
    return ("late" if record.needs_attention else "wait"), record.get_state_display()


@status_of.register
def _(record: Officer):
    return ("done", "在用") if record.is_active else ("stop", "已停用")


@status_of.register
def _(record: Row):
    return ("late" if record.late else "wait"), record.age


def _local(moment, pattern: str) -> str:
    return date_format(timezone.localtime(moment), pattern)
