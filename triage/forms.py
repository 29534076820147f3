"""What 综合处 and 局领导 fill in about a registration, action by action."""

from dataclasses import replace
from functools import partial

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.text import Truncator

from appointments.contact import FIELDS, contact_of
from appointments.forms import ContactFields
from appointments.models import Appointment, Objection, Supplement, Verdict
from zhoushan_consult.bureau.actions import ActionForm, parse_key
from zhoushan_consult.bureau.models import Division
from zhoushan_consult.bureau.row_forms import RowForm, RowsForm
from zhoushan_consult.form_fields import MultilineField

from .assignment import AssignmentItem
from .hearing import Promise
from .models import (
    Assignment,
    AssignmentState,
    CallOutcome,
    DeclineReason,
    FollowUp,
    Outcome,
    Part,
    RoutingTrace,
)
from .rulebook import explanation
from .work import UNFINISHED

Text = partial(MultilineField, rows=3)
Radio = partial(forms.ChoiceField, widget=forms.RadioSelect)
# The choices are records. One of them may be dealt with since the page was opened.
OneOfRecords = partial(
    Radio,
    error_messages={"invalid_choice": "所选的这一项刚刚有变动，可能已被他人办理。请看现在列出的，再选一次。"},
)


class ReasonForm(ActionForm):
    reason = Text(label="理由", max_length=200)


class CallForm(ActionForm):
    """电话沟通记录."""

    outcome = Radio(label="通话结果", choices=CallOutcome)
    gist = Text(label="通话内容", max_length=500, help_text="告知了什么、对方怎么说")


class NotifiedForm(CallForm):
    """One call to a firm: it settles all letters that wait for it, unless the officer says which were not told."""

    letters = forms.MultipleChoiceField(
        label="告知的通知",
        widget=forms.CheckboxSelectMultiple,
        help_text="请逐条告知；没有来得及说的，去掉勾选。",
        error_messages={
            "required": "请选择这次电话告知的通知。",
            "invalid_choice": (
                "有的通知刚刚由他人告知，或不用再告知了。请对照现在列出的再选；只说了别的，请记在“电话记录”。"
            ),
        },
    )
    field_order = ["letters"]

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        choices = [(str(call.notice.pk), call.text) for call in self.record.calls_to_make]
        self.fields["letters"].choices = choices
        self.initial = {"letters": [key for key, _ in choices]}

    def chosen(self):
        keys = self.cleaned_data["letters"]
        return [call.notice for call in self.record.calls_to_make if str(call.notice.pk) in keys]


class ContactForm(ContactFields, ActionForm):
    """更正联系方式 by 综合处, with the fields and rules of the registration form."""

    version = forms.CharField(required=False, widget=forms.HiddenInput)
    reason = Text(label="更正理由", max_length=200, help_text="如“企业来电说明换了号码”。不要写号码。")

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.start_from(self.record)
        self.order_fields([*FIELDS, "reason"])

    @property
    def version_read(self) -> str:
        """The mark of the contact that the officer read; after a refusal, of the one registered now."""
        current = contact_of(self.record).mark()
        return self.data.get("version", current) if self.is_bound and not self.refused else current


class DeclineForm(CallForm):
    version = forms.IntegerField(widget=forms.HiddenInput)
    reason = Radio(label="不予通过的理由", choices=DeclineReason)
    explanation = Text(
        label="对企业的说明",
        max_length=500,
        help_text="会写进给企业的通知和进度页。请写明理由，以及可以找哪个部门、走什么途径。",
    )
    cited = Radio(
        label="引用已公开的答复",
        required=False,
        help_text="属于重复事项的，选一条；它的网址会一并告知企业。",
    )
    field_order = ["reason", "cited", "explanation", "outcome", "gist"]

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        published = [answer for answer, _ in self.record.before.published]
        self.fields["cited"].choices = [("", "不引用"), *((str(a.pk), a.question) for a in published)]
        if not published:
            del self.fields["cited"]

    def explained(self) -> str:
        """What the firm is told, with the address of the answer that is cited."""
        cited = next(
            (a for a, _ in self.record.before.published if str(a.pk) == self.cleaned_data.get("cited")), None
        )
        told = self.cleaned_data["explanation"]
        return f"{told}\n已公开的答复：{settings.SITE_URL}{cited.get_absolute_url()}" if cited else told


class DivisionRow(RowForm):
    """A row that goes to a division."""

    def __init__(self, *args, divisions: dict[str, Division], **kwargs):
        super().__init__(*args, **kwargs)
        self.divisions = divisions
        self.fields["division"].choices = [
            ("", "请选择处室"),
            *((code, str(d)) for code, d in divisions.items()),
        ]

    def chosen(self) -> Division:
        return self.divisions[self.cleaned_data["division"]]


