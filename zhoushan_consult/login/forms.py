"""The forms of the doors: name and password, the code, one's own new password."""

from django import forms
from django.contrib.auth.forms import AuthenticationForm, PasswordChangeForm
from django.core.exceptions import ValidationError
from django.utils.html import format_html_join

from zhoushan_consult.bureau import passwords

WRONG_CODE = "口令不对，或已经用过。请等手机上换出新的 6 位数字再填；手机的时间要与标准时间一致。"


class LoginForm(AuthenticationForm):
    use_required_attribute = False
    error_messages = {
        "invalid_login": "用户名或密码不对，请检查大小写后再试。连续输错会暂停登录；忘记密码请联系科监处重置。",
        "inactive": "这个账号已停用。如需使用，请联系科监处。",
    }

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["username"].error_messages["required"] = "请填写用户名。"
        self.fields["password"].error_messages["required"] = "请填写密码。"


class CodeForm(forms.Form):
    """The second factor: a code of the telephone, or a recovery code."""

    use_required_attribute = False
    code = forms.CharField(
        label="动态口令",
        max_length=40,
        help_text="手机身份验证器上的 6 位数字。手机不在身边的，填一个备用码。",
        error_messages={
            "required": "请填写动态口令或备用码。",
            "max_length": "太长了，请只填动态口令或备用码。",
        },
        widget=forms.TextInput(
            attrs={"autocomplete": "one-time-code", "spellcheck": "false", "class": "short"}
        ),
    )


class BindForm(CodeForm):
    """The first code of the telephone that is being bound; and with `current`, one of the factor that it replaces."""

    code = forms.CharField(
        label="手机上显示的口令",
        max_length=40,
        help_text="6 位数字，每 30 秒换一次。",
        error_messages={
            "required": "请填写手机上显示的 6 位数字。",
            "max_length": "太长了，请只填 6 位数字。",
        },
        widget=forms.TextInput(
            attrs={"autocomplete": "one-time-code", "inputmode": "numeric", "class": "short"}
        ),
    )
    current = forms.CharField(
        label="原来的动态口令或备用码",
        max_length=40,
        help_text="确认是您本人更换。",
        error_messages={
            "required": "请填写原来的动态口令或一个备用码。",
            "max_length": "太长了，请只填一个。",
        },
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false", "class": "short"}),
    )
    field_order = ["current", "code"]

    def __init__(self, *args, has_factor: bool, **kwargs):
        super().__init__(*args, **kwargs)
        if not has_factor:
            del self.fields["current"]


class OwnPasswordForm(PasswordChangeForm):
    """The rules stand above the field, so that they are read before anything is typed."""

    use_required_attribute = False

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        rules = format_html_join("", "<li>{}</li>", ([rule] for rule in passwords.rules()))
        self.fields["new_password1"].help_text = f"<ul>{rules}</ul>"
        self.fields["new_password1"].error_messages["required"] = "请填写新密码。"
        self.fields["new_password2"].error_messages["required"] = "请再填写一次新密码。"
        self.fields["old_password"].error_messages["required"] = "请填写现在的密码。"
        self.fields["old_password"].label = "现在的密码"
        self.fields["new_password2"].label = "再填一次新密码"
        self.fields["new_password2"].help_text = ""

    def validate_password_for_user(self, user, *field_of_django) -> None:
        """What is wrong with the new password is said at the field of it, below the rules."""
        super().validate_password_for_user(user, "new_password1")

    def clean_new_password2(self):
        """A first password that is kept would be known to 系统管理 for ever. The rules say so too, unless they are off."""
        typed = self.cleaned_data.get("new_password2", "")
        if typed and typed == self.cleaned_data.get("old_password"):
            raise ValidationError("新密码和现在的密码相同，请换一个。", code="password_unchanged")
        return typed
