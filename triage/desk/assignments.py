"""One 交办 at the desk (六（四）), from the question to the signed reply."""

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
from zhoushan_consult.bureau.models import Officer
from zhoushan_consult.bureau.roles import Act

from .access import at_desk, show
from .actions import Attempt, Step, in_place, take
from .contacts import contact
from .forms import DraftForm, HandBackForm, SendBackForm, SignForm, StepForm
from .terms import Today

WORDINGS = 10  # earlier wordings shown


@at_desk
@require_safe
def assignment(request: HttpRequest, pk: int) -> HttpResponse:
    return _page(request, _visible(request, pk), now=timezone.now())


@at_desk
@require_http_methods(["GET", "HEAD", "POST"])
def assignment_step(request: HttpRequest, pk: int, step: str) -> HttpResponse:
    """One button of the page. Reloaded or gone back to, the address only leads to the page."""
    row = _visible(request, pk)
    if request.method != "POST":
        return redirect("desk:assignment", pk)
    now = timezone.now()
    attempt = take(STEPS[step], row, request, at=now)
    return (
        _page(request, _visible(request, pk), attempt, now=now)
        if attempt
        else redirect(_address(row) + "#main")
    )


def _save(row: Assignment, said: dict, *, by: Officer, at: datetime):
    replies.save_draft(row, said["body"], said["law"], version=said["version"], by=by, at=at)


def _submit(row: Assignment, said: dict, *, by: Officer, at: datetime):
    replies.finish_draft(row, said["body"], said["law"], version=said["version"], by=by, at=at)


def _sign(row: Assignment, said: dict, *, by: Officer, at: datetime):
    replies.sign(row, version=said["version"], by=by, at=at)


def _send_back(row: Assignment, said: dict, *, by: Officer, at: datetime):
    replies.send_back(row, said["remark"], by=by, at=at)


def _hand_back(row: Assignment, said: dict, *, by: Officer, at: datetime):
    return_assignment(row, said["reason"], by=by, at=at)


def _was_submitted(row: Assignment, said: dict, officer: Officer) -> bool:
    return row.state == AssignmentState.DRAFTED and _says(
        row, body=said["body"], law=said["law"], drafted_by=officer
    )


def _was_sent_back(row: Assignment, said: dict, officer: Officer) -> bool:
    return row.state == AssignmentState.OPEN and _says(row, remark=said["remark"])


def _says(row: Assignment, **columns) -> bool:
    return Reply.objects.filter(assignment=row, **columns).exists()


STEPS = {
    "save": Step(DraftForm, _save, "已保存，还没有送审签。", lambda row, said, officer: False),
    "submit": Step(DraftForm, _submit, "已送审签，等处室负责人审签。", _was_submitted),
    "sign": Step(
        SignForm,
        _sign,
        "已审签。企业会收到提醒，并可在进度页阅读全文。",
        lambda row, said, officer: row.state == AssignmentState.RELEASED and _says(row, signed_by=officer),
    ),
    "send-back": Step(SendBackForm, _send_back, "已退回修改，由经办人改好后再送审签。", _was_sent_back),
    "hand-back": Step(
        HandBackForm,
        _hand_back,
        "已退回综合处，由综合处重新交办。",
        lambda row, said, officer: (
            row.state == AssignmentState.RETURNED and row.return_reason == said["reason"]
        ),
    ),
}


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
    """The 交办 with the forms that are open to this officer; a refused one keeps what was typed."""
    reply = getattr(row, "reply", None)
    forms = in_place(_open_forms(row, reply, request.user), attempt, _address(row))
    others = row.appointment.assignments.exclude(pk=row.pk).exclude(state=AssignmentState.CANCELLED)
    context = {
        "row": row,
        "reply": reply,
        "term": Today.at(now).term(row.due_on),
        "contact": contact(row.appointment, request.user, row.division),
        "others": others.select_related("division"),
        "versions": reply.versions.select_related("by")[:WORDINGS] if reply else [],
        "forms": forms,
        "attempt": attempt,
        "compared": _compared(attempt) if attempt and "draft" in forms else [],
    }
    return show(request, "assignment", context, status=attempt.status if attempt else 200)


def _compared(attempt: Attempt) -> list[tuple[str, bool]]:
    """The wording that somebody saved meanwhile, line by line, and whether one's own lacks the line."""
    if not isinstance(attempt.refusal, replies.EditedMeanwhile):
        return []
    own = set(attempt.form.cleaned_data["body"].split("\n"))
    return [(line, line not in own) for line in attempt.refusal.theirs.body.split("\n")]


def _open_forms(row: Assignment, reply: Reply | None, officer: Officer) -> list[StepForm]:
    """The steps that this officer can take on this 交办 now."""
    if row.division_id != officer.division_id or not officer.may(Act.DRAFT):
        return []
    if row.state == AssignmentState.OPEN:
        return [DraftForm(initial=_wording(reply)), HandBackForm()]
    if row.state == AssignmentState.DRAFTED:
        signing = (
            [SignForm(initial={"version": reply.version}), SendBackForm()] if officer.may(Act.SIGN) else []
        )
        return [*signing, HandBackForm()]
    return []


def _wording(reply: Reply | None) -> dict:
    """What the draft form starts from; version 0 where nobody has written yet."""
    return {"body": reply.body, "law": reply.law, "version": reply.version} if reply else {"version": 0}
