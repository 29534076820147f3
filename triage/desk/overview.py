"""全局情况 (六（六）): open and late work of every division, for 局领导 and 综合处."""

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from triage.approvals import approvals
from triage.models import Assignment, AssignmentState
from triage.visibility import assignments_for, follow_ups_for
from zhoushan_consult.bureau.models import Division

from .access import render_page, section_view
from .deadlines import Today
from .pagination import NO_ROWS, NOT_NEEDED, count_by, paginate

# Late follow-ups on the page. The link below the table leads to the others.
LATE_FOLLOW_UPS_SHOWN = 10


@section_view("overview")
@require_safe
def overview(request: HttpRequest) -> HttpResponse:
    """A row for each division, then all late replies and the first late follow-ups, oldest deadline first."""
    now = timezone.now()
    today = Today.at(now)
    replies = assignments_for(request.user).filter(state__in=[AssignmentState.OPEN, AssignmentState.DRAFTED])
    follow_ups = follow_ups_for(request.user).filter(closed_at=None)
    board = _board(count_by(replies, "division", today), count_by(follow_ups, "division", today))
    division = next((row[0] for row in board if row[0].code == request.GET.get("division")), None)
    # The table has just been counted, so the paginator need not count the late replies again.
    late = sum(replies.late for each, replies, _ in board if division in (None, each))
    page = paginate(_late(replies, division, today), request, count=late)
    today.add_deadlines(page.object_list)
    context = {
        "board": board,
        "totals": (sum((row[1] for row in board), NO_ROWS), sum((row[2] for row in board), NO_ROWS)),
        "division": division,
        "page": page,
        "follow_ups": today.add_deadlines(_late(follow_ups, None, today)[:LATE_FOLLOW_UPS_SHOWN]),
        "approvals": [worklist for worklist in approvals(request.user, now) if worklist.count],
    }
    return render_page(request, "overview", context)


def _board(replies: dict, follow_ups: dict) -> list[tuple]:
    """Each division with its counts of replies and of follow-ups. A division without any has a row too."""
    return [
        (division, replies.get(division.pk, NO_ROWS), follow_ups.get(division.pk, NO_ROWS))
        for division in Division.objects.all()
    ]


def _late(rows: QuerySet, division: Division | None, today: Today) -> QuerySet[Assignment]:
    late = rows.filter(due_on__lt=today.day).select_related("appointment", "division").defer(*NOT_NEEDED)
    return (late.filter(division=division) if division else late).order_by("due_on", "pk")
