"""The table of acts: everything that changes a row in 六（二）to（六）, one entry each.

An entry says in which scene the act is done, by whom, and in words what it changes: rows, letters, trail. The tests
of `test_acts` hold every act to its words and to what all acts have in common. To add one:

1. write a scene in `scenes` unless one fits;
2. add an `act(…)` below, with `effect=""`;
3. run `pytest triage/tests/test_acts.py -k NAME`: the failure prints the effect. Read it as you would read the
   regulation, then put it here.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from django.db import transaction

from appointments import answers, booking, contact, feedback, lost_reference, staff_entry
from appointments import supplements as additions
from appointments.lifecycle import Stage
from appointments.models import Appointment, Channel, ContactCorrection, Grade, PublishedAnswer, Verdict
from sessions_app import calendar
from sessions_app.models import ConsultDay, Plan, Reception
from triage import (
    assignment,
    calls,
    closing,
    cutoff_summary,
    deferral,
    follow_up,
    hearing,
    id_reveal,
    limbo,
    plan_changes,
    reminders,
    replies,
    review,
    seating,
    standby,
    supplements,
    timetable,
    work,
)
from triage.models import (
    Assignment,
    AssignmentState,
    CallOutcome,
    DeclineReason,
    FollowUp,
    Outcome,
    Part,
    ReplyKind,
)
from triage.rulebook import monthly_review, versions
from triage.tests import factories as made
from triage.tests import scenes
from triage.tests.scenes import DAY, FAR, MORNING, NEXT, NOW, SECOND, Scene
from zhoushan_consult.bureau.roles import Role
from zhoushan_consult.outbox.models import Notice, State

COORDINATOR, HANDLER, HEAD, LEADER = Role.COORDINATOR, Role.HANDLER, Role.HEAD, Role.LEADER
Do = Callable[[Scene], object]


@dataclass(frozen=True)
class Row:
    """An act. `may` are the roles that pass its lock; the first of them does it. Without any, it is the firm's or the
    clock's own."""

    name: str
    scene: Do
    do: Do
    effect: str
    may: tuple[Role, ...] = ()
    at: datetime = NOW
    own: bool = False
    """Only the division of the matter, or an officer who reads all."""
    meanwhile: tuple[Do, ...] = ()
    """What another may have done since the page was opened; then the act is refused."""
    back: Do | None = None
    """Leads back to where the act can be done a second time, with letters of its own."""
    says: tuple[str, ...] = ()
    """What the letters must tell, besides what every letter does."""
    neighbours: tuple[tuple[int, date], ...] = ((2, DAY), (1, FAR))
    """Number and day of the firms in the same state that stay as they are."""

    def __str__(self) -> str:
        return self.name


MODULES = (
    timetable,
    assignment,
    calls,
    contact,
    cutoff_summary,
    closing,
    deferral,
    follow_up,
    hearing,
    plan_changes,
    reminders,
    replies,
    id_reveal,
    limbo,
    review,
    supplements,
    work,
    monthly_review,
    versions,
    seating,
    standby,
    answers,
    booking,
    staff_entry,
    feedback,
    lost_reference,
    additions,
)
"""Where the acts are."""
WITHIN_AN_ACT = {
    "work.cancel_assignments",
    "calls.settle_heard",
    "calls.store",
    "deferral.defer",
    "follow_up.end_work",
    "follow_up.open_follow_up",
    "plan_changes.to_bureau",
    "replies.request_for_absent",
    "seating.let_lapse",
    "seating.offer_free_seats",
    "seating.seat_firm",
    "work.drop_revisions",
}
"""What is only ever done as a part of an act of the table."""
ROWS: list[Row] = []
ANOTHER_DAY = ((1, FAR),)
ALONE = ()


def act(name: str, scene: Do, do: Do, effect: str, **more) -> None:
    ROWS.append(Row(name, scene, do, effect, **more))


# --- What others do meanwhile ----------------------------------------------------------------------------------------
def amended(s: Scene) -> None:
    Appointment.objects.filter(pk=s.firm.pk).update(version=s.firm.version + 1)


def withdrawn(s: Scene) -> None:
    Appointment.objects.filter(pk=s.firm.pk).update(stage=Stage.WITHDRAWN, seat=None)


def corrected_by_another(s: Scene) -> None:
    """The failed letters went to the new number, and so did the firm's page."""
    Appointment.objects.filter(pk=s.firm.pk).update(phone="+8613900000008")
    ContactCorrection.objects.create(appointment=s.firm, columns="phone", reason="换号", at=s.at)
    Notice.objects.filter(about_id=str(s.firm.pk), state=State.FAILED).update(state=State.CANCELLED)


def called_off(s: Scene) -> None:
    Assignment.objects.filter(pk=s.work.pk).update(state=AssignmentState.CANCELLED)


def signed(s: Scene) -> None:
    Assignment.objects.filter(pk=s.work.pk).update(state=AssignmentState.RELEASED)


def rewritten(s: Scene) -> None:
    type(s.reply).objects.filter(pk=s.reply.pk).update(version=s.reply.version + 1, body="另一稿")


def revision_stands_at(**columns) -> Do:
    """The 更正 as it was before, or as another officer left it."""

    def change(s: Scene) -> None:
        type(s.revision).objects.filter(pk=s.revision.pk).update(**columns)

    return change


revision_submitted = revision_stands_at(submitted_at=scenes.EARLIER)
revision_sent_back = revision_stands_at(submitted_at=None)
revision_dropped = revision_stands_at(dropped_at=scenes.EARLIER)
revision_rewritten = revision_stands_at(version=3, body="另一稿")


def revision_signed(s: Scene) -> None:
    revision_stands_at(signed_at=scenes.EARLIER, signed_by=s.people.of(HEAD))(s)


def done_by_another(s: Scene) -> None:
    FollowUp.objects.filter(pk=s.matter.pk).update(closed_at=NOW, result="已办")


def day_cancelled(s: Scene) -> None:
    ConsultDay.objects.filter(pk=s.day.pk).update(plan=Plan.CANCELLED)


def settled_by_another(s: Scene) -> None:
    ConsultDay.objects.filter(pk=s.day.pk).update(settled_at=NOW)


def seat_lost(s: Scene) -> None:
    type(s.seat_held).objects.filter(pk=s.seat_held.pk).update(uscc=None, confirmed_at=None)


def answer_moved(s: Scene) -> None:
    PublishedAnswer.objects.filter(pk=s.answer.pk).update(version=s.answer.version + 1)


def supplement_handled(s: Scene) -> None:
    type(s.supplement).objects.filter(pk=s.supplement.pk).update(handled_at=NOW)


def objection_decided(s: Scene) -> None:
    type(s.objection).objects.filter(pk=s.objection.pk).update(verdict=Verdict.KEPT)


def stands_at(**columns) -> Do:
    """The registration as it was before, written straight into the table."""

    def back(s: Scene) -> None:
        Appointment.objects.filter(pk=s.firm.pk).update(**columns)

    return back


def work_stands_at(state: AssignmentState) -> Do:
    def back(s: Scene) -> None:
        Assignment.objects.filter(pk=s.work.pk).update(state=state)

    return back


def as_duty(do: Do) -> Do:
    """A duty runs in the transaction of its round."""

    def run(s: Scene) -> object:
        with transaction.atomic():
            return do(s)

    return run


# --- 初审 -------------------------------------------------------------------------------------------------------------
def portion(
    division: str = "水处", question: str = "废水怎样接入管网？", **more
) -> assignment.AssignmentItem:
    return assignment.AssignmentItem(made.division(division), question, **more)


TOLD = calls.Call(CallOutcome.REACHED, "王经理说的")
REACHED = calls.Call(CallOutcome.REACHED, "已告知属信访渠道")


def accept(s: Scene) -> object:
    given = [portion(), portion("大气处", "有无异味？", part=Part.SUPPORT, reason="一并答复")]
    return review.accept(s.firm, given, trace=s.trace, by=s.by, at=s.at)


def decline(s: Scene) -> None:
    review.decline(
        s.firm, DeclineReason.COMPLAINT, "请拨12369", REACHED, version=s.firm.version, by=s.by, at=s.at
    )


def reconsidered(s: Scene) -> None:
    review.reconsider(s.firm, "再看", by=s.people.of(COORDINATOR), at=s.at)


act(
    "review.accept",
    scenes.registered,
    accept,
    may=(COORDINATOR,),
    meanwhile=(amended, withdrawn),
    back=reconsidered,
    effect="""
    firm: stage=accepted handled_by=水处、大气处 reply_due_on=2026-11-27
    new assignment: appointment=firm division=大气处 part=support question=有无异味？ by_hand_reason=一并答复
        state=open due_on=2026-11-27 assigned_by=actor assigned_at=now
    new assignment: appointment=firm division=水处 part=lead question=废水怎样接入管网？
        clause=五（一）涉水和涉海污染防治问题由水处研究回复 topic=涉水和涉海污染防治 state=open due_on=2026-11-27 assigned_by=actor
        assigned_at=now
    new review: appointment=firm accepted=True trace=trace by=actor at=now
    new stagemove: appointment=firm old=submitted new=accepted by=actor at=now
    letter assignment_new about new assignment to 大气处经办 by email sms
    letter assignment_new about new assignment to 水处经办 by email sms
    letter review_accepted about firm to firm by email page sms
    trail stage_accepted of firm by actor: old=submitted
    trail assigned of new assignment by actor: division=water part=lead
    trail assigned of new assignment by actor: division=air part=support
    """,
)
act(
    "review.decline",
    scenes.registered,
    decline,
    may=(COORDINATOR,),
    meanwhile=(amended, withdrawn),
    back=reconsidered,
    says=("属于信访、投诉问题", "请拨12369"),
    effect="""
    firm: stage=declined
    new callrecord: appointment=firm by=actor at=now outcome=reached gist=已告知属信访渠道
    new review: appointment=firm accepted=False reason=complaint explanation=请拨12369 call=new callrecord
        by=actor at=now
    new stagemove: appointment=firm old=submitted new=declined note=属于信访、投诉问题，不在咨询日受理范围 by=actor at=now
    letter review_declined about firm to firm by email page sms
    trail stage_declined of firm by actor: old=submitted
    trail called of firm by actor: outcome=reached
    """,
)
act(
    "review.decline: had taken a priority over",
    scenes.took_a_priority_over,
    decline,
    may=(COORDINATOR,),
    says=("优先资格退回到本登记", "12月10日（周四）优先安排"),
    effect="""
    earlier: stage=deferred wants_onsite=True handed_to=None
    firm: stage=declined
    new callrecord: appointment=firm by=actor at=now outcome=reached gist=已告知属信访渠道
    new review: appointment=firm accepted=False reason=complaint explanation=请拨12369 call=new callrecord
        by=actor at=now
    new stagemove: appointment=earlier old=answered new=deferred note=下期的登记已结束，优先资格退回 by=actor at=now
    new stagemove: appointment=firm old=submitted new=declined note=属于信访、投诉问题，不在咨询日受理范围 by=actor at=now
    letter priority_returned about earlier to earlier by email page sms
    letter review_declined about firm to firm by email page sms
    trail stage_declined of firm by actor: old=submitted
    trail called of firm by actor: outcome=reached
    trail priority_granted of earlier by actor: day=2026-11
    trail stage_deferred of earlier by actor: old=answered
    """,
)
act(
    "calls.record_call",
    scenes.registered,
    lambda s: calls.record_call(s.firm, calls.Call(CallOutcome.NO_ANSWER, "无人接听"), by=s.by, at=s.at),
    may=(COORDINATOR,),
    effect="""
    new callrecord: appointment=firm by=actor at=now outcome=no_answer gist=无人接听
    trail called of firm by actor: outcome=no_answer
    returns new callrecord
    """,
)
act(
    "calls.dismiss",
    scenes.called_at_a_wrong_number,
    lambda s: calls.dismiss(s.firm, "查不到别的号码", by=s.by, at=s.at),
    may=(COORDINATOR,),
    meanwhile=(corrected_by_another,),
    effect="""
    call: dismissed_at=now
    letter: state=cancelled dismissed_at=now
    trail notice_dismissed of firm by actor: channel=call kind=review_accepted
    trail unreachable_dismissed of firm by actor: reason=查不到别的号码
    """,
)


