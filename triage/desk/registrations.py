"""本辖区登记 (七（二）): counties and zones read the registrations of their own firms. People are masked."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.views.decorators.http import require_safe

from triage.visibility import appointments_for
from triage.work import NOT_IN_FORCE

from .access import render_page, section_view
from .contacts import contact
from .deadlines import Today
from .pagination import paginate

# Personal columns that a county never sees. They are not even read.
NOT_FOR_COUNTIES = ("id_number", "id_index", "email")


@section_view("registrations")
@require_safe
def registrations(request: HttpRequest) -> HttpResponse:
    rows = appointments_for(request.user).defer("summary", *NOT_FOR_COUNTIES).select_related("day")
    page = paginate(rows.order_by("-submitted_at", "-pk"), request)
    return render_page(request, "registrations", {"page": page})


@section_view("registrations")
@require_safe
def registration(request: HttpRequest, pk: int) -> HttpResponse:
    rows = appointments_for(request.user).defer(*NOT_FOR_COUNTIES).select_related("day", "area")
    row = get_object_or_404(rows, pk=pk)
    due_on = row.reply_due_on
    context = {
        "row": row,
        "contact": contact(row, request.user),
        "deadline": Today.at(timezone.now()).deadline(due_on) if due_on else None,
        "moves": row.moves.all(),
        # Only the divisions that answer now. Which division gave a part back is of no use to a county.
        "parts": row.assignments.exclude(state__in=NOT_IN_FORCE).select_related("division"),
    }
    return render_page(request, "registration", context)
