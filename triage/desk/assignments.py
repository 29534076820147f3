"""The page of one 交办 at the desk (六（四）): draft, 送审签, 审签, 退回; 更正 and 补充 of what was released."""

from datetime import datetime

from django.db.models import Prefetch
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from triage import replies, second_person
from triage.assignment import return_assignment
from triage.models import Assignment, AssignmentState, Reply, ReplyKind, ReplyVersion
from triage.visibility import assignments_for
from triage.work import SILENT_TO_FIRM, UNANSWERED
from zhoushan_consult.bureau.actions import Action, Attempt
from zhoushan_consult.bureau.models import Officer
from zhoushan_consult.bureau.roles import Act

from .access import desk_view, render_page
from .actions import by_name, click, forms_of_page
from .contacts import contact
from .deadlines import Today
from .forms import (
    AsItIsForm,
    DeskForm,
    DraftForm,
    DropForm,
    HandBackForm,
    RevisionForm,
    SendBackForm,
    SignForm,
)

# Newest earlier versions of a reply on the page. Each can be 5000 characters, so not all are shown.
VERSIONS_SHOWN = 10


@desk_view
@require_safe
def assignment(request: HttpRequest, pk: int) -> HttpResponse:
    return _page(request, _visible(request, pk), now=timezone.now())


@desk_view
@require_http_methods(["GET", "HEAD", "POST"])
def assignment_action(request: HttpRequest, pk: int, action: str) -> HttpResponse:
    """One button of the page. A reload is a GET: it goes back to the page and changes nothing."""
    row = _visible(request, pk)
    if request.method != "POST":
        return redirect("desk:assignment", pk)
    now = timezone.now()
    attempt = click(ACTIONS[action], row, request, at=now)
    return (
        _page(request, _visible(request, pk), attempt, now=now)
        if attempt
        else redirect(_address(row) + "#main")
    )


def _save(row: Assignment, form: DraftForm, **who):
    data = form.cleaned_data
    replies.save_draft(row, data["body"], data["law"], version=data["version"], **who)


def _submit(row: Assignment, form: DraftForm, **who):
    data = form.cleaned_data
    replies.finish_draft(row, data["body"], data["law"], version=data["version"], **who)


def _save_revision(row: Assignment, form: RevisionForm, **who):
    data = form.cleaned_data
    kind = ReplyKind(data["kind"])
    replies.save_revision(row, kind, data["body"], data["law"], version=data["version"], **who)


def _submit_revision(row: Assignment, form: RevisionForm, **who):
    data = form.cleaned_data
    kind = ReplyKind(data["kind"])
    replies.finish_revision(row, kind, data["body"], data["law"], version=data["version"], **who)


# A second click finds the work done. The `_was_…` functions recognise it: the same officer, the same text. Without
# them, an officer who clicks twice would read that the first click had failed.
def _was_submitted(row: Assignment, form: DraftForm, officer: Officer) -> bool:
    body, law = form.cleaned_data["body"], form.cleaned_data["law"]
    return row.state == AssignmentState.DRAFTED and _reply_has(row, body=body, law=law, drafted_by=officer)


def _was_signed(row: Assignment, form: SignForm, officer: Officer) -> bool:
    return _reply_has(row, version=form.cleaned_data["version"], signed_by=officer)


def _was_sent_back(row: Assignment, form: SendBackForm, officer: Officer) -> bool:
    is_open = row.state in {AssignmentState.OPEN, AssignmentState.RELEASED}
    return is_open and _reply_has(row, remark=form.cleaned_data["remark"], submitted_at=None, signed_at=None)


def _revision_was_submitted(row: Assignment, form: RevisionForm, officer: Officer) -> bool:
    names = ("kind", "body", "law")
    wording = {name: form.cleaned_data[name] for name in names}
    return _reply_has(row, **wording, drafted_by=officer, submitted_at__isnull=False, signed_at=None)


def _is_submitted(row: Assignment, form: AsItIsForm, officer: Officer) -> bool:
    return row.standing == AssignmentState.DRAFTED


def _was_dropped(row: Assignment, form: DropForm, officer: Officer) -> bool:
    return row.revision_in_hand is None and _reply_has(row, dropped_at__isnull=False)


def _was_returned(row: Assignment, form: HandBackForm, officer: Officer) -> bool:
    return row.state == AssignmentState.RETURNED and row.return_reason == form.cleaned_data["reason"]


