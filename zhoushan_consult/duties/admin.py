"""定时任务 in the admin: next run, last run with its result and duration, and duties that failed or were missed."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.contrib import admin, messages
from django.db.models import Count, Max, Q, QuerySet
from django.urls import reverse
from django.utils import timezone

from zhoushan_consult.bureau.actions import Action
from zhoushan_consult.bureau.record_admin import RecordAdmin
from zhoushan_consult.bureau.refusals import Refused
from zhoushan_consult.bureau.roles import Act
from zhoushan_consult.bureau.worklist import Row, WorkList

from . import runner
from .kinds import kinds, next_due
from .models import NEEDS_ATTENTION, Duty, Heartbeat

# Rows on the first page; the link below them shows all.
SHOWN = 6
STALLED_MESSAGE = "定时巡查没有动静：请检查后台任务进程是否在运行。"


def trouble(officer, now) -> list[WorkList]:
    """Work for 系统管理: rounds that stopped, and duties that failed or were not run in time."""
    if not officer.may(Act.HEALTH):
        return []
    duties = Duty.objects.filter(state__in=NEEDS_ATTENTION)
    ledger = reverse("admin:duties_duty_changelist")
    rows = [_row(duty) for duty in duties[:SHOWN]]
    count = duties.count()
    # First: while no rounds are made, no other duty can show that it failed.
    if stalled := runner.stalled_for(now):
        rows.insert(0, Row("定时巡查", ledger, STALLED_MESSAGE, "已停", format_duration(stalled), late=True))
        count += 1
    empty = "没有失败或错过的定时任务。出错的会连同原因出现在这里。"
    return [WorkList("duties", "失败和错过的任务", rows, count, empty, f"{ledger}?extent=trouble")]


def _row(duty: Duty) -> Row:
    screen = reverse("admin:duties_duty_change", args=[duty.pk])
    return Row(str(duty), screen, duty.last_error, duty.get_state_display())


def format_duration(length: timedelta) -> str:
    """A duration in the unit that fits it: 5 分钟, 3 小时, 2 天. timedelta.max: there was no round yet."""
    minutes = int(length / timedelta(minutes=1))
    if length == timedelta.max:
        return "还没有巡查过"
    if minutes < 120:
        return f"{minutes} 分钟"
    return f"{minutes // 60} 小时" if minutes < 48 * 60 else f"{minutes // 1440} 天"


admin.site.register_worklist(trouble)


@dataclass(frozen=True)
class Scheduled:
    """A kind of duty as the page shows it: its next run, its latest row, and the number of rows that need attention."""

    label: str
    next_run: datetime | None
    last: Duty | None
    waiting: int


def schedule(now: datetime) -> list[Scheduled]:
    """Every kind in the order of settings.DUTIES. Two queries for all kinds, because the page is opened often."""
    latest = {duty.kind: duty for duty in Duty.objects.filter(_latest_of_each_kind())}
    waiting = dict(
        Duty.objects.order_by().filter(state__in=NEEDS_ATTENTION).values_list("kind").annotate(Count("pk"))
    )
    return [
        Scheduled(kind.label, next_due(kind, now), latest.get(kind.name), waiting.get(kind.name, 0))
        for kind in kinds()
    ]


class Extent(admin.SimpleListFilter):
    """All rows, or those that need attention."""

    title = "范围"
    parameter_name = "extent"

    def lookups(self, request, model_admin):
        return [("trouble", "失败和错过的")]

    def queryset(self, request, queryset):
        return queryset.filter(state__in=NEEDS_ATTENTION) if self.value() == "trouble" else queryset


RUN_AGAIN = Action(
    name="again",
    title="再执行一次",
    act=Act.HEALTH,
    do=lambda duty, form, **who: runner.retry(duty, **who),
    # A kind that is no longer in the settings has no code to run.
    offered=lambda duty: duty.needs_attention and duty.is_scheduled,
    opened=lambda duty: True,
    button="再执行一次",
    done="已安排，一分钟内执行。结果显示在本页，刷新即可看到。",
    hint="按原定的时间补做；已经做过的部分不会重复。提醒类任务过了时候，可能已没有必要，请先看一看。",
)
WAIVE = Action(
    name="waive",
    title="不再补做",
    act=Act.HEALTH,
    do=lambda duty, form, **who: runner.waive(duty, **who),
    offered=lambda duty: duty.needs_attention,
    button="不再补做",
    done="已记为不再补做，不再提醒。",
    hint="确认没有影响，或已经用别的办法处理的，点这里；谁在什么时候点的会留存。",
)


@admin.register(Duty)
class DutyAdmin(RecordAdmin):
    """The ledger of duties, below the schedule of all kinds."""

    see = Act.HEALTH
    record_actions = (RUN_AGAIN, WAIVE)
    actions = ["do_again", "do_waive"]
    change_list_template = "admin/duty/list.html"
    list_display = ["label", "about", "due_at", "state", "rows", "took_seconds", "attempts", "last_error"]
    list_filter = [Extent]

    def changelist_view(self, request, extra_context=None):
        now = timezone.now()
        shown = {"schedule": schedule(now), "heartbeat": Heartbeat.objects.first()}
        stalled = runner.stalled_for(now)
        shown |= {"stalled": format_duration(stalled) if stalled else "", "stalled_message": STALLED_MESSAGE}
        return super().changelist_view(request, {**shown, **(extra_context or {})})

    def facts(self, request, record: Duty) -> dict:
        facts = super().facts(request, record)
        # Not columns of the list, which would be too wide.
        more = ("finished_at", "next_try_at", "asked_at")
        facts["values"] += [self._value(record, name) for name in more]
        return facts

    @admin.display(description="任务")
    def label(self, duty: Duty) -> str:
        return duty.label

    @admin.display(description="用时", ordering="took")
    def took_seconds(self, duty: Duty) -> str:
        return duty.seconds

    @admin.action(description="再执行一次")
    def do_again(self, request, queryset: QuerySet[Duty]):
        self._apply_to_each(request, queryset, runner.retry, "已安排，一分钟内执行")

    @admin.action(description="不再补做")
    def do_waive(self, request, queryset: QuerySet[Duty]):
        self._apply_to_each(request, queryset, runner.waive, "已记为不再补做")

    def _apply_to_each(self, request, queryset: QuerySet[Duty], act, done: str) -> None:
        """Call `act` for each chosen row. A row that refuses is reported, and the others are still done."""
        at, count = timezone.now(), 0
        for duty in queryset:
            try:
                act(duty, by=request.user, at=at)
                count += 1
            except Refused as refusal:
                messages.warning(request, f"{duty}：{refusal}")
        if count:
            messages.success(request, f"{done}：{count}项。")


def _latest_of_each_kind() -> Q:
    """A condition for the last row of each kind. Q(pk=None), which matches nothing, if there are no rows."""
    latest = Duty.objects.order_by().values("kind").annotate(last=Max("due_at"))
    return Q(*(Q(kind=row["kind"], due_at=row["last"]) for row in latest), _connector=Q.OR) or Q(pk=None)
