"""The floor: a Django site of one view and nothing else. Whatever a page of ours costs above it is our own doing."""

from django.core.handlers.wsgi import WSGIHandler, WSGIRequest
from django.http import HttpRequest, HttpResponse
from django.test import override_settings
from django.urls import path


def view(request: HttpRequest) -> HttpResponse:
    return HttpResponse("ok")


urlpatterns = [path("", view)]


class _Request(WSGIRequest):
    urlconf = __name__  # the addresses of this site stand here, not in settings.ROOT_URLCONF


class _Floor(WSGIHandler):
    request_class = _Request


def floor() -> WSGIHandler:
    """A WSGI application beside ours in the same process, without middleware."""
    with override_settings(MIDDLEWARE=[]):
        return _Floor()
