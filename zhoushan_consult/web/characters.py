"""What a request may consist of: readable UTF-8 without control characters. Anything else gets a page, never a 500.

A NUL stops PostgreSQL, other controls spoil pages, letters and spreadsheets, so they are refused at the door, once for
all. People do paste them unseen, from PDFs mostly: they are offered their own text without them.
"""

import codecs
import logging
import re
from urllib.parse import unquote_to_bytes

from django.conf import settings
from django.core.exceptions import BadRequest, RequestDataTooBig, SuspiciousOperation
from django.http import UnreadablePostError
from django.http.multipartparser import MultiPartParserError

from . import errors

METHODS = ("GET", "HEAD", "POST")
CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
BROKEN_PERCENT = re.compile(rb"%(?![0-9A-Fa-f]{2})")
UNREADABLE = (
    BadRequest,
    SuspiciousOperation,
    MultiPartParserError,
    UnreadablePostError,
    ValueError,
    LookupError,
)

log = logging.getLogger(__name__)


class ControlCharacterMiddleware:
    """Answers what cannot be read, before anything else looks at it."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        return refusal(request) or self.get_response(request)


def refusal(request):
    """The page that turns the request away; None for one that can be read."""
    if request.method not in METHODS:
        return errors.method_not_allowed(request, METHODS)
    try:
        _read(request)
    except RequestDataTooBig:
        return errors.too_long(request)
    except UNREADABLE as error:
        log.warning("request refused: %s", type(error).__name__)
        return errors.bad_request(request)
    if any(map(CONTROL.search, _typed(request.POST))):
        return _offer_without(request)
    return None


def _read(request) -> None:
    """Read all of it, raising one of UNREADABLE where that is impossible."""
    _must_be_small(request)
    _must_be_utf8(request)
    _must_decode(request.META.get("QUERY_STRING", "").encode("latin-1"))
    if request.content_type == "application/x-www-form-urlencoded":
        _must_decode(request.body)
    if any(map(CONTROL.search, [request.path_info, *_typed(request.GET)])):
        raise BadRequest
    len(request.POST)


def _must_be_small(request) -> None:
    if int(request.META.get("CONTENT_LENGTH") or 0) > settings.DATA_UPLOAD_MAX_MEMORY_SIZE:
        raise RequestDataTooBig


def _must_be_utf8(request) -> None:
    """Django would decode the address, too, with whatever codec the sender names: gbk, or even hex."""
    if request.encoding and codecs.lookup(request.encoding).name != "utf-8":
        raise BadRequest


def _must_decode(encoded: bytes) -> None:
    if BROKEN_PERCENT.search(encoded):
        raise BadRequest
    unquote_to_bytes(encoded).decode("utf-8")


def _typed(fields) -> list[str]:
    """Every name and value of a form."""
    return [text for name, values in fields.lists() for text in (name, *values)]


def _offer_without(request):
    """The page whose one button sends the same form again, without the control characters."""
    pairs = errors.resubmittable_fields(request)
    if not pairs:
        return errors.bad_request(request)
    clean = [tuple(CONTROL.sub("", text) for text in pair) for pair in pairs]
    return errors.page(request, "characters", 400, fields=clean)