def correct_contact(s: Scene) -> object:
    """A new telephone for a firm whose old one was wrong."""
    right = replace(contact.contact_of(s.firm), phone="+8613900000009")
    return contact.correct(s.firm, right, "企业来电说明换了号码", by=s.by, at=s.at)


act(
    "contact.correct",
    scenes.called_at_a_wrong_number,
    correct_contact,
    may=(COORDINATOR,),
    meanwhile=(corrected_by_another,),
    says=("受理编号",),
    effect="""
    firm: phone=tel:+86-139-0000-0009
    new contactcorrection: appointment=firm columns=phone reason=企业来电说明换了号码 by=actor at=now
    letter: state=cancelled next_try_at=None last_error=联系方式已更正，已改发
    letter contact_corrected about firm to firm by email page sms
    letter review_accepted about firm to firm by sms
    trail contact_corrected of firm by actor: changed=['联系电话 138****0442→139****0009'] letters=1
        reason=企业来电说明换了号码
    returns new contactcorrection
    """,
)
act(
    "contact.correct: by the firm",
    scenes.registered,
    lambda s: contact.correct(s.firm, replace(contact.contact_of(s.firm), email="new@example.com"), at=s.at),
    meanwhile=(withdrawn, corrected_by_another),
    says=("更正了电子邮箱",),
    effect="""
    firm: email=new@example.com
    new contactcorrection: appointment=firm columns=email at=now
    letter contact_changed about firm to 综合处经办 by email sms
    letter contact_corrected about firm to firm by email page sms
    trail contact_corrected of firm by no officer: changed=['电子邮箱 f***@example.com→n***@example.com']
        letters=0
    returns new contactcorrection
    """,
)
act(
    "review.reconsider: declined",
    scenes.declined,
    lambda s: review.reconsider(s.firm, "企业有异议", by=s.by, at=s.at),
    may=(COORDINATOR,),
    meanwhile=(stands_at(stage=Stage.SUBMITTED),),
    effect="""
    firm: stage=submitted
    new stagemove: appointment=firm old=declined new=submitted note=重新审核 by=actor at=now
    letter review_reopened about firm to firm by email page sms
    trail stage_submitted of firm by actor: old=declined
    trail reconsidered of firm by actor: why=企业有异议
    """,
)
act(
    "review.reconsider: after its day",
    scenes.declined,
    lambda s: review.reconsider(s.firm, "企业有异议", by=s.by, at=s.at),
    may=(COORDINATOR,),
    at=calendar.ends_at(DAY),
    says=("登记到1月10日（周日）这一期",),
    effect="""
    firm: day=2027-01-10 stage=submitted
    new stagemove: appointment=firm old=declined new=submitted note=重新审核 by=actor at=now
    letter review_reopened about firm to firm by email page sms
    trail stage_submitted of firm by actor: old=declined
    trail reconsidered of firm by actor: why=企业有异议
    """,
)
act(
    "review.reconsider: accepted",
    scenes.given_in_every_state,
    lambda s: review.reconsider(s.firm, "误判", by=s.by, at=s.at),
    may=(COORDINATOR,),
    meanwhile=(withdrawn,),
    effect="""
    drafted_work: state=cancelled
    firm: stage=submitted handled_by=水处
    new stagemove: appointment=firm old=accepted new=submitted note=重新审核 by=actor at=now
    open_work: state=cancelled
    returned_work: state=cancelled
    letter review_reopened about firm to firm by email page sms
    trail stage_submitted of firm by actor: old=accepted
    trail assignment_cancelled of open_work by actor
    trail assignment_cancelled of drafted_work by actor
    trail assignment_cancelled of returned_work by actor
    trail reconsidered of firm by actor: why=误判
    """,
)


# --- 交办 -------------------------------------------------------------------------------------------------------------
def assign(s: Scene) -> object:
    with transaction.atomic():
        return assignment.assign(s.firm, [portion()], s.trace, by=s.by, at=s.at)


act(
    "assignment.assign",
    scenes.accepted,
    assign,
    may=(COORDINATOR,),
    effect="""
    firm: handled_by=水处 reply_due_on=2026-11-27
    new assignment: appointment=firm division=水处 part=lead question=废水怎样接入管网？
        clause=五（一）涉水和涉海污染防治问题由水处研究回复 topic=涉水和涉海污染防治 state=open due_on=2026-11-27 assigned_by=actor
        assigned_at=now
    letter assignment_new about new assignment to 水处经办 by email sms
    trail assigned of new assignment by actor: division=water part=lead
    returns new assignment
    """,
)
act(
    "assignment.add",
    scenes.given,
    lambda s: assignment.add(s.firm, portion("土壤处", "污泥呢？", reason="遗漏"), by=s.by, at=s.at),
    may=(COORDINATOR,),
    effect="""
    firm: handled_by=土壤处、水处、大气处 reply_due_on=2026-12-15
    new assignment: appointment=firm division=土壤处 part=lead question=污泥呢？ by_hand_reason=遗漏 state=open
        due_on=2026-11-27 assigned_by=actor assigned_at=now
    letter assignment_new about new assignment to 土壤处经办 by email sms
    trail assigned of new assignment by actor: division=soil part=lead
    returns new assignment
    """,
)
act(
    "assignment.return_assignment",
    scenes.given,
    lambda s: assignment.return_assignment(s.work, "属住建部门职责", by=s.by, at=s.at),
    may=(HANDLER, HEAD),
    own=True,
    meanwhile=(called_off, signed),
    effect="""
    firm: handled_by=大气处 reply_due_on=2026-12-09
    work: state=returned return_reason=属住建部门职责
    letter assignment_returned about work to 综合处经办 by email sms
    trail assignment_returned of work by actor
    """,
)
act(
    "assignment.reassign: open",
    scenes.given,
    lambda s: assignment.reassign(s.work, portion("土壤处", "污泥呢？", reason="改派"), by=s.by, at=s.at),
    may=(COORDINATOR,),
    meanwhile=(called_off, signed),
    effect="""
    firm: handled_by=土壤处、大气处 reply_due_on=2026-12-09
    new assignment: appointment=firm division=土壤处 part=lead question=污泥呢？ by_hand_reason=改派 state=open
        due_on=2026-11-27 assigned_by=actor assigned_at=now
    work: state=cancelled
    letter assignment_new about new assignment to 土壤处经办 by email sms
    trail assigned of new assignment by actor: division=soil part=lead
    returns new assignment
    """,
)
act(
    "assignment.reassign: given back",
    scenes.given_back,
    lambda s: assignment.reassign(s.work, portion("水处", scenes.QUESTION), by=s.by, at=s.at),
    may=(COORDINATOR,),
    meanwhile=(called_off,),
    effect="""
    firm: handled_by=水处、大气处 reply_due_on=2026-12-09
    new assignment: appointment=firm division=水处 part=lead question=水产加工废水怎样接入市政管网？
        clause=五（一）涉水和涉海污染防治问题由水处研究回复 topic=涉水和涉海污染防治 state=open due_on=2026-11-27 assigned_by=actor
        assigned_at=now
    work: state=cancelled
    letter assignment_new about new assignment to 水处经办 by email sms
    trail assigned of new assignment by actor: division=water part=lead
    returns new assignment
    """,
)


# --- 答复 -------------------------------------------------------------------------------------------------------------
BODY, LAW = "纳管前办理排水许可。", "城镇排水条例"


def save_draft(s: Scene, version: int) -> object:
    return replies.save_draft(s.work, BODY, LAW, version=version, by=s.by, at=s.at)


act(
    "replies.save_draft: first",
    scenes.given,
    lambda s: save_draft(s, 0),
    may=(HANDLER, HEAD),
    own=True,
    meanwhile=(called_off, signed),
    effect="""
    new reply: assignment=work kind=first body=纳管前办理排水许可。 law=城镇排水条例 version=1 drafted_by=actor
        drafted_at=now
    new replyversion: reply=new reply number=1 body=纳管前办理排水许可。 law=城镇排水条例 by=actor at=now
    trail reply_drafted of work by actor: version=1
    returns new reply
    """,
)
act(
    "replies.save_draft: second",
    scenes.drafted,
    lambda s: save_draft(s, 1),
    may=(HANDLER, HEAD),
    own=True,
    meanwhile=(called_off, rewritten),
    effect="""
    new replyversion: reply=reply number=2 body=纳管前办理排水许可。 law=城镇排水条例 by=actor at=now
    reply: body=纳管前办理排水许可。 law=城镇排水条例 version=2 drafted_by=actor drafted_at=now
    trail reply_drafted of work by actor: version=2
    returns reply
    """,
)
act(
    "replies.submit_for_signature",
    scenes.drafted,
    lambda s: replies.submit_for_signature(s.work, by=s.by, at=s.at),
    may=(HANDLER, HEAD),
    own=True,
    meanwhile=(called_off, signed),
    back=work_stands_at(AssignmentState.OPEN),
    effect="""
    work: state=drafted
    letter reply_to_sign about work to 水处负责人 by email sms
    trail reply_submitted of work by actor
    """,
)
act(
    "replies.finish_draft",
    scenes.given_with_two_heads,
    lambda s: replies.finish_draft(s.work, BODY, LAW, version=0, by=s.by, at=s.at),
    may=(HANDLER, HEAD),
    own=True,
    meanwhile=(called_off, signed),
    effect="""
    new reply: assignment=work kind=first body=纳管前办理排水许可。 law=城镇排水条例 version=1 drafted_by=actor
        drafted_at=now
    new replyversion: reply=new reply number=1 body=纳管前办理排水许可。 law=城镇排水条例 by=actor at=now
    work: state=drafted
    letter reply_to_sign about work to 水处负责人 by email sms
    trail reply_drafted of work by actor: version=1
    trail reply_submitted of work by actor
    """,
)
act(
    "replies.send_back",
    scenes.before_the_head,
    lambda s: replies.send_back(s.work, "请写明时限", by=s.by, at=s.at),
    may=(HEAD,),
    own=True,
    meanwhile=(called_off, signed),
    back=work_stands_at(AssignmentState.DRAFTED),
    effect="""
    reply: remark=请写明时限
    work: state=open
    letter reply_sent_back about work to 水处经办 by email sms
    trail reply_sent_back of work by actor
    """,
)


def sign(s: Scene) -> None:
    replies.sign(s.work, version=s.reply.version, by=s.by, at=s.at)


