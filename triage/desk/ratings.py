"""服务评价: the totals of 好差评.

Officers who watch see every division by month. A division sees its own totals, but never which firm rated it.
"""

from datetime import datetime

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from appointments.models import Grade
from sessions_app import calendar, policy
from triage.ratings import GRADES, by_division, load_ratings, months, spans_of, tally
from zhoushan_consult.bureau.models import Division
from zhoushan_consult.bureau.roles import Act

from .access import render_page, section_view


@section_view("ratings")
@require_safe
def ratings(request: HttpRequest) -> HttpResponse:
    now = timezone.now()
    watches = request.user.may(Act.WATCH)
    context = {
        "grades": [Grade(grade).label for grade in GRADES],
        "watches": watches,
        "fewest": policy.RATINGS_SHOWN_FROM,
        **(
            _board(request, now)
            if watches
            else {"spans": spans_of(load_ratings(), request.user.division_id, now)}
        ),
    }
    return render_page(request, "ratings", context)


def _board(request: HttpRequest, now: datetime) -> dict:
    """All divisions in the chosen month or in the last 12 months, and the number of ratings by month."""
    found = load_ratings(calendar.local_datetime(months(now)[0]))
    known = {f"{month:%Y-%m}": month for month in months(now)}
    month = known.get(request.GET.get("month", ""))
    chosen = [one for one in found if month in (None, one.month)]
    numbers = [
        (slug, first, sum(one.month == first for one in found)) for slug, first in reversed(known.items())
    ]
    return {
        "board": by_division(chosen, Division.objects.all()),
        "sum": tally("合计", chosen),
        "months": [(slug, first, number) for slug, first, number in numbers if number],
        "month": month,
        "all": len(found),
    }
