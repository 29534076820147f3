"""What every page knows: the bureau's particulars, and whether the visitor reads the 长辈版."""

from django.conf import settings

ELDER = "elder"  # the cookie of the 长辈版


def site(request) -> dict:
    """The context processor: `site` (phone, address, … as settings.SITE) and `elder`."""
    return {"site": settings.SITE, "elder": request.COOKIES.get(ELDER) == "1"}
