"""研究答复 (六（四）): a division drafts, its head signs, and the signature releases the reply to the firm."""

from contextlib import suppress
from datetime import datetime

from django.db import transaction
from django.db.models import Exists, OuterRef

from appointments import letters
from appointments.lifecycle import Stage
from appointments.models import Appointment, IllegalMove
from zhoushan_consult.audit.trail import record
from zhoushan_consult.audit.verbs import Verb
from zhoushan_consult.bureau.models import Officer
from zhoushan_consult.bureau.refusals import Refused
from zhoushan_consult.bureau.roles import Act, Role

from . import notifications
from .assignment import require_own_division, turn
from .models import Assignment, AssignmentState, Part, Reply, ReplyVersion
from .work import update_firm_page

NEXT_STEP = {
    AssignmentState.DRAFTED: "需要修改的，请处室负责人退回。",
    AssignmentState.RELEASED: "需要补充的，请与综合处联系。",
}
"""What the officer can do about a wording that is closed to edits, by state."""


class EditedMeanwhile(Refused):
    """Another wording was saved after this page was opened. The second officer sees both, and loses nothing typed."""

    sentence = "{name}刚刚保存了另一稿，您的文字还在下方，没有丢失。请对照后合并，再保存一次。"

    def __init__(self, theirs: Reply):
        self.theirs = theirs
        super().__init__(self.sentence.format(name=theirs.drafted_by.name))


class RewrittenMeanwhile(EditedMeanwhile):
    """The wording to be signed is not the one that the head read."""

    sentence = "您打开这一页之后，{name}送来了新的一稿，这次没有审签。下方已是新稿，请重新阅读后再审签。"


class NothingToSign(Refused):
    def __init__(self):
        super().__init__("还没有答复稿，请先拟写并保存。")


@transaction.atomic
def save_draft(
    assignment: Assignment, body: str, law: str, *, version: int, by: Officer, at: datetime
) -> Reply:
    """Save a wording. `version` is the one that the officer started from (0 for none). Raises EditedMeanwhile, IllegalMove.

    A second click with the same wording saves nothing.
    """
    by.must(Act.DRAFT)
    require_own_division(assignment, by)
    state = AssignmentState(Assignment.objects.select_for_update().get(pk=assignment.pk).state)
    if state != AssignmentState.OPEN:
        raise IllegalMove(f"这项交办现在是“{state.label}”，答复稿不能再修改。{NEXT_STEP.get(state, '')}")
    reply = Reply.objects.select_related("drafted_by").filter(assignment=assignment).first()
    if reply and (reply.body, reply.law) == (body, law):
        return reply
    if reply and reply.version != version:
        raise EditedMeanwhile(reply)
    reply = _write(assignment, reply, body, law, by=by, at=at)
    record(Verb.REPLY_DRAFTED, assignment, by=by, at=at, version=reply.version)
    return reply


def _write(
    assignment: Assignment, reply: Reply | None, body: str, law: str, *, by: Officer, at: datetime
) -> Reply:
    number = reply.version + 1 if reply else 1
    reply, _ = Reply.objects.update_or_create(
        assignment=assignment,
        defaults={"body": body, "law": law, "version": number, "drafted_by": by, "drafted_at": at},
    )
    ReplyVersion.objects.create(reply=reply, number=number, body=body, law=law, by=by, at=at)
    return reply


@transaction.atomic
def submit_for_signature(assignment: Assignment, *, by: Officer, at: datetime) -> None:
    """送审签: the draft goes to the head of the division. Raises NothingToSign, IllegalMove."""
    by.must(Act.DRAFT)
    require_own_division(assignment, by)
    if not Reply.objects.filter(assignment=assignment).exists():
        raise NothingToSign
    turn(assignment, {AssignmentState.OPEN}, AssignmentState.DRAFTED)
    record(Verb.REPLY_SUBMITTED, assignment, by=by, at=at)
    notifications.to_division(assignment, "reply_to_sign", at=at, role=Role.HEAD, key=_moment(at))


