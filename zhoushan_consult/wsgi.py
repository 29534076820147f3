"""The WSGI entry point of the service."""

import os

import django
from django.core.exceptions import SuspiciousOperation
from django.core.handlers.wsgi import WSGIHandler, WSGIRequest

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "zhoushan_consult.settings")


class Request(WSGIRequest):
    """A request that accepts any Content-Type.

    Django decodes the address with the charset of the Content-Type while it creates the request. No error page can help
    there: `charset=hex` would be a bare 500. Such a request is marked as unreadable, and web.characters refuses it.
    """

    def _set_content_type_params(self, meta):
        try:
            super()._set_content_type_params(meta)
        except (ValueError, LookupError, SuspiciousOperation):
            self.content_type, self.content_params, self._encoding = "", {}, "unreadable"


class Handler(WSGIHandler):
    request_class = Request


# As get_wsgi_application() does, but with our handler.
django.setup(set_prefix=False)
application = Handler()
