"""Records in the admin: read on one screen, and changed only through its panels.

A panel is a form and the one call into a matter module that it makes. Nothing else in the admin writes:
Django's own add, change and delete are closed, so a record cannot be edited around the rules.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from django import forms
from django.contrib import messages
from django.contrib.admin import ModelAdmin
from django.contrib.admin.utils import (
    display_for_field,
    display_for_value,
    label_for_field,
    lookup_field,
    unquote,
)
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import Model
from django.http import Http404, HttpResponseNotAllowed
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone

from .refusals import Refused
from .roles import Act


class OutOfTurn(Refused):
    def __init__(self):
        super().__init__("现在不能这样办理，可能已被他人处理。请查看最新情况。")


class PanelForm(forms.Form):
    """What an officer types into a panel about `record`. A refusal stands above it and keeps the text."""

    use_required_attribute = False

    def __init__(self, data=None, *, record: Model, panel: str = "panel", **kwargs):
        self.record = record
        self.refused = False
        super().__init__(data, auto_id=f"{panel}_%s", **kwargs)

    @property
    def version_read(self):
        """The wording that the officer read; after a refusal, the one that they read now."""
        current = getattr(self.record, "version", "")
        return self.data.get("version", current) if self.is_bound and not self.refused else current

    def refuse(self, refusal: Refused) -> None:
        self.refused = True
        self.add_error(None, str(refusal))

    def take(self, invalid: ValidationError) -> None:
        """Errors beside their fields; those of fields that the form lacks, above it with their names."""
        beside = invalid.error_dict if hasattr(invalid, "error_dict") else {None: invalid.error_list}
        for name, errors in beside.items():
            if name in self.fields:
                self.add_error(name, errors)
            else:
                label = f"{self.record._meta.get_field(name).verbose_name}：" if name else ""
                for error in errors:
                    self.add_error(None, f"{label}{error.messages[0]}")


@dataclass(frozen=True)
class Panel:
    """One act on a record's screen.

    `do(record, form, by=…, at=…)` makes the call; a text that it returns is shown once, in the answer.
    """

    name: str
    title: str
    act: Act
    do: Callable[..., object]
    form: type[PanelForm] = PanelForm
    offered: Callable[[Model], bool] = lambda record: True
    button: str = "确定"
    done: str = "已办理。"
    hint: str = ""
    template: str = "admin/panel.html"
    opened: Callable[[Model], bool] = lambda record: False
    danger: bool = False


@dataclass
class ShownPanel:
    """A panel as this visitor sees it now."""

    panel: Panel
    form: PanelForm
    url: str
    opened: bool
    answer: str = field(default="", repr=False)


def may(request, act: Act) -> bool:
    return request.user.is_authenticated and request.user.may(act)


class RecordAdmin(ModelAdmin):
    """Records that whoever may `see` reads, each on a screen with its panels."""

    see: Act
    panels: tuple[Panel, ...] = ()
    screen_template = "admin/screen.html"
    actions = None
    show_full_result_count = False
    list_per_page = 50

    def has_module_permission(self, request) -> bool:
        return may(request, self.see)

    def has_view_permission(self, request, obj=None) -> bool:
        return may(request, self.see)

    def has_add_permission(self, request) -> bool:
        return False

    def has_change_permission(self, request, obj=None) -> bool:
        return False

    def has_delete_permission(self, request, obj=None) -> bool:
        return False

    def history_view(self, request, object_id, extra_context=None):
        raise Http404  # nothing is edited here; what was done is in `audit`

    def get_urls(self):
        return [self._address_of(panel) for panel in self.panels] + super().get_urls()

    def _address_of(self, panel: Panel):
        def act(request, pk):
            return self.act(request, pk, panel)

        return path(
            f"<int:pk>/{panel.name}/", self.admin_site.admin_view(act), name=self._url_name(panel.name)
        )

    def _url_name(self, name: str) -> str:
        return f"{self.opts.app_label}_{self.opts.model_name}_{name}"

    def address(self, record: Model, name: str = "change") -> str:
        return reverse(f"admin:{self._url_name(name)}", args=[record.pk])

    def record(self, request, pk) -> Model:
        """The record, read anew. Raises PermissionDenied, Http404 for one that the officer may not see."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        found = self.get_object(request, unquote(str(pk)))
        if found is None:
            raise Http404
        return found

    def change_view(self, request, object_id, form_url="", extra_context=None):
        if request.method not in ("GET", "HEAD"):
            return HttpResponseNotAllowed(["GET"])
        return self.screen(request, self.record(request, object_id))

    def act(self, request, pk: int, panel: Panel):
        """The answer to a button: done and back to the screen, or the screen with what stands in the way."""
        record = self.record(request, pk)
        if request.method != "POST":
            return redirect(self.address(record))
        request.user.must(panel.act)
        form = panel.form(request.POST, record=record, panel=panel.name)
        if form.is_valid():
            return self._do(request, record, panel, form)
        if panel.offered(record):
            return self.screen(request, self.record(request, pk), posted=(panel, form))
        form.refuse(OutOfTurn())
        return self.screen(request, self.record(request, pk), posted=(panel, form), status=OutOfTurn.status)

    def _do(self, request, record: Model, panel: Panel, form: PanelForm):
        status = 200
        try:
            answer = panel.do(record, form, by=request.user, at=timezone.now())
        except ValidationError as invalid:
            form.take(invalid)
        except Refused as refusal:
            form.refuse(refusal)
            status = refusal.status
        else:
            if not isinstance(answer, str):
                messages.success(request, panel.done)
                return redirect(f"{self.address(record)}#main")
            return self.screen(request, self.record(request, record.pk), answered=(panel, answer))
        form.record = self.record(request, record.pk)
        return self.screen(request, form.record, posted=(panel, form), status=status)

    def screen(self, request, record: Model, *, posted=None, answered=None, status: int = 200):
        """The page. `posted` is a panel with its form to be mended, `answered` one with a text to show."""
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": str(record),
            "record": record,
            "panels": self.shown(request, record, posted, answered),
            "unfinished": posted and posted[0],
            **self.facts(request, record),
        }
        return TemplateResponse(request, self.screen_template, context, status=status)

    def facts(self, request, record: Model) -> dict:
        """What the screen shows besides the record and its panels: by default the columns of the list."""
        return {"values": [self._value(record, name) for name in self.get_list_display(request)]}

    def _value(self, record: Model, name) -> tuple:
        column, _, value = lookup_field(name, record, self)
        shown = display_for_field(value, column, "—") if column else display_for_value(value, "—")
        return label_for_field(name, self.model, self), shown

    def shown(self, request, record: Model, posted=None, answered=None) -> list[ShownPanel]:
        """The panels that this officer is offered now, and the one just used whatever happened."""
        used = [pair[0] for pair in (posted, answered) if pair]
        offered = [p for p in self.panels if p in used or (may(request, p.act) and p.offered(record))]
        return [self._show(record, panel, posted, answered) for panel in offered]

    def _show(self, record: Model, panel: Panel, posted, answered) -> ShownPanel:
        mine, answer = posted and posted[0] is panel, answered[1] if answered and answered[0] is panel else ""
        form = posted[1] if mine else panel.form(record=record, panel=panel.name)
        opened = bool(mine or answer or panel.opened(record))
        return ShownPanel(panel, form, self.address(record, panel.name), opened, answer)
