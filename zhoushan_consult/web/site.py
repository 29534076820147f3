"""The context of every page: the details of the bureau, and whether the visitor uses the 长辈版."""

from django.conf import settings

ELDER_COOKIE = "elder"


def site(request) -> dict:
    """The context processor: `site` (phone, address, … as settings.SITE) and `elder`."""
    return {"site": settings.SITE, "elder": request.COOKIES.get(ELDER_COOKIE) == "1"}
