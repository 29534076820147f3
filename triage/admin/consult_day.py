"""The screen of a 咨询日 (六（一）（五）): its plan, its list of firms, and the waiting list."""

from django.contrib import admin
from django.template.response import TemplateResponse
from django.urls import path
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.views.decorators.http import require_safe

from appointments import waiting_list
from appointments.lifecycle import Stage
from appointments.models import Appointment
from sessions_app import calendar
from sessions_app.admin import ConsultDayAdmin
from sessions_app.forms import ChangeForm
from sessions_app.models import ConsultDay
from triage import plan_changes, seat_history, seating, timetable
from triage.forms import ReasonForm
from triage.models import Sitting
from zhoushan_consult.bureau.actions import Action, may
from zhoushan_consult.bureau.roles import Act

from . import check_in, printouts

# Firms of the waiting list on the screen. It bounds the page if far more firms ask than there are seats.
WAITING_SHOWN = 100


def _can_be_settled(day: ConsultDay) -> bool:
    """综合处 decides on the list after the cutoff (六（五）), when nothing can come in any more and all is reviewed."""
    is_open = (
        not day.settled_at and not day.is_cancelled and timezone.now() >= calendar.booking_closes(day.date)
    )
    return is_open and not _pending(day).exists()


def _pending(day: ConsultDay):
    return Appointment.objects.filter(day=day, stage=Stage.SUBMITTED)


SETTLE = Action(
    name="settle",
    title="确定名单",
    act=Act.SETTLE,
    do=lambda day, form, **who: seating.settle(day, **who),
    offered=_can_be_settled,
    # It is the one thing that waits on this screen, so the panel is open from the start.
    opened=lambda day: True,
    button="一键确定名单",
    done="名单已确定，正在逐家通知。",
    hint="按上面的顺序给出名额并请企业确认；排在名额之后的，先行书面答复，下期优先。通知随即发出。",
)


def _may_be_cancelled(day: ConsultDay) -> bool:
    return not day.is_cancelled and timezone.now() < calendar.ends_at(day.date)


CHANGE = Action(
    name="amend",
    title="变更已公布的方案",
    act=Act.PLAN,
    form=ChangeForm,
    do=lambda day, form, **who: plan_changes.change(day, form.rows.made(), **form.cleaned_data, **who),
    offered=lambda day: day.is_published and timezone.now() < calendar.ends_at(day.date),
    button="变更并通知",
    done="方案已变更，门户已更新，正在逐家通知有名额的企业。",
    hint="主题、联动单位、地点或说明有变的，有名额的企业（待确认和已确认的）立即收到通知；只调整接待人员的，不打扰企业。",
    template="admin/day/plan_action.html",
)


class CancelForm(ReasonForm):
    """取消本期活动: asks with the number of firms, and with what each of them will be told."""

    @property
    def affected(self) -> plan_changes.Affected:
        return plan_changes.affected_by_cancelling(self.record, timezone.now())


CANCEL = Action(
    name="cancel",
    title="取消本期活动",
    act=Act.APPROVE_PLAN,
    form=CancelForm,
    template="admin/day/cancel_action.html",
    do=lambda day, form, **who: plan_changes.cancel(day, form.cleaned_data["reason"], **who),
    offered=_may_be_cancelled,
    button="取消活动并通知企业",
    done="活动已取消。要求现场咨询的企业已转到下一期，优先安排，正在逐家通知。",
    hint="取消后不能恢复。理由会在门户公布，并写进给企业的通知。只要书面答复的企业照常办理。",
    danger=True,
)


def _has_timetable(day: ConsultDay) -> bool:
    # Until `timetable.freeze` has written the sittings, the timetable follows the list by itself.
    return bool(day.settled_at) and timezone.now() < calendar.ends_at(day.date) and _sittings(day).exists()


def _sittings(day: ConsultDay):
    return Sitting.objects.filter(seat__day=day)


# Only by hand: tables and times are printed and known to the divisions once the timetable is frozen.
REARRANGE = Action(
    name="rearrange",
    title="重新编排现场安排表",
    act=Act.RUN_DAY,
    do=lambda day, form, **who: timetable.rearrange(day, **who),
    offered=_has_timetable,
    button="重新编排",
    done="现场安排表已重新编排，请重新打印并告知处室。",
    hint="安排表在活动前一天上午定稿；此后名额换了企业，时间和桌次不变。换人以后处室排不开的，才需要重新编排。",
)


@admin.register(ConsultDay)
class DayAdmin(ConsultDayAdmin):
    """The screen of a 咨询日. `sessions_app` has the plan; the list and the day are added here."""

    record_actions = (SETTLE, *ConsultDayAdmin.record_actions, CHANGE, REARRANGE, CANCEL)

    def get_urls(self):
        allocation = self.admin_site.admin_view(self.allocation)
        return [
            path("<int:pk>/allocation/", allocation, name=self._url_name("allocation")),
            *check_in.urlpatterns(),
            *printouts.urlpatterns(),
            # Last, because its `<path:object_id>/` matches every URL above.
            *super().get_urls(),
        ]

    @method_decorator(require_safe)
    def allocation(self, request, pk: int):
        """名额分配说明: which firm got which seat when, and why, from the audit trail."""
        record = self.record(request, pk)
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": "名额分配说明",
            "record": record,
            "decisions": seat_history.history_of(record),
        }
        return TemplateResponse(request, "admin/day/allocation.html", context)

    def facts(self, request, record: ConsultDay) -> dict:
        now = timezone.now()
        seats = list(record.seats.select_related("appointment"))
        waiting_firms = list(waiting_list.waiting(record)[:WAITING_SHOWN])
        # A seat that was added for one firm does not pass to the next one when it becomes free.
        free = sum(seat.uscc is None and not seat.extra_reason for seat in seats)
        return super().facts(request, record) | {
            "seats": seats,
            "free": free,
            "waiting": [
                (place, appointment, _reason(appointment))
                for place, appointment in enumerate(waiting_firms, 1)
            ],
            "pending": _pending(record).count(),
            "is_closed": now >= calendar.booking_closes(record.date),
            "has_begun": now >= calendar.starts_at(record.date),
            "is_over": now >= calendar.ends_at(record.date),
            "now": now,
            "list_template": "admin/day/seat_list.html",
            "printouts": printouts.PRINTOUTS if record.settled_at and may(request, Act.RUN_DAY) else {},
        }


def _reason(appointment: Appointment) -> str:
    """Why a firm has its place in the waiting list."""
    return waiting_list.describe_basis(waiting_list.basis(appointment))