act(
    "replies.sign",
    scenes.before_the_head,
    sign,
    may=(HEAD,),
    own=True,
    meanwhile=(called_off, rewritten, withdrawn),
    says=("请先办理排水许可。",),
    effect="""
    firm: handled_by=水处、大气处 reply_due_on=2026-12-09
    reply: remark='' signed_by=actor signed_at=now
    work: state=released released_at=now
    letter reply_released about firm to firm by email page sms
    trail reply_signed of work by actor: version=1
    """,
)
act(
    "replies.sign: the last",
    scenes.written_before_the_head,
    sign,
    may=(HEAD,),
    own=True,
    effect="""
    firm: stage=answered handled_by=水处、大气处 reply_due_on=2026-12-09
    new stagemove: appointment=firm old=accepted new=answered by=actor at=now
    reply: remark='' signed_by=actor signed_at=now
    work: state=released released_at=now
    letter reply_released about firm to firm by email page sms
    trail reply_signed of work by actor: version=1
    trail stage_answered of firm by actor: old=accepted
    """,
)
act(
    "replies.sign: another waits",
    scenes.written_with_another_lead,
    sign,
    may=(HEAD,),
    own=True,
    effect="""
    firm: handled_by=水处、土壤处、大气处 reply_due_on=2026-12-15
    reply: remark='' signed_by=actor signed_at=now
    work: state=released released_at=now
    letter reply_released about firm to firm by email page sms
    trail reply_signed of work by actor: version=1
    """,
)
act(
    "replies.sign: alone",
    scenes.before_the_head_who_drafted_it,
    sign,
    may=(HEAD,),
    own=True,
    effect="""
    firm: handled_by=水处、大气处 reply_due_on=2026-12-09
    reply: remark='' signed_by=actor signed_at=now one_person_note=本处室当时没有第二位能拟稿或审签的同志，由水处负责人一人拟写并审签。
    work: state=released released_at=now
    letter reply_released about firm to firm by email page sms
    trail reply_signed of work by actor: note=本处室当时没有第二位能拟稿或审签的同志，由水处负责人一人拟写并审签。 version=1
    """,
)


def save_revision(s: Scene) -> object:
    return replies.save_revision(s.work, ReplyKind.CORRECTION, BODY, LAW, version=1, by=s.by, at=s.at)


act(
    "replies.save_revision: first",
    scenes.answered,
    save_revision,
    may=(HANDLER, HEAD),
    own=True,
    meanwhile=(called_off, withdrawn, rewritten),
    effect="""
    new reply: assignment=work kind=correction body=纳管前办理排水许可。 law=城镇排水条例 version=2 drafted_by=actor
        drafted_at=now due_on=2026-11-25
    new replyversion: reply=new reply number=2 body=纳管前办理排水许可。 law=城镇排水条例 by=actor at=now
    trail reply_drafted of work by actor: kind=correction version=2
    returns new reply
    """,
)
act(
    "replies.save_revision: second",
    scenes.corrected,
    lambda s: replies.save_revision(s.work, ReplyKind.SUPPLEMENT, BODY, LAW, version=2, by=s.by, at=s.at),
    may=(HANDLER, HEAD),
    own=True,
    meanwhile=(called_off, withdrawn, revision_submitted, revision_rewritten),
    effect="""
    new replyversion: reply=revision number=3 body=纳管前办理排水许可。 law=城镇排水条例 by=actor at=now
    revision: kind=supplement body=纳管前办理排水许可。 law=城镇排水条例 version=3 drafted_by=actor drafted_at=now
    trail reply_drafted of work by actor: kind=supplement version=3
    returns revision
    """,
)
act(
    "replies.finish_revision",
    scenes.answered_with_two_heads,
    lambda s: replies.finish_revision(s.work, ReplyKind.SUPPLEMENT, BODY, LAW, version=1, by=s.by, at=s.at),
    may=(HANDLER, HEAD),
    own=True,
    meanwhile=(called_off, withdrawn, rewritten),
    effect="""
    new reply: assignment=work kind=supplement body=纳管前办理排水许可。 law=城镇排水条例 version=2 drafted_by=actor
        drafted_at=now due_on=2026-11-25 submitted_at=now
    new replyversion: reply=new reply number=2 body=纳管前办理排水许可。 law=城镇排水条例 by=actor at=now
    letter reply_to_sign about work to 水处负责人 by email sms
    trail reply_drafted of work by actor: kind=supplement version=2
    trail reply_submitted of work by actor: kind=supplement
    """,
)
act(
    "replies.submit_for_signature: a correction",
    scenes.corrected,
    lambda s: replies.submit_for_signature(s.work, by=s.by, at=s.at),
    may=(HANDLER, HEAD),
    own=True,
    meanwhile=(revision_submitted, revision_dropped),
    back=revision_stands_at(submitted_at=None),
    effect="""
    revision: submitted_at=now
    letter reply_to_sign about work to 水处负责人 by email sms
    trail reply_submitted of work by actor: kind=correction
    """,
)
act(
    "replies.send_back: a correction",
    scenes.correction_before_the_head,
    lambda s: replies.send_back(s.work, "请写明时限", by=s.by, at=s.at),
    may=(HEAD,),
    own=True,
    meanwhile=(revision_signed, revision_sent_back),
    back=revision_stands_at(submitted_at=scenes.EARLIER),
    effect="""
    revision: remark=请写明时限 submitted_at=None
    letter reply_sent_back about work to 水处经办 by email sms
    trail reply_sent_back of work by actor: kind=correction
    """,
)
act(
    "replies.drop_revision",
    scenes.corrected,
    lambda s: replies.drop_revision(s.work, by=s.by, at=s.at),
    may=(HANDLER, HEAD),
    own=True,
    meanwhile=(revision_submitted, revision_dropped),
    effect="""
    revision: dropped_at=now
    trail revision_dropped of work by actor: kind=correction version=2
    """,
)


def sign_revision(s: Scene) -> None:
    replies.sign(s.work, version=s.revision.version, by=s.by, at=s.at)


act(
    "replies.sign: a correction",
    scenes.correction_before_the_head,
    sign_revision,
    may=(HEAD,),
    own=True,
    meanwhile=(withdrawn, revision_sent_back, revision_dropped, revision_rewritten),
    says=("请先办理接管意见。", "2026年11月20日的答复有不准确的地方"),
    effect="""
    revision: remark='' signed_by=actor signed_at=now
    letter reply_corrected about firm to firm by email page sms
    trail reply_signed of work by actor: kind=correction version=2
    """,
)
act(
    "replies.sign: a supplement",
    scenes.supplement_before_the_head,
    sign_revision,
    may=(HEAD,),
    own=True,
    says=("请先办理接管意见。", "2026年11月20日已答复，现补充如下"),
    effect="""
    revision: remark='' signed_by=actor signed_at=now
    letter reply_supplemented about firm to firm by email page sms
    trail reply_signed of work by actor: kind=supplement version=2
    """,
)
act(
    "replies.mark_answered",
    scenes.gave_up_after_the_reply,
    as_duty(lambda s: replies.mark_answered(at=s.at)),
    neighbours=ALONE,
    effect="""
    firm: stage=answered
    new stagemove: appointment=firm old=accepted new=answered at=now
    new stagemove: appointment=other old=accepted new=answered at=now
    other: stage=answered
    trail stage_answered of other by no officer: old=accepted
    trail stage_answered of firm by no officer: old=accepted
    returns 2
    """,
)


