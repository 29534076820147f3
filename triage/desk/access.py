"""Who is let in, and the frame of every page of the desk."""

from functools import wraps

from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from .sections import SECTIONS, has_admin, sections_of

MARKS = frozenset({"csrfmiddlewaretoken", "version", "to_firm"})
"""What a form of the desk sends beside words."""


def at_desk(view):
    """A page of the desk: for those who have signed in. What was written is given back when the session
    has ended or the matter went to another desk meanwhile."""

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


def in_section(name: str):
    """A page of one room: the others are told that it is not theirs."""
    room = next(room for room in SECTIONS if room.name == name)

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
    frame = {"rooms": sections_of(officer), "has_admin": has_admin(officer)}
    return render(request, f"desk/{template}.html", frame | context, status=status)
