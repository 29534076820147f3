"""接待安排 (二, 七（二）): who receives on the coming days, and whether they come; 办公室 asks and writes it down."""

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

LONGEST = Reception._meta.get_field("declined").max_length


class TooLong(Refused):
    status = 422

    def __init__(self, length: int):
        super().__init__(f"说明最多 {LONGEST} 字，现有 {length} 字，请精简。")


@section_view("receptions")
@require_safe
def receptions(request: HttpRequest) -> HttpResponse:
    return _page(request)


@section_view("receptions")
@require_http_methods(["GET", "HEAD", "POST"])
def reception(request: HttpRequest, pk: int) -> HttpResponse:
    """One person's answer. Reloaded or gone back to, the address only leads to the list."""
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
    why = request.POST.get("why", "").replace("\r\n", "\n").strip()
    if len(why) > LONGEST:
        raise TooLong(len(why))
    receiving.decline(person, why, **who)
    return f"已记录：{person.name}不能参加，已告知综合处。"


def _page(request: HttpRequest, refused: tuple | None = None, status: int = 200) -> HttpResponse:
    """Everyone by day; where an answer was refused, what was typed stands in its place."""
    people = list(receiving.upcoming_receptions(timezone.now()))
    days = [(day, list(those)) for day, those in groupby(people, key=lambda person: person.day)]
    pk, refusal, typed = refused or (None, None, "")
    context = {"days": days, "refused": pk, "refusal": refusal, "typed": typed, "longest": LONGEST}
    return render_page(request, "receptions", context, status=status)
