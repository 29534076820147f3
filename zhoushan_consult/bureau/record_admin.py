"""Records in the admin: read on one screen, changed only through their actions."""

from dataclasses import dataclass, field

from django.contrib import messages
from django.contrib.admin import ModelAdmin
from django.contrib.admin.utils import (
    display_for_field,
    display_for_value,
    label_for_field,
    lookup_field,
    unquote,
)
from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.http import Http404, HttpResponseNotAllowed
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone

from .actions import Action, ActionForm, Attempt, NotOffered, may, perform
from .roles import Act


@dataclass
class ShownAction:
    """An action as this officer sees it now. `answer` is shown this one time only (a new password, an ID number)."""

    action: Action
    form: ActionForm
    url: str
    opened: bool
    answer: str = field(default="", repr=False)


class RecordAdmin(ModelAdmin):
    """Records that an officer with the right `see` may read, each on a screen with its actions."""

    see: Act
    record_actions: tuple[Action, ...] = ()
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
        raise Http404  # Django logs nothing here: acts are in the audit trail

    def get_urls(self):
        return [self._route_of(action) for action in self.record_actions] + super().get_urls()

    def _route_of(self, action: Action):
        def act(request, pk):
            return self.act(request, pk, action)

        return path(
            f"<int:pk>/{action.name}/", self.admin_site.admin_view(act), name=self._url_name(action.name)
        )

    def _url_name(self, name: str) -> str:
        return f"{self.opts.app_label}_{self.opts.model_name}_{name}"

    def address(self, record: Model, name: str = "change") -> str:
        return reverse(f"admin:{self._url_name(name)}", args=[record.pk])

    def record(self, request, pk) -> Model:
        """The record, read again. Raises PermissionDenied, and Http404 for one that the officer may not see."""
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

    def act(self, request, pk: int, action: Action):
        """The answer to a button: done and back to the screen, or the screen with the reason why not."""
        record = self.record(request, pk)
        if request.method != "POST":
            return redirect(self.address(record))
        request.user.must(action.act)
        form = action.form(request.POST, record=record, action=action.name)
        attempt = perform(action, record, form, by=request.user, at=timezone.now())
        if attempt.answer:
            return self.screen(request, self.record(request, pk), answered=(action, attempt.answer))
        if attempt.is_done:
            messages.success(request, action.done_words(record))
            return redirect(f"{self.address(record)}#main")
        return self._not_done(request, record, action, attempt)

    def _not_done(self, request, record: Model, action: Action, attempt: Attempt):
        """The screen as it is now, with the form as it was typed."""
        form, status = attempt.form, attempt.refusal.status if attempt.refusal else 200
        if not attempt.refusal and not action.is_offered(record, request.user):
            form.refuse(NotOffered())
            status = NotOffered.status
        form.record = self.record(request, record.pk)
        return self.screen(request, form.record, posted=(action, form), status=status)

    def screen(self, request, record: Model, *, posted=None, answered=None, status: int = 200):
        """The page. `posted`: an action with its form to correct. `answered`: an action with a text to show."""
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": str(record),
            "record": record,
            "actions": self.shown(request, record, posted, answered),
            "unfinished": posted and posted[0],
            **self.facts(request, record),
        }
        return TemplateResponse(request, self.screen_template, context, status=status)

    def facts(self, request, record: Model) -> dict:
        """What the screen shows besides the record and its actions: by default the columns of the list."""
        return {"values": [self._value(record, name) for name in self.get_list_display(request)]}

    def _value(self, record: Model, name) -> tuple:
        column, _, value = lookup_field(name, record, self)
        shown = display_for_field(value, column, "—") if column else display_for_value(value, "—")
        return label_for_field(name, self.model, self), shown

    def shown(self, request, record: Model, posted=None, answered=None) -> list[ShownAction]:
        """The actions that this officer is offered now, and the one just used in any case."""
        used = [pair[0] for pair in (posted, answered) if pair]
        offered = [a for a in self.record_actions if a in used or a.is_offered(record, request.user)]
        return [self._show(record, action, posted, answered) for action in offered]

    def _show(self, record: Model, action: Action, posted, answered) -> ShownAction:
        is_posted = posted and posted[0] is action
        answer = answered[1] if answered and answered[0] is action else ""
        form = posted[1] if is_posted else action.form(record=record, action=action.name)
        opened = bool(is_posted or answer or action.opened(record))
        return ShownAction(action, form, self.address(record, action.name), opened, answer)
