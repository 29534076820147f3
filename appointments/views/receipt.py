"""/receipt/<token>/: the receipt, the 登记表 of 附件2 (print and PDF), and the calendar entry of a firm with a seat.

The token is a secret: these pages work without login, as long as the address is kept.
"""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.http import require_safe

from sessions_app import calendar
from zhoushan_consult.paper.typesetting import PaperError

from .. import calendar_entry as ics
from ..lifecycle import Stage
from ..models import Appointment
from ..pdf.sheet import as_pdf, rows


def _appointment(token: str) -> Appointment:
    """The registration of this token. Raises Http404."""
    return get_object_or_404(Appointment.objects.select_related("day", "seat", "area"), receipt_token=token)


@require_safe
def receipt(request: HttpRequest, token: str) -> HttpResponse:
    appointment = _appointment(token)
    context = {
        "appointment": appointment,
        "closes": calendar.short(calendar.last_booking_date(appointment.day.date)),
    }
    return render(request, "appointments/receipt.html", context)


@require_safe
def sheet(request: HttpRequest, token: str) -> HttpResponse:
    """The 登记表 as a page to print."""
    return _sheet_page(request, _appointment(token))


@require_safe
def sheet_pdf(request: HttpRequest, token: str) -> HttpResponse:
    """The 登记表 as a PDF. A phone can pass the file on to a computer with a printer."""
    appointment = _appointment(token)
    try:
        paper = as_pdf(appointment)
    except PaperError:
        return _sheet_page(request, appointment, pdf_failed=True)
    response = HttpResponse(paper, content_type="application/pdf")
    response["Content-Disposition"] = f'attachment; filename="{appointment.reference}.pdf"'
    return response


def _sheet_page(request: HttpRequest, appointment: Appointment, *, pdf_failed: bool = False) -> HttpResponse:
    context = {"appointment": appointment, "rows": rows(appointment), "pdf_failed": pdf_failed}
    return render(request, "appointments/sheet.html", context, status=503 if pdf_failed else 200)


@require_safe
def calendar_entry(request: HttpRequest, token: str) -> HttpResponse:
    """The seat as an .ics file. 404 without a seat: an entry for a day without a talk would bring the firm for nothing."""
    appointment = _appointment(token)
    if appointment.stage != Stage.SEATED:
        raise Http404
    text = ics.render(appointment, confirmed=bool(appointment.seat.confirmed_at), at=timezone.now())
    response = HttpResponse(text, content_type="text/calendar; charset=utf-8; method=PUBLISH")
    response["Content-Disposition"] = f'attachment; filename="{appointment.reference}.ics"'
    return response
