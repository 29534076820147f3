"""The forms of the desk."""

from crispy_forms.bootstrap import StrictButton
from crispy_forms.helper import FormHelper
from crispy_forms.layout import ButtonHolder, Layout
from django import forms

from triage.models import ReplyKind
from triage.replies import EditedMeanwhile
from zhoushan_consult.bureau.refusals import Refused
from zhoushan_consult.form_fields import MultilineField
from zhoushan_consult.login import forms as login


def button(label: str, css_class: str = "btn btn-primary", **attributes) -> StrictButton:
    return StrictButton(label, type="submit", css_class=css_class, **attributes)


class DeskForm(forms.Form):
    """The form of one or two actions of a page. Call `lay_out` before it is shown."""

    key = ""
    # Action, label and CSS class of each button. The Enter key presses the first one.
    buttons: tuple[tuple[str, str, str], ...] = ()

    def __init__(self, *args, **kwargs):
        super().__init__(*args, auto_id=f"{self.key}-%s", **kwargs)

    def lay_out(self, page: str) -> "DeskForm":
        """Set the URL of each button below that of the `page`. A refusal leads to the error summary."""
        self.helper = FormHelper()
        self.helper.form_action = f"{page}{self.buttons[0][0]}/#error-summary"
        self.helper.form_id = f"{self.key}-form"
        acts = (
            button(label, look, formaction=f"{page}{name}/#error-summary")
            for name, label, look in self.buttons
        )
        self.helper.layout = Layout(*self.fields, ButtonHolder(*acts))
        return self

    def refuse(self, refusal: Refused) -> None:
        """After a version that was saved meanwhile, the next click replaces it: both are on the page now."""
        if isinstance(refusal, EditedMeanwhile):
            self.data = self.data.copy()
            self.data["version"] = refusal.theirs.version

    def typed(self) -> list[tuple[str, str]]:
        """Label and text of what was typed, to be copied if the form itself is closed by now."""
        written = [field for field in self.visible_fields() if not isinstance(field.field, forms.ChoiceField)]
        values = [(field.label, field.value()) for field in written]
        return [(label, value) for label, value in values if isinstance(value, str) and value.strip()]


class DraftForm(DeskForm):
    key = "draft"
    buttons = (("save", "保存", "btn"), ("submit", "送审签", "btn btn-primary"))

    body = MultilineField(
        label="答复内容",
        max_length=5000,
        rows=14,
        help_text="企业看到的就是这段文字：先说结论，再说怎么办、找谁办。不超过 5000 字，不写个人信息。",
        error_messages={"required": "请写明答复内容。"},
    )
    law = MultilineField(
        label="政策依据",
        max_length=300,
        required=False,
        rows=2,
        help_text="法规、标准或文件的名称和条款，不超过 300 字。",
    )
    version = forms.IntegerField(widget=forms.HiddenInput, min_value=0)


class RevisionForm(DraftForm):
    """更正 or 补充 of a reply that the firm has read. The number of the wording is that of the last one on the page."""

    key = "revision"
    buttons = (("save-revision", "保存", "btn"), ("submit-revision", "送审签", "btn btn-primary"))

    kind = forms.ChoiceField(
        label="办理方式",
        choices=[
            (ReplyKind.CORRECTION, "更正：原来的答复有误，以这次为准"),
            (ReplyKind.SUPPLEMENT, "补充：原来的答复仍然有效，再加以下内容"),
        ],
        widget=forms.RadioSelect,
        error_messages={"required": "请选择是更正还是补充。"},
    )
    field_order = ["kind", "body", "law", "version"]


class AsItIsForm(DeskForm):
    """For a head who leaves a colleague's draft as it is: changed, it would be the head's own."""

    key = "as_it_is"
    buttons = (("submit-as-it-is", "按现稿送审签", "btn"),)


class DropForm(DeskForm):
    key = "drop"
    buttons = (("drop-revision", "不再更正或补充", "btn btn-warning"),)


class SignForm(DeskForm):
    key = "sign"
    buttons = (("sign", "审签并答复企业", "btn btn-primary"),)

    version = forms.IntegerField(widget=forms.HiddenInput, min_value=0)


class SendBackForm(DeskForm):
    key = "send_back"
    buttons = (("send-back", "退回修改", "btn"),)

    remark = MultilineField(
        label="修改意见",
        max_length=300,
        rows=3,
        help_text="写给拟稿人，企业看不到。不超过 300 字。",
        error_messages={"required": "请写明需要修改什么。"},
    )
    version = forms.IntegerField(widget=forms.HiddenInput, min_value=0, required=False)


class HandBackForm(DeskForm):
    key = "hand_back"
    buttons = (("hand-back", "退回综合处", "btn btn-warning"),)

    reason = MultilineField(
        label="退回理由",
        max_length=300,
        rows=3,
        help_text="说明为什么不属于本处室职责、建议由哪个处室答复。不超过 300 字。",
        error_messages={"required": "请写明退回的理由，便于综合处重新交办。"},
    )


class ProgressForm(DeskForm):
    key = "progress"
    buttons = (("progress", "记录进展", "btn btn-primary"),)

    text = MultilineField(
        label="进展情况",
        max_length=1000,
        rows=5,
        help_text="做了什么、结果怎样、下一步何时办。综合处和办公室会同时看到。不超过 1000 字。",
        error_messages={"required": "请写明进展情况。"},
    )
    to_firm = forms.BooleanField(
        label="同时告知企业", required=False, help_text="企业会收到提醒，并在进度页看到这段文字。"
    )


class CloseForm(DeskForm):
    key = "close"
    buttons = (("close", "办结", "btn"),)

    result = MultilineField(
        label="办理结果",
        max_length=1000,
        rows=4,
        help_text="最后怎么解决的。全部督办办结后，企业会看到这段文字（差评回访的除外）。不超过 1000 字，不写个人信息。",
        error_messages={"required": "请写明办理结果，再办结。"},
    )


class LoginForm(login.LoginForm):
    """用户名 and 密码 with the layout of the desk."""

    helper = FormHelper()
    helper.layout = Layout("username", "password", ButtonHolder(button("登录")))
