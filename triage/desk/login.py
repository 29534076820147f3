"""Login, logout, and the start page of the desk."""

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.views import LogoutView
from django.core.exceptions import PermissionDenied
from django.shortcuts import redirect
from django.views.decorators.http import require_safe

from zhoushan_consult.login import views

from .access import desk_view
from .forms import LoginForm
from .sections import landing, sections_of


class OfficerLoginView(views.OfficerLoginView):
    """The login of the admin in the layout of the desk. It leads to the page asked for, or to one's work."""

    template_name = "desk/login.html"
    form_class = LoginForm

    def get_default_redirect_url(self):
        return landing(self.request.user)

    def get_context_data(self, **kwargs):
        context = super().get_context_data(**kwargs)
        # Django puts its own `site` here. The footer needs the one of the context processor.
        del context["site"]
        return context | {"idle_minutes": settings.SESSION_COOKIE_AGE // 60}


class OfficerLogoutView(LogoutView):
    """Log out by POST. The session ends on the server; the browser is asked to delete the pages it has kept.

    Without that, the next person at the computer could go back to them.
    """

    next_page = "desk:login"

    def post(self, request, *args, **kwargs):
        response = super().post(request, *args, **kwargs)
        messages.success(request, "您已退出登录。")
        response["Clear-Site-Data"] = '"cache", "storage"'
        return response


@desk_view
@require_safe
def home(request):
    """`/desk/`: go to the first section of the officer. Raises PermissionDenied if they have none."""
    sections = sections_of(request.user)
    if sections:
        return redirect(sections[0].url)
    # `landing` answers with this very page for an officer without any work: a redirect would never end.
    if landing(request.user) != request.path:
        return redirect(landing(request.user))
    raise PermissionDenied