# --- 名单和顺延 --------------------------------------------------------------------------------------------------------
act(
    "seating.settle",
    scenes.to_be_settled,
    lambda s: seating.settle(s.day, by=s.by, at=s.at),
    may=(COORDINATOR,),
    at=SECOND,
    meanwhile=(day_cancelled, settled_by_another),
    neighbours=ANOTHER_DAY,
    says=("12月4日（周五）9:00", "1月10日（周日）优先"),
    effect="""
    day: settled_at=now
    first: seat=seat 2 of day stage=seated
    new stagemove: appointment=first old=accepted new=seated note=2号名额 by=actor at=now
    new stagemove: appointment=prior old=accepted new=seated note=1号名额 by=actor at=now
    new stagemove: appointment=second old=accepted new=deferred note=没有排上现场，先行书面答复 by=actor at=now
    new stagemove: appointment=third old=accepted new=deferred note=没有排上现场，先行书面答复 by=actor at=now
    prior: seat=seat 1 of day stage=seated
    seat 1 of day: uscc=91330902DEM05Y6L6T offered_at=now
    seat 2 of day: uscc=91330903DEM0KE6Q40 offered_at=now
    second: stage=deferred handled_by=水处 reply_due_on=2026-12-09
    second_work: due_on=2026-12-09
    third: stage=deferred
    letter deferred about second to second by email page sms
    letter deferred about third to third by email page sms
    letter replies_hastened about day to 水处经办 by email sms
    letter seat_offered about first to first by email page sms
    letter seat_offered about prior to prior by email page sms
    trail list_settled of day by actor: day=2026-12 free=2 waiting=4
    trail stage_seated of prior by actor: day=2026-12 ground=priority old=accepted place=1 seat=1
        since=2026-11-20T09:00
    trail stage_seated of first by actor: day=2026-12 ground=time old=accepted place=2 seat=2
        since=2026-11-18T09:21
    trail stage_deferred of second by actor: day=2026-12 ground=time old=accepted place=3
        since=2026-11-18T09:22
    trail stage_deferred of third by actor: day=2026-12 ground=time old=accepted place=4
        since=2026-11-18T09:23
    trail term_shortened of second_work by actor: due_on=2026-12-09 was=2026-12-15
    returns 2, 2
    """,
)
act(
    "seating.settle: begun",
    scenes.to_be_settled,
    lambda s: seating.settle(s.day, by=s.by, at=s.at),
    may=(COORDINATOR,),
    at=MORNING + timedelta(hours=1),
    neighbours=ANOTHER_DAY,
    effect="""
    day: settled_at=now
    first: stage=deferred
    new stagemove: appointment=first old=accepted new=deferred note=没有排上现场，先行书面答复 by=actor at=now
    new stagemove: appointment=prior old=accepted new=deferred note=没有排上现场，先行书面答复 by=actor at=now
    new stagemove: appointment=second old=accepted new=deferred note=没有排上现场，先行书面答复 by=actor at=now
    new stagemove: appointment=third old=accepted new=deferred note=没有排上现场，先行书面答复 by=actor at=now
    prior: stage=deferred handled_by=水处 reply_due_on=2026-12-10
    prior_work: due_on=2026-12-10
    second: stage=deferred handled_by=水处 reply_due_on=2026-12-10
    second_work: due_on=2026-12-10
    third: stage=deferred
    letter deferred about first to first by email page sms
    letter deferred about prior to prior by email page sms
    letter deferred about second to second by email page sms
    letter deferred about third to third by email page sms
    letter replies_hastened about day to 水处经办 by email sms
    trail list_settled of day by actor: day=2026-12 free=2 waiting=4
    trail stage_deferred of prior by actor: day=2026-12 ground=priority old=accepted place=1
        since=2026-11-20T09:00
    trail stage_deferred of first by actor: day=2026-12 ground=time old=accepted place=2
        since=2026-11-18T09:21
    trail stage_deferred of second by actor: day=2026-12 ground=time old=accepted place=3
        since=2026-11-18T09:22
    trail stage_deferred of third by actor: day=2026-12 ground=time old=accepted place=4
        since=2026-11-18T09:23
    trail term_shortened of second_work by actor: due_on=2026-12-10 was=2026-12-15
    trail term_shortened of prior_work by actor: due_on=2026-12-10 was=2026-12-15
    returns 0, 4
    """,
)
act(
    "seating.add_seat",
    scenes.full,
    lambda s: seating.add_seat(s.day, s.firm, "重点项目", by=s.by, at=s.at),
    may=(LEADER,),
    at=SECOND,
    meanwhile=(day_cancelled, withdrawn),
    neighbours=ANOTHER_DAY,
    effect="""
    firm: seat=new seat stage=seated
    new seat: day=day number=11 uscc=91330903DEM0KE6Q40 offered_at=now extra_reason=重点项目
    new stagemove: appointment=firm old=deferred new=seated note=11号名额 by=actor at=now
    letter seat_offered about firm to firm by email page sms
    trail seat_added of new seat by actor: day=2026-12 reason=重点项目 seat=11
    trail stage_seated of firm by actor: day=2026-12 extra=重点项目 ground=time old=deferred seat=11
        since=2026-11-18T09:21
    returns new seat
    """,
)
act(
    "seating.fill",
    scenes.no_seat_left,
    lambda s: seating.fill(s.day, at=s.at),
    at=SECOND,
    neighbours=ANOTHER_DAY,
    says=("12月4日（周五）9:00",),
    effect="""
    late: seat=None stage=accepted wants_onsite=False
    late_seat: uscc=91330902DEM05Y6L6T offered_at=now reply_by=None
    new stagemove: appointment=late old=seated new=accepted note=逾期未确认，名额收回，改为书面答复 at=now
    new stagemove: appointment=next old=deferred new=seated note=1号名额 at=now
    next: seat=late_seat stage=seated
    letter seat_lapsed about late to late by email page sms
    letter seat_offered about next to next by email page sms
    trail stage_accepted of late by no officer: day=2026-12 lapsed=True old=seated seat=1 told=True
    trail stage_seated of next by no officer: day=2026-12 ground=time old=deferred place=1 seat=1
        since=2026-11-18T09:24
    returns 2
    """,
)
act(
    "seating.fill: on the eve, offers that were not delivered",
    scenes.never_told,
    lambda s: seating.fill(s.day, at=s.at),
    at=calendar.eve(DAY) + timedelta(minutes=1),
    neighbours=ANOTHER_DAY,
    effect="""
    firm: seat=None stage=accepted priority_since=2026-12-02T09:00
    first_seat: uscc=None offered_at=None
    new stagemove: appointment=firm old=seated new=accepted note=名额通知没有送达，保留优先资格 at=now
    new stagemove: appointment=prior old=seated new=accepted note=名额通知没有送达，保留优先资格 at=now
    new stagemove: appointment=told old=seated new=accepted note=逾期未确认，名额收回，改为书面答复 at=now
    prior: seat=None stage=accepted
    second_seat: uscc=None offered_at=None
    third_seat: uscc=None offered_at=None reply_by=None
    told: seat=None stage=accepted wants_onsite=False
    letter seat_lapsed about told to told by email page sms
    trail stage_accepted of told by no officer: day=2026-12 lapsed=True old=seated seat=3 told=True
    trail stage_accepted of prior by no officer: day=2026-12 lapsed=True old=seated seat=2 told=False
    trail stage_accepted of firm by no officer: day=2026-12 lapsed=True old=seated seat=1 told=False
    returns 3
    """,
)
act(
    "seating.fill: the duty",
    scenes.days_to_look_after,
    as_duty(lambda s: seating.FILL.run("", s.at, s.at)),
    at=SECOND,
    neighbours=ALONE,
    effect="""
    after_its_day: stage=deferred
    came_late: stage=deferred handled_by=水处 reply_due_on=2026-12-09
    gave_up: stage=answered
    late: seat=None stage=accepted wants_onsite=False
    late_seat: uscc=91330902DEM05Y6L6T offered_at=now reply_by=None
    late_work: due_on=2026-12-09
    new stagemove: appointment=after_its_day old=accepted new=deferred note=没有排上现场，先行书面答复 at=now
    new stagemove: appointment=came_late old=accepted new=deferred note=没有排上现场，先行书面答复 at=now
    new stagemove: appointment=gave_up old=accepted new=answered at=now
    new stagemove: appointment=late old=seated new=accepted note=逾期未确认，名额收回，改为书面答复 at=now
    new stagemove: appointment=next old=deferred new=seated note=1号名额 at=now
    next: seat=late_seat stage=seated
    letter deferred about after_its_day to after_its_day by email page sms
    letter deferred about came_late to came_late by email page sms
    letter replies_hastened about day to 水处经办 by email sms
    letter seat_lapsed about late to late by email page sms
    letter seat_offered about next to next by email page sms
    trail stage_accepted of late by no officer: day=2026-12 lapsed=True old=seated seat=1 told=True
    trail stage_seated of next by no officer: day=2026-12 ground=time old=deferred place=1 seat=1
        since=2026-11-18T09:24
    trail stage_deferred of came_late by no officer: day=2026-12 ground=time old=accepted place=2
        since=2026-11-18T09:26
    trail term_shortened of late_work by no officer: due_on=2026-12-09 was=2026-12-15
    trail stage_deferred of after_its_day by no officer: day=2026-11 ground=time old=accepted place=1
        since=2026-11-18T09:26
    trail stage_answered of gave_up by no officer: old=accepted
    returns 6
    """,
)
act(
    "deferral.defer_remaining",
    scenes.accepted_after_the_list,
    as_duty(lambda s: deferral.defer_remaining(s.day, by=None, at=s.at)),
    at=SECOND,
    neighbours=ANOTHER_DAY,
    says=("1月10日（周日）", "15天内"),
    effect="""
    between: stage=deferred
    last: stage=deferred
    new stagemove: appointment=between old=accepted new=deferred note=没有排上现场，先行书面答复 at=now
    new stagemove: appointment=last old=accepted new=deferred note=没有排上现场，先行书面答复 at=now
    letter deferred about between to between by email page sms
    letter deferred about last to last by email page sms
    trail stage_deferred of between by no officer: day=2026-12 ground=time old=accepted place=3
        since=2026-11-18T09:23
    trail stage_deferred of last by no officer: day=2026-12 ground=time old=accepted place=4
        since=2026-11-18T09:25
    returns 2
    """,
)


def slow_again(s: Scene) -> None:
    """The terms are long again."""
    slow = Assignment.objects.filter(pk__in=[s.slow.pk, s.slow_draft.pk, s.slow_too.pk])
    slow.update(due_on=date(2026, 12, 15))


act(
    "deferral.shorten_terms",
    scenes.deferred_with_slow_replies,
    as_duty(lambda s: deferral.shorten_terms(s.day, by=None, at=s.at)),
    at=SECOND,
    neighbours=ANOTHER_DAY,
    back=slow_again,
    says=("2件", "1件", "12月9日"),
    effect="""
    firm: handled_by=水处、大气处、土壤处、环评处 reply_due_on=2026-12-09
    slow: due_on=2026-12-09
    slow_draft: due_on=2026-12-09
    slow_too: due_on=2026-12-09
    letter replies_hastened about day to 大气处经办 by email sms
    letter replies_hastened about day to 水处经办 by email sms
    trail term_shortened of slow by no officer: due_on=2026-12-09 was=2026-12-15
    trail term_shortened of slow_draft by no officer: due_on=2026-12-09 was=2026-12-15
    trail term_shortened of slow_too by no officer: due_on=2026-12-09 was=2026-12-15
    returns 3
    """,
)
act(
    "closing.close_unanswered",
    scenes.deferred_and_silent,
    as_duty(lambda s: closing.close_unanswered("", s.at, s.at)),
    at=scenes.NEXT_STEP,
    neighbours=ALONE,
    says=("15天",),
    effect="""
    absent: stage=closed handled_by=水处 closed_at=now
    firm: stage=closed handled_by=水处 closed_at=now
    heard: stage=closed handled_by=水处 closed_at=now
    new stagemove: appointment=absent old=absent new=closed note=答复后15天没有反馈，按已答复办结 at=now
    new stagemove: appointment=firm old=deferred new=closed note=书面答复后15天未提出仍需现场咨询，按已答复办结 at=now
    new stagemove: appointment=heard old=heard new=closed note=答复后15天没有反馈，按已答复办结 at=now
    new stagemove: appointment=other old=deferred new=closed note=书面答复后15天未提出仍需现场咨询，按已答复办结 at=now
    new stagemove: appointment=written old=answered new=closed note=答复后15天没有反馈，按已答复办结 at=now
    other: stage=closed handled_by=水处 closed_at=now
    support: state=cancelled
    written: stage=closed handled_by=水处 closed_at=now
    letter deferral_closed about firm to firm by email page sms
    letter deferral_closed about other to other by email page sms
    letter feedback_closed about absent to absent by email page sms
    letter feedback_closed about heard to heard by email page sms
    letter feedback_closed about written to written by email page sms
    trail stage_closed of firm by no officer: old=deferred
    trail stage_closed of other by no officer: old=deferred
    trail assignment_cancelled of support by no officer
    trail stage_closed of written by no officer: old=answered
    trail stage_closed of heard by no officer: old=heard
    trail stage_closed of absent by no officer: old=absent
    returns 5
    """,
)


# --- 企业 -------------------------------------------------------------------------------------------------------------
def form(number: int = 7, **changes) -> booking.Registration:
    """What the `number`-th firm types into the form of 附件2."""
    like = made.appointment(number, stage=Stage.WITHDRAWN)
    typed = {
        "enterprise_name": f"舟山第{number}船厂",
        "uscc": like.uscc,
        "contact_name": "李四",
        "id_type": "resident",
        "id_number": like.id_number.open(),
        "phone": f"+8613700000{number:03}",
        "summary": "油泥怎样处置？",
        "email": f"yard{number}@example.com",
        "address": "船厂路1号",
        "postcode": "316000",
        "topics": ("soil",),
    }
    return booking.Registration(**(typed | changes))


def typed(s: Scene) -> None:
    """The form is filled in before the act; each neighbour has a registration of its own."""
    scenes.registered(s)
    s.form = form(7 if s.number == 1 else 8)


