"""The page of one 交办 at the desk (六（四）): draft, 送审签, 审签, 退回."""

from datetime import datetime

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from triage import replies
from triage.assignment import return_assignment
from triage.models import Assignment, AssignmentState, Reply
from triage.visibility import assignments_for
from zhoushan_consult.bureau.actions import Action, Attempt
from zhoushan_consult.bureau.models import Officer
from zhoushan_consult.bureau.roles import Act

from .access import desk_view, render_page
from .actions import by_name, click, forms_of_page
from .contacts import contact
from .deadlines import Today
from .forms import DeskForm, DraftForm, HandBackForm, SendBackForm, SignForm

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


# A second click finds the work done. The `_was_…` functions recognise it: the same officer, the same text. Without
# them, an officer who clicks twice would read that the first click had failed.
def _was_submitted(row: Assignment, form: DraftForm, officer: Officer) -> bool:
    body, law = form.cleaned_data["body"], form.cleaned_data["law"]
    return row.state == AssignmentState.DRAFTED and _reply_has(row, body=body, law=law, drafted_by=officer)


def _was_signed(row: Assignment, form: SignForm, officer: Officer) -> bool:
    return row.state == AssignmentState.RELEASED and _reply_has(row, signed_by=officer)


def _was_sent_back(row: Assignment, form: SendBackForm, officer: Officer) -> bool:
    return row.state == AssignmentState.OPEN and _reply_has(row, remark=form.cleaned_data["remark"])


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
        lambda row, form, **who: replies.send_back(row, form.cleaned_data["remark"], **who),
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
)


def _visible(request: HttpRequest, pk: int) -> Assignment:
    rows = assignments_for(request.user).select_related(
        "appointment__day", "division", "assigned_by", "reply__drafted_by", "reply__signed_by"
    )
    return get_object_or_404(rows, pk=pk)


def _address(row: Assignment) -> str:
    return reverse("desk:assignment", args=[row.pk])


def _page(
    request: HttpRequest, row: Assignment, attempt: Attempt | None = None, *, now: datetime
) -> HttpResponse:
    """The 交办 with the forms that are open to this officer. A refused form keeps what was typed."""
    reply = getattr(row, "reply", None)
    forms = forms_of_page(_open_forms(row, reply, request.user), attempt, _address(row))
    # A cancelled part is no longer answered, so it would only confuse those who answer the other parts.
    others = row.appointment.assignments.exclude(pk=row.pk).exclude(state=AssignmentState.CANCELLED)
    context = {
        "row": row,
        "reply": reply,
        "deadline": Today.at(now).deadline(row.due_on),
        "contact": contact(row.appointment, request.user, row.division),
        "others": others.select_related("division"),
        "versions": reply.versions.select_related("by")[:VERSIONS_SHOWN] if reply else [],
        "forms": forms,
        "attempt": attempt,
        "other_version": _lines_of_other_version(attempt) if attempt and "draft" in forms else [],
    }
    return render_page(request, "assignment", context, status=attempt.status if attempt else 200)


def _lines_of_other_version(attempt: Attempt) -> list[tuple[str, bool]]:
    """Each line of the version that another officer saved meanwhile. True: the own text lacks the line."""
    if not isinstance(attempt.refusal, replies.EditedMeanwhile):
        return []
    own = set(attempt.form.cleaned_data["body"].split("\n"))
    return [(line, line not in own) for line in attempt.refusal.theirs.body.split("\n")]


def _open_forms(row: Assignment, reply: Reply | None, officer: Officer) -> list[DeskForm]:
    """The forms of the actions open to this officer on this 交办 now."""
    # Officers who watch may read every 交办, but only its own division works on it.
    if row.division_id != officer.division_id or not officer.may(Act.DRAFT):
        return []
    if row.state == AssignmentState.OPEN:
        return [DraftForm(initial=_initial_draft(reply)), HandBackForm()]
    if row.state == AssignmentState.DRAFTED:
        signing = (
            [SignForm(initial={"version": reply.version}), SendBackForm()] if officer.may(Act.SIGN) else []
        )
        return [*signing, HandBackForm()]
    return []


def _initial_draft(reply: Reply | None) -> dict:
    """What the draft form starts from. Version 0 means that there is no reply yet."""
    return {"body": reply.body, "law": reply.law, "version": reply.version} if reply else {"version": 0}
