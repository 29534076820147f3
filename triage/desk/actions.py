"""The buttons of a desk page: which forms are open, and what a click does (`bureau.actions`)."""

from collections.abc import Iterable
from datetime import datetime

from django.contrib import messages
from django.db.models import Model
from django.http import HttpRequest

from zhoushan_consult.bureau.actions import Action, Attempt, perform

from .forms import DeskForm


def forms_of_page(open_forms: Iterable[DeskForm], attempt: Attempt | None, page: str) -> dict[str, DeskForm]:
    """The open forms of a page by key. The form that was just refused keeps what was typed.

    If its action has been closed meanwhile, it has no form here: `refusal_without_form.html` shows the text.
    """
    forms = {form.key: form for form in open_forms}
    if attempt and attempt.form.key in forms:
        attempt.form.buttons = forms[attempt.form.key].buttons
        forms[attempt.form.key] = attempt.form
    return {key: form.lay_out(page) for key, form in forms.items()}


def click(action: Action, record: Model, request: HttpRequest, *, at: datetime) -> Attempt | None:
    """Do the action. None if it is done, by this click or by the one before it; else the refused attempt."""
    attempt = perform(action, record, action.form(request.POST), by=request.user, at=at)
    if not attempt.is_done:
        return attempt
    messages.success(request, action.done_words(record))
    return None


def by_name(*actions: Action) -> dict[str, Action]:
    """Actions by name, which is the last part of their URL."""
    return {action.name: action for action in actions}
