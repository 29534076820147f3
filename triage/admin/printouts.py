"""What is printed for the day (六（五）): 现场安排表, 签到表 and 桌牌, each on A4. None shows a person's number."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import URLPattern
from django.views.decorators.http import require_safe

from sessions_app.models import ConsultDay
from triage import timetable

from .urls import render_page, run_day_path

# The name is part of the URL and the name of the template.
PRINTOUTS = {"run_sheet": "现场安排表", "sign_in": "签到表", "name_cards": "桌牌"}
# Empty lines of the 签到表, for firms that are called in on the day and written in by hand.
EMPTY_LINES = 2
# A firm's name of this many characters is set in a smaller type on its card, so that it stays on one card.
LONG, VERY_LONG = 14, 24


@require_safe
def printout(request: HttpRequest, pk: int, name: str) -> HttpResponse:
    """One printout, with links to the others. The browser prints it."""
    day = get_object_or_404(ConsultDay, pk=pk)
    context = {
        "title": PRINTOUTS[name],
        "day": day,
        "name": name,
        "printouts": PRINTOUTS.items(),
        "schedule": timetable.schedule_of(day),
        "empty_lines": range(EMPTY_LINES),
        "long": LONG,
        "very_long": VERY_LONG,
    }
    return render_page(request, f"admin/printouts/{name}.html", context)


def urlpatterns() -> list[URLPattern]:
    """The routes below a 咨询日, which `consult_day.DayAdmin` adds to its own."""

    # A lambda in the list below would see only the last name of the loop.
    def view_of(name: str):
        return lambda request, pk: printout(request, pk, name)

    return [run_day_path(f"<int:pk>/{name.replace('_', '-')}/", view_of(name), name) for name in PRINTOUTS]
