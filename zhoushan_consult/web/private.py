"""What may be kept by browsers and proxies: the public pages only, and they ask again each time."""

import re

PUBLIC = re.compile(r"/(?:$|days/|help/|privacy/|sitemap/|answers/|static/)")


class CacheControlMiddleware:
    """Forbids to store anything else, every error, and every answer that sets a cookie."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        response = self.get_response(request)
        if PUBLIC.match(request.path_info) and response.status_code < 400 and not response.cookies:
            response.headers.setdefault("Cache-Control", "no-cache")
        else:
            response.headers["Cache-Control"] = "private, no-store"
        return response
