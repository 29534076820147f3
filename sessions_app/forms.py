"""What 综合处 fills in for a plan, and 局领导 about it (六（一）)."""

from collections.abc import Iterable
from datetime import date, datetime

from django import forms
from django.forms.models import fields_for_model, model_to_dict

from zhoushan_consult.bureau.actions import ActionForm
from zhoushan_consult.bureau.models import Area, Division
from zhoushan_consult.bureau.refusals import Refused
from zhoushan_consult.bureau.row_forms import RowForm, RowsForm

from . import calendar, planning
from .models import ConsultDay, Reception

TEXTS = list(planning.TEXTS)


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
    """The wording of a plan. Where somebody saved another meanwhile, both are shown and nothing typed is lost."""

    row = ReceptionForm
    rows_title = "接待人员"
    version = forms.IntegerField(widget=forms.HiddenInput)
    rival: planning.EditedMeanwhile | None = None

    def __init__(self, data=None, *, record: ConsultDay, **kwargs):
        super().__init__(data, record=record, **kwargs)
        self.fields.update(fields_for_model(ConsultDay, TEXTS))
        self.fields["theme"].help_text = self.fields["place"].help_text = "送审前必须填写"
        self.fields["note"].widget.attrs["rows"] = 3
        self.initial = model_to_dict(record, TEXTS)

    def refuse(self, refusal: Refused) -> None:
        self.rival = refusal if isinstance(refusal, planning.EditedMeanwhile) else None
        super().refuse(refusal)

    @property
    def differences(self) -> list[tuple[str, str, str]]:
        """Label, what is saved, what is typed: of the texts that are not the same in both."""
        found = [(self.fields[n].label, getattr(self.record, n), self.cleaned_data[n]) for n in TEXTS]
        found.append((self.rows_title, _listed(self.record.receptions.all()), _listed(self.rows.made())))
        return [row for row in found if row[1] != row[2]]

    def row_kwargs(self) -> dict:
        units = {f"d{division.pk}": division for division in Division.objects.all()}
        return {"units": units | {f"a{area.pk}": area for area in Area.objects.all()}}

    def start(self) -> list[dict]:
        return [{"name": r.name, "title": r.title, "unit": _key(r)} for r in self.record.receptions.all()]


def _listed(people: Iterable[Reception]) -> str:
    return "、".join(str(person) for person in people)


def _key(reception: Reception) -> str:
    return (
        f"d{reception.division_id}"
        if reception.division_id
        else f"a{reception.area_id}"
        if reception.area_id
        else ""
    )


class ChangeForm(PlanForm):
    """What is changed in a plan that the portal shows already."""

    reason = forms.CharField(
        label="变更理由",
        max_length=200,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text="门户和企业收到的通知里会写明",
        error_messages={"required": "请写明变更理由，企业会看到。"},
    )

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.order_fields([*TEXTS, "reason", "version"])
        for name in ("theme", "place"):
            self.fields[name].required, self.fields[name].help_text = True, ""


class VersionForm(ActionForm):
    """An act on the wording that the officer read."""

    version = forms.IntegerField(widget=forms.HiddenInput)

    def read(self) -> ConsultDay:
        """The plan as the officer read it: where it was changed since, the act does not take."""
        self.record.version = self.cleaned_data["version"]
        return self.record


class RemarkForm(ActionForm):
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
