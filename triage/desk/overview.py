"""全局情况: what waits and what is late in every division, for 局领导 and 综合处 (六（六）)."""

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from sessions_app.models import ConsultDay, Plan
from triage.models import Assignment, AssignmentState
from triage.visibility import assignments_for, follow_ups_for
from zhoushan_consult.bureau.models import Division
from zhoushan_consult.bureau.roles import Act

from .access import in_section, show
from .pagination import NONE, NOT_NEEDED, counted, page_of
from .terms import Today

LONGEST = 10  # late follow-ups shown; the others are one click away


@in_section("overview")
@require_safe
def overview(request: HttpRequest) -> HttpResponse:
    """Divisions side by side, then every late reply, longest first, and the longest late follow-ups."""
    today = Today.at(timezone.now())
    replies = assignments_for(request.user).filter(state__in=[AssignmentState.OPEN, AssignmentState.DRAFTED])
    follow_ups = follow_ups_for(request.user).filter(closed_at=None)
    board = _board(counted(replies, "division", today), counted(follow_ups, "division", today))
    division = next((row[0] for row in board if row[0].code == request.GET.get("division")), None)
    late = sum(replies.late for each, replies, _ in board if division in (None, each))
    page = page_of(_late(replies, division, today), request, count=late)
    today.mark(page.object_list)
    context = {
        "board": board,
        "totals": (sum((row[1] for row in board), NONE), sum((row[2] for row in board), NONE)),
        "division": division,
        "page": page,
        "follow_ups": today.mark(_late(follow_ups, None, today)[:LONGEST]),
        "plans": ConsultDay.objects.filter(plan=Plan.SUBMITTED) if request.user.may(Act.APPROVE_PLAN) else [],
    }
    return show(request, "overview", context)


def _board(replies: dict, follow_ups: dict) -> list[tuple]:
    """Each division with its replies and its follow-ups, counted."""
    return [
        (division, replies.get(division.pk, NONE), follow_ups.get(division.pk, NONE))
        for division in Division.objects.all()
    ]


def _late(rows: QuerySet, division: Division | None, today: Today) -> QuerySet[Assignment]:
    late = rows.filter(due_on__lt=today.day).select_related("appointment", "division").defer(*NOT_NEEDED)
    return (late.filter(division=division) if division else late).order_by("due_on", "pk")
