"""定时任务 in the admin: when each ran last, when it runs next, how much it did, and what was never run."""

from datetime import datetime

from django.contrib import admin
from django.db.models import Max, Q
from django.urls import reverse
from django.utils import timezone

from zhoushan_consult.bureau.baskets import Basket, Row
from zhoushan_consult.bureau.panels import RecordAdmin
from zhoushan_consult.bureau.roles import Act

from .kinds import kinds, next_due
from .models import Duty, State

SHOWN = 6


def trouble(officer, now) -> list[Basket]:
    """What waits for whoever runs the site: duties that failed, or were not run in their time."""
    if not officer.may(Act.HEALTH):
        return []
    duties = Duty.objects.filter(state__in=[State.FAILED, State.MISSED])
    every = f"{reverse('admin:duties_duty_changelist')}?extent=trouble"
    rows = [Row(str(duty), every, duty.last_error, duty.get_state_display()) for duty in duties[:SHOWN]]
    empty = "没有失败或错过的定时任务。出错的会连同原因出现在这里。"
    return [Basket("duties", "失败和错过的任务", rows, duties.count(), empty, every)]


admin.site.opens_on(trouble)


class Extent(admin.SimpleListFilter):
    """Opens on one row a kind; the rest of the ledger is a click away."""

    title = "范围"
    parameter_name = "extent"

    def lookups(self, request, model_admin):
        return [("trouble", "失败和错过的"), ("all", "全部")]

    def choices(self, changelist):
        latest, *others = super().choices(changelist)
        return [{**latest, "display": "各任务最近一次"}, *others]

    def queryset(self, request, queryset):
        if self.value() == "trouble":
            return queryset.filter(state__in=[State.FAILED, State.MISSED])
        return queryset if self.value() == "all" else queryset.filter(_latest())


@admin.register(Duty)
class DutyAdmin(RecordAdmin):
    see = Act.HEALTH
    list_display = ["label", "about", "state", "finished_at", "next_run", "rows", "attempts", "last_error"]
    list_filter = [Extent]

    @admin.display(description="任务")
    def label(self, duty: Duty) -> str:
        return duty.label

    @admin.display(description="下次执行")
    def next_run(self, duty: Duty) -> datetime | None:
        """Of a duty not done yet, its next try; of others, the next time their kind falls due."""
        if duty.next_try_at:
            return duty.next_try_at
        return next((next_due(kind, timezone.now()) for kind in kinds() if kind.name == duty.kind), None)


def _latest() -> Q:
    """The last row of every kind."""
    marks = Duty.objects.order_by().values("kind").annotate(last=Max("due_at"))
    return Q(*(Q(kind=mark["kind"], due_at=mark["last"]) for mark in marks), _connector=Q.OR) or Q(pk=None)
