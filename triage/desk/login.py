"""Coming in and going out."""

from django.contrib import messages
from django.contrib.auth.views import LogoutView
from django.core.exceptions import PermissionDenied
from django.shortcuts import redirect
from django.views.decorators.http import require_safe

from zhoushan_consult.bureau import login

from .access import desk_view
from .forms import LoginForm
from .sections import landing, sections_of


class OfficerLoginView(login.OfficerLoginView):
    """The admin's door in the look of the desk: on to the page that was asked for, or to one's work."""

    template_name = "desk/login.html"
    form_class = LoginForm

    def get_default_redirect_url(self):
        return landing(self.request.user)

    def get_context_data(self, **kwargs):
        context = super().get_context_data(**kwargs)
        del context["site"]  # Django's own notion of a site; the footer needs the bureau's
        return context


class OfficerLogoutView(LogoutView):
    """By POST only: the session ends on the server, and the browser is asked to forget the pages."""

    next_page = "desk:login"

    def post(self, request, *args, **kwargs):
        response = super().post(request, *args, **kwargs)
        messages.success(request, "您已退出登录。")
        response["Clear-Site-Data"] = '"cache", "storage"'
        return response


@desk_view
@require_safe
def home(request):
    """`/desk/`: on to the first section."""
    sections = sections_of(request.user)
    if sections:
        return redirect(sections[0].url)
    if landing(request.user) != request.path:
        return redirect(landing(request.user))
    raise PermissionDenied