class PortionForm(DivisionRow):
    question = Text(label="交办事项", max_length=2000, error_messages={"required": "请写明交办事项。"})
    division = forms.ChoiceField(label="处室", error_messages={"required": "请选择处室。"})
    part = forms.ChoiceField(label="主办或协办", choices=Part, initial=Part.LEAD)
    reason = forms.CharField(
        label="调整理由", max_length=200, required=False, help_text="处室与规则建议不同时填写"
    )

    def made(self) -> AssignmentItem:
        values = self.cleaned_data
        return AssignmentItem(self.chosen(), values["question"], Part(values["part"]), values["reason"])


class PromiseForm(DivisionRow):
    text = Text(label="督办事项", max_length=500, error_messages={"required": "请写明督办事项。"})
    division = forms.ChoiceField(label="责任处室", error_messages={"required": "请选择责任处室。"})
    due_on = forms.DateField(
        label="办理期限",
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        help_text="不填则按规定的工作日",
    )

    def made(self) -> Promise:
        values = self.cleaned_data
        return Promise(values["text"], self.chosen(), values["due_on"])


class DivisionRows(RowsForm):
    """Rows that go to divisions, which are read once for the whole screen."""

    def row_kwargs(self) -> dict:
        return {"divisions": {division.code: division for division in self.record.every_division}}


class AcceptForm(DivisionRows):
    """通过初审并交办: what the rules suggest, to be changed by hand."""

    row = PortionForm
    trace = forms.CharField(required=False, widget=forms.HiddenInput)

    def start(self) -> list[dict]:
        return explanation.portions(self.record.trace.to_decision(), self.record.summary)

    @property
    def trace_read(self) -> int | str:
        """The key of the trace that the officer decides on; after a refusal, of the one shown now."""
        current = self.record.trace.pk
        return self.data.get("trace", current) if self.is_bound and not self.refused else current

    def clean_trace(self) -> RoutingTrace:
        trace = self.record.traces.filter(pk=parse_key(self.cleaned_data["trace"])).first()
        if not trace:
            # Above the form: the field is hidden, so an error next to it would not be seen.
            self.add_error(None, "分办建议已更新，请对照最新的建议再决定。填写的内容都在。")
            self.refused = True
        return trace


class AddForm(DivisionRows):
    """One more 交办."""

    row = PortionForm
    spare = 1
    removable = False

    def clean(self):
        if self.rows.is_valid() and len(self.rows.made()) != 1:
            raise ValidationError("请写明交办事项并选择处室。")
        return self.cleaned_data


class ChosenPortionForm(PortionForm):
    """A row about what is chosen above it. What is left empty stays as it stands there."""

    question = Text(label="交办事项", max_length=2000, required=False, help_text="照原文交办的，不用填写")

    def made(self) -> AssignmentItem:
        values = self.cleaned_data
        return AssignmentItem(self.chosen(), values["question"], values["part"], values["reason"])


class MovedPortionForm(ChosenPortionForm):
    part = forms.ChoiceField(label="主办或协办", choices=[("", "和原来一样"), *Part.choices], required=False)


class OneOfForm(AddForm):
    """One of several questions is chosen in the field `of`, and goes to a division.

    The row starts with the text of a single one. Of several it starts empty: the text of the first would stay in the row
    when another is chosen, and that one would be lost.
    """

    row: type[RowForm] = ChosenPortionForm
    spare = 0
    of: str

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        found = self.found()
        self.fields[self.of].choices = [(str(each.pk), self.name_of(each)) for each in found]
        self.initial = {self.of: next((str(each.pk) for each in found), None)}

    def found(self) -> list:
        """What can be chosen."""
        raise NotImplementedError

    def name_of(self, chosen) -> str:
        raise NotImplementedError

    def text_of(self, chosen) -> tuple[str, Part]:
        """The question and the part of the division, as they stand."""
        raise NotImplementedError

    def start(self) -> list[dict]:
        rows = [dict(zip(("question", "part"), self.text_of(each), strict=True)) for each in self.found()]
        return rows if len(rows) == 1 else [{}]

    def chosen(self):
        return next(each for each in self.found() if str(each.pk) == self.cleaned_data[self.of])

    def made(self) -> AssignmentItem:
        """What is to be given to a division."""
        row, (question, part) = self.rows.made()[0], self.text_of(self.chosen())
        return replace(row, question=row.question or question, part=Part(row.part or part))


class SupplementForm(OneOfForm):
    """补充问题: given to a division like any other question."""

    of = "supplement"
    supplement = OneOfRecords(label="哪个补充问题")

    def found(self) -> list[Supplement]:
        return open_supplements(self.record)

    def name_of(self, chosen: Supplement) -> str:
        return chosen.text

    def text_of(self, chosen: Supplement) -> tuple[str, Part]:
        return chosen.text, Part.LEAD


