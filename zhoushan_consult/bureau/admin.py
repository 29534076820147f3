"""机构与人员 in the admin: 科监处 manages the accounts. Divisions and areas are read-only."""

from django.contrib import admin
from django.contrib.auth.models import Group
from django.core.exceptions import PermissionDenied
from django.template.response import TemplateResponse
from django.utils import timezone

from . import accounts
from .actions import Action, may
from .forms import AccountForm, NewAccountForm
from .models import Area, Division, Officer
from .record_admin import RecordAdmin
from .refusals import Refused
from .roles import Act

# The names of the actions are addresses, so they stay.
CHANGE = Action(
    name="account",
    title="资料与岗位",
    act=Act.ACCOUNTS,
    form=AccountForm,
    do=lambda officer, form, **who: accounts.change(officer, **form.cleaned_data, **who),
    button="保存",
    done="已保存。",
    opened=lambda officer: True,
)
RESET = Action(
    name="password",
    title="重置密码",
    act=Act.ACCOUNTS,
    do=lambda officer, form, **who: accounts.reset_password(officer, **who),
    button="生成新密码",
    hint="旧密码和已登录的会话随即失效。新密码只显示一次，请当面或电话告知本人；本人用它登录后，必须先改成自己的密码。",
)
DEACTIVATE = Action(
    name="stop",
    title="停用账号",
    act=Act.ACCOUNTS,
    do=lambda officer, form, **who: accounts.set_active(officer, False, **who),
    offered=lambda officer: officer.is_active,
    button="停用",
    done="账号已停用。",
    hint="停用后不能登录，已登录的会话随即失效；办理过的事项保留姓名。",
    danger=True,
)
ACTIVATE = Action(
    name="start",
    title="启用账号",
    act=Act.ACCOUNTS,
    do=lambda officer, form, **who: accounts.set_active(officer, True, **who),
    offered=lambda officer: not officer.is_active,
    button="启用",
    done="账号已启用。",
)


class RoleFilter(admin.RelatedFieldListFilter):
    """Filters by group. Groups are called 岗位 here, and Django offers no other way to set the title."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.title = "岗位"


class OfficerAdmin(RecordAdmin):
    """The accounts. None is deleted: the officer's name stands on past acts. `login.admin` registers it."""

    see = Act.ACCOUNTS
    record_actions = (CHANGE, RESET, DEACTIVATE, ACTIVATE)
    screen_template = "admin/officer/screen.html"
    list_display = ["name", "username", "division", "area", "role_names", "last_login", "in_use"]
    list_filter = ["division", ("groups", RoleFilter), "is_active"]
    list_select_related = ["division", "area"]
    search_fields = ["name", "username"]
    search_help_text = "按姓名或用户名查找"

    def get_queryset(self, request):
        # `role_names` reads them for each row of the list.
        return super().get_queryset(request).prefetch_related("groups")

    @admin.display(description="岗位")
    def role_names(self, officer: Officer) -> str:
        return "、".join(group.name for group in officer.groups.all())

    @admin.display(description="状态", ordering="is_active")
    def in_use(self, officer: Officer) -> str:
        return "在用" if officer.is_active else "已停用"

    def shown(self, request, record: Officer, posted=None, answered=None):
        """No actions on one's own account: who removes the own rights by mistake could not get them back."""
        closed = not accounts.may_change(record, request.user) and not posted
        return [] if closed else super().shown(request, record, posted, answered)

    def has_add_permission(self, request) -> bool:
        return may(request, Act.ACCOUNTS)

    def add_view(self, request, form_url="", extra_context=None):
        if not self.has_add_permission(request):
            raise PermissionDenied
        form = NewAccountForm(request.POST if request.method == "POST" else None, record=Officer())
        if form.is_bound and form.is_valid():
            try:
                officer, password = accounts.create_account(
                    **form.cleaned_data, by=request.user, at=timezone.now()
                )
                return self.screen(request, officer, answered=(RESET, password))
            except Refused as refusal:
                form.refuse(refusal)
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": "开通账号",
            "form": form,
        }
        return TemplateResponse(request, "admin/officer/add.html", context)


class ReadOnlyAdmin(RecordAdmin):
    """Divisions and areas are fixed by the 实施方案. A migration changes them, because rules refer to them."""

    see = Act.ACCOUNTS


@admin.register(Division)
class DivisionAdmin(ReadOnlyAdmin):
    list_display = ["name", "duty"]


@admin.register(Area)
class AreaAdmin(ReadOnlyAdmin):
    list_display = ["name", "kind"]


# The groups are the roles of `bureau.roles`, and a migration writes them. Django's page would let anyone rename one.
admin.site.unregister(Group)
