"""Helpers for the admin pages about one 咨询日 that are not its form: 现场签到 and the printouts."""

from collections.abc import Callable

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse

from sessions_app.models import ConsultDay
from zhoushan_consult.bureau.roles import Act


def run_day_path(route: str, view: Callable[..., HttpResponse], name: str) -> URLPattern:
    """A route below 活动方案 for officers who run the day.

    A visitor who has not signed in is sent to the login page. Other officers raise NotAllowed.
    """

    # These views do not pass through ModelAdmin's own permission checks.
    def guarded(request, *args, **kwargs):
        request.user.must(Act.RUN_DAY)
        return view(request, *args, **kwargs)

    return path(route, admin.site.admin_view(guarded), name=f"sessions_app_consultday_{name}")


def url_of(name: str, *args: int) -> str:
    """The URL of a page that was made with `run_day_path`. Raises NoReverseMatch if there is none."""
    return reverse(f"admin:sessions_app_consultday_{name}", args=args)


def render_page(request: HttpRequest, template: str, context: dict, status: int = 200) -> HttpResponse:
    """The page with the header of the admin. The view's own context wins over the shared one."""
    shared = admin.site.each_context(request) | {"opts": ConsultDay._meta}
    return TemplateResponse(request, template, shared | context, status=status)
