"""研究答复 (六（四）): a division drafts, its head signs, and the signature releases the reply to the firm.

A released reply is not changed: it is corrected (更正) or supplemented (补充) by a further reply, signed in the same way.
"""

from contextlib import suppress
from datetime import date, datetime

from django.db import transaction
from django.db.models import Exists, OuterRef

from appointments import letters
from appointments.lifecycle import Stage
from appointments.models import Appointment, IllegalMove
from sessions_app import policy
from zhoushan_consult.audit.trail import record
from zhoushan_consult.audit.verbs import Verb
from zhoushan_consult.bureau.models import Officer
from zhoushan_consult.bureau.refusals import Refused
from zhoushan_consult.bureau.roles import Act, Role
from zhoushan_consult.clock import local_date
from zhoushan_consult.workdays.days import add_workdays

from . import notifications, second_person
from .assignment import require_own_division, turn
from .models import Assignment, AssignmentState, Part, Reply, ReplyKind, ReplyVersion
from .work import SILENT_TO_FIRM, UNANSWERED, UNFINISHED, update_firm_page, waiting_supplements

NEXT_STEP = {
    AssignmentState.DRAFTED: "需要修改的，请处室负责人退回。",
    AssignmentState.RELEASED: "需要更正或补充的，请在这项交办的页面办理。",
}
"""What the officer can do about a wording that is closed to edits, by state."""

REVISION_LETTERS = {
    ReplyKind.CORRECTION: "reply_corrected",
    ReplyKind.SUPPLEMENT: "reply_supplemented",
}


class EditedMeanwhile(Refused):
    """Another wording was saved after this page was opened. The second officer sees both, and loses nothing typed."""

    sentence = "{name}刚刚保存了另一稿，您的文字还在下方，没有丢失。请对照后合并，再保存一次。"

    def __init__(self, theirs: Reply):
        self.theirs = theirs
        super().__init__(self.sentence.format(name=theirs.drafted_by.name))


class RewrittenMeanwhile(EditedMeanwhile):
    """The wording to be signed is not the one that the head read."""

    sentence = "您打开这一页之后，{name}送来了新的一稿，这次没有审签。下方已是新稿，请重新阅读后再审签。"


class RewrittenBeforeReturn(RewrittenMeanwhile):
    """The remark is about another wording than the one that waits now."""

    sentence = "您打开这一页之后，{name}送来了新的一稿，这次没有退回。下方已是新稿，您的意见还在；看过新稿仍需修改的，请再退回。"


class NothingToSign(Refused):
    def __init__(self):
        super().__init__("还没有答复稿，请先拟写并保存。")


class NothingCorrected(Refused):
    def __init__(self):
        super().__init__("与已发出的答复完全相同，没有更正的内容。请修改后再送审签，或点“不再更正或补充”。")


class RegistrationEnded(Refused):
    def __init__(self):
        super().__init__("企业已撤回登记，或登记未予通过，不再发出答复。")


@transaction.atomic
def save_draft(
    assignment: Assignment, body: str, law: str, *, version: int, by: Officer, at: datetime
) -> Reply:
    """Save a wording of the first reply. `version` is the one that the officer started from (0 for none).

    Raises EditedMeanwhile, IllegalMove. A second click with the same wording saves nothing.
    """
    _must_draft(assignment, by)
    state = AssignmentState(_lock(assignment).state)
    if state != AssignmentState.OPEN:
        raise IllegalMove(f"这项交办现在是“{state.label}”，答复稿不能再修改。{NEXT_STEP.get(state, '')}")
    return _save(assignment, ReplyKind.FIRST, body, law, version=version, by=by, at=at)


@transaction.atomic
def save_revision(
    assignment: Assignment,
    kind: ReplyKind,
    body: str,
    law: str,
    *,
    version: int,
    by: Officer,
    at: datetime,
) -> Reply:
    """Save a wording of a 更正 or 补充 of a released reply; the first one starts it. `version` is the last wording that
    the officer saw. Raises EditedMeanwhile, IllegalMove, RegistrationEnded.
    """
    _must_draft(assignment, by)
    if _lock(assignment).state != AssignmentState.RELEASED or not assignment.signed_replies:
        raise IllegalMove("答复审签发出以后，才能更正或补充。")
    _must_not_have_ended(assignment.appointment)
    reply = _in_hand(assignment)
    if reply and reply.submitted_at:
        raise IllegalMove(f"{reply.get_kind_display()}已送审签，不能再修改。需要修改的，请处室负责人退回。")
    return _save(assignment, kind, body, law, version=version, by=by, at=at)


