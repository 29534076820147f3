"""Who may open a page of the desk, and what every page of the desk shares."""

from functools import wraps

from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from .sections import SECTIONS, has_admin, sections_of

# Hidden fields and tick boxes of the forms. They hold no text that an officer would want to copy.
NOT_TYPED = frozenset({"csrfmiddlewaretoken", "version", "to_firm", "kind"})


def desk_view(view):
    """A page for officers who have signed in.

    Others go to the login page. A POST does not lose its text: if the session has ended, or another division has
    the 交办 by now, the answer shows what was typed so that it can be copied.
    """

    @wraps(view)
    def guarded(request, *args, **kwargs):
        if request.method == "POST":
            return _post(view, request, *args, **kwargs)
        if not request.user.is_authenticated:
            return redirect_to_login(request.get_full_path(), reverse("desk:login"))
        return view(request, *args, **kwargs)

    return guarded


def _post(view, request: HttpRequest, *args, **kwargs) -> HttpResponse:
    # A redirect to the login page would lose a reply of 5000 characters.
    if not request.user.is_authenticated:
        return _show_unsaved_text(request, "signed_out", status=403)
    try:
        return view(request, *args, **kwargs)
    except Http404:
        return _show_unsaved_text(request, "not_found", status=404)


def _show_unsaved_text(request: HttpRequest, template: str, status: int) -> HttpResponse:
    typed = [text for name, text in request.POST.items() if name not in NOT_TYPED and text.strip()]
    return render(request, f"desk/{template}.html", {"typed": typed}, status=status)


def section_view(name: str):
    """A page of one section. Officers who do not have the section raise PermissionDenied."""
    section = next(section for section in SECTIONS if section.name == name)

    def guard(view):
        @wraps(view)
        def guarded(request, *args, **kwargs):
            if not section.open_to(request.user):
                raise PermissionDenied
            return view(request, *args, **kwargs)

        # `desk_view` runs first: an anonymous user has no roles to ask about.
        return desk_view(guarded)

    return guard


def render_page(request: HttpRequest, template: str, context: dict, status: int = 200) -> HttpResponse:
    """A page of the desk, with links to the officer's sections."""
    officer = request.user
    shared = {"sections": sections_of(officer), "has_admin": has_admin(officer)}
    return render(request, f"desk/{template}.html", shared | context, status=status)
