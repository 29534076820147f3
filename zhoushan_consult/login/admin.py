"""The accounts in the admin, with the reset of a second factor."""

from django.contrib import admin

from zhoushan_consult.bureau.actions import Action
from zhoushan_consult.bureau.admin import OfficerAdmin
from zhoushan_consult.bureau.models import Officer
from zhoushan_consult.bureau.roles import Act

from . import second_factor

RESET_FACTOR = Action(
    name="factor",
    title="解除动态口令",
    act=Act.ACCOUNTS,
    do=lambda officer, form, **who: second_factor.reset(officer, **who),
    offered=lambda officer: officer.second_factor_at is not None,
    button="解除",
    done="动态口令和备用码已解除，本人会收到通知，下次登录时重新绑定。",
    hint="用于手机遗失或更换。先核实是本人提出；已登录的会话要重新绑定后才能继续。",
    danger=True,
)


@admin.register(Officer)
class OfficerAccountAdmin(OfficerAdmin):
    """One action more: `bureau` does not know the second factor."""

    record_actions = (*OfficerAdmin.record_actions, RESET_FACTOR)
    list_display = [*OfficerAdmin.list_display, "has_factor"]

    @admin.display(description="动态口令", ordering="second_factor_at")
    def has_factor(self, officer: Officer) -> str:
        return "已绑定" if officer.second_factor_at else "未绑定"
