"""接待安排 (二, 七（二）): 办公室 asks those who receive firms whether they come, and records the answer."""

from itertools import groupby

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from sessions_app import receiving
from sessions_app.models import Reception
from zhoushan_consult.bureau.refusals import Refused

from .access import render_page, section_view

# From the column, so that a longer reason is refused in Chinese and not by the database.
MAX_REASON_LENGTH = Reception._meta.get_field("declined").max_length


class ReasonTooLong(Refused):
    """The reason why a person cannot come does not fit its column."""

    status = 422

    def __init__(self, length: int):
        super().__init__(f"说明已写 {length} 字，最多 {MAX_REASON_LENGTH} 字，请精简。")


@section_view("receptions")
@require_safe
def receptions(request: HttpRequest) -> HttpResponse:
    return _page(request)


@section_view("receptions")
@require_http_methods(["GET", "HEAD", "POST"])
def reception(request: HttpRequest, pk: int) -> HttpResponse:
    """Record the answer of one person. A reload is a GET: it goes back to the list and changes nothing."""
    if request.method != "POST":
        return redirect("desk:receptions")
    person = get_object_or_404(receiving.upcoming_receptions(timezone.now()), pk=pk)
    try:
        messages.success(request, _answer(request, person))
    except Refused as refusal:
        return _page(request, (person.pk, refusal, request.POST.get("why", "")), status=refusal.status)
    return redirect("desk:receptions")


def _answer(request: HttpRequest, person: Reception) -> str:
    who = {"by": request.user, "at": timezone.now()}
    if request.POST.get("answer") == "comes":
        receiving.confirm(person, **who)
        return f"已记录：{person.name}参加。"
    # Browsers send "\r\n": two characters a line would count against the limit.
    why = request.POST.get("why", "").replace("\r\n", "\n").strip()
    if len(why) > MAX_REASON_LENGTH:
        raise ReasonTooLong(len(why))
    receiving.decline(person, why, **who)
    return f"已记录：{person.name}不能参加，已告知综合处。"


def _page(request: HttpRequest, refused: tuple | None = None, status: int = 200) -> HttpResponse:
    """All who receive, by day. `refused`: a person, the refusal, and the typed reason to show again."""
    # `groupby` needs the rows of a day next to each other: the queryset is ordered by day.
    people = list(receiving.upcoming_receptions(timezone.now()))
    days = [(day, list(those)) for day, those in groupby(people, key=lambda person: person.day)]
    pk, refusal, typed = refused or (None, None, "")
    context = {"days": days, "refused": pk, "refusal": refusal, "typed": typed, "longest": MAX_REASON_LENGTH}
    return render_page(request, "receptions", context, status=status)