def _must_draft(assignment: Assignment, by: Officer) -> None:
    by.must(Act.DRAFT)
    require_own_division(assignment, by)


def _lock(assignment: Assignment) -> Assignment:
    """Two officers who work on one reply wait for each other."""
    return Assignment.objects.select_for_update().get(pk=assignment.pk)


def _must_not_have_ended(appointment: Appointment) -> None:
    if Appointment.objects.filter(pk=appointment.pk, stage__in=SILENT_TO_FIRM).exists():
        raise RegistrationEnded


def _last(assignment: Assignment) -> Reply | None:
    """The reply with the latest wording, signed, dropped or in hand."""
    replies = Reply.objects.filter(assignment=assignment).select_related("drafted_by")
    last = replies.order_by("-version").first()
    if last:
        last.assignment = assignment  # the caller's own, so that it shows what this act makes of it
    return last


def _in_hand(assignment: Assignment) -> Reply | None:
    last = _last(assignment)
    return last if last and last.is_in_hand else None


def _save(
    assignment: Assignment, kind: ReplyKind, body: str, law: str, *, version: int, by: Officer, at: datetime
) -> Reply:
    last, reply = _last(assignment), _in_hand(assignment)
    if reply and (reply.kind, reply.body, reply.law) == (kind, body, law):
        return reply
    if last and last.version != version:
        raise EditedMeanwhile(last)
    wording = {"kind": kind, "body": body, "law": law}
    return _write(reply or _begin(assignment, kind, at), wording, (last.version if last else 0) + 1, by, at)


def _begin(assignment: Assignment, kind: ReplyKind, at: datetime) -> Reply:
    return Reply(assignment=assignment, due_on=revision_due_on(at) if kind != ReplyKind.FIRST else None)


def revision_due_on(at: datetime) -> date:
    """The last day for a 更正 or 补充 that is begun at `at`: what was said wrong should not stand for long."""
    return add_workdays(local_date(at), policy.REVISION_WORKDAYS)


def _write(reply: Reply, wording: dict, number: int, by: Officer, at: datetime) -> Reply:
    changes = {**wording, "version": number, "drafted_by": by, "drafted_at": at}
    for name, value in changes.items():
        setattr(reply, name, value)
    reply.save(update_fields=list(changes) if reply.pk else None)
    ReplyVersion.objects.create(reply=reply, number=number, body=reply.body, law=reply.law, by=by, at=at)
    _record(Verb.REPLY_DRAFTED, reply, by=by, at=at, version=number)
    return reply


def _record(verb: Verb, reply: Reply, *, by: Officer, at: datetime, **facts) -> None:
    """The trail of a 交办 says of a 更正 or 补充 what it is."""
    kind = {"kind": reply.kind} if reply.is_revision else {}
    record(verb, reply.assignment, by=by, at=at, **kind, **facts)


@transaction.atomic
def submit_for_signature(assignment: Assignment, *, by: Officer, at: datetime) -> None:
    """送审签: the draft goes to those who may sign it. Raises NothingToSign, NothingCorrected, NoSigner, IllegalMove."""
    _must_draft(assignment, by)
    _lock(assignment)
    reply = _in_hand(assignment)
    if reply is None:
        raise NothingToSign
    _must_correct(reply)
    reply = _with_signer(reply, by=by, at=at)
    _turn(reply, AssignmentState.OPEN, AssignmentState.DRAFTED, at=at)
    _record(Verb.REPLY_SUBMITTED, reply, by=by, at=at)
    _notify("reply_to_sign", reply, second_person.signers(assignment.division, reply.drafted_by), by, at)