act(
    "booking.submit",
    typed,
    lambda s: booking.submit(s.form, key="a key", at=s.at),
    effect="""
    new appointment: day=day stage=submitted enterprise_name=舟山第7船厂 uscc=91330902DEM0L2GB8A address=船厂路1号
        postcode=316000 contact_name=李四 id_type=resident id_number=330903197407119860
        phone=tel:+86-137-0000-0007 email=yard7@example.com topics=['soil'] summary=油泥怎样处置？
        wants_onsite=True channel=online consented_at=now submitted_at=now version=1
    new stagemove: appointment=new appointment new=submitted at=now
    letter booking_received about new appointment to new appointment by email page sms
    trail registered of new appointment by no officer: channel=online
    returns new appointment
    """,
)
act(
    "booking.amend",
    typed,
    lambda s: booking.amend(s.firm, s.form, at=s.at),
    meanwhile=(withdrawn, stands_at(stage=Stage.ACCEPTED)),
    effect="""
    firm: address=船厂路1号 postcode=316000 contact_name=李四 id_number=330903197407119860
        phone=tel:+86-137-0000-0007 email=yard7@example.com topics=['soil'] summary=油泥怎样处置？ amended_at=now
        version=2
    letter booking_amended about firm to firm by email page sms
    trail amended of firm by no officer
    """,
)
act(
    "staff_entry.enter",
    typed,
    lambda s: staff_entry.enter(
        s.form, key="a key", day=DAY, source=booking.Source(Channel.PHONE, s.by, "企业来电"), at=s.at
    ),
    may=(COORDINATOR,),
    at=SECOND,
    meanwhile=(settled_by_another, day_cancelled),
    effect="""
    new appointment: day=day stage=submitted enterprise_name=舟山第7船厂 uscc=91330902DEM0L2GB8A address=船厂路1号
        postcode=316000 contact_name=李四 id_type=resident id_number=330903197407119860
        phone=tel:+86-137-0000-0007 email=yard7@example.com topics=['soil'] summary=油泥怎样处置？
        wants_onsite=True channel=phone entered_by=actor entry_reason=企业来电 consented_at=now
        submitted_at=now version=1
    new stagemove: appointment=new appointment new=submitted by=actor at=now
    letter booking_received about new appointment to new appointment by email page sms
    trail registered of new appointment by actor: channel=phone reason=企业来电
    returns new appointment
    """,
)
act(
    "lost_reference.send_again",
    scenes.accepted,
    lambda s: lost_reference.send_again(s.firm.uscc, s.firm.phone_number, at=s.at),
    back=lambda s: None,
    effect="""
    letter reference_again about firm to firm by sms
    trail reference_sent of firm by no officer
    """,
)
act(
    "booking.withdraw",
    scenes.accepted,
    lambda s: booking.withdraw(s.firm, at=s.at),
    meanwhile=(stands_at(stage=Stage.DECLINED),),
    effect="""
    firm: stage=withdrawn
    new stagemove: appointment=firm old=accepted new=withdrawn note=企业撤回 at=now
    letter booking_withdrawn about firm to firm by email page sms
    trail stage_withdrawn of firm by no officer: old=accepted
    """,
)
act(
    "booking.withdraw: with 交办 in every state",
    scenes.given_in_every_state,
    lambda s: booking.withdraw(s.firm, at=s.at),
    effect="""
    drafted_work: state=cancelled
    firm: stage=withdrawn handled_by=水处
    new stagemove: appointment=firm old=accepted new=withdrawn note=企业撤回 at=now
    open_work: state=cancelled
    returned_work: state=cancelled
    letter booking_withdrawn about firm to firm by email page sms
    trail stage_withdrawn of firm by no officer: old=accepted
    trail assignment_cancelled of open_work by no officer
    trail assignment_cancelled of drafted_work by no officer
    trail assignment_cancelled of returned_work by no officer
    """,
)
act(
    "booking.withdraw: had taken a priority over",
    scenes.took_a_priority_over,
    lambda s: booking.withdraw(s.firm, at=s.at),
    effect="""
    earlier: stage=deferred wants_onsite=True handed_to=None
    firm: stage=withdrawn priority_since=None
    new stagemove: appointment=earlier old=answered new=deferred note=下期的登记已结束，优先资格退回 at=now
    new stagemove: appointment=firm old=submitted new=withdrawn note=企业撤回 at=now
    letter booking_withdrawn about firm to firm by email page sms
    letter priority_returned about earlier to earlier by email page sms
    trail stage_withdrawn of firm by no officer: old=submitted
    trail priority_granted of earlier by no officer: day=2026-11
    trail stage_deferred of earlier by no officer: old=answered
    """,
)
act(
    "booking.withdraw: seated",
    scenes.confirmed,
    lambda s: booking.withdraw(s.firm, at=s.at),
    meanwhile=(seat_lost,),
    effect="""
    firm: seat=None stage=withdrawn priority_since=None
    new stagemove: appointment=firm old=seated new=withdrawn note=企业撤回 at=now
    seat_held: uscc=None offered_at=None reply_by=None confirmed_at=None
    letter booking_withdrawn about firm to firm by email page sms
    trail stage_withdrawn of firm by no officer: day=2026-12 old=seated seat=2
    """,
)


def seat_of_another_day(s: Scene) -> None:
    """The firm has lost the seat, and got one of the next day."""
    type(s.seat_held).objects.filter(pk=s.seat_held.pk).update(uscc=None, confirmed_at=None)
    Appointment.objects.filter(pk=s.firm.pk).update(seat=None, stage=Stage.WITHDRAWN)
    s.on, s.day = NEXT, scenes.day_on(NEXT)
    Appointment.objects.filter(pk=s.firm.pk).update(day=s.day, wants_onsite=True)
    s.look()
    s.seat_held = s.seat(s.firm)


act(
    "booking.confirm_seat",
    scenes.offered,
    lambda s: booking.confirm_seat(s.firm, at=s.at),
    meanwhile=(seat_lost,),
    back=seat_of_another_day,
    effect="""
    seat_held: confirmed_at=now
    letter seat_confirmed about firm to firm by email page sms
    trail seat_confirmed of firm by no officer: day=2026-12 seat=2
    """,
)
act(
    "booking.confirm_seat: by telephone",
    scenes.offered,
    lambda s: booking.confirm_seat(s.firm, by=s.by, at=s.at),
    may=(COORDINATOR,),
    meanwhile=(seat_lost,),
    effect="""
    seat_held: confirmed_at=now
    letter seat_confirmed about firm to firm by email page sms
    trail seat_confirmed of firm by actor: day=2026-12 seat=2
    """,
)
act(
    "booking.give_up_seat",
    scenes.confirmed,
    lambda s: booking.give_up_seat(s.firm, at=s.at),
    meanwhile=(seat_lost,),
    back=seat_of_another_day,
    effect="""
    firm: seat=None stage=accepted wants_onsite=False priority_since=None
    new stagemove: appointment=firm old=seated new=accepted note=企业放弃现场名额，改为书面答复 at=now
    seat_held: uscc=None offered_at=None reply_by=None confirmed_at=None
    letter seat_given_up about firm to firm by email page sms
    trail stage_accepted of firm by no officer: day=2026-12 old=seated seat=2
    """,
)
act(
    "booking.give_up_seat: by telephone",
    scenes.offered,
    lambda s: booking.give_up_seat(s.firm, by=s.by, at=s.at),
    may=(COORDINATOR,),
    effect="""
    firm: seat=None stage=accepted wants_onsite=False
    new stagemove: appointment=firm old=seated new=accepted note=企业放弃现场名额，改为书面答复 by=actor at=now
    seat_held: uscc=None offered_at=None reply_by=None
    letter seat_given_up about firm to firm by email page sms
    trail stage_accepted of firm by actor: day=2026-12 old=seated seat=2
    """,
)
act(
    "calls.confirm_seat",
    scenes.offered,
    lambda s: calls.confirm_seat(s.firm, TOLD, by=s.by, at=s.at),
    may=(COORDINATOR,),
    meanwhile=(seat_lost,),
    effect="""
    new callrecord: appointment=firm by=actor at=now outcome=reached gist=王经理说的
    seat_held: confirmed_at=now
    letter seat_confirmed about firm to firm by email page sms
    trail seat_confirmed of firm by actor: day=2026-12 seat=2
    trail called of firm by actor: outcome=reached
    """,
)
act(
    "calls.give_up_seat",
    scenes.offered,
    lambda s: calls.give_up_seat(s.firm, TOLD, by=s.by, at=s.at),
    may=(COORDINATOR,),
    meanwhile=(seat_lost,),
    effect="""
    firm: seat=None stage=accepted wants_onsite=False
    new callrecord: appointment=firm by=actor at=now outcome=reached gist=王经理说的
    new stagemove: appointment=firm old=seated new=accepted note=企业放弃现场名额，改为书面答复 by=actor at=now
    seat_held: uscc=None offered_at=None reply_by=None
    letter seat_given_up about firm to firm by email page sms
    trail stage_accepted of firm by actor: day=2026-12 old=seated seat=2
    trail called of firm by actor: outcome=reached
    """,
)
act(
    "booking.ask_for_seat_again",
    scenes.deferred,
    lambda s: booking.ask_for_seat_again(s.firm, at=s.at),
    meanwhile=(withdrawn,),
    back=stands_at(stage=Stage.DEFERRED),
    says=("第 1 位",),
    effect="""
    firm: day=2027-01-10 stage=accepted priority_since=now
    new stagemove: appointment=firm old=deferred new=accepted note=仍需现场咨询，1月10日（周日）优先安排 at=now
    letter priority_granted about firm to firm by email page sms
    trail stage_accepted of firm by no officer: old=deferred
    returns firm
    """,
)
act(
    "booking.ask_for_seat_again: registered again",
    scenes.deferred_with_next_booking,
    lambda s: booking.ask_for_seat_again(s.firm, at=s.at),
    meanwhile=(withdrawn,),
    neighbours=((2, DAY),),
    says=("贵单位1月10日（周日）的登记", "本登记先书面答复"),
    effect="""
    firm: stage=accepted wants_onsite=False priority_since=now handed_to=next
    new stagemove: appointment=firm old=deferred new=accepted note=仍需现场咨询，优先资格转到贵单位1月10日（周日）的登记 at=now
    next: priority_since=now
    letter priority_moved about firm to firm by email page sms
    trail stage_accepted of firm by no officer: old=deferred
    trail priority_granted of next by no officer: day=2027-01
    returns next
    """,
)
act(
    "booking.ask_for_seat_again: registered again in writing",
    scenes.deferred_with_next_booking_in_writing,
    lambda s: booking.ask_for_seat_again(s.firm, at=s.at),
    neighbours=((2, DAY),),
    says=("2月10日（周三）",),
    effect="""
    firm: day=2027-02-10 stage=accepted priority_since=now
    new stagemove: appointment=firm old=deferred new=accepted note=仍需现场咨询，2月10日（周三）优先安排 at=now
    letter priority_granted about firm to firm by email page sms
    trail stage_accepted of firm by no officer: old=deferred
    returns firm
    """,
)
act(
    "booking.written_reply_is_enough",
    scenes.deferred_and_answered,
    lambda s: booking.written_reply_is_enough(s.firm, at=s.at),
    meanwhile=(withdrawn,),
    effect="""
    firm: stage=closed handled_by=水处 closed_at=now
    new stagemove: appointment=firm old=deferred new=closed note=企业表示书面答复已解决问题 at=now
    open_work: state=cancelled
    trail stage_closed of firm by no officer: old=deferred
    trail assignment_cancelled of open_work by no officer
    """,
)
act(
    "booking.written_reply_is_enough: seated",
    scenes.answered_before_the_day,
    lambda s: booking.written_reply_is_enough(s.firm, at=s.at),
    meanwhile=(seat_lost,),
    effect="""
    firm: seat=None stage=closed handled_by=水处 closed_at=now
    new stagemove: appointment=firm old=seated new=closed note=企业表示书面答复已解决问题 at=now
    seat_held: uscc=None offered_at=None reply_by=None confirmed_at=None
    letter seat_not_needed about firm to firm by email page sms
    trail stage_closed of firm by no officer: day=2026-12 old=seated seat=2
    """,
)
act(
    "feedback.report_solved: followed",
    scenes.said_solved,
    lambda s: feedback.report_solved(s.firm, at=s.at),
    effect="""
    firm: stage=closed closed_at=now
    matter: closed_at=now result=企业反馈已解决
    new stagemove: appointment=firm old=following new=closed note=企业反馈已解决 at=now
    other_matter: closed_at=now result=企业反馈已解决
    letter follow_up_closed about matter to 办公室督办 by email sms
    letter follow_up_closed about matter to 综合处经办 by email sms
    letter follow_up_closed about other_matter to 办公室督办 by email sms
    letter follow_up_closed about other_matter to 综合处经办 by email sms
    trail stage_closed of firm by no officer: old=following
    trail follow_up_closed of matter by no officer
    trail follow_up_closed of other_matter by no officer
    """,
)
act(
    "feedback.report_solved",
    scenes.at_stage(Stage.ANSWERED),
    lambda s: feedback.report_solved(s.firm, at=s.at),
    meanwhile=(stands_at(stage=Stage.FOLLOWING),),
    effect="""
    firm: stage=closed closed_at=now
    new stagemove: appointment=firm old=answered new=closed note=企业反馈已解决 at=now
    trail stage_closed of firm by no officer: old=answered
    """,
)
act(
    "feedback.report_unsolved",
    scenes.at_stage(Stage.HEARD),
    lambda s: feedback.report_unsolved(s.firm, "仍有异味", at=s.at),
    meanwhile=(stands_at(stage=Stage.CLOSED),),
    effect="""
    firm: stage=following
    new stagemove: appointment=firm old=heard new=following note=企业反馈未解决：仍有异味 at=now
    trail stage_following of firm by no officer: old=heard
    """,
)
act(
    "feedback.report_unsolved: closed",
    scenes.at_stage(Stage.CLOSED),
    lambda s: feedback.report_unsolved(s.firm, "仍有异味", at=s.at),
    meanwhile=(stands_at(stage=Stage.FOLLOWING),),
    effect="""
    firm: stage=following
    new stagemove: appointment=firm old=closed new=following note=企业反馈未解决：仍有异味 at=now
    trail stage_following of firm by no officer: old=closed
    """,
)
act(
    "feedback.rate",
    scenes.at_stage(Stage.CLOSED),
    lambda s: feedback.rate(s.firm, Grade.POOR, "等得太久", at=s.at),
    effect="""
    new rating: appointment=firm grade=2 remark=等得太久 at=now
    trail rated of firm by no officer: grade=2
    returns new rating
    """,
)


