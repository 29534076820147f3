"""全局情况 (六（六）): open and late work of every division, for 局领导 and 综合处."""

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from triage import worklists
from triage.approvals import approvals
from triage.models import Assignment, FollowUp, ReplyKind
from triage.visibility import assignments_for, follow_ups_for
from triage.work import UNANSWERED, revisions_in_hand
from zhoushan_consult.bureau.models import Division, Officer

from .access import render_page, section_view
from .deadlines import Today
from .pagination import NO_ROWS, NOT_NEEDED, RowCount, count_by, paginate

# Late follow-ups on the page. The link below the table leads to the others.
LATE_FOLLOW_UPS_SHOWN = 10


@section_view("overview")
@require_safe
def overview(request: HttpRequest) -> HttpResponse:
    """A row for each division, then all late replies and the first late follow-ups, oldest deadline first."""
    now = timezone.now()
    today = Today.at(now)
    follow_ups = follow_ups_for(request.user).filter(closed_at=None)
    board = _board(_replies(request.user, today), count_by(follow_ups, "division", today))
    division = next((row[0] for row in board if row[0].code == request.GET.get("division")), None)
    # The table has just been counted, so the paginator need not count the late replies again.
    late = sum(replies.late for each, replies, _ in board if division in (None, each))
    page = paginate(_late_replies(division, today), request, count=late)
    for row in today.add_deadlines(page.object_list, by="wanted_on"):
        row.late_kind = ReplyKind(row.revision).label if row.revision else ""
    context = {
        "board": board,
        "totals": (sum((row[1] for row in board), NO_ROWS), sum((row[2] for row in board), NO_ROWS)),
        "division": division,
        "page": page,
        "follow_ups": today.add_deadlines(_late_follow_ups(follow_ups, today)[:LATE_FOLLOW_UPS_SHOWN]),
        "approvals": [worklist for worklist in approvals(request.user, now) if worklist.count],
    }
    return render_page(request, "overview", context)


def _board(replies: dict, follow_ups: dict) -> list[tuple]:
    """Each division with its counts of replies and of follow-ups. A division without any has a row too."""
    return [
        (division, replies.get(division.pk, NO_ROWS), follow_ups.get(division.pk, NO_ROWS))
        for division in Division.objects.all()
    ]


def _replies(officer: Officer, today: Today) -> dict:
    """The counts of each division: 交办 without a reply, and 更正 and 补充 in hand."""
    unanswered = assignments_for(officer).filter(state__in=UNANSWERED)
    counts = count_by(unanswered, "division", today)
    # They are few. Those who have this section may read all.
    for division, due_on in revisions_in_hand().values_list("assignment__division", "due_on"):
        counts[division] = counts.get(division, NO_ROWS) + RowCount(1, int(due_on < today.day))
    return counts


def _late_replies(division: Division | None, today: Today) -> QuerySet[Assignment]:
    late = worklists.overdue_replies(today.day).defer(*NOT_NEEDED)
    return late.filter(division=division) if division else late


def _late_follow_ups(follow_ups: QuerySet[FollowUp], today: Today) -> QuerySet[FollowUp]:
    late = follow_ups.filter(due_on__lt=today.day).select_related("appointment", "division")
    return late.defer(*NOT_NEEDED).order_by("due_on", "pk")
