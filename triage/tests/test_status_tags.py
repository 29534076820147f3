"""`{% tag record %}`: every state of every record has its word and its shape."""

from datetime import UTC, datetime, timedelta

import pytest
from django.template import Context, Template

from appointments.lifecycle import Stage
from appointments.models import Appointment, Publicity, PublishedAnswer
from sessions_app.models import ConsultDay, Plan, Reception, Seat
from triage.models import Assignment, AssignmentState, FollowUp, Hearing, Lesson, Outcome, RoutingLesson
from zhoushan_consult.bureau.models import Officer
from zhoushan_consult.bureau.worklist import Row
from zhoushan_consult.duties.models import Duty
from zhoushan_consult.duties.models import State as DutyState
from zhoushan_consult.outbox.models import Channel, Notice
from zhoushan_consult.outbox.models import State as Delivery

NOW = datetime(2026, 11, 20, 2, 0, tzinfo=UTC)


def draw(record, options: str = "") -> str:
    page = Template("{% load status %}{% tag record " + options + " %}")
    return page.render(Context({"record": record}))


def span(shape: str, words: str) -> str:
    return f'<span class="tag tag-{shape}">{words}</span>'


@pytest.mark.parametrize(
    "record, shape, words",
    [
        (Appointment(stage=Stage.SUBMITTED), "wait", "待初审"),
        (Appointment(stage=Stage.ACCEPTED), "go", "通过初审"),
        (Appointment(stage=Stage.DECLINED), "stop", "不予通过"),
        (Appointment(stage=Stage.WITHDRAWN), "stop", "已撤回"),
        (Appointment(stage=Stage.SEATED), "go", "现场咨询"),
        (Appointment(stage=Stage.DEFERRED), "go", "先行书面答复"),
        (Appointment(stage=Stage.ANSWERED), "done", "已书面答复"),
        (Appointment(stage=Stage.HEARD), "done", "已现场咨询"),
        (Appointment(stage=Stage.ABSENT), "wait", "未到场"),
        (Appointment(stage=Stage.FOLLOWING), "go", "跟踪督办"),
        (Appointment(stage=Stage.CLOSED), "done", "办结"),
        (ConsultDay(plan=Plan.DRAFT), "wait", "方案拟订中"),
        (ConsultDay(plan=Plan.SUBMITTED), "go", "方案待审核"),
        (ConsultDay(plan=Plan.RETURNED), "wait", "方案已退回修改"),
        (ConsultDay(plan=Plan.PUBLISHED), "done", "方案已公布"),
        (ConsultDay(plan=Plan.CANCELLED), "stop", "方案已取消"),
        (Reception(), "wait", "待确认"),
        (Reception(confirmed_at=NOW), "done", "11月20日确认参加"),
        (Reception(declined="出差"), "stop", "不能参加"),
        (Assignment(state=AssignmentState.OPEN), "go", "待答复"),
        (Assignment(state=AssignmentState.DRAFTED), "go", "待审签"),
        (Assignment(state=AssignmentState.RELEASED), "done", "已答复"),
        (Assignment(state=AssignmentState.RETURNED), "stop", "已退回综合处"),
        (Assignment(state=AssignmentState.CANCELLED), "stop", "已撤销"),
        (Hearing(checked_in_at=NOW), "go", "10:00 签到"),
        (Hearing(outcome=Outcome.SOLVED, checked_in_at=NOW), "done", "现场解决"),
        (Hearing(outcome=Outcome.FOLLOW, checked_in_at=NOW), "go", "需跟踪督办"),
        (Hearing(outcome=Outcome.ABSENT), "stop", "未到场"),
        (FollowUp(), "go", "在办"),
        (FollowUp(closed_at=NOW), "done", "已办结"),
        (RoutingLesson(lesson=Lesson.FINE), "done", "无需改规则"),
        (PublishedAnswer(state=Publicity.DRAFT), "wait", "拟公开"),
        (PublishedAnswer(state=Publicity.PUBLISHED), "done", "已公开"),
        (PublishedAnswer(state=Publicity.WITHDRAWN), "stop", "已撤回"),
        (PublishedAnswer(state=Publicity.SUPERSEDED), "stop", "已更新"),
        (PublishedAnswer(state=Publicity.DROPPED), "stop", "不公开"),
        (Notice(channel=Channel.SMS, state=Delivery.WAITING), "wait", "短信待发送"),
        (Notice(channel=Channel.SMS, state=Delivery.INFLIGHT), "wait", "短信发送中"),
        (Notice(channel=Channel.SMS, state=Delivery.SENT), "done", "短信已送出"),
        (Notice(channel=Channel.SMS, state=Delivery.RETRY), "wait", "短信待重发"),
        (Notice(channel=Channel.EMAIL, state=Delivery.FAILED), "late", "邮件发送失败"),
        (Notice(channel=Channel.EMAIL, state=Delivery.CANCELLED), "stop", "邮件已取消"),
        (Duty(state=DutyState.DONE), "wait", "已完成"),
        (Duty(state=DutyState.FAILED), "late", "失败待重试"),
        (Duty(state=DutyState.MISSED), "late", "错过未执行"),
        (Officer(is_active=True), "done", "在用"),
        (Officer(is_active=False), "stop", "已停用"),
        (Row(title="", url="", age="3天"), "wait", "3天"),
        (Row(title="", url="", age="超期1天", late=True), "late", "超期1天"),
    ],
)
def test_tag_draws_the_state_of_a_record_as_a_word_in_a_shape(record, shape, words):
    assert draw(record) == span(shape, words)


@pytest.mark.parametrize(
    "make, states",
    [
        (lambda state: Appointment(stage=state), Stage),
        (lambda state: ConsultDay(plan=state), Plan),
        (lambda state: Assignment(state=state), AssignmentState),
        (lambda state: Hearing(outcome=state), Outcome),
        (lambda state: PublishedAnswer(state=state), Publicity),
        (lambda state: Notice(channel=Channel.SMS, state=state), Delivery),
    ],
)
def test_tag_knows_every_state(make, states):
    for state in states:
        assert state.label in draw(make(state))


@pytest.mark.parametrize(
    "confirmed_at, reply_by, shape, words",
    [
        (NOW, NOW - timedelta(hours=1), "done", "已确认 11月20日 10:00"),
        (None, NOW + timedelta(hours=1), "wait", "请于 11月20日 11:00 前确认"),
        (None, NOW - timedelta(hours=1), "late", "11月20日 09:00 已过期限"),
        (None, None, "wait", "通知还没有送达"),
    ],
)
def test_tag_of_a_seat_says_whether_the_firm_answered_in_time(
    confirmed_at, reply_by, shape, words, time_machine
):
    time_machine.move_to(NOW, tick=False)
    assert draw(Seat(confirmed_at=confirmed_at, reply_by=reply_by)) == span(shape, words)


def test_tag_marks_the_state_that_waits_for_the_reader():
    assert draw(Appointment(stage=Stage.SUBMITTED), 'act="submitted"') == span("act", "待初审")
    assert draw(Appointment(stage=Stage.ACCEPTED), 'act="submitted"') == span("go", "通过初审")
    assert draw(Assignment(state=AssignmentState.RETURNED), 'act="returned"') == span("act", "已退回综合处")


def test_tag_escapes_words():
    assert "&lt;b&gt;" in draw(Row(title="", url="", age="<b>"))