# --- 现场 -------------------------------------------------------------------------------------------------------------
def conclude(outcome: Outcome) -> Do:
    def do(s: Scene) -> None:
        promises = [
            hearing.Promise("现场查看排放口", made.division("水处"), date(2026, 12, 30)),
            hearing.Promise("答复异味问题", made.division("大气处")),
        ]
        hearing.conclude(
            s.firm, outcome, "已当面说明", promises if outcome == Outcome.FOLLOW else [], by=s.by, at=s.at
        )

    return do


act(
    "hearing.check_in",
    scenes.at_the_door,
    lambda s: hearing.check_in(s.firm, by=s.by, at=s.at),
    may=(COORDINATOR,),
    at=MORNING,
    effect="""
    new hearing: appointment=firm day=day checked_in_at=now by=actor at=now
    trail checked_in of firm by actor
    returns new hearing
    """,
)
act(
    "hearing.conclude: solved",
    scenes.checked_in,
    conclude(Outcome.SOLVED),
    may=(COORDINATOR,),
    at=MORNING,
    meanwhile=(stands_at(stage=Stage.ABSENT),),
    says=("已当面说明",),
    effect="""
    drafted_work: state=cancelled
    firm: stage=heard handled_by=土壤处
    hearing: outcome=solved gist=已当面说明 by=actor at=now
    new stagemove: appointment=firm old=seated new=heard note=现场解决 by=actor at=now
    work: state=cancelled
    letter heard_solved about firm to firm by email page sms
    trail stage_heard of firm by actor: old=seated
    trail hearing_concluded of firm by actor: outcome=solved
    trail assignment_cancelled of work by actor
    trail assignment_cancelled of drafted_work by actor
    """,
)
act(
    "hearing.conclude: follow",
    scenes.at_the_door,
    conclude(Outcome.FOLLOW),
    may=(COORDINATOR,),
    at=MORNING,
    meanwhile=(stands_at(stage=Stage.HEARD),),
    says=("现场查看排放口", "答复异味问题"),
    effect="""
    drafted_work: state=cancelled
    firm: stage=following handled_by=土壤处
    new followup: appointment=firm division=大气处 origin=day promise=答复异味问题 due_on=2026-12-24
        opened_by=actor opened_at=now
    new followup: appointment=firm division=水处 origin=day promise=现场查看排放口 due_on=2026-12-30
        opened_by=actor opened_at=now
    new hearing: appointment=firm day=day outcome=follow gist=已当面说明 by=actor at=now
    new stagemove: appointment=firm old=heard new=following by=actor at=now
    new stagemove: appointment=firm old=seated new=heard note=需跟踪督办 by=actor at=now
    work: state=cancelled
    letter follow_up_new about new followup to 大气处经办 by email sms
    letter follow_up_new about new followup to 水处经办 by email sms
    letter heard_follow about firm to firm by email page sms
    trail stage_heard of firm by actor: old=seated
    trail hearing_concluded of firm by actor: outcome=follow
    trail assignment_cancelled of work by actor
    trail assignment_cancelled of drafted_work by actor
    trail stage_following of firm by actor: old=heard
    trail follow_up_opened of new followup by actor: division=water
    trail follow_up_opened of new followup by actor: division=air
    """,
)
act(
    "hearing.conclude: absent",
    scenes.at_the_door,
    conclude(Outcome.ABSENT),
    may=(COORDINATOR,),
    at=MORNING,
    meanwhile=(stands_at(stage=Stage.HEARD),),
    effect="""
    firm: stage=absent
    new hearing: appointment=firm day=day outcome=absent gist=已当面说明 by=actor at=now
    new stagemove: appointment=firm old=seated new=absent note=未到场 by=actor at=now
    letter heard_absent about firm to firm by email page sms
    letter reply_for_absent about drafted_work to 大气处经办 by email sms
    letter reply_for_absent about work to 水处经办 by email sms
    trail stage_absent of firm by actor: old=seated
    trail hearing_concluded of firm by actor: outcome=absent
    """,
)
act(
    "standby.call_in: free seat",
    scenes.waits_at_the_door,
    lambda s: standby.call_in(s.firm, by=s.by, at=s.at),
    may=(COORDINATOR,),
    at=MORNING,
    meanwhile=(withdrawn,),
    neighbours=ANOTHER_DAY,
    says=("2号",),
    effect="""
    firm: seat=free_seat stage=seated
    free_seat: uscc=91330921DEM0KDMN9D offered_at=now confirmed_at=now
    new stagemove: appointment=firm old=deferred new=seated note=候补入场，2号名额 by=actor at=now
    letter standby_called about firm to firm by email page sms
    trail stage_seated of firm by actor: day=2026-12 ground=time old=deferred place=2 seat=2
        since=2026-11-18T09:22 standby=True
    returns free_seat
    """,
)
act(
    "standby.call_in: absent firm",
    scenes.one_did_not_come,
    lambda s: standby.call_in(s.firm, by=s.by, at=s.at),
    may=(COORDINATOR,),
    at=MORNING,
    meanwhile=(withdrawn,),
    neighbours=ANOTHER_DAY,
    effect="""
    absent: seat=None
    firm: seat=freed_seat stage=seated
    freed_seat: uscc=91330903DEM0KE6Q40 offered_at=now reply_by=None confirmed_at=now
    new stagemove: appointment=firm old=deferred new=seated note=候补入场，1号名额 by=actor at=now
    letter standby_called about firm to firm by email page sms
    trail seat_vacated of absent by no officer: day=2026-12 seat=1
    trail stage_seated of firm by actor: day=2026-12 ground=time old=deferred place=1 seat=1
        since=2026-11-18T09:21 standby=True
    returns freed_seat
    """,
)
act(
    "timetable.freeze",
    scenes.list_of_two,
    lambda s: timetable.freeze(s.day, at=s.at),
    neighbours=ANOTHER_DAY,
    effect="""
    new sitting: seat=first_seat turn=0 table=1 minutes=30
    new sitting: seat=second_seat turn=0 table=2 minutes=30
    trail timetable_fixed of day by no officer: firms=2 minutes=30
    returns 2
    """,
)
act(
    "timetable.rearrange",
    scenes.arranged,
    lambda s: timetable.rearrange(s.day, by=s.by, at=s.at),
    may=(COORDINATOR,),
    neighbours=ANOTHER_DAY,
    effect="""
    gone first_sitting
    gone second_sitting
    new sitting: seat=first_seat turn=0 table=1 minutes=30
    new sitting: seat=second_seat turn=0 table=2 minutes=30
    trail timetable_fixed of day by actor: firms=2 minutes=30
    returns 2
    """,
)


# --- 督办 -------------------------------------------------------------------------------------------------------------
def post_progress(s: Scene, *, to_firm: bool) -> object:
    return follow_up.post_progress(s.matter, f"{s.at:%H}时已到现场", to_firm=to_firm, by=s.by, at=s.at)


FOLLOWERS = (HANDLER, HEAD, COORDINATOR)
act(
    "follow_up.post_progress",
    scenes.followed,
    lambda s: post_progress(s, to_firm=False),
    may=FOLLOWERS,
    own=True,
    meanwhile=(done_by_another,),
    back=scenes.empty,
    effect="""
    new followuppost: follow_up=matter text=10时已到现场 to_firm=False by=actor at=now
    letter follow_up_progress about matter to 办公室督办 by email sms
    letter follow_up_progress about matter to 综合处经办 by email sms
    trail follow_up_posted of matter by actor: to_firm=False
    returns new followuppost
    """,
)
act(
    "follow_up.post_progress: to the firm",
    scenes.followed,
    lambda s: post_progress(s, to_firm=True),
    may=FOLLOWERS,
    own=True,
    meanwhile=(done_by_another,),
    back=scenes.empty,
    says=("10时已到现场",),
    effect="""
    new followuppost: follow_up=matter text=10时已到现场 to_firm=True by=actor at=now
    letter follow_up_progress about matter to 办公室督办 by email sms
    letter follow_up_progress about matter to 综合处经办 by email sms
    letter progress_to_firm about firm to firm by email page sms
    trail follow_up_posted of matter by actor: to_firm=True
    returns new followuppost
    """,
)


def reopened(s: Scene) -> None:
    """The firm said 未解决, and another matter was opened."""
    Appointment.objects.filter(pk=s.firm.pk).update(stage=Stage.FOLLOWING)
    s.matter = scenes.follow_up(s.firm)