def _must_correct(reply: Reply) -> None:
    if reply.kind != ReplyKind.CORRECTION:
        return
    told = reply.assignment.replies_in_force[0]
    if (told.body, told.law) == (reply.body, reply.law):
        raise NothingCorrected


def _with_signer(reply: Reply, *, by: Officer, at: datetime) -> Reply:
    """Where only its drafter could sign a draft, the colleague who submits it takes it over as their own."""
    division = reply.assignment.division
    if second_person.signers(division, reply.drafted_by):
        return reply
    if not second_person.signers(division, by):
        raise second_person.NoSigner(division, by)
    return _write(reply, {}, reply.version + 1, by, at)


def _turn(reply: Reply, here: AssignmentState, there: AssignmentState, *, at: datetime) -> None:
    """A conditional UPDATE: of a first reply on its 交办, of a 更正 or 补充 on its own row. Raises IllegalMove."""
    if reply.is_revision:
        one = Reply.objects.filter(pk=reply.pk, signed_at=None, dropped_at=None)
        is_open = here == AssignmentState.OPEN
        if not one.filter(submitted_at__isnull=is_open).update(**_marks(there, at)):
            raise IllegalMove(f"这份{reply.get_kind_display()}已被他人处理，请刷新后查看最新情况。")
    else:
        released = {"released_at": at} if there == AssignmentState.RELEASED else {}
        turn(reply.assignment, {here}, there, **released)


def _marks(there: AssignmentState, at: datetime) -> dict[str, datetime | None]:
    """What the row of a 更正 or 补充 says of where it stands."""
    marks: dict[AssignmentState, dict[str, datetime | None]] = {
        AssignmentState.OPEN: {"submitted_at": None},
        AssignmentState.DRAFTED: {"submitted_at": at},
        AssignmentState.RELEASED: {"signed_at": at},
        AssignmentState.CANCELLED: {"dropped_at": at},
    }
    return marks[there]


def _notify(kind: str, reply: Reply, officers: list[Officer], by: Officer, at: datetime) -> None:
    """Tell those whose turn it is. An officer is not told what they did themselves."""
    others = [officer for officer in officers if officer != by]
    for officer in others:
        notifications.to_one(officer, kind, reply.assignment, at=at, key=notifications.moment_key(at))


@transaction.atomic
def finish_draft(
    assignment: Assignment, body: str, law: str, *, version: int, by: Officer, at: datetime
) -> None:
    """Save the wording and submit it to the head, in one act. Raises what both raise."""
    save_draft(assignment, body, law, version=version, by=by, at=at)
    submit_for_signature(assignment, by=by, at=at)


@transaction.atomic
def finish_revision(
    assignment: Assignment,
    kind: ReplyKind,
    body: str,
    law: str,
    *,
    version: int,
    by: Officer,
    at: datetime,
) -> None:
    """Save the wording of a 更正 or 补充 and submit it to the head, in one act. Raises what both raise."""
    save_revision(assignment, kind, body, law, version=version, by=by, at=at)
    submit_for_signature(assignment, by=by, at=at)


@transaction.atomic
def drop_revision(assignment: Assignment, *, by: Officer, at: datetime) -> None:
    """The division finds that nothing is to be corrected or added. The wordings are kept. Raises IllegalMove."""
    _must_draft(assignment, by)
    reply = _in_hand(assignment)
    if reply is None or not reply.is_revision:
        raise IllegalMove("没有正在办理的更正或补充，请刷新后查看最新情况。")
    _turn(reply, AssignmentState.OPEN, AssignmentState.CANCELLED, at=at)
    _record(Verb.REVISION_DROPPED, reply, by=by, at=at, version=reply.version)


@transaction.atomic
def send_back(
    assignment: Assignment, remark: str, *, version: int | None = None, by: Officer, at: datetime
) -> None:
    """The head returns the draft with a remark. `version` is the wording that the head read.

    Raises RewrittenBeforeReturn, IllegalMove.
    """
    reply = _to_sign(assignment, by)
    if version not in (None, reply.version) and reply.assignment.standing == AssignmentState.DRAFTED:
        raise RewrittenBeforeReturn(reply)
    _turn(reply, AssignmentState.DRAFTED, AssignmentState.OPEN, at=at)
    Reply.objects.filter(pk=reply.pk).update(remark=remark)
    _record(Verb.REPLY_SENT_BACK, reply, by=by, at=at)
    _notify("reply_sent_back", reply, _drafters(reply), by, at)


