"""工作日调整 in the admin: 科监处 enters the holidays of a year that the calendar does not know yet."""

from dataclasses import dataclass
from datetime import date

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format

from zhoushan_consult.bureau.actions import Action, may, parse_key
from zhoushan_consult.bureau.record_admin import RecordAdmin
from zhoushan_consult.bureau.roles import Act
from zhoushan_consult.bureau.worklist import Row, WorkList
from zhoushan_consult.clock import local_date

from . import adjusting, overrides, statutory
from .calendar import published
from .days import year_wanted
from .forms import OverrideForm, PeriodForm
from .models import WorkdayOverride

# The names are addresses, so they stay.
CHANGE = Action(
    name="change_day",
    title="修改",
    act=Act.WORKDAYS,
    form=OverrideForm,
    do=lambda row, form, **who: adjusting.change(row, **form.cleaned_data, **who),
    opened=lambda row: True,
    button="保存",
    done="已保存。已经告知的期限不变，新的期限按调整后的工作日计算。",
)
REMOVE = Action(
    name="remove_day",
    title="删除",
    act=Act.WORKDAYS,
    do=lambda row, form, **who: adjusting.remove(row, **who),
    button="删除这一天的调整",
    done="已删除，这一天按原来的日历计算。",
    hint="录错日期的，在这里删除；删除的经过会留存。",
    danger=True,
)


@dataclass(frozen=True)
class Year:
    """What the service knows of a year. `festivals`: what the law fixes, shown until the announcement is entered."""

    number: int
    is_known: bool
    festivals: list[tuple[str, date, date]]

    @classmethod
    def of(cls, number: int) -> "Year":
        festivals = [(name, days[0], days[-1]) for name, days in statutory.festivals(number).items()]
        return cls(number, published(number, overrides.load()), festivals)


def wanted(officer, now) -> list[WorkList]:
    """Work for 系统管理: the coming year, from November on while its holidays are not entered."""
    if not officer.may(Act.WORKDAYS):
        return []
    year = year_wanted(local_date(now))
    address = reverse("admin:workdays_workdayoverride_changelist")
    rows = [Row(f"{year}年放假安排", address, "国务院办公厅公布后逐段录入", "待录入")] if year else []
    return [
        WorkList(
            "workdays", "放假安排", rows, len(rows), "每年11月起，下一年的放假安排没有录入时会出现在这里。"
        )
    ]


admin.site.register_worklist(wanted)


class YearFilter(admin.SimpleListFilter):
    title = "年份"
    parameter_name = "year"

    def lookups(self, request, model_admin):
        return [(str(day.year), f"{day.year}年") for day in WorkdayOverride.objects.dates("date", "year")]

    def queryset(self, request, queryset):
        year = parse_key(self.value() or "")
        return queryset.filter(date__year=year) if 0 < year < 10_000 else queryset


@admin.register(WorkdayOverride)
class WorkdayOverrideAdmin(RecordAdmin):
    """The days entered, below what is known of this year and the next."""

    see = Act.WORKDAYS
    record_actions = (CHANGE, REMOVE)
    change_list_template = "admin/workday/list.html"
    list_display = ["day", "works", "note"]
    list_filter = [YearFilter]

    @admin.display(description="日期", ordering="date")
    def day(self, row: WorkdayOverride) -> str:
        return date_format(row.date, "Y年n月j日（l）")

    def changelist_view(self, request, extra_context=None):
        year = local_date(timezone.now()).year
        shown = {"years": [Year.of(year), Year.of(year + 1)]}
        return super().changelist_view(request, {**shown, **(extra_context or {})})

    def act(self, request, pk: int, action: Action):
        gone = not WorkdayOverride.objects.filter(pk=parse_key(str(pk))).exists()
        # A second click on 删除, or another officer was faster. Who may not see the list is refused as ever.
        if gone and self.has_view_permission(request):
            messages.info(request, "这一天的调整已经删除。")
            return redirect(self._list())
        answer = super().act(request, pk, action)
        is_removed = request.method == "POST" and action is REMOVE and answer.status_code == 302
        return redirect(self._list()) if is_removed else answer

    def _list(self) -> str:
        return reverse("admin:workdays_workdayoverride_changelist")

    def has_add_permission(self, request) -> bool:
        return may(request, Act.WORKDAYS)

    def add_view(self, request, form_url="", extra_context=None):
        """Enter a period. The page comes back empty for the next one, as an announcement has a dozen."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        form = PeriodForm(request.POST if request.method == "POST" else None, record=WorkdayOverride())
        if form.is_bound and form.is_valid() and self._entered(request, form):
            return redirect(request.path)
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": "录入放假或上班的日子",
            "form": form,
        }
        return TemplateResponse(request, "admin/workday/add.html", context)

    def _entered(self, request, form: PeriodForm) -> bool:
        try:
            made = adjusting.set_days(**form.cleaned_data, by=request.user, at=timezone.now())
        except ValidationError as invalid:
            form.add_errors(invalid)
            return False
        done = f"已录入{len(made)}天。可以接着录入下一段。" if made else "这几天已经录入过，没有重复录入。"
        messages.success(request, done)
        return True