act(
    "follow_up.close",
    scenes.followed,
    lambda s: follow_up.close(s.matter, "已整改到位", by=s.by, at=s.at),
    may=FOLLOWERS,
    own=True,
    meanwhile=(done_by_another,),
    back=reopened,
    says=("已整改到位",),
    effect="""
    firm: stage=closed closed_at=now
    matter: closed_by=actor closed_at=now result=已整改到位
    new stagemove: appointment=firm old=following new=closed note=督办事项已办结 by=actor at=now
    letter closed about firm to firm by email page sms
    letter follow_up_closed about matter to 办公室督办 by email sms
    letter follow_up_closed about matter to 综合处经办 by email sms
    trail follow_up_closed of matter by actor
    trail stage_closed of firm by actor: old=following
    """,
)
act(
    "follow_up.close: another is open",
    scenes.followed_twice,
    lambda s: follow_up.close(s.matter, "已整改到位", by=s.by, at=s.at),
    may=FOLLOWERS,
    own=True,
    meanwhile=(done_by_another,),
    effect="""
    matter: closed_by=actor closed_at=now result=已整改到位
    letter follow_up_closed about matter to 办公室督办 by email sms
    letter follow_up_closed about matter to 综合处经办 by email sms
    trail follow_up_closed of matter by actor
    """,
)
act(
    "closing.close_registration",
    scenes.at_stage(Stage.HEARD),
    lambda s: closing.close_registration(s.firm, by=s.by, at=s.at),
    may=(COORDINATOR,),
    meanwhile=(stands_at(stage=Stage.FOLLOWING),),
    effect="""
    firm: stage=closed closed_at=now
    new stagemove: appointment=firm old=heard new=closed by=actor at=now
    letter closed about firm to firm by email page sms
    trail stage_closed of firm by actor: old=heard
    """,
)
act(
    "closing.close_registration: absent",
    scenes.absent_and_answered,
    lambda s: closing.close_registration(s.firm, by=s.by, at=s.at),
    may=(COORDINATOR,),
    meanwhile=(stands_at(stage=Stage.FOLLOWING),),
    effect="""
    firm: stage=closed handled_by=水处 closed_at=now
    new stagemove: appointment=firm old=absent new=closed by=actor at=now
    letter closed about firm to firm by email page sms
    trail stage_closed of firm by actor: old=absent
    """,
)
act(
    "follow_up.process_feedback: unsolved",
    scenes.firms_said_unsolved,
    as_duty(lambda s: follow_up.process_feedback(at=s.at)),
    at=NOW + timedelta(hours=2),
    neighbours=ALONE,
    effect="""
    new followup: appointment=firm division=大气处 origin=firm promise=企业反馈未解决：仍有异味 due_on=2026-12-04
        opened_at=now
    new followup: appointment=silent division=综合处 origin=firm promise=企业反馈未解决 due_on=2026-12-04
        opened_at=now
    letter follow_up_new about new followup to 大气处经办 by email sms
    letter follow_up_new about new followup to 综合处答复人 by email sms
    trail follow_up_opened of new followup by no officer: division=air
    trail follow_up_opened of new followup by no officer: division=general
    returns 2
    """,
)
act(
    "follow_up.process_feedback: poor rating",
    scenes.firms_rated,
    as_duty(lambda s: follow_up.process_feedback(at=s.at)),
    neighbours=ALONE,
    effect="""
    new followup: appointment=firm division=综合处 origin=rating promise=差评回访：了解原因并整改 due_on=2026-11-27
        opened_at=now
    letter follow_up_new about new followup to 综合处答复人 by email sms
    trail follow_up_opened of new followup by no officer: division=general
    returns 1
    """,
)
act(
    "follow_up.remind",
    scenes.late_matters,
    as_duty(lambda s: follow_up.remind(at=s.at)),
    neighbours=ALONE,
    effect="""
    letter follow_up_late about eight to 局领导 by email sms
    letter follow_up_late about four to 办公室督办 by email sms
    letter follow_up_late about four to 综合处经办 by email sms
    letter follow_up_late about one to 水处负责人 by email sms
    letter follow_up_late about today to 水处经办 by email sms
    letter follow_up_late about tomorrow to 水处经办 by email sms
    returns 5
    """,
)
act(
    "follow_up.remind: the duty",
    scenes.all_that_is_followed,
    as_duty(lambda s: follow_up.LADDER.run("", s.at, s.at)),
    neighbours=ALONE,
    effect="""
    new followup: appointment=firm division=综合处 origin=rating promise=差评回访：了解原因并整改 due_on=2026-11-27
        opened_at=now
    letter follow_up_late about eight to 局领导 by email sms
    letter follow_up_late about four to 办公室督办 by email sms
    letter follow_up_late about four to 综合处经办 by email sms
    letter follow_up_late about one to 水处负责人 by email sms
    letter follow_up_late about today to 水处经办 by email sms
    letter follow_up_late about tomorrow to 水处经办 by email sms
    letter follow_up_new about new followup to 综合处答复人 by email sms
    letter follow_up_old about old to 办公室督办 by email sms
    letter follow_up_old about old to 综合处经办 by email sms
    trail follow_up_opened of new followup by no officer: division=general
    returns 7
    """,
)
act(
    "follow_up.alert_long_open",
    scenes.old_matters,
    as_duty(lambda s: follow_up.alert_long_open(at=s.at)),
    neighbours=ALONE,
    says=("满30天", "满60天"),
    effect="""
    letter follow_up_old about month to 办公室督办 by email sms
    letter follow_up_old about month to 综合处经办 by email sms
    letter follow_up_old about two_months to 办公室督办 by email sms
    letter follow_up_old about two_months to 局领导 by email sms
    letter follow_up_old about two_months to 综合处经办 by email sms
    returns 3
    """,
)


# --- 企业补充的 -------------------------------------------------------------------------------------------------------
act(
    "supplements.add_question",
    scenes.given,
    lambda s: additions.add_question(s.firm, "污泥怎样处置？", at=s.at),
    meanwhile=(withdrawn, stands_at(stage=Stage.SUBMITTED)),
    effect="""
    new supplement: appointment=firm text=污泥怎样处置？ at=now
    letter supplement_added about new supplement to 综合处经办 by email sms
    trail supplemented of firm by no officer
    returns new supplement
    """,
)
act(
    "supplements.assign",
    scenes.supplemented,
    lambda s: supplements.assign(
        s.supplement, portion("土壤处", s.supplement.text, reason="企业补充"), by=s.by, at=s.at
    ),
    may=(COORDINATOR,),
    meanwhile=(withdrawn, supplement_handled),
    effect="""
    firm: handled_by=土壤处、水处、大气处 reply_due_on=2026-12-15
    new assignment: appointment=firm division=土壤处 part=lead question=污泥怎样处置？ by_hand_reason=企业补充
        state=open due_on=2026-11-27 assigned_by=actor assigned_at=now
    supplement: handled_at=now handled_by=actor
    letter assignment_new about new assignment to 土壤处经办 by email sms
    trail supplement_handled of firm by actor
    trail assigned of new assignment by actor: division=soil part=lead
    """,
)
act(
    "supplements.note",
    scenes.supplemented,
    lambda s: supplements.note(s.supplement, by=s.by, at=s.at),
    may=(COORDINATOR,),
    meanwhile=(supplement_handled,),
    effect="""
    supplement: handled_at=now handled_by=actor
    trail supplement_handled of firm by actor
    """,
)


def object_to(s: Scene) -> object:
    caller = {"contact_name": "李四", "phone": "+8613700000001", "text": "我们没有登记"}
    return additions.object_to(s.firm, **caller, at=s.at)


act(
    "supplements.object_to",
    scenes.accepted,
    object_to,
    effect="""
    new objection: appointment=firm contact_name=李四 phone=+8613700000001 text=我们没有登记 at=now
    letter objection_raised about new objection to 综合处经办 by email sms
    trail objected of firm by no officer
    returns new objection
    """,
)
act(
    "supplements.decide: void",
    scenes.objected,
    lambda s: supplements.decide(s.objection, Verdict.VOID, "已电话核实", by=s.by, at=s.at),
    may=(COORDINATOR,),
    meanwhile=(objection_decided, stands_at(stage=Stage.HEARD)),
    effect="""
    firm: seat=None stage=withdrawn priority_since=None
    new stagemove: appointment=firm old=seated new=withdrawn note=经核实，不是该企业的登记，作废 by=actor at=now
    objection: verdict=void gist=已电话核实 decided_by=actor decided_at=now
    seat_held: uscc=None offered_at=None reply_by=None confirmed_at=None
    work: state=cancelled
    letter booking_voided about firm to firm by email page sms
    trail objection_decided of firm by actor: verdict=void
    trail stage_withdrawn of firm by actor: day=2026-12 old=seated seat=2
    trail assignment_cancelled of work by actor
    """,
)
act(
    "supplements.decide: kept",
    scenes.objected,
    lambda s: supplements.decide(s.objection, Verdict.KEPT, "已电话核实", by=s.by, at=s.at),
    may=(COORDINATOR,),
    meanwhile=(objection_decided,),
    effect="""
    objection: verdict=kept gist=已电话核实 decided_by=actor decided_at=now
    trail objection_decided of firm by actor: verdict=kept
    """,
)


# --- 没有着落 ---------------------------------------------------------------------------------------------------------
act(
    "limbo.report",
    scenes.left_with_nobody,
    as_duty(lambda s: limbo.report("", s.at, s.at)),
    neighbours=ALONE,
    says=("登记已结束，交办还开着", "通过初审的登记没有交办", "2 件"),
    effect="""
    letter limbo_found about 系统管理 to 系统管理 by email sms
    letter limbo_found about 综合处经办 to 综合处经办 by email sms
    returns 2
    """,
)


# --- 方案 -------------------------------------------------------------------------------------------------------------
WORDING = {"theme": "雨污分流", "partners": "", "place": "五楼会议室", "note": ""}


def change(s: Scene, **wording) -> object:
    people = [Reception(name="王处", title="处长", division=made.division("水处"))]
    wording = WORDING | wording
    return plan_changes.change(s.day, people, "三楼停电", version=s.day.version, by=s.by, at=s.at, **wording)


def place_as_before(s: Scene) -> None:
    ConsultDay.objects.filter(pk=s.day.pk).update(place="三楼会议室")


act(
    "plan_changes.change: place",
    scenes.seated_and_others,
    change,
    may=(COORDINATOR,),
    meanwhile=(day_cancelled,),
    back=place_as_before,
    neighbours=ANOTHER_DAY,
    says=("服务地点由“三楼会议室”改为“五楼会议室”", "三楼停电"),
    effect="""
    day: place=五楼会议室 version=2
    new planchange: day=day what=服务地点由“三楼会议室”改为“五楼会议室”；接待人员已调整 reason=三楼停电 by=actor at=now
    new reception: day=day name=王处 title=处长 division=水处 order=0
    letter plan_changed about confirmed to confirmed by email page sms
    letter plan_changed about offered to offered by email page sms
    letter plan_changed_bureau about day to 办公室督办 by email sms
    letter plan_changed_bureau about day to 大气处负责人 by email sms
    letter plan_changed_bureau about day to 水处负责人 by email sms
    letter plan_changed_bureau about day to 综合处经办 by email sms
    trail plan_changed of day by actor: reason=三楼停电 what=服务地点由“三楼会议室”改为“五楼会议室”；接待人员已调整
    """,
)
act(
    "plan_changes.change: receptions",
    scenes.seated_and_others,
    lambda s: change(s, place="三楼会议室"),
    may=(COORDINATOR,),
    meanwhile=(day_cancelled,),
    neighbours=ANOTHER_DAY,
    effect="""
    day: version=2
    new planchange: day=day what=接待人员已调整 reason=三楼停电 by=actor at=now
    new reception: day=day name=王处 title=处长 division=水处 order=0
    letter plan_changed_bureau about day to 办公室督办 by email sms
    letter plan_changed_bureau about day to 大气处负责人 by email sms
    letter plan_changed_bureau about day to 水处负责人 by email sms
    letter plan_changed_bureau about day to 综合处经办 by email sms
    trail plan_changed of day by actor: reason=三楼停电 what=接待人员已调整
    """,
)
act(
    "plan_changes.cancel",
    scenes.seated_and_others,
    lambda s: plan_changes.cancel(s.day, "台风", by=s.by, at=s.at),
    may=(LEADER,),
    neighbours=ANOTHER_DAY,
    says=("台风", "1月10日（周日）"),
    effect="""
    confirmed: day=2027-01-10 seat=None stage=accepted priority_since=2026-11-20T09:00
    confirmed_seat: uscc=None offered_at=None reply_by=None confirmed_at=None
    day: plan=cancelled remark=台风
    new stagemove: appointment=confirmed old=seated new=accepted note=12月10日（周四）活动取消，转到1月10日（周日），优先安排
        by=actor at=now
    new stagemove: appointment=offered old=seated new=accepted note=12月10日（周四）活动取消，转到1月10日（周日），优先安排
        by=actor at=now
    new stagemove: appointment=pending old=submitted new=submitted note=12月10日（周四）活动取消，转到1月10日（周日），优先安排
        by=actor at=now
    new stagemove: appointment=prior old=accepted new=accepted note=12月10日（周四）活动取消，转到1月10日（周日），优先安排
        by=actor at=now
    offered: day=2027-01-10 seat=None stage=accepted priority_since=2026-11-20T09:00
    offered_seat: uscc=None offered_at=None reply_by=None
    pending: day=2027-01-10 priority_since=now
    prior: day=2027-01-10
    letter day_cancelled about confirmed to confirmed by email page sms
    letter day_cancelled about offered to offered by email page sms
    letter day_cancelled about pending to pending by email page sms
    letter day_cancelled about prior to prior by email page sms
    letter day_cancelled_bureau about day to 办公室督办 by email sms
    letter day_cancelled_bureau about day to 大气处负责人 by email sms
    letter day_cancelled_bureau about day to 水处负责人 by email sms
    letter day_cancelled_bureau about day to 综合处经办 by email sms
    trail day_cancelled of day by actor
    trail stage_accepted of offered by actor: old=seated
    trail carried_over of offered by actor: day=2026-12 seat=1 to=2027-01
    trail stage_accepted of confirmed by actor: old=seated
    trail carried_over of confirmed by actor: day=2026-12 seat=2 to=2027-01
    trail carried_over of pending by actor: day=2026-12 to=2027-01
    trail carried_over of prior by actor: day=2026-12 to=2027-01
    """,
)
act(
    "plan_changes.carry_latecomers",
    scenes.came_onto_a_cancelled_day,
    lambda s: plan_changes.carry_latecomers(at=s.at),
    neighbours=ALONE,
    effect="""
    firm: day=2027-01-10 priority_since=now
    in_writing: day=2027-02-10 priority_since=now
    new stagemove: appointment=firm old=submitted new=submitted note=12月10日（周四）活动取消，转到1月10日（周日），优先安排
        at=now
    new stagemove: appointment=in_writing old=accepted new=accepted note=12月10日（周四）活动取消，转到2月10日（周三），优先安排
        at=now
    new stagemove: appointment=twice old=accepted new=accepted note=12月10日（周四）活动取消，优先资格转到贵单位1月10日（周日）的登记
        at=now
    other: priority_since=now
    twice: wants_onsite=False priority_since=now handed_to=other
    letter day_cancelled about firm to firm by email page sms
    letter day_cancelled about in_writing to in_writing by email page sms
    letter day_cancelled about twice to twice by email page sms
    trail carried_over of firm by no officer: day=2026-12 to=2027-01
    trail priority_granted of other by no officer: day=2027-01
    trail carried_over of twice by no officer: day=2026-12 to=2027-01
    trail carried_over of in_writing by no officer: day=2026-12 to=2027-02
    returns 3
    """,
)


