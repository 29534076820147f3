"""What 综合处 fills in for a plan, and 局领导 about it (六（一）)."""

from datetime import date, datetime

from django import forms
from django.forms.models import fields_for_model, model_to_dict

from zhoushan_consult.bureau.models import Area, Division
from zhoushan_consult.bureau.panels import PanelForm
from zhoushan_consult.bureau.rows import RowForm, RowsForm

from . import calendar
from .models import ConsultDay, Reception

TEXTS = ["theme", "partners", "place", "note"]


class ReceptionForm(RowForm):
    """接待人员 (二)."""

    name = forms.CharField(label="姓名", max_length=30)
    title = forms.CharField(label="职务", max_length=60)
    unit = forms.ChoiceField(label="处室、县区或功能区", required=False)

    def __init__(self, *args, units: dict[str, Division | Area], **kwargs):
        super().__init__(*args, **kwargs)
        self.units = units
        self.fields["unit"].choices = [("", "不填"), *((key, str(unit)) for key, unit in units.items())]

    def made(self) -> Reception:
        unit = self.units.get(self.cleaned_data["unit"])
        place = {"division": unit} if isinstance(unit, Division) else {"area": unit}
        return Reception(name=self.cleaned_data["name"], title=self.cleaned_data["title"], **place)


class PlanForm(RowsForm):
    row = ReceptionForm
    rows_title = "接待人员"

    def __init__(self, data=None, *, record: ConsultDay, **kwargs):
        super().__init__(data, record=record, **kwargs)
        self.fields.update(fields_for_model(ConsultDay, TEXTS))
        self.fields["theme"].help_text = self.fields["place"].help_text = "送审前必须填写"
        self.fields["note"].widget.attrs["rows"] = 3
        self.initial = model_to_dict(record, TEXTS)

    def row_kwargs(self) -> dict:
        units = {f"d{division.pk}": division for division in Division.objects.all()}
        return {"units": units | {f"a{area.pk}": area for area in Area.objects.all()}}

    def start(self) -> list[dict]:
        return [{"name": r.name, "title": r.title, "unit": _key(r)} for r in self.record.receptions.all()]


def _key(reception: Reception) -> str:
    return (
        f"d{reception.division_id}"
        if reception.division_id
        else f"a{reception.area_id}"
        if reception.area_id
        else ""
    )


class RemarkForm(PanelForm):
    remark = forms.CharField(label="退回意见", max_length=300, widget=forms.Textarea(attrs={"rows": 3}))


class NewDayForm(forms.Form):
    """Which 咨询日 to begin a plan for: the next ones that have none yet."""

    day = forms.ChoiceField(
        label="咨询日", widget=forms.RadioSelect, error_messages={"required": "请选择咨询日。"}
    )

    def __init__(self, *args, now: datetime, **kwargs):
        super().__init__(*args, **kwargs)
        coming = [calendar.current_day(now)]
        coming += [calendar.following(coming[0]), calendar.following(calendar.following(coming[0]))]
        known = set(ConsultDay.objects.filter(date__in=coming).values_list("date", flat=True))
        self.fields["day"].choices = [
            (calendar.slug(date_), f"{date_.year}年{calendar.short(date_)}")
            for date_ in coming
            if date_ not in known
        ]

    def chosen(self) -> date:
        return calendar.parse_slug(self.cleaned_data["day"])