def _reply_has(row: Assignment, **columns) -> bool:
    return Reply.objects.filter(assignment=row, **columns).exists()


ACTIONS = by_name(
    Action("save", _save, DraftForm, "已保存，还没有送审签。"),
    Action("submit", _submit, DraftForm, "已送审签，等处室负责人审签。", _was_submitted),
    Action(
        "sign",
        lambda row, form, **who: replies.sign(row, version=form.cleaned_data["version"], **who),
        SignForm,
        "已审签。企业会收到提醒，并可在进度页阅读全文。",
        _was_signed,
    ),
    Action(
        "send-back",
        lambda row, form, **who: replies.send_back(row, **form.cleaned_data, **who),
        SendBackForm,
        "已退回修改，由经办人改好后再送审签。",
        _was_sent_back,
    ),
    Action(
        "hand-back",
        lambda row, form, **who: return_assignment(row, form.cleaned_data["reason"], **who),
        HandBackForm,
        "已退回综合处，由综合处重新交办。",
        _was_returned,
    ),
    Action(
        "submit-as-it-is",
        lambda row, form, **who: replies.submit_for_signature(row, **who),
        AsItIsForm,
        "已送审签，等处室负责人审签。",
        _is_submitted,
    ),
    Action("save-revision", _save_revision, RevisionForm, "已保存，还没有送审签。"),
    Action(
        "submit-revision",
        _submit_revision,
        RevisionForm,
        "已送审签，等处室负责人审签。",
        _revision_was_submitted,
    ),
    Action(
        "drop-revision",
        lambda row, form, **who: replies.drop_revision(row, **who),
        DropForm,
        "已记为不再更正或补充，企业没有收到通知。",
        _was_dropped,
    ),
)


def _visible(request: HttpRequest, pk: int) -> Assignment:
    rows = assignments_for(request.user).select_related("appointment__day", "division", "assigned_by")
    written = Reply.objects.select_related("drafted_by", "signed_by")
    return get_object_or_404(rows.prefetch_related(Prefetch("replies", written)), pk=pk)


def _address(row: Assignment) -> str:
    return reverse("desk:assignment", args=[row.pk])


def _page(
    request: HttpRequest, row: Assignment, attempt: Attempt | None = None, *, now: datetime
) -> HttpResponse:
    """The 交办 with the forms that are open to this officer. A refused form keeps what was typed."""
    reply, officer = row.reply_in_hand, request.user
    forms = forms_of_page(_open_forms(row, officer, _wanted_kind(request, attempt)), attempt, _address(row))
    # A cancelled part is no longer answered, so it would only confuse those who answer the other parts.
    others = row.appointment.assignments.exclude(pk=row.pk).exclude(state=AssignmentState.CANCELLED)
    versions = ReplyVersion.objects.filter(reply__assignment=row).select_related("by", "reply")
    context = {
        "row": row,
        "reply": reply,
        "told": row.signed_replies,
        "standing": row.standing,
        "waits": row.standing in UNANSWERED,
        "deadline": Today.at(now).deadline(reply.due_on if reply and reply.is_revision else row.due_on),
        "contact": contact(row.appointment, officer, row.division),
        "others": others.select_related("division"),
        "versions": versions.order_by("-number")[:VERSIONS_SHOWN],
        "forms": forms,
        "writing": forms.get("draft") or forms.get("revision"),
        "attempt": attempt,
        "other_version": _lines_of_other_version(attempt) if attempt else [],
        "may_revise": _may_revise(row, officer) and not reply,
        "advice": _advice(row, officer, forms),
    }
    return render_page(request, "assignment", context, status=attempt.status if attempt else 200)


def _wanted_kind(request: HttpRequest, attempt: Attempt | None) -> str:
    """What the officer is about to begin: `?revise=` of the links on the page, or the form that was just refused."""
    if attempt and isinstance(attempt.form, RevisionForm):
        return ReplyKind.CORRECTION
    wanted = request.GET.get("revise", "")
    return wanted if wanted in {ReplyKind.CORRECTION, ReplyKind.SUPPLEMENT} else ""


