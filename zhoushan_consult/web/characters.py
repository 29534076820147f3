"""Requests must be valid UTF-8 without control characters. Others get an error page, never a 500.

PostgreSQL rejects NUL, and other control characters break pages, letters and spreadsheets. So they are refused here,
before any view. People paste them without seeing them, mostly from PDF files. A form of the public pages is taken without
them: a page in between could not be gone back to; and so is a log-in, as a page in between would contain the password. For
other forms, people are offered their text without them.
"""

import codecs
import logging
import re
from urllib.parse import unquote_to_bytes

from django.conf import settings
from django.core.exceptions import BadRequest, RequestDataTooBig, SuspiciousOperation
from django.http import QueryDict, UnreadablePostError
from django.http.multipartparser import MultiPartParserError

from . import errors

# Function views answer every method, also TRACE.
METHODS = ("GET", "HEAD", "POST")
# C0 except tab and line breaks, DEL, C1, and lone surrogates.
CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
LINE_BREAK = re.compile(r"[\x0b\x0c]")
BROKEN_PERCENT = re.compile(rb"%(?![0-9A-Fa-f]{2})")
# What Django and Python raise while they parse a broken request.
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
    """Refuses a request that cannot be read, before anything else parses it."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        return refusal(request) or self.get_response(request)


def refusal(request):
    """The error page for the request; None if it can be read."""
    if request.method not in METHODS:
        return errors.method_not_allowed(request, METHODS)
    try:
        _read(request)
    except RequestDataTooBig:
        return errors.payload_too_large(request)
    except UNREADABLE as error:
        log.warning("request refused: %s", type(error).__name__)
        return errors.bad_request(request)
    if not any(map(CONTROL.search, _names_and_values(request.POST))):
        return None
    if not _may_be_taken_without(request.POST):
        return _offer_without_control_characters(request)
    request.POST = _without_control_characters(request.POST)
    return None


def _read(request) -> None:
    """Parse the whole request. Raises one of UNREADABLE, or RequestDataTooBig."""
    _must_be_small(request)
    _must_be_utf8(request)
    _must_decode(request.META.get("QUERY_STRING", "").encode("latin-1"))
    if request.content_type == "application/x-www-form-urlencoded":
        _must_decode(request.body)
    if any(map(CONTROL.search, [request.path_info, *_names_and_values(request.GET)])):
        raise BadRequest
    # Reading it parses a multipart body.
    len(request.POST)


def _must_be_small(request) -> None:
    if int(request.META.get("CONTENT_LENGTH") or 0) > settings.DATA_UPLOAD_MAX_MEMORY_SIZE:
        raise RequestDataTooBig


def _must_be_utf8(request) -> None:
    """Django would decode the address too with the codec that the sender names: gbk, or even hex."""
    if request.encoding and codecs.lookup(request.encoding).name != "utf-8":
        raise BadRequest


def _must_decode(encoded: bytes) -> None:
    """Django would replace broken bytes by �, and the firm's name would be stored with it."""
    if BROKEN_PERCENT.search(encoded):
        raise BadRequest
    unquote_to_bytes(encoded).decode("utf-8")


def _names_and_values(fields) -> list[str]:
    """Every name and value of a form."""
    return [text for name, values in fields.lists() for text in (name, *values)]


def _may_be_taken_without(fields: QueryDict) -> bool:
    """Whether the form has a page to be shown on again. A secret itself is never altered."""
    secrets = [name for name in fields if errors.SECRET.search(name)]
    altered = [*fields, *(value for name in secrets for value in fields.getlist(name))]
    return bool("draft" in fields or secrets) and not any(map(CONTROL.search, altered))


def _without_control_characters(fields: QueryDict) -> QueryDict:
    """The same form. Word writes a line break within a paragraph as a vertical tab."""
    clean = fields.copy()
    for name, values in fields.lists():
        clean.setlist(name, [CONTROL.sub("", LINE_BREAK.sub("\n", text)) for text in values])
    return clean


def _offer_without_control_characters(request):
    """A page with one button that sends the same form again, without the control characters."""
    pairs = errors.resubmittable_fields(request)
    if not pairs:
        return errors.bad_request(request)
    clean = [tuple(CONTROL.sub("", text) for text in pair) for pair in pairs]
    return errors.render_error(request, "characters", 400, fields=clean)
