"""What browsers and proxies may store: public pages only, and they must ask again each time."""

import re

# Pages without personal data. With `no-cache` a browser keeps them, but asks whether they have changed.
PUBLIC = re.compile(r"/(?:$|days/|help/|privacy/|sitemap/|answers/|static/)")


class CacheControlMiddleware:
    """Forbids storing all other pages, every error, and every response that sets a cookie."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        response = self.get_response(request)
        # A response with a cookie must not be stored: a shared proxy would give the cookie to other visitors.
        if PUBLIC.match(request.path_info) and response.status_code < 400 and not response.cookies:
            response.headers.setdefault("Cache-Control", "no-cache")
        else:
            response.headers["Cache-Control"] = "private, no-store"
        return response
