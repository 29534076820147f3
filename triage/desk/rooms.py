"""The rooms of the desk: who has which, and where each officer's work waits."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps

from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from zhoushan_consult.bureau.models import Officer
from zhoushan_consult.bureau.roles import Act


@dataclass(frozen=True)
class Room:
    """A part of the desk with an address of its own, open to those whose roles bring them there."""

    name: str
    label: str
    open_to: Callable[[Officer], bool]

    @property
    def url(self) -> str:
        return reverse(f"desk:{self.name}")


ROOMS = (
    Room("assignments", "我的交办", lambda officer: officer.may(Act.DRAFT) and bool(officer.division_id)),
    Room("registrations", "本辖区登记", lambda officer: officer.may(Act.READ_AREA) and bool(officer.area_id)),
    Room("overview", "全局情况", lambda officer: officer.may(Act.READ_ALL)),
    Room(
        "follow_ups",
        "跟踪督办",
        lambda officer: officer.may(Act.WATCH) or (officer.may(Act.FOLLOW_UP) and bool(officer.division_id)),
    ),
)
ADMIN_ACTS = frozenset({Act.REVIEW, Act.PLAN, Act.APPROVE_PLAN, Act.ACCOUNTS, Act.HEALTH})
"""Acts whose place is the admin."""


MARKS = frozenset({"csrfmiddlewaretoken", "version", "to_firm"})
"""What a form of the desk sends beside words."""


def rooms_of(officer: Officer) -> list[Room]:
    """The rooms that the officer has, the first being where their work waits."""
    return [room for room in ROOMS if room.open_to(officer)]


def has_admin(officer: Officer) -> bool:
    return officer.is_staff and (officer.is_superuser or bool(ADMIN_ACTS & officer.acts))


def landing(officer: Officer) -> str:
    """The address at which the officer arrives after signing in: 综合处 and 科监处 in the admin, the others at the desk."""
    first = rooms_of(officer)[:1]
    if has_admin(officer) and (officer.may(Act.REVIEW) or not first):
        return reverse("admin:index")
    return first[0].url if first else reverse("desk:home")


def at_desk(view):
    """A page of the desk: for those who have signed in. Nobody loses what they wrote to a session that ended or to a
    matter that was taken from their desk meanwhile."""

    @wraps(view)
    def guarded(request, *args, **kwargs):
        if request.method == "POST":
            return _act(view, request, *args, **kwargs)
        if not request.user.is_authenticated:
            return redirect_to_login(request.get_full_path(), reverse("desk:login"))
        return view(request, *args, **kwargs)

    return guarded


def _act(view, request: HttpRequest, *args, **kwargs) -> HttpResponse:
    if not request.user.is_authenticated:
        return _give_back(request, "signed_out", status=403)
    try:
        return view(request, *args, **kwargs)
    except Http404:
        return _give_back(request, "gone", status=404)


def _give_back(request: HttpRequest, template: str, status: int) -> HttpResponse:
    typed = [text for name, text in request.POST.items() if name not in MARKS and text.strip()]
    return render(request, f"desk/{template}.html", {"typed": typed}, status=status)


def in_room(name: str):
    """A page of one room: the others are told that it is not theirs."""
    room = next(room for room in ROOMS if room.name == name)

    def guard(view):
        @wraps(view)
        def guarded(request, *args, **kwargs):
            if not room.open_to(request.user):
                raise PermissionDenied
            return view(request, *args, **kwargs)

        return at_desk(guarded)

    return guard


def show(request: HttpRequest, template: str, context: dict, status: int = 200) -> HttpResponse:
    """A page of the desk with the ways to its other rooms."""
    officer = request.user
    frame = {"rooms": rooms_of(officer), "has_admin": has_admin(officer)}
    return render(request, f"desk/{template}.html", frame | context, status=status)