# --- 提醒 -------------------------------------------------------------------------------------------------------------
def at_nine(day: date) -> datetime:
    return calendar.local_datetime(day).replace(hour=9)


def two_days_later(s: Scene) -> None:
    s.at += timedelta(days=2)


def next_day(s: Scene) -> None:
    s.at += timedelta(days=1)


remind_firms = as_duty(lambda s: reminders.remind_firms("", s.at, s.at))
act(
    "reminders.remind_firms: three days before",
    scenes.near_the_day,
    remind_firms,
    at=at_nine(DAY - timedelta(days=3)),
    neighbours=ANOTHER_DAY,
    back=two_days_later,
    says=("请在12月9日（周三）18:00前确认", "请带登记时的证件", "三楼会议室"),
    effect="""
    letter day_near about first to first by email page sms
    letter day_near about second to second by email page sms
    returns 2
    """,
)
act(
    "reminders.remind_divisions",
    scenes.replies_due,
    as_duty(lambda s: reminders.remind_divisions("", s.at, s.at)),
    at=SECOND,
    neighbours=ALONE,
    effect="""
    letter reply_late about late to 水处经办 by email sms
    letter reply_late about late to 水处负责人 by email sms
    letter reply_late about late_draft to 大气处经办 by email sms
    letter reply_late about late_draft to 大气处负责人 by email sms
    letter reply_soon about soon to 水处经办 by email sms
    letter reply_soon about today to 水处经办 by email sms
    returns 4
    """,
)
act(
    "reminders.remind_to_settle: in time",
    scenes.to_be_settled,
    as_duty(lambda s: reminders.remind_to_settle("", s.at, s.at)),
    neighbours=ANOTHER_DAY,
    at=at_nine(date(2026, 12, 4)),
    back=next_day,
    says=("待初审0", "4"),
    effect="""
    letter settle_wanted about day to 综合处经办 by email sms
    returns 4
    """,
)
act(
    "reminders.remind_to_settle: late",
    scenes.to_be_settled,
    as_duty(lambda s: reminders.remind_to_settle("", s.at, s.at)),
    neighbours=ANOTHER_DAY,
    at=at_nine(date(2026, 12, 6)),
    effect="""
    letter settle_wanted about day to 局领导 by email sms
    letter settle_wanted about day to 综合处经办 by email sms
    returns 4
    """,
)
send_run_sheets = as_duty(lambda s: reminders.send_run_sheets("", s.at, s.at))
act(
    "reminders.send_run_sheets: three days before",
    scenes.list_of_two,
    send_run_sheets,
    at=at_nine(DAY - timedelta(days=3)),
    neighbours=ANOTHER_DAY,
    back=two_days_later,
    says=("需到场答复1家企业，最早08:30开始", "大气处需到场"),
    effect="""
    letter run_sheet_ready about day to 大气处经办 by email sms
    letter run_sheet_ready about day to 水处经办 by email sms
    returns 2
    """,
)
act(
    "reminders.send_run_sheets: the day before",
    scenes.list_of_two,
    send_run_sheets,
    at=at_nine(DAY - timedelta(days=1)),
    neighbours=ANOTHER_DAY,
    effect="""
    new sitting: seat=first_seat turn=0 table=1 minutes=30
    new sitting: seat=second_seat turn=0 table=2 minutes=30
    letter run_sheet_ready about day to 大气处经办 by email sms
    letter run_sheet_ready about day to 水处经办 by email sms
    trail timetable_fixed of day by no officer: firms=2 minutes=30
    returns 2
    """,
)
act(
    "cutoff_summary.summarize",
    scenes.seated_and_others,
    as_duty(lambda s: cutoff_summary.summarize("", s.at, s.at)),
    at=calendar.local_datetime(date(2026, 12, 1)),
    neighbours=ANOTHER_DAY,
    says=("待初审1条，已通过2条，其中优先1条",),
    effect="""
    letter cutoff_summary about day to 综合处经办 due 2026-12-01T08:00 by email sms
    returns 6
    """,
)


# --- 证件、规则、公开答复 -----------------------------------------------------------------------------------------------
act(
    "id_reveal.reveal_id",
    scenes.registered,
    lambda s: id_reveal.reveal_id(s.firm, "核对身份", by=s.by, at=s.at),
    may=(COORDINATOR,),
    effect="""
    trail id_revealed of firm by actor: reason=核对身份
    returns 330903199206039847
    """,
)


def save_rules(s: Scene) -> object:
    some = versions.shipped_rules()[:1]
    return versions.save(some, "补词", {"moved": 0}, base=0, by=s.by, at=s.at)


act(
    "versions.save",
    scenes.empty,
    save_rules,
    may=(COORDINATOR,),
    effect="""
    new ruleversion: number=1 topics=[air.pollution] remark=补词 figures={'moved': 0} by=actor at=now
    trail rules_changed of new ruleversion by actor: why=补词
    returns new ruleversion
    """,
)
act(
    "monthly_review.add_golden_case",
    scenes.given_back,
    lambda s: monthly_review.add_golden_case(
        s.work, "污水接管谁管？", made.division("土壤处"), by=s.by, at=s.at
    ),
    may=(COORDINATOR,),
    effect="""
    new routinglesson: assignment=work lesson=case text=污水接管谁管？ division=土壤处 by=actor at=now
    trail routing_reviewed of work by actor: lesson=case
    returns new routinglesson
    """,
)
act(
    "monthly_review.dismiss",
    scenes.given_back,
    lambda s: monthly_review.dismiss(s.work, by=s.by, at=s.at),
    may=(COORDINATOR,),
    effect="""
    new routinglesson: assignment=work lesson=fine by=actor at=now
    trail routing_reviewed of work by actor: lesson=fine
    returns new routinglesson
    """,
)
PUBLISHERS = (COORDINATOR, LEADER)


def wording() -> answers.Wording:
    return answers.Wording(
        "怎样办理排水许可？", "向住建部门申请。", "排水条例", made.division("水处"), "water"
    )


def with_version(verb: Callable, *more) -> Do:
    return lambda s: verb(s.answer, *more, version=s.answer.version, by=s.by, at=s.at)


def with_wording(s: Scene) -> None:
    answers.amend(s.answer, wording(), version=s.answer.version, by=s.by, at=s.at)


act(
    "answers.propose",
    scenes.registered,
    lambda s: answers.propose(wording(), source=s.firm, by=s.by, at=s.at),
    may=PUBLISHERS,
    effect="""
    new publishedanswer: question=怎样办理排水许可？ answer=向住建部门申请。 law=排水条例 division=水处 topic=water state=draft
        source=firm version=1 drafted_by=actor changed_at=now
    letter answer_to_publish about new publishedanswer to 局领导 by email sms
    trail answer_proposed of new publishedanswer by actor
    returns new publishedanswer
    """,
)
act(
    "answers.amend",
    scenes.answer_drafted,
    with_wording,
    may=PUBLISHERS,
    meanwhile=(answer_moved,),
    effect="""
    answer: question=怎样办理排水许可？ answer=向住建部门申请。 law=排水条例 version=2 remark='' drafted_by=actor
        changed_at=now
    letter answer_to_publish about answer to 局领导 by email sms
    trail answer_amended of answer by actor
    """,
)
act(
    "answers.publish",
    scenes.answer_drafted,
    with_version(answers.publish),
    may=PUBLISHERS,
    meanwhile=(answer_moved,),
    effect="""
    answer: state=published version=2 remark='' approved_by=actor published_at=now changed_at=now
    trail answer_published of answer by actor
    """,
)
act(
    "answers.publish: instead of another",
    scenes.answer_to_replace,
    with_version(answers.publish),
    may=PUBLISHERS,
    meanwhile=(answer_moved,),
    effect="""
    answer: state=published version=2 remark='' approved_by=actor published_at=now changed_at=now
    old_answer: state=superseded version=2 ended_at=now changed_at=now
    trail answer_published of answer by actor
    trail answer_superseded of old_answer by actor
    """,
)
act(
    "answers.send_back",
    scenes.answer_drafted,
    with_version(answers.send_back, "请写明依据"),
    may=PUBLISHERS,
    meanwhile=(answer_moved,),
    effect="""
    answer: version=2 remark=请写明依据 changed_at=now
    trail answer_sent_back of answer by actor: why=请写明依据
    """,
)
act(
    "answers.drop",
    scenes.answer_drafted,
    with_version(answers.drop, "已有同类答复"),
    may=PUBLISHERS,
    meanwhile=(answer_moved,),
    effect="""
    answer: state=dropped version=2 remark=已有同类答复 changed_at=now
    trail answer_dropped of answer by actor: why=已有同类答复
    """,
)
act(
    "answers.withdraw",
    scenes.answer_published,
    lambda s: answers.withdraw(s.answer, "规定已修改", by=s.by, at=s.at),
    may=PUBLISHERS,
    meanwhile=(answer_moved,),
    effect="""
    answer: state=withdrawn version=2 remark=规定已修改 ended_at=now changed_at=now
    trail answer_withdrawn of answer by actor: why=规定已修改
    """,
)
