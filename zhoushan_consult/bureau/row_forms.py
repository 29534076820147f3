"""Panels with rows of fields, some to spare, so that one is added without JavaScript."""

from django import forms
from django.core.exceptions import ValidationError
from django.forms.formsets import BaseFormSet, formset_factory

from .actions import ActionForm

MOST = 12


class RowForm(forms.Form):
    """One row; an untouched one is none. `made()` is what a filled one says to the matter module."""

    use_required_attribute = False

    def made(self) -> object:
        raise NotImplementedError


class Rows(BaseFormSet):
    """Every row may be left or made empty, those that came filled in as well."""

    def initial_form_count(self) -> int:
        return 0

    def total_form_count(self) -> int:
        return super().total_form_count() if self.is_bound else len(self.initial or []) + self.extra

    def add_fields(self, form, index):
        super().add_fields(form, index)
        if self.can_delete:
            form.fields["DELETE"].label = "去掉这一项"

    @property
    def begun(self) -> list[RowForm]:
        """The rows to be seen at once: those with something in them, or the first."""
        if self.is_bound:
            return [form for form in self.forms if form.has_changed()] or self.forms[:1]
        return self.forms[: max(1, len(self.initial or []))]

    @property
    def spare(self) -> list[RowForm]:
        return [form for form in self.forms if form not in self.begun]

    def made(self) -> list:
        """What the filled rows say."""
        return [form.made() for form in self.forms if form.has_changed() and form not in self.deleted_forms]

    def clean(self):
        made = [] if any(self.errors) else self.made()
        if any(row in made[:place] for place, row in enumerate(made)):
            raise ValidationError("有两项内容完全相同，请去掉一项。")


class RowsForm(ActionForm):
    """`start()` fills the first rows, `spare` more stay empty."""

    row: type[RowForm]
    rows_title = ""
    spare = 3
    removable = True

    def __init__(self, data=None, *, action: str = "action", **kwargs):
        super().__init__(data, action=action, **kwargs)
        formset = formset_factory(
            self.row,
            formset=Rows,
            extra=self.spare,
            can_delete=self.removable,
            max_num=MOST,
            absolute_max=MOST,
        )
        start = None if self.is_bound else self.start()
        self.rows = formset(
            data, initial=start, prefix="row", auto_id=f"{action}_%s", form_kwargs=self.row_kwargs()
        )

    def start(self) -> list[dict]:
        return []

    def row_kwargs(self) -> dict:
        return {}

    def is_valid(self) -> bool:
        return all([super().is_valid(), self.rows.is_valid()])
