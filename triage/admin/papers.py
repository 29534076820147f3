"""What is printed for the day (六（五）): 现场安排表, 签到表 and 桌牌, each on A4. No numbers of people on any of them."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_safe

from sessions_app.models import ConsultDay
from triage import timetable

from .urls import door, show

PAPERS = {"run_sheet": "现场安排表", "sign_in": "签到表", "name_cards": "桌牌"}
EMPTY_LINES = 2
"""Lines of the 签到表 for firms that are called in."""
LONG, VERY_LONG = 14, 24
"""Letters from which a firm's name is set smaller on its card."""


@require_safe
def paper(request: HttpRequest, pk: int, name: str) -> HttpResponse:
    """One of the papers, with the way to the others; the browser prints it."""
    day = get_object_or_404(ConsultDay, pk=pk)
    context = {
        "title": PAPERS[name],
        "day": day,
        "name": name,
        "papers": PAPERS.items(),
        "schedule": timetable.schedule_of(day),
        "empty_lines": range(EMPTY_LINES),
        "long": LONG,
        "very_long": VERY_LONG,
    }
    return show(request, f"admin/papers/{name}.html", context)


def addresses() -> list:
    def of(name: str):
        return lambda request, pk: paper(request, pk, name)

    return [door(f"<int:pk>/{name.replace('_', '-')}/", of(name), name) for name in PAPERS]