def _lines_of_other_version(attempt: Attempt) -> list[tuple[str, bool]]:
    """Each line of the version that another officer saved meanwhile. True: the own text lacks the line."""
    if not isinstance(attempt.refusal, replies.EditedMeanwhile) or "body" not in attempt.form.fields:
        return []
    own = set(attempt.form.cleaned_data["body"].split("\n"))
    return [(line, line not in own) for line in attempt.refusal.theirs.body.split("\n")]


def _works_on(row: Assignment, officer: Officer) -> bool:
    # Officers who watch may read every 交办, but only its own division works on it.
    return row.division_id == officer.division_id and officer.may(Act.DRAFT)


def _may_revise(row: Assignment, officer: Officer) -> bool:
    released = row.state == AssignmentState.RELEASED and bool(row.signed_replies)
    return released and row.appointment.stage not in SILENT_TO_FIRM and _works_on(row, officer)


def _open_forms(row: Assignment, officer: Officer, wanted: str) -> list[DeskForm]:
    """The forms of the actions open to this officer on this 交办 now. `wanted`: the 更正 or 补充 to begin, if any."""
    if not _works_on(row, officer):
        return []
    standing, reply = row.standing, row.reply_in_hand
    hand_back = [] if row.state == AssignmentState.RELEASED else [HandBackForm()]
    if standing == AssignmentState.OPEN:
        return [*_drafting(row, reply, officer), *hand_back]
    if standing == AssignmentState.DRAFTED:
        return [*_signing(row, reply, officer), *hand_back]
    if wanted and _may_revise(row, officer):
        return _with_buttons(RevisionForm(initial=_initial_revision(row, wanted)), row, officer)
    return []


def _drafting(row: Assignment, reply: Reply | None, officer: Officer) -> list[DeskForm]:
    if reply is None:
        return _with_buttons(DraftForm(initial={"version": 0}), row, officer)
    initial = {name: getattr(reply, name) for name in ("kind", "body", "law", "version")}
    if not reply.is_revision:
        return _with_buttons(DraftForm(initial=initial), row, officer)
    if row.appointment.stage in SILENT_TO_FIRM:
        return [DropForm()]
    return [*_with_buttons(RevisionForm(initial=initial), row, officer), DropForm()]


def _with_buttons(form: DeskForm, row: Assignment, officer: Officer) -> list[DeskForm]:
    """送审签 only where there is a signer for what this officer writes. A colleague's draft may still go up as it is."""
    if second_person.signers(row.division, officer):
        return [form]
    form.buttons = form.buttons[:1]
    reply = row.reply_in_hand
    theirs = reply and reply.drafted_by != officer and second_person.signers(row.division, reply.drafted_by)
    return [form, AsItIsForm()] if theirs else [form]


def _signing(row: Assignment, reply: Reply | None, officer: Officer) -> list[DeskForm]:
    """审签 for those who did not draft; 退回 for every head of the division."""
    if reply is None or not officer.may(Act.SIGN):
        return []
    read = {"version": reply.version}
    sign, send_back = SignForm(initial=read), SendBackForm(initial=read)
    may_sign = officer in second_person.signers(row.division, reply.drafted_by)
    return [sign, send_back] if may_sign and row.appointment.stage not in SILENT_TO_FIRM else [send_back]


def _initial_revision(row: Assignment, kind: str) -> dict:
    """A 更正 starts from what holds now, a 补充 from an empty page."""
    last = max((reply.version for reply in row.replies.all()), default=0)
    in_force = row.replies_in_force if kind == ReplyKind.CORRECTION else []
    body = "\n\n".join(reply.body for reply in in_force)
    law = "；".join(dict.fromkeys(reply.law for reply in in_force if reply.law))
    return {"kind": kind, "body": body, "law": law, "version": last}


def _advice(row: Assignment, officer: Officer, forms: dict[str, DeskForm]) -> str:
    """Why 送审签 or 审签 is not offered to this officer, or what the record will say."""
    reply = row.reply_in_hand
    if reply and row.appointment.stage in SILENT_TO_FIRM:
        return str(replies.RegistrationEnded())
    draft = forms.get("draft") or forms.get("revision")
    if draft and len(draft.buttons) == 1:
        return second_person.way_to_submit(row.division, officer)
    if "send_back" not in forms or reply is None or reply.drafted_by != officer:
        return ""
    if "sign" in forms:
        return f"审签后，办理记录会写明：“{second_person.ALONE.format(name=officer.name)}”企业看不到这句话。"
    return str(second_person.NeedsSecondPerson(row.division, officer))
