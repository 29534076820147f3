"""The forms of a plan: 综合处 writes it, 局领导 approve it or send it back (六（一）)."""

from collections.abc import Iterable
from datetime import date, datetime

from django import forms
from django.forms.models import fields_for_model, model_to_dict

from zhoushan_consult.bureau.actions import ActionForm
from zhoushan_consult.bureau.models import Area, Division
from zhoushan_consult.bureau.refusals import Refused
from zhoushan_consult.bureau.row_forms import RowForm, RowsForm
from zhoushan_consult.form_fields import MultilineField

from . import calendar, planning
from .models import ConsultDay, Reception

TEXTS = list(planning.TEXTS)


class ReceptionForm(RowForm):
    """One of the 接待人员, by name and unit (二)."""

    name = forms.CharField(label="姓名", max_length=30)
    title = forms.CharField(label="职务", max_length=60)
    unit = forms.ChoiceField(label="处室、县区或功能区", required=False)

    def __init__(self, *args, units: dict[str, Division | Area], **kwargs):
        super().__init__(*args, **kwargs)
        # Divisions and areas in one list: 分局 and 功能区 take part too.
        self.units = units
        self.fields["unit"].choices = [("", "不填"), *((key, str(unit)) for key, unit in units.items())]

    def made(self) -> Reception:
        unit = self.units.get(self.cleaned_data["unit"])
        place = {"division": unit} if isinstance(unit, Division) else {"area": unit}
        return Reception(name=self.cleaned_data["name"], title=self.cleaned_data["title"], **place)


class PlanForm(RowsForm):
    """The text of a plan. If another officer saved one meanwhile, the page shows both, and the typed text stays.

    `conflict` is that refusal; the template then lists `differences`.
    """

    row = ReceptionForm
    rows_title = "接待人员"
    version = forms.IntegerField(widget=forms.HiddenInput)
    conflict: planning.EditedMeanwhile | None = None

    def __init__(self, data=None, *, record: ConsultDay, **kwargs):
        super().__init__(data, record=record, **kwargs)
        self.fields.update(fields_for_model(ConsultDay, TEXTS))
        # A draft may be incomplete; `planning.submit` refuses one without them.
        self.fields["theme"].help_text = self.fields["place"].help_text = "送审前必须填写"
        self.fields["note"].widget.attrs["rows"] = 3
        self.initial = model_to_dict(record, TEXTS)

    def refuse(self, refusal: Refused) -> None:
        self.conflict = refusal if isinstance(refusal, planning.EditedMeanwhile) else None
        super().refuse(refusal)

    @property
    def differences(self) -> list[tuple[str, str, str]]:
        """Label, saved text and typed text of each field in which the two differ."""
        pairs = [(self.fields[n].label, getattr(self.record, n), self.cleaned_data[n]) for n in TEXTS]
        pairs.append(
            (self.rows_title, _join_names(self.record.receptions.all()), _join_names(self.rows.made()))
        )
        return [pair for pair in pairs if pair[1] != pair[2]]

    def row_kwargs(self) -> dict:
        """The units by key: "d3" is a division, "a3" an area. Both tables have a row 3."""
        units = {f"d{division.pk}": division for division in Division.objects.all()}
        return {"units": units | {f"a{area.pk}": area for area in Area.objects.all()}}

    def start(self) -> list[dict]:
        """One row for each person on the plan now."""
        return [
            {"name": r.name, "title": r.title, "unit": _unit_key(r)} for r in self.record.receptions.all()
        ]


def _join_names(people: Iterable[Reception]) -> str:
    return "、".join(str(person) for person in people)


def _unit_key(reception: Reception) -> str:
    """The key of the unit in `row_kwargs`; empty for a person without one."""
    if reception.division_id:
        return f"d{reception.division_id}"
    return f"a{reception.area_id}" if reception.area_id else ""


class ChangeForm(PlanForm):
    """A change of a published plan, with the reason that the portal and the letters show."""

    reason = MultilineField(
        label="变更理由",
        max_length=200,
        rows=2,
        help_text="门户和企业收到的通知里会写明",
        error_messages={"required": "请写明变更理由，企业会看到。"},
    )

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.order_fields([*TEXTS, "reason", "version"])
        # Of a draft they may be empty, of a published plan never.
        for name in ("theme", "place"):
            self.fields[name].required, self.fields[name].help_text = True, ""


class VersionForm(ActionForm):
    """An action on the text that the officer read."""

    version = forms.IntegerField(widget=forms.HiddenInput)

    def plan_as_read(self) -> ConsultDay:
        """The plan with the version that the officer read. If it was changed since, `planning` refuses the action."""
        self.record.version = self.cleaned_data["version"]
        return self.record


class RemarkForm(VersionForm):
    """The reason for which 局领导 send a plan back."""

    remark = MultilineField(label="退回意见", max_length=300)


class NewDayForm(forms.Form):
    """The choice of a 咨询日 for a new plan: those of the next three months that have none."""

    day = forms.ChoiceField(
        label="咨询日", widget=forms.RadioSelect, error_messages={"required": "请选择咨询日。"}
    )

    def __init__(self, *args, now: datetime, **kwargs):
        super().__init__(*args, **kwargs)
        dates = [calendar.current_day(now)]
        dates += [calendar.following(dates[0]), calendar.following(calendar.following(dates[0]))]
        planned = set(ConsultDay.objects.filter(date__in=dates).values_list("date", flat=True))
        self.fields["day"].choices = [
            (calendar.slug(date_), f"{date_.year}年{calendar.short(date_)}")
            for date_ in dates
            if date_ not in planned
        ]

    def chosen(self) -> date:
        """The date of the valid form."""
        return calendar.parse_slug(self.cleaned_data["day"])
