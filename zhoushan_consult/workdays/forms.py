"""The forms in which 科监处 enters days off, and working days in lieu of them."""

from django import forms

from zhoushan_consult.bureau.actions import ActionForm

from .models import WorkdayOverride

WORKS = [("False", "放假"), ("True", "上班")]
# As the browser's date field sends a date, and as people type one.
DATE_FORMATS = ["%Y-%m-%d", "%Y/%m/%d", "%Y.%m.%d", "%Y年%m月%d日"]


class DateField(forms.DateField):
    """A date, chosen in the browser's calendar or typed."""

    def __init__(self, **kwargs):
        errors = {"required": "请填写日期。", "invalid": "请填写正确的日期，例如：2027-02-05。"}
        widget = forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"})
        super().__init__(input_formats=DATE_FORMATS, widget=widget, error_messages=errors, **kwargs)


class OverrideForm(ActionForm):
    """Whether a day is worked, and why."""

    works = forms.TypedChoiceField(
        label="安排",
        choices=WORKS,
        coerce=lambda value: value == "True",
        widget=forms.RadioSelect,
        error_messages={"required": "请选择放假还是上班。", "invalid_choice": "请选择放假还是上班。"},
    )
    note = forms.CharField(
        label="说明",
        max_length=100,
        required=False,
        help_text="例如：春节；春节调休上班。",
        error_messages={"max_length": "说明最多100字，请删减。"},
    )

    def __init__(self, data=None, *, record: WorkdayOverride, **kwargs):
        super().__init__(data, record=record, **kwargs)
        if record.pk:
            self.initial = {"works": str(record.works), "note": record.note}


class PeriodForm(OverrideForm):
    """One line of the announcement: the days off of a festival, or a working day in lieu."""

    first = DateField(label="第一天")
    last = DateField(label="最后一天", required=False, help_text="只有一天的，可以不填。")
    field_order = ["works", "first", "last"]

    def clean(self) -> dict:
        self.cleaned_data["last"] = self.cleaned_data.get("last") or self.cleaned_data.get("first")
        return self.cleaned_data
