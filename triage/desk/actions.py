"""A step taken with a button: one call into the rules, and an answer in place when they refuse."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

from django.contrib import messages
from django.db.models import Model
from django.http import HttpRequest

from triage.replies import EditedMeanwhile
from zhoushan_consult.bureau.models import Officer
from zhoushan_consult.bureau.refusals import Refused

from .forms import StepForm


@dataclass(frozen=True)
class Step:
    """`rule` carries it out, `done` says so, and `already` tells a second click from somebody else's act."""

    form: type[StepForm]
    rule: Callable
    done: str
    already: Callable[[Model, dict, Officer], bool]


@dataclass(frozen=True)
class Attempt:
    """A step that was not taken: the form as it was typed, and why."""

    form: StepForm
    refusal: Refused | None = None

    @property
    def status(self) -> int:
        return self.refusal.status if self.refusal else 422

    @property
    def why(self) -> str:
        return str(self.refusal) if self.refusal else "这一步现在不能办理，请查看最新情况。"


def in_place(open_forms: Iterable[StepForm], attempt: Attempt | None, page: str) -> dict[str, StepForm]:
    """The forms of a page by name, the one that was tried among them; a step that is over has none."""
    forms = {form.key: form for form in open_forms}
    if attempt and attempt.form.key in forms:
        forms[attempt.form.key] = attempt.form
    return {key: form.lay_out(page) for key, form in forms.items()}


def take(step: Step, record: Model, request: HttpRequest, *, at: datetime) -> Attempt | None:
    """Take the step, or say why not; None once it is taken, by this click or by the one before it."""
    form = step.form(request.POST)
    if not form.is_valid():
        return Attempt(form)
    try:
        step.rule(record, form.cleaned_data, by=request.user, at=at)
    except Refused as refusal:
        record.refresh_from_db()
        if not step.already(record, form.cleaned_data, request.user):
            return _refused(form, refusal)
    messages.success(request, step.done)
    return None


def _refused(form: StepForm, refusal: Refused) -> Attempt:
    if isinstance(refusal, EditedMeanwhile):
        form.go_on_from(refusal.theirs.version)
    return Attempt(form, refusal)