class SupplementNotedForm(ActionForm):
    """A 补充问题 that is part of a 交办 already."""

    supplement = OneOfRecords(label="哪个补充问题")

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["supplement"].choices = [(str(s.pk), s.text) for s in open_supplements(self.record)]

    def chosen(self) -> Supplement:
        waiting = open_supplements(self.record)
        return next(s for s in waiting if str(s.pk) == self.cleaned_data["supplement"])


def open_supplements(record: Appointment) -> list[Supplement]:
    return [supplement for supplement in record.supplements.all() if not supplement.handled_at]


class ObjectionForm(ActionForm):
    """登记异议: the result of looking into it."""

    verdict = Radio(label="核实结果", choices=Verdict)
    gist = Text(label="核实经过", max_length=500, help_text="问过谁、怎样核实的")

    def clean(self):
        if open_objection(self.record) is None:
            raise ValidationError("这件异议已经核实，请查看最新情况。")
        return self.cleaned_data


def open_objection(record: Appointment) -> Objection | None:
    return next((objection for objection in record.objections.all() if not objection.verdict), None)


class ReassignForm(OneOfForm):
    """改派: a 交办 that is not yet answered goes to another division."""

    row = MovedPortionForm
    of = "assignment"
    assignment = OneOfRecords(label="改派哪一项")

    def found(self) -> list[Assignment]:
        return movable(self.record)

    def name_of(self, chosen: Assignment) -> str:
        return _in_short(chosen)

    def text_of(self, chosen: Assignment) -> tuple[str, Part]:
        return chosen.question, Part(chosen.part)


def movable(record: Appointment) -> list[Assignment]:
    """交办 that may go to another division, those given back first."""
    return sorted(
        (a for a in record.assignments.all() if a.state in UNFINISHED),
        key=lambda a: a.state != AssignmentState.RETURNED,
    )


def _in_short(assignment: Assignment) -> str:
    """Division and question: a division may have several."""
    reason = f"：{assignment.return_reason}" if assignment.return_reason else ""
    state = f"{assignment.get_part_display()}，{assignment.get_state_display()}{reason}"
    return f"{assignment.division}（{state}）　{Truncator(assignment.question).chars(60)}"


class ConcludeForm(DivisionRows):
    """现场结果, with what was promised."""

    row = PromiseForm
    rows_title = "需跟踪督办的事项"
    outcome = Radio(label="现场结果", choices=Outcome)
    gist = Text(label="现场答复要点", max_length=1000, required=False, help_text="会告知企业")


class OutcomeForm(ActionForm):
    """现场结果 on the tablet: the button pressed says which; a promise is asked for one of them only."""

    outcome = forms.ChoiceField(
        choices=Outcome, widget=forms.HiddenInput, error_messages={"required": "请按其中一个结果按钮。"}
    )
    gist = Text(label="现场答复要点", max_length=1000, required=False, help_text="会告知企业")
    division = forms.ChoiceField(label="责任处室", required=False)
    text = Text(label="督办事项", max_length=500, required=False, help_text="会告知企业")

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.divisions = {division.code: division for division in self.record.every_division}
        self.fields["division"].choices = [(code, str(each)) for code, each in self.divisions.items()]

    def promises(self) -> list[Promise]:
        """The promise, where the outcome is 需跟踪督办; nothing where a part of it is missing."""
        said = self.cleaned_data
        if said["outcome"] != Outcome.FOLLOW or not (said["text"] and said["division"]):
            return []
        return [Promise(said["text"], self.divisions[said["division"]])]


class FollowUpForm(ActionForm):
    """About one open 督办 of the registration."""

    matter = OneOfRecords(label="督办事项")

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["matter"].choices = [
            (str(m.pk), f"{m.division}：{m.promise}") for m in open_follow_ups(self.record)
        ]
        self.initial = {"matter": next((str(m.pk) for m in open_follow_ups(self.record)), None)}

    def chosen(self) -> FollowUp:
        return next(m for m in open_follow_ups(self.record) if str(m.pk) == self.cleaned_data["matter"])


def open_follow_ups(record: Appointment) -> list[FollowUp]:
    return [follow_up for follow_up in record.follow_ups.all() if not follow_up.closed_at]


class ProgressForm(FollowUpForm):
    text = Text(label="进展情况", max_length=1000)
    to_firm = forms.BooleanField(label="同时告知企业", required=False)


class CloseFollowUpForm(FollowUpForm):
    result = Text(label="办理结果", max_length=1000, help_text="会告知企业")
