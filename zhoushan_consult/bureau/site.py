"""The admin site of the bureau: Chinese, ours, and opening on what its visitor has to do."""

from collections.abc import Callable
from datetime import datetime

from django.contrib.admin import AdminSite
from django.contrib.admin.apps import AdminConfig
from django.urls import path
from django.utils import timezone

from .worklist import Basket

DESK = "/desk/"


class BureauAdminConfig(AdminConfig):
    default_site = "zhoushan_consult.bureau.site.BureauAdminSite"
    verbose_name = "管理后台"


class BureauAdminSite(AdminSite):
    site_title = "企业环保咨询日"
    site_header = "企业环保咨询日 · 工作台"
    index_title = "待办事项"
    site_url = "/"
    empty_value_display = "—"
    enable_nav_sidebar = False

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self._work: list[Callable[[object, datetime], list[Basket]]] = []

    def opens_on(self, baskets: Callable[[object, datetime], list[Basket]]) -> None:
        """Show what `baskets(officer, now)` finds on the first page. An app says here what waits in it."""
        self._work.append(baskets)

    def get_urls(self):
        from django.contrib.auth.decorators import login_required

        mine = [
            path("password_change/", login_required(self.password_change), name="password_change"),
            path(
                "password_change/done/",
                login_required(self.password_change_done),
                name="password_change_done",
            ),
        ]
        return mine + super().get_urls()

    def index(self, request, extra_context=None):
        now = timezone.now()
        baskets = [basket for find in self._work for basket in find(request.user, now)]
        return super().index(request, {"baskets": baskets, "now": now, **(extra_context or {})})

    def logout(self, request, extra_context=None):
        """The session ends on the server, and the browser is asked to forget the pages."""
        response = super().logout(request, extra_context)
        response["Clear-Site-Data"] = '"cache", "storage"'
        return response

    def login(self, request, extra_context=None):
        """Every officer signs in here; those who have nothing to do in the admin go on to their desk."""
        from .login import SignIn

        request.current_app = self.name
        return SignIn.as_view(extra_context=self.each_context(request) | {"title": "登录"})(request)