@transaction.atomic
def finish_draft(
    assignment: Assignment, body: str, law: str, *, version: int, by: Officer, at: datetime
) -> None:
    """Save the wording and submit it to the head, in one act. Raises EditedMeanwhile, IllegalMove."""
    save_draft(assignment, body, law, version=version, by=by, at=at)
    submit_for_signature(assignment, by=by, at=at)


@transaction.atomic
def send_back(assignment: Assignment, remark: str, *, by: Officer, at: datetime) -> None:
    """The head returns the draft with a remark. Raises IllegalMove."""
    by.must(Act.SIGN)
    require_own_division(assignment, by)
    turn(assignment, {AssignmentState.DRAFTED}, AssignmentState.OPEN)
    Reply.objects.filter(assignment=assignment).update(remark=remark)
    record(Verb.REPLY_SENT_BACK, assignment, by=by, at=at)
    notifications.to_division(assignment, "reply_sent_back", at=at, key=_moment(at))


def _moment(at: datetime) -> str:
    """The key of a notification: each round between drafting and signing sends its own, also with the same wording."""
    return f"{at:%Y%m%d%H%M%S}"


@transaction.atomic
def sign(assignment: Assignment, *, version: int, by: Officer, at: datetime) -> None:
    """审签: release the reply. The firm is notified, and reads the full text on its progress page.

    `version` is the wording that the head read. Raises RewrittenMeanwhile, IllegalMove.
    """
    by.must(Act.SIGN)
    require_own_division(assignment, by)
    turn(assignment, {AssignmentState.DRAFTED}, AssignmentState.RELEASED, released_at=at)
    reply = Reply.objects.select_related("drafted_by").get(assignment=assignment)
    if reply.version != version:
        raise RewrittenMeanwhile(reply)
    Reply.objects.filter(pk=reply.pk).update(signed_by=by, signed_at=at, remark="")
    record(Verb.REPLY_SIGNED, assignment, by=by, at=at, version=version)
    firm = assignment.appointment
    letters.write("reply_released", firm, at=at, key=f"a{assignment.pk}", assignment=assignment.pk)
    update_firm_page(assignment.appointment)
    _answered_in_writing(assignment.appointment, by=by, at=at)


def mark_answered(*, at: datetime) -> int:
    """Firms that left their seat after all replies were signed: move them to 已书面答复. Returns how many."""
    leads = Assignment.objects.filter(appointment=OuterRef("pk"), part=Part.LEAD)
    waiting = Appointment.objects.filter(stage=Stage.ACCEPTED, wants_onsite=False, seat=None)
    signed = waiting.filter(Exists(leads.filter(state=AssignmentState.RELEASED)))
    answered = signed.exclude(
        Exists(leads.exclude(state__in=[AssignmentState.RELEASED, AssignmentState.CANCELLED]))
    )
    count = 0
    for appointment in answered:
        with suppress(IllegalMove), transaction.atomic():
            appointment.move_to(Stage.ANSWERED, by=None, at=at)
            count += 1
    return count


def request_for_absent(appointment: Appointment, *, at: datetime) -> int:
    """An absent firm is answered in writing (六（五）): tell the divisions that have not replied yet.

    Runs in the caller's transaction. Returns how many 交办 still wait for a reply.
    """
    waiting = appointment.assignments.filter(
        state__in=[AssignmentState.OPEN, AssignmentState.DRAFTED]
    ).select_related("division")
    for assignment in waiting:
        notifications.to_division(assignment, "reply_for_absent", at=at)
    return len(waiting)


def _answered_in_writing(appointment: Appointment, *, by: Officer, at: datetime) -> None:
    """A firm that asked for a written reply is answered once every lead division has replied."""
    appointment.refresh_from_db()
    waiting = appointment.assignments.filter(part=Part.LEAD).exclude(
        state__in=[AssignmentState.RELEASED, AssignmentState.CANCELLED]
    )
    if appointment.stage == Stage.ACCEPTED and not appointment.wants_onsite and not waiting.exists():
        appointment.move_to(Stage.ANSWERED, by=by, at=at)
