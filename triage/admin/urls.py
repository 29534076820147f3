"""Pages about one 咨询日 beside its screen, for those who run the day."""

from collections.abc import Callable

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse

from sessions_app.models import ConsultDay
from zhoushan_consult.bureau.roles import Act


def door(route: str, view: Callable[..., HttpResponse], name: str) -> URLPattern:
    """An address beneath those of 活动方案. A stranger is asked to sign in; others raise NotAllowed."""

    def guarded(request, *args, **kwargs):
        request.user.must(Act.RUN_DAY)
        return view(request, *args, **kwargs)

    return path(route, admin.site.admin_view(guarded), name=f"sessions_app_consultday_{name}")


def address(name: str, *about: int) -> str:
    return reverse(f"admin:sessions_app_consultday_{name}", args=about)


def show(request: HttpRequest, template: str, context: dict, status: int = 200) -> HttpResponse:
    frame = admin.site.each_context(request) | {"opts": ConsultDay._meta}
    return TemplateResponse(request, template, frame | context, status=status)
