"""现场安排 (六（五）): at what time and at which table a division is needed on the next 咨询日.

It sees its own firms only (七（二）).
"""

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from sessions_app import calendar
from sessions_app.models import ConsultDay
from triage import timetable
from triage.timetable import Schedule, Slot
from triage.visibility import appointments_for
from zhoushan_consult.bureau.models import Officer

from .access import render_page, section_view


@section_view("run_sheet")
@require_safe
def run_sheet(request: HttpRequest) -> HttpResponse:
    date = calendar.current_day(timezone.now())
    # Before the list of firms is fixed there is no timetable.
    day = ConsultDay.objects.filter(date=date, settled_at__isnull=False).first()
    schedule = timetable.schedule_of(day) if day else None
    context = {
        "date": calendar.label(date),
        "day": day,
        "schedule": schedule,
        "slots": _own(schedule, request.user) if schedule else [],
    }
    return render_page(request, "run_sheet", context)


def _own(schedule: Schedule, officer: Officer) -> list[Slot]:
    """The slots in which the officer's division is needed, for firms that the officer may read."""
    readable = set(appointments_for(officer).filter(day=schedule.day).values_list("pk", flat=True))
    return [
        slot for slot in schedule.slots if slot.appointment.pk in readable and slot.needs(officer.division)
    ]
