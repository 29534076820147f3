"""The screen of a 咨询日: its plan, its list of ten, and who is next in line (六（一）（五）)."""

from django.contrib import admin
from django.utils import timezone

from appointments.lifecycle import Stage
from appointments.models import Appointment
from sessions_app import calendar
from sessions_app.admin import ConsultDayAdmin
from sessions_app.models import ConsultDay
from triage import seating
from zhoushan_consult.bureau.panels import Panel
from zhoushan_consult.bureau.roles import Act

LINE_SHOWN = 100

SETTLE = Panel(
    name="settle",
    title="确定名单",
    act=Act.SETTLE,
    do=lambda day, form, **who: seating.settle(day, **who),
    offered=lambda day: not day.settled_at and timezone.now() >= calendar.booking_closes(day.date),
    opened=lambda day: True,
    button="一键确定名单",
    done="名单已确定，已逐家通知。",
    hint="按下面的顺序给出名额并请企业确认；排在名额之后的，先行书面答复，下期优先。通知随即发出。",
)


@admin.register(ConsultDay)
class DayAdmin(ConsultDayAdmin):
    panels = (SETTLE, *ConsultDayAdmin.panels)

    def facts(self, request, record: ConsultDay) -> dict:
        now = timezone.now()
        seats = list(record.seats.select_related("appointment"))
        waiting = list(seating.line(record)[:LINE_SHOWN])
        free = sum(seat.uscc is None for seat in seats)
        return super().facts(request, record) | {
            "seats": seats,
            "free": free,
            "line": [
                (place, appointment, reason(appointment)) for place, appointment in enumerate(waiting, 1)
            ],
            "pending": Appointment.objects.filter(day=record, stage=Stage.SUBMITTED).count(),
            "is_closed": now >= calendar.booking_closes(record.date),
            "is_over": now >= calendar.ends_at(record.date),
            "now": now,
            "list_template": "admin/day/list_of_ten.html",
        }


def reason(appointment: Appointment) -> str:
    """Why a firm stands where it stands in the line."""
    if appointment.priority_since:
        return f"上期顺延，优先（{timezone.localtime(appointment.priority_since):%-m月%-d日}取得）"
    return f"按登记时间（{timezone.localtime(appointment.submitted_at):%-m月%-d日 %H:%M}）"
