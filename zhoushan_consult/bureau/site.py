"""The admin site of the bureau, in Chinese. Its first page shows what the officer has to do."""

from collections.abc import Callable
from datetime import datetime

from django.contrib.admin import AdminSite
from django.http import Http404
from django.utils import timezone

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
        """Without the pages on one's own password: `login.urls` has them, for officers without the admin too."""
        return [url for url in super().get_urls() if not str(url.pattern).startswith("password_change/")]

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
        """`login.urls` stands before the admin at this address. Django's own view would count no failures."""
        raise Http404
