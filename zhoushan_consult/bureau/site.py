"""The admin site of the bureau, in Chinese. Its first page shows what the officer has to do."""

from collections.abc import Callable
from datetime import datetime

from django.contrib.admin import AdminSite
from django.contrib.auth.decorators import login_required
from django.urls import path
from django.utils import timezone

from .login import OfficerLoginView
from .worklist import WorkList

FindWork = Callable[[object, datetime], list[WorkList]]


class BureauAdminSite(AdminSite):
    site_title = "企业环保咨询日"
    site_header = "企业环保咨询日 · 工作台"
    index_title = "待办事项"
    site_url = "/"
    empty_value_display = "—"
    # The sidebar needs JavaScript and repeats the first page.
    enable_nav_sidebar = False

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self._find_work: list[FindWork] = []

    def register_worklist(self, find: FindWork) -> None:
        """Show on the first page what `find(officer, now)` returns. Each app registers its own work."""
        self._find_work.append(find)

    def get_urls(self):
        # AdminSite lets only is_staff change a password. Officers who work at the desk must be able to as well.
        change = login_required(self.password_change)
        done = login_required(self.password_change_done)
        own = [
            path("password_change/", change, name="password_change"),
            path("password_change/done/", done, name="password_change_done"),
        ]
        return own + super().get_urls()

    def index(self, request, extra_context=None):
        now = timezone.now()
        worklists = [worklist for find in self._find_work for worklist in find(request.user, now)]
        return super().index(request, {"worklists": worklists, "now": now, **(extra_context or {})})

    def logout(self, request, extra_context=None):
        """The session ends on the server, and the browser is asked to delete the pages it has kept."""
        response = super().logout(request, extra_context)
        response["Clear-Site-Data"] = '"cache", "storage"'
        return response

    def login(self, request, extra_context=None):
        """Every officer signs in here. Officers who have no work in the admin are sent to their desk."""
        request.current_app = self.name
        view = OfficerLoginView.as_view(extra_context=self.each_context(request) | {"title": "登录"})
        return view(request)
