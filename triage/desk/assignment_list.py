"""我的交办 (六（四）): the 交办 of a division in tabs by state, and its most urgent follow-ups."""

from dataclasses import dataclass

from django.db.models import OuterRef, Prefetch, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from triage.models import Assignment, AssignmentState, Reply
from triage.visibility import assignments_for, follow_ups_for
from triage.work import revisions_in_hand
from zhoushan_consult.bureau.models import Officer
from zhoushan_consult.bureau.roles import Act

from .access import render_page, section_view
from .deadlines import Today
from .pagination import NO_ROWS, NOT_NEEDED, RowCount, count_by, paginate

# Follow-ups next to the list. The link below them leads to the others.
NEAREST = 8


@dataclass(frozen=True)
class AssignmentTab:
    """One tab: 交办 in one state. `date` heads the column of dates.

    `waits`: they wait for work of this division, so deadlines are shown; and those of which a 更正 or 补充 waits for the same
    work are with them.
    """

    slug: str
    label: str
    state: AssignmentState
    date: str
    order: tuple[str, ...]
    empty: str
    waits: bool = False


TABS = (
    AssignmentTab(
        "open",
        "待答复",
        AssignmentState.OPEN,
        "答复期限",
        ("wanted_on", "pk"),
        "综合处交办的事项会出现在这里，同时短信提醒您。现在没有需要答复的。",
        True,
    ),
    AssignmentTab(
        "to-sign",
        "待审签",
        AssignmentState.DRAFTED,
        "答复期限",
        ("wanted_on", "pk"),
        "拟好送审的答复会出现在这里，由处室负责人审签。现在没有待审签的。",
        True,
    ),
    AssignmentTab(
        "answered",
        "已答复",
        AssignmentState.RELEASED,
        "答复时间",
        ("-released_at",),
        "审签后的答复会留在这里，随时可以查看。现在还没有。",
    ),
    AssignmentTab(
        "returned",
        "已退回",
        AssignmentState.RETURNED,
        "交办时间",
        ("-assigned_at",),
        "退回综合处的事项会留在这里，到综合处重新交办为止。现在没有。",
    ),
)


@section_view("assignments")
@require_safe
def assignments(request: HttpRequest) -> HttpResponse:
    """The list opens at the tab whose work is the officer's own."""
    today = Today.at(timezone.now())
    own = _own(request.user)
    counts = _counts(own, request.user, today)
    tab = _chosen_tab(request, counts)
    page = paginate(_rows(own, tab), request, count=counts.get(tab.state, NO_ROWS).all)
    today.add_deadlines(page.object_list, by="wanted_on" if tab.waits else "due_on")
    follow_ups = follow_ups_for(request.user).filter(division=request.user.division_id, closed_at=None)
    nearest = follow_ups.select_related("appointment").defer(*NOT_NEEDED).order_by("due_on", "pk")
    context = {
        "tabs": [(each, counts.get(each.state, NO_ROWS)) for each in TABS],
        "tab": tab,
        "page": page,
        # One more than is shown: the template then offers a link to the others.
        "follow_ups": today.add_deadlines(nearest[: NEAREST + 1]),
        "nearest": NEAREST,
    }
    return render_page(request, "assignments", context)


def _own(officer: Officer) -> QuerySet[Assignment]:
    return assignments_for(officer).filter(division=officer.division_id)


def _counts(own: QuerySet[Assignment], officer: Officer, today: Today) -> dict[str, RowCount]:
    """How many stand in each tab. The few 更正 and 补充 in hand are counted by themselves, and not in SQL with all."""
    counts = count_by(own, "state", today)
    theirs = revisions_in_hand().filter(assignment__division=officer.division_id)
    for submitted_at, due_on in theirs.values_list("submitted_at", "due_on"):
        state = AssignmentState.DRAFTED if submitted_at else AssignmentState.OPEN
        counts[state] = counts.get(state, NO_ROWS) + RowCount(1, int(due_on < today.day))
    return counts


def _chosen_tab(request: HttpRequest, counts: dict[str, RowCount]) -> AssignmentTab:
    """The tab that the URL asks for. Without one: 待审签 for a head who has something to sign, else 待答复."""
    by_slug = {tab.slug: tab for tab in TABS}
    waits_for_head = request.user.may(Act.SIGN) and AssignmentState.DRAFTED in counts
    default = by_slug["to-sign" if waits_for_head else "open"]
    return by_slug.get(request.GET.get("basket", ""), default)


def _rows(own: QuerySet[Assignment], tab: AssignmentTab) -> QuerySet[Assignment]:
    in_hand = Reply.objects.filter(signed_at=None, dropped_at=None).defer("body")
    rows = _at(own, tab) if tab.waits else own.filter(state=tab.state)
    rows = rows.select_related("appointment__day").prefetch_related(Prefetch("replies", in_hand, "in_hand"))
    return rows.defer(*NOT_NEEDED).order_by(*tab.order)


def _at(own: QuerySet[Assignment], tab: AssignmentTab) -> QuerySet[Assignment]:
    """Those that wait at `tab`, themselves or with a 更正 or 补充; `wanted_on` is the last day for it."""
    is_open = tab.state == AssignmentState.OPEN
    theirs = revisions_in_hand().filter(submitted_at__isnull=is_open)
    term = theirs.filter(assignment=OuterRef("pk")).values("due_on")[:1]
    rows = own.filter(Q(state=tab.state) | Q(pk__in=theirs.order_by().values("assignment")))
    return rows.annotate(wanted_on=Coalesce(Subquery(term), "due_on"))
