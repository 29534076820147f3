"""/receipt/<token>/: the receipt, and the 登记表 of 附件2 to print or to download."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from sessions_app import calendar

from ..models import Appointment
from ..sheet import as_pdf, rows


def _of(token: str) -> Appointment:
    return get_object_or_404(Appointment.objects.select_related("day", "area"), receipt_token=token)


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
