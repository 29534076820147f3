"""跟踪督办 (六（六）): the list of follow-ups and the page of one.

A division sees its own; officers who watch see all.
"""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from triage.follow_up import close, post_progress
from triage.models import FollowUp
from triage.visibility import follow_ups_for
from zhoushan_consult.bureau.actions import Action, Attempt
from zhoushan_consult.bureau.models import Division, Officer
from zhoushan_consult.bureau.roles import Act

from .access import desk_view, render_page, section_view
from .actions import by_name, click, forms_of_page
from .contacts import contact
from .deadlines import Today
from .forms import CloseForm, DeskForm, ProgressForm
from .pagination import NO_ROWS, NOT_NEEDED, RowCount, count_by, paginate

# The newest progress posts on the page. A follow-up of half a year with one post a week still fits.
POSTS_SHOWN = 30


@dataclass(frozen=True)
class Tab:
    """One tab of the list: follow-ups in the same state. `empty` is shown if there are none."""

    slug: str
    label: str
    order: tuple[str, ...]
    empty: str


TABS = (
    Tab(
        "open",
        "在办",
        ("due_on", "pk"),
        "现场没有解决、企业反馈未解决或评价不满意的事项，会立项督办并出现在这里。现在没有在办的。",
    ),
    Tab("late", "已逾期", ("due_on", "pk"), "超过期限没有办结的督办会出现在这里。现在没有逾期的。"),
    Tab("closed", "已办结", ("-closed_at",), "办结的督办会留在这里，随时可以查看。现在还没有。"),
)


@section_view("follow_ups")
@require_safe
def follow_ups(request: HttpRequest) -> HttpResponse:
    """Follow-ups by state. Officers who see several divisions can also choose one."""
    today = Today.at(timezone.now())
    visible = follow_ups_for(request.user)
    tab = next((each for each in TABS if each.slug == request.GET.get("state")), TABS[0])
    counts = count_by(visible.filter(closed_at=None), "division", today)
    divisions = _divisions(request.user, counts)
    division = next((each for each, _ in divisions if each.code == request.GET.get("division")), None)
    page = paginate(_rows(visible, tab, division, today), request)
    today.add_deadlines(page.object_list)
    context = {
        "tabs": TABS,
        "tab": tab,
        "count": counts.get(division.pk, NO_ROWS) if division else sum(counts.values(), NO_ROWS),
        "divisions": divisions,
        "division": division,
        "total": sum(counts.values(), NO_ROWS),
        "page": page,
    }
    return render_page(request, "follow_ups", context)


def _divisions(officer: Officer, counts: dict[int, RowCount]) -> list[tuple[Division, RowCount]]:
    """The divisions to choose from. Empty for an officer who sees only their own."""
    if not (officer.may(Act.WATCH) or officer.may(Act.READ_ALL)):
        return []
    return [(division, counts.get(division.pk, NO_ROWS)) for division in Division.objects.all()]


def _rows(
    visible: QuerySet[FollowUp], tab: Tab, division: Division | None, today: Today
) -> QuerySet[FollowUp]:
    conditions = {
        "open": Q(closed_at=None),
        "late": Q(closed_at=None, due_on__lt=today.day),
        "closed": Q(closed_at__isnull=False),
    }
    rows = visible.filter(conditions[tab.slug]).select_related("appointment", "division")
    rows = rows.filter(division=division) if division else rows
    return rows.defer(*NOT_NEEDED).order_by(*tab.order)


@desk_view
@require_safe
def follow_up(request: HttpRequest, pk: int) -> HttpResponse:
    return _page(request, _visible(request, pk), now=timezone.now())


@desk_view
@require_http_methods(["GET", "HEAD", "POST"])
def follow_up_action(request: HttpRequest, pk: int, action: str) -> HttpResponse:
    """One button of the page. A reload is a GET: it goes back to the page and changes nothing."""
    follow_up = _visible(request, pk)
    if request.method != "POST":
        return redirect("desk:follow_up", pk)
    now = timezone.now()
    attempt = click(ACTIONS[action], follow_up, request, at=now)
    return (
        _page(request, _visible(request, pk), attempt, now=now)
        if attempt
        else redirect(_address(follow_up) + "#main")
    )


def _post_progress(follow_up: FollowUp, form: ProgressForm, **who):
    post_progress(follow_up, form.cleaned_data["text"], to_firm=form.cleaned_data["to_firm"], **who)


# A second click on 办结 is no refusal if the same officer closed it with the same result.
def _was_closed(follow_up: FollowUp, form: CloseForm, officer: Officer) -> bool:
    return (follow_up.closed_by_id, follow_up.result) == (officer.pk, form.cleaned_data["result"])


ACTIONS = by_name(
    Action("progress", _post_progress, ProgressForm, "已记录进展，综合处和办公室可以看到。"),
    Action(
        "close",
        lambda follow_up, form, **who: close(follow_up, form.cleaned_data["result"], **who),
        CloseForm,
        "已办结，综合处和办公室可以看到。",
        _was_closed,
    ),
)


def _visible(request: HttpRequest, pk: int) -> FollowUp:
    follow_ups = follow_ups_for(request.user).select_related(
        "appointment__day", "division", "opened_by", "closed_by"
    )
    return get_object_or_404(follow_ups, pk=pk)


def _address(follow_up: FollowUp) -> str:
    return reverse("desk:follow_up", args=[follow_up.pk])


def _page(
    request: HttpRequest, follow_up: FollowUp, attempt: Attempt | None = None, *, now: datetime
) -> HttpResponse:
    """The follow-up with the forms that are open to this officer. A refused form keeps what was typed."""
    # One more than is shown: the template then says that there are older ones.
    newest = follow_up.posts.select_related("by").order_by("-at", "-pk")[: POSTS_SHOWN + 1]
    context = {
        "follow_up": follow_up,
        "deadline": Today.at(now).deadline(follow_up.due_on),
        "contact": contact(follow_up.appointment, request.user, follow_up.division),
        "posts": newest,
        "shown": POSTS_SHOWN,
        "forms": forms_of_page(_open_forms(follow_up, request.user), attempt, _address(follow_up)),
        "attempt": attempt,
    }
    return render_page(request, "follow_up", context, status=attempt.status if attempt else 200)


def _open_forms(follow_up: FollowUp, officer: Officer) -> list[DeskForm]:
    """Until it is closed, a follow-up has forms for its own division and for officers who read all (综合处)."""
    its_own = follow_up.division_id == officer.division_id or officer.may(Act.READ_ALL)
    if follow_up.closed_at or not its_own or not officer.may(Act.FOLLOW_UP):
        return []
    return [ProgressForm(), CloseForm()]