def _to_sign(assignment: Assignment, by: Officer) -> Reply:
    """The reply that waits for its signature. Raises IllegalMove where there is none."""
    by.must(Act.SIGN)
    require_own_division(assignment, by)
    _lock(assignment)
    reply = _in_hand(assignment)
    if reply is None:
        raise IllegalMove("这项交办已被他人处理，请刷新后查看最新情况。")
    return reply


def _drafters(reply: Reply) -> list[Officer]:
    """Who may go on with a draft that came back: the handlers of the division, and its drafter, who may be a head."""
    may_draft = Officer.objects.who_may(Act.DRAFT, reply.assignment.division)
    handlers = set(Officer.objects.with_role(Role.HANDLER, reply.assignment.division))
    return [officer for officer in may_draft if officer in handlers | {reply.drafted_by}]


@transaction.atomic
def sign(assignment: Assignment, *, version: int, by: Officer, at: datetime) -> None:
    """审签: release the reply. The firm is notified, and reads the full text on its progress page.

    `version` is the wording that the head read. Raises RewrittenMeanwhile, IllegalMove, RegistrationEnded, and
    NeedsSecondPerson: who signs did not draft. A division of one person signs, and the reply says so.
    """
    reply = _to_sign(assignment, by)
    _must_not_have_ended(assignment.appointment)
    _turn(reply, AssignmentState.DRAFTED, AssignmentState.RELEASED, at=at)
    if reply.version != version:
        raise RewrittenMeanwhile(reply)
    note = second_person.note_of_signature(reply, by)
    Reply.objects.filter(pk=reply.pk).update(signed_by=by, signed_at=at, remark="", one_person_note=note)
    _record(Verb.REPLY_SIGNED, reply, by=by, at=at, version=version, **({"note": note} if note else {}))
    firm = assignment.appointment
    if reply.is_revision:
        # The earlier letters stay on the firm's page, as what was said then.
        letters.write(
            REVISION_LETTERS[ReplyKind(reply.kind)], firm, at=at, key=f"r{reply.pk}", reply=reply.pk
        )
        return
    letters.write("reply_released", firm, at=at, key=f"a{assignment.pk}", assignment=assignment.pk)
    update_firm_page(assignment.appointment)
    _answered_in_writing(assignment.appointment, by=by, at=at)


def mark_answered(*, at: datetime) -> int:
    """Firms that left their seat after all replies were signed, or whose last 补充问题 needed no reply of its own: move
    them to 已书面答复. Returns how many.
    """
    leads = Assignment.objects.filter(appointment=OuterRef("pk"), part=Part.LEAD)
    waiting = Appointment.objects.filter(stage=Stage.ACCEPTED, wants_onsite=False, seat=None)
    signed = waiting.filter(Exists(leads.filter(state=AssignmentState.RELEASED)))
    asked_more = waiting_supplements().filter(appointment=OuterRef("pk"))
    answered = signed.exclude(Exists(leads.filter(state__in=UNFINISHED))).exclude(Exists(asked_more))
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
    waiting = appointment.assignments.filter(state__in=UNANSWERED).select_related("division")
    for assignment in waiting:
        notifications.to_division(assignment, "reply_for_absent", at=at)
    return len(waiting)


def _answered_in_writing(appointment: Appointment, *, by: Officer, at: datetime) -> None:
    """A firm that asked for a written reply is answered once every lead division has replied to all that it asked."""
    appointment.refresh_from_db()
    if appointment.stage != Stage.ACCEPTED or appointment.wants_onsite:
        return
    waiting = appointment.assignments.filter(part=Part.LEAD, state__in=UNFINISHED)
    if not waiting.exists() and not waiting_supplements().filter(appointment=appointment).exists():
        appointment.move_to(Stage.ANSWERED, by=by, at=at)
