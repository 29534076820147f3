"""/receipt/<token>/: the receipt, the 登记表 of 附件2 to print or to download, and a seated firm's calendar entry."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.http import require_safe

from sessions_app import calendar

from .. import calendar_entry as ics
from ..lifecycle import Stage
from ..models import Appointment
from ..pdf.sheet import as_pdf, rows


def _of(token: str) -> Appointment:
    return get_object_or_404(Appointment.objects.select_related("day", "seat", "area"), receipt_token=token)


@require_safe
def receipt(request: HttpRequest, token: str) -> HttpResponse:
    appointment = _of(token)
    context = {
        "appointment": appointment,
        "closes": calendar.short(calendar.last_booking_date(appointment.day.date)),
    }
    return render(request, "appointments/receipt.html", context)


@require_safe
def sheet(request: HttpRequest, token: str) -> HttpResponse:
    appointment = _of(token)
    return render(request, "appointments/sheet.html", {"appointment": appointment, "rows": rows(appointment)})


@require_safe
def sheet_pdf(request: HttpRequest, token: str) -> HttpResponse:
    appointment = _of(token)
    answer = HttpResponse(as_pdf(appointment), content_type="application/pdf")
    answer["Content-Disposition"] = f'attachment; filename="{appointment.reference}.pdf"'
    return answer


@require_safe
def calendar_entry(request: HttpRequest, token: str) -> HttpResponse:
    appointment = _of(token)
    if appointment.stage != Stage.SEATED:
        raise Http404
    text = ics.render(appointment, confirmed=bool(appointment.seat.confirmed_at), at=timezone.now())
    answer = HttpResponse(text, content_type="text/calendar; charset=utf-8; method=PUBLISH")
    answer["Content-Disposition"] = f'attachment; filename="{appointment.reference}.ics"'
    return answer
