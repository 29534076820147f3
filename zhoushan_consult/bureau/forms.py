"""The forms in which 科监处 enters an officer."""

from django import forms
from django.contrib.auth.validators import UnicodeUsernameValidator
from django.core.exceptions import ValidationError

from zhoushan_consult.form_fields import NormalizedField
from zhoushan_consult.identity import mailbox, phone

from .actions import ActionForm
from .models import Area, Division, Officer
from .roles import Role

NEEDS_DIVISION = {Role.HANDLER, Role.HEAD}


class AccountForm(ActionForm):
    """Name, unit, roles and contacts of an officer."""

    name = forms.CharField(label="姓名", max_length=30)
    division = forms.ModelChoiceField(
        Division.objects, label="处室", required=False, empty_label="不属于处室"
    )
    area = forms.ModelChoiceField(Area.objects, label="县区或功能区", required=False, empty_label="不限")
    roles = forms.MultipleChoiceField(
        label="岗位",
        choices=[(role.value, role.value) for role in Role],
        widget=forms.CheckboxSelectMultiple,
        help_text="能看什么、能办什么，只由岗位决定。",
        error_messages={"required": "请至少选一个岗位。"},
    )
    phone = forms.CharField(label="手机", max_length=20, required=False, help_text="接收工作提醒")
    email = NormalizedField(label="电子邮箱", normalize=mailbox.clean, required=False)

    def __init__(self, data=None, *, record: Officer, **kwargs):
        super().__init__(data, record=record, **kwargs)
        if record.pk:
            self.initial = {
                name: getattr(record, name) for name in ("name", "division", "area", "phone", "email")
            }
            self.initial["roles"] = list(record.roles)

    def clean_phone(self) -> str:
        typed = self.cleaned_data["phone"]
        return phone.clean(typed) if typed else ""

    def clean(self) -> dict:
        roles = set(self.cleaned_data.get("roles", []))
        if roles & NEEDS_DIVISION and not self.cleaned_data.get("division"):
            self.add_error("division", "处室经办和处室负责人要选定处室。")
        if Role.COUNTY in roles and not self.cleaned_data.get("area"):
            self.add_error("area", "分局功能区查阅要选定县区或功能区。")
        return self.cleaned_data


class NewAccountForm(AccountForm):
    username = forms.CharField(
        label="用户名",
        max_length=30,
        validators=[UnicodeUsernameValidator(message="用户名只能用汉字、字母、数字和 @ . + - _。")],
        help_text="登录时用，开通后不再改动。可以用姓名拼音或工号。",
    )
    field_order = ["username"]

    def clean_username(self) -> str:
        name = Officer.normalize_username(self.cleaned_data["username"])
        if Officer.objects.filter(username=name).exists():
            raise ValidationError("这个用户名已经有人使用，请换一个。")
        return name
