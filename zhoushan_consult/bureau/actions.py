"""Actions: the buttons of admin and desk. One form, one call into a module of the domain, one answer.

Nothing else in the admin writes: Django's own add, change and delete views are closed, so no record can be edited around the
rules. Where an action names its `already`, as those of the desk do, a second click counts as done: the officer is not told
that another person was faster.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Model

from .models import Officer
from .refusals import Refused
from .roles import Act

# A key has 64 bits. Python itself refuses to read a number of more than 4300 digits.
MAX_KEY_DIGITS = 19


class NotOffered(Refused):
    """The action is not possible any more, and its form was not valid either."""

    def __init__(self):
        super().__init__("现在不能这样办理，可能已被他人处理。请查看最新情况。")


class ActionForm(forms.Form):
    """What an officer types for an action on `record`. A refusal is shown above the fields, and the text stays."""

    use_required_attribute = False

    def __init__(self, data=None, *, record: Model, action: str = "action", **kwargs):
        self.record = record
        self.refused = False
        super().__init__(data, auto_id=f"{action}_%s", **kwargs)

    @property
    def version_read(self):
        """The version of the record that the officer read; after a refusal, the one shown now."""
        current = getattr(self.record, "version", "")
        return self.data.get("version", current) if self.is_bound and not self.refused else current

    def refuse(self, refusal: Refused) -> None:
        self.refused = True
        self.add_error(None, str(refusal))

    def add_errors(self, invalid: ValidationError) -> None:
        """Show each error at its field; errors of fields that the form lacks stand above it, with their labels."""
        error_dict = invalid.error_dict if hasattr(invalid, "error_dict") else {None: invalid.error_list}
        for name, errors in error_dict.items():
            if name in self.fields:
                self.add_error(name, errors)
            else:
                label = f"{self.record._meta.get_field(name).verbose_name}：" if name else ""
                for error in errors:
                    self.add_error(None, f"{label}{error.messages[0]}")


def never(record: Model, form: forms.Form, officer: Officer) -> bool:
    return False


@dataclass(frozen=True)
class Action:
    """A button on a record: who may press it, when it is offered and to whom, its form, and the call that it makes.

    `do(record, form, by=…, at=…)` makes the call; a text that it returns is shown once, in the answer. `done` is what the
    officer reads afterwards, or makes it from the record. `already(record, form, officer)` tells whether this officer has done
    exactly this before: then a refusal is a second click, and counts as done. `act` is the right that the page checks; the matter module checks its own in any case.
    """

    name: str
    do: Callable[..., object]
    form: Callable[..., forms.Form] = ActionForm
    done: str | Callable[[Model], str] = "已办理。"
    already: Callable[[Model, forms.Form, Officer], bool] = never
    act: Act | None = None
    title: str = ""
    button: str = "确定"
    hint: str = ""
    offered: Callable[[Model], bool] = lambda record: True
    # For one officer in particular, such as the one who did the step before.
    offered_to: Callable[[Model, Officer], bool] = lambda record, officer: True
    opened: Callable[[Model], bool] = lambda record: False
    template: str = "admin/action.html"
    danger: bool = False

    def done_words(self, record: Model) -> str:
        """What the officer reads afterwards. Words that depend on the outcome are made from the record as it stands now."""
        if isinstance(self.done, str):
            return self.done
        record.refresh_from_db()
        return self.done(record)

    def is_offered(self, record: Model, officer: Officer) -> bool:
        """Whether the button works for this officer now, so that it is shown."""
        allowed = self.act is None or officer.may(self.act)
        return allowed and self.offered(record) and self.offered_to(record, officer)


@dataclass(frozen=True)
class Attempt:
    """What became of a click: done, with the text to show once; or the form as it was typed, and the refusal."""

    form: forms.Form
    is_done: bool = False
    answer: str = ""
    refusal: Refused | None = None

    @property
    def status(self) -> int:
        """Of a page that shows the attempt; 422 for a form that was not filled in right."""
        return self.refusal.status if self.refusal else 422

    @property
    def why(self) -> str:
        return str(self.refusal) if self.refusal else "这一步现在不能办理，请查看最新情况。"


def perform(action: Action, record: Model, form: forms.Form, *, by: Officer, at: datetime) -> Attempt:
    """Press the button. Raises NotAllowed; every other refusal is in the Attempt, and nothing typed is lost."""
    if not form.is_valid():
        return Attempt(form)
    try:
        answer = action.do(record, form, by=by, at=at)
    except ValidationError as invalid:
        form.add_errors(invalid)
        return Attempt(form)
    except Refused as refusal:
        record.refresh_from_db()
        if not action.already(record, form, by):
            form.refuse(refusal)
            return Attempt(form, refusal=refusal)
        answer = None
    return Attempt(form, is_done=True, answer=answer if isinstance(answer, str) else "")


def parse_key(text: str) -> int:
    """The key of a row, from an address or a hidden field. 0, which no row has, if it is none or absurdly long."""
    return int(text) if text.isdecimal() and len(text) <= MAX_KEY_DIGITS else 0


def may(request, act: Act) -> bool:
    return request.user.is_authenticated and request.user.may(act)
