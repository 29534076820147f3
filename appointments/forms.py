"""The forms of the firm, first of all 附件2: its fields, six of them required, and the session line (六（二）).

In addition to 附件2 the form has 证件类型, 县区/功能区, 事项类别, and the two consents that the 个人信息保护法 asks for.
"""

from dataclasses import asdict
from datetime import date

from crispy_forms.helper import FormHelper
from crispy_forms.layout import HTML, Div, Fieldset, Layout
from django import forms
from django.core.exceptions import ValidationError

from sessions_app import calendar
from zhoushan_consult.bureau.models import Area, Officer
from zhoushan_consult.clock import local_date
from zhoushan_consult.form_fields import MultilineField, NormalizedField
from zhoushan_consult.identity import mailbox, names, phone, postcode, resident_id, uscc
from zhoushan_consult.sign_on.provider import Firm

from .booking import Registration, Source
from .contact import FIELDS, Contact, contact_of
from .models import Channel, Grade
from .topics import TopicChoice


class YesNoField(forms.ChoiceField):
    """Two radio buttons. It also understands the values that other programs send for a checkbox."""

    def to_python(self, value):
        text = super().to_python(value)
        return {"on": "1", "true": "1", "yes": "1", "false": "0", "no": "0"}.get(text.lower(), text)


# The six fields with * in 附件2, and what to write there: 「这个字段是必填项」 would not say it.
REQUIRED = {
    "enterprise_name": "请填写企业名称，与营业执照一致。",
    "uscc": "请填写营业执照上的 18 位统一社会信用代码。",
    "contact_name": "请填写到场人的姓名。",
    "id_number": "请填写证件号码，用于实名登记。",
    "phone": "请填写联系电话，用来接收通知和查询进度。",
    "summary": "请写明要咨询的事项，一两句话也可以。",
}


