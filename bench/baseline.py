"""The baseline: a Django site with one view and nothing else. What a page of ours costs more is due to our own code."""

from django.core.handlers.wsgi import WSGIHandler, WSGIRequest
from django.http import HttpRequest, HttpResponse
from django.test import override_settings
from django.urls import path


def view(request: HttpRequest) -> HttpResponse:
    return HttpResponse("ok")


urlpatterns = [path("", view)]


class _BaselineRequest(WSGIRequest):
    # The handler would else use settings.ROOT_URLCONF.
    urlconf = __name__


class _BaselineHandler(WSGIHandler):
    request_class = _BaselineRequest


def baseline_site() -> WSGIHandler:
    """A WSGI application without middleware, in the same process as ours."""
    # The handler reads MIDDLEWARE once, when it is created.
    with override_settings(MIDDLEWARE=[]):
        return _BaselineHandler()