class RegistrationForm(forms.Form):
    """附件2 as a web form. `now`: a date of birth in an ID number must not be later. `areas`: the counties and zones."""

    enterprise_name = NormalizedField(
        label="企业名称",
        normalize=names.clean,
        help_text="与营业执照一致。",
        widget=forms.TextInput(attrs={"autocomplete": "organization"}),
    )
    uscc = forms.CharField(
        label="统一社会信用代码",
        help_text="营业执照上的 18 位代码。",
        # Without autocomplete="off", with which browsers do not restore a field after Back. The code is public.
        widget=forms.TextInput(attrs={"autocapitalize": "characters", "spellcheck": "false"}),
    )
    address = NormalizedField(
        label="通信地址",
        normalize=names.tidy,
        max_length=150,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "street-address"}),
    )
    postcode = NormalizedField(
        label="邮政编码",
        normalize=postcode.clean,
        required=False,
        widget=forms.TextInput(
            attrs={"autocomplete": "postal-code", "inputmode": "numeric", "class": "short"}
        ),
    )
    county = forms.ChoiceField(label="所在县区或功能区", required=False)
    contact_name = NormalizedField(
        label="姓名",
        normalize=names.clean_person,
        help_text="法定代表人，或到场的代表。",
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )
    id_type = forms.ChoiceField(
        label="证件类型", choices=resident_id.IdType, initial=resident_id.IdType.RESIDENT, required=False
    )
    id_number = forms.CharField(
        label="身份证号码",
        help_text="用于实名登记和现场核对，加密保存，只显示首尾几位。",
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    phone = forms.CharField(
        label="联系电话",
        help_text="最好填手机，用来接收通知和查询进度。座机请加区号，分机写“转8001”。",
        widget=forms.TextInput(attrs={"autocomplete": "tel", "type": "tel"}),
    )
    email = NormalizedField(
        label="电子邮箱",
        normalize=mailbox.clean,
        required=False,
        # Not type="email": Chrome sends "name@qq.com手机" in Punycode, and the page would show what was not typed.
        widget=forms.TextInput(attrs={"autocomplete": "email", "inputmode": "email", "spellcheck": "false"}),
    )
    topics = forms.MultipleChoiceField(
        label="事项类别",
        choices=TopicChoice,
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text="可多选；不清楚可以不选。",
    )
    summary = MultilineField(
        label="咨询事项或问题需求概述",
        rows=8,
        max_length=2000,
        min_length=2,
        help_text="写清行业、环节和想问的事。有几个问题请分开写，便于各处室分别答复。不要写他人的个人信息。",
    )
    wants_onsite = YesNoField(
        label="咨询方式",
        choices=[("1", "现场咨询：当面来谈"), ("0", "书面答复：不到现场")],
        initial="1",
        required=False,
        widget=forms.RadioSelect,
        help_text="现场每次不超过10家。排不上的先书面答复，下次优先。",
    )
    agree_notice = forms.BooleanField(
        label="我已阅读并同意《个人信息处理告知》",
        error_messages={"required": "请阅读《个人信息处理告知》，同意后勾选。"},
    )
    agree_id_use = forms.BooleanField(
        label="我单独同意为实名登记处理身份证号码",
        error_messages={
            "required": "身份证号码属于敏感个人信息，需要您单独同意；不同意的，请电话联系综合处。"
        },
    )
    # A honeypot, hidden by CSS. Robots fill it; `views.register` then stores nothing.
    website = forms.CharField(
        label="此处请留空",
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off", "tabindex": "-1"}),
    )

    def __init__(self, data=None, *args, now, areas, firm: Firm | None = None, **kwargs):
        super().__init__(_of_firm(data, firm), *args, **kwargs)
        self.today = local_date(now)
        self.areas = {area.code: area for area in areas}
        self.fields["county"].choices = [("", "请选择"), *((area.code, area.name) for area in areas)]
        for name, text in REQUIRED.items():
            self.fields[name].error_messages["required"] = text
        if firm:
            self._fix(firm)
        self.helper = form_helper()

    def _fix(self, firm: Firm) -> None:
        """Name and code of a firm that has signed on: shown, and read only."""
        for name, value in firm_fields(firm).items():
            self.fields[name].initial = value
            self.fields[name].widget.attrs["readonly"] = True
            self.fields[name].help_text = "由法人账号带出，不能修改。"

    def clean_uscc(self):
        return uscc.clean(self.cleaned_data["uscc"])

    def clean_id_type(self):
        # 附件2 knows the resident ID only, so a form without the choice means that one.
        return self.cleaned_data["id_type"] or resident_id.IdType.RESIDENT

    def clean_id_number(self):
        kind = self.cleaned_data.get("id_type") or resident_id.IdType.RESIDENT
        return resident_id.clean(self.cleaned_data["id_number"], today=self.today, kind=kind)

    def clean_phone(self):
        return phone.clean(self.cleaned_data["phone"])

    def clean_wants_onsite(self):
        return self.cleaned_data["wants_onsite"] != "0"

    def registration(self) -> Registration:
        """The valid form, as `booking.submit` takes it."""
        data = self.cleaned_data
        values = {name: data[name] for name in Registration.__dataclass_fields__ if name in data}
        return Registration(
            **values | {"area": self.areas.get(data["county"]), "topics": tuple(data["topics"])}
        )


def firm_fields(firm: Firm) -> dict[str, str]:
    """The fields that the sign-on of the firm fills in."""
    return {"enterprise_name": firm.name, "uscc": firm.uscc}


def _of_firm(data, firm: Firm | None):
    """What was sent, with the name and code of the firm that has signed on, and not what the form sent for them."""
    if data is None or firm is None:
        return data
    fixed = data.copy()
    for name, value in firm_fields(firm).items():
        fixed[name] = value
    return fixed


def form_helper() -> FormHelper:
    """The layout in the order of 附件2: firm, contact, question; then the consents."""
    helper = FormHelper()
    # The template has the <form>. Without a CSRF token in them, the fields can be cached for all visitors.
    helper.form_tag = False
    helper.disable_csrf = True
    helper.layout = Layout(
        Fieldset(
            "企业基本信息", "enterprise_name", "uscc", "address", "postcode", "county", css_class="group"
        ),
        contact_part(),
        question_part(),
        consents_part(),
        Div("website", css_class="honeypot"),
    )
    return helper


def contact_part() -> Fieldset:
    return Fieldset("联系人信息", "contact_name", "id_type", "id_number", "phone", "email", css_class="group")


def question_part() -> Fieldset:
    return Fieldset("咨询事项", "topics", "summary", "wants_onsite", css_class="group")


def consents_part() -> Fieldset:
    notice = '<p><a href="/privacy/" target="_blank">《个人信息处理告知》（新窗口打开）</a></p>'
    return Fieldset("个人信息", HTML(notice), "agree_notice", "agree_id_use", css_class="group")


class AmendForm(RegistrationForm):
    """The same form while the registration is 待初审. Without name and code: another firm is another registration.

    An empty ID number means no change, because the page never shows the stored one.
    """

    def __init__(self, *args, appointment, **kwargs):
        self.appointment = appointment
        super().__init__(*args, **kwargs)
        for name in ("enterprise_name", "uscc", "agree_notice", "agree_id_use", "website"):
            del self.fields[name]
        self.fields["id_number"].required = False
        self.fields["id_number"].help_text = f"现为 {appointment.masked_id}，不改请留空。"
        self.helper.layout = Layout(
            Fieldset("企业基本信息", "address", "postcode", "county", css_class="group"),
            contact_part(),
            question_part(),
        )

    @staticmethod
    def initial_from(appointment) -> dict:
        """The stored values that the form starts with."""
        names = ("address", "postcode", "contact_name", "id_type", "email", "topics", "summary")
        return {name: getattr(appointment, name) for name in names} | {
            "county": appointment.area.code if appointment.area else "",
            "phone": phone.format_phone(appointment.phone_number),
            "wants_onsite": "1" if appointment.wants_onsite else "0",
        }

    def clean_id_number(self):
        if self.cleaned_data["id_number"]:
            return super().clean_id_number()
        # The stored number was validated as another kind of document.
        if self.cleaned_data.get("id_type") != self.appointment.id_type:
            raise ValidationError("改了证件类型，请填写新的证件号码。")
        return self.appointment.id_number.open()

    def registration(self) -> Registration:
        """As in RegistrationForm, with the name and code that are stored."""
        self.cleaned_data |= {
            "enterprise_name": self.appointment.enterprise_name,
            "uscc": self.appointment.uscc,
        }
        return super().registration()


class ContactFields(forms.Form):
    """How a firm is reached: the fields of 附件2 for that, with the same rules and sentences."""

    contact_name = RegistrationForm.base_fields["contact_name"]
    phone = RegistrationForm.base_fields["phone"]
    email = RegistrationForm.base_fields["email"]
    address = RegistrationForm.base_fields["address"]
    postcode = RegistrationForm.base_fields["postcode"]

    @staticmethod
    def initial_from(appointment) -> dict:
        """The registered values that the form starts with."""
        registered = contact_of(appointment)
        return asdict(registered) | {"phone": phone.format_phone(registered.phone)}

    def start_from(self, appointment) -> None:
        """Show what is registered, to be corrected."""
        self.initial |= self.initial_from(appointment)
        for name in REQUIRED.keys() & self.fields:
            self.fields[name].error_messages["required"] = REQUIRED[name]
        self.fields[
            "phone"
        ].help_text = "今后的通知发到这个号码，企业也用它查询进度。座机请加区号，分机写“转8001”。"

    def clean_phone(self):
        return phone.clean(self.cleaned_data["phone"])

    def contact(self) -> Contact:
        """The valid form, as `contact.correct` takes it."""
        return Contact(**{name: self.cleaned_data[name] for name in FIELDS})


class ContactForm(ContactFields):
    """更正联系方式 by the firm itself."""

    def __init__(self, *args, appointment, **kwargs):
        super().__init__(*args, **kwargs)
        self.start_from(appointment)
        self.fields["contact_name"].help_text = "到场人换了的，签到时请带新到场人的证件。"
        self.helper = FormHelper()
        # The template has the <form>, and the CSRF token in it.
        self.helper.form_tag = False
        self.helper.disable_csrf = True


class EntryForm(RegistrationForm):
    """The same form, filled in by 综合处 for a firm that telephoned or was visited. The firm consents orally.

    `days`: the 咨询日 to choose from. `late`: the one of them that is closed to the public, for which this is a 补录.
    """

    day = forms.CharField(
        label="参加哪一期", widget=forms.RadioSelect, error_messages={"required": "请选择参加哪一期。"}
    )
    channel = forms.ChoiceField(
        label="登记来源",
        choices=[(Channel.PHONE, Channel.PHONE.label), (Channel.VISIT, Channel.VISIT.label)],
        widget=forms.RadioSelect,
        error_messages={"required": "请选择企业是来电还是走访时登记的。"},
    )
    reason = forms.CharField(
        label="代录或补录的理由",
        max_length=100,
        help_text="如企业不便上网、走访时提出；截止后补录的，写明为什么没有按时登记。",
        error_messages={"required": "请写明代录或补录的理由。"},
    )
    uscc_reason = forms.CharField(
        label="代码校验不通过但与营业执照一致的，写明怎样核对的",
        max_length=60,
        required=False,
        help_text="一般不填。填写后，代码只检查位数和字符。",
    )
    field_order = ["day", "channel", "reason", "enterprise_name", "uscc_reason", "uscc"]

    def __init__(self, *args, days: list[date], late: date | None, **kwargs):
        super().__init__(*args, **kwargs)
        # The admin is behind a login, where no robot comes.
        del self.fields["website"]
        self.fields["day"].widget.choices = [
            (calendar.slug(day), f"{calendar.short(day)}{'，补录' if day == late else ''}") for day in days
        ]
        if len(days) == 1:
            self.fields["day"].initial = calendar.slug(days[0])
        self._reword_consents()
        self.helper.layout = entry_layout()

    def _reword_consents(self) -> None:
        """The officer records an oral consent: the sentences of the public form would be untrue here."""
        notice, id_use = self.fields["agree_notice"], self.fields["agree_id_use"]
        notice.label = "已向对方说明《个人信息处理告知》的内容，对方口头同意"
        notice.error_messages["required"] = "请先向对方说明《个人信息处理告知》，对方口头同意后勾选。"
        id_use.label = "已单独说明为实名登记处理身份证号码，对方口头同意"
        id_use.error_messages["required"] = "身份证号码要单独征得对方口头同意；不同意的，不能登记。"
        self.fields["phone"].help_text = "企业用来查询进度、接收通知的号码，请复述一遍核对。"

    def clean_day(self):
        """Only the format. `staff_entry.enter` decides whether the day is open, after it has looked for a form sent twice."""
        day = calendar.parse_slug(self.cleaned_data["day"])
        if day is None:
            raise ValidationError("请选择参加哪一期。")
        return day

    def clean_uscc(self):
        return uscc.clean(self.cleaned_data["uscc"], admitted=bool(self.cleaned_data.get("uscc_reason")))

    def entry(self, by: Officer) -> Source:
        """Who entered the registration, how and why, as `staff_entry.enter` takes it."""
        data = self.cleaned_data
        # Some real codes fail the check digit (GB 32100). The reason records how the officer checked such a code.
        checked = f"（信用代码经核对营业执照：{data['uscc_reason']}）" if data["uscc_reason"] else ""
        return Source(data["channel"], by, data["reason"] + checked)


def entry_layout() -> Layout:
    """How the registration came in; then 附件2; then the oral consents."""
    return Layout(
        Fieldset("登记方式", "day", "channel", "reason", css_class="group"),
        Fieldset(
            "企业基本信息",
            "enterprise_name",
            "uscc",
            "uscc_reason",
            "address",
            "postcode",
            "county",
            css_class="group",
        ),
        contact_part(),
        question_part(),
        consents_part(),
    )


class RegisteredPhoneForm(forms.Form):
    """The telephone of the registration, which the firm gives with something else that only it knows."""

    phone = forms.CharField(
        label="联系电话",
        help_text="登记时填写的号码。座机可以不写分机。",
        error_messages={"required": "请填写登记时的联系电话。"},
        widget=forms.TextInput(attrs={"autocomplete": "tel", "type": "tel"}),
    )

    def clean_phone(self):
        return phone.clean(self.cleaned_data["phone"])


class LookupForm(RegisteredPhoneForm):
    """进度查询: 受理编号 and phone, which together only the firm knows."""

    reference = forms.CharField(
        label="受理编号",
        max_length=500,
        error_messages={"required": "请填写受理编号。"},
        help_text="在回执和短信里，如 K7M2-9QRT-4WXP-2H。可以把短信整段粘贴进来。",
        widget=forms.TextInput(
            attrs={"autocomplete": "off", "autocapitalize": "characters", "spellcheck": "false"}
        ),
    )
    field_order = ["reference", "phone"]


class LostReferenceForm(RegisteredPhoneForm):
    """找回受理编号: what the firm still knows of its registration."""

    uscc = forms.CharField(
        label="统一社会信用代码",
        help_text="营业执照上的 18 位代码。",
        error_messages={"required": REQUIRED["uscc"]},
        widget=forms.TextInput(attrs={"autocapitalize": "characters", "spellcheck": "false"}),
    )
    field_order = ["uscc", "phone"]

    def clean_uscc(self):
        # Some real codes fail the check digit, and were admitted by an officer: only the format counts here.
        return uscc.clean(self.cleaned_data["uscc"], admitted=True)


class UnsolvedForm(forms.Form):
    """未解决, with what is still open (六（六）)."""

    reason = MultilineField(
        label="还有哪些没有解决",
        rows=4,
        # The remark of a stage move holds 300, and `feedback.report_unsolved` puts eight characters before the text.
        max_length=280,
        error_messages={"required": "请写一两句还没解决的问题，便于处室继续办理。"},
    )


class SupplementForm(forms.Form):
    """补充问题: what the firm asks in addition, after its registration was accepted."""

    text = MultilineField(
        label="补充的问题",
        rows=4,
        max_length=1000,
        help_text="和原来的问题一起交处室答复。请不要写身份证号码、电话。",
        error_messages={"required": "请写明要补充的问题。"},
    )


class RatingForm(forms.Form):
    """好差评: five grades. None is preselected, because a default would be counted as an opinion."""

    grade = forms.TypedChoiceField(
        label="您对这次服务",
        choices=Grade,
        coerce=int,
        widget=forms.RadioSelect,
        error_messages={"required": "请选择一项评价。"},
    )
    remark = MultilineField(label="意见建议", rows=4, max_length=500, required=False)


def areas() -> list[Area]:
    """The counties and zones to choose from, in the order of the bureau."""
    return list(Area.objects.all())
