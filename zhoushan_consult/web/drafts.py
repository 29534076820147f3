"""Drafts: what was typed into a public form and is not submitted yet, sealed, for the browser that typed it.

A form that was sent and is not done is kept here, and answered with a redirect to a page that shows it again. So every page
in the history of the browser is a GET: Back never asks to send a form once more, and finds the text. A script saves a form
that the visitor leaves without sending it (static/js/drafts.js).

A draft is erased when its form is done, when the visitor asks for it, and KEEP_FOR after the last change. The cookie only
names the browser; no address, log or session contains what was typed.
"""

import json
import logging
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django import forms
from django.conf import settings
from django.db import DatabaseError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.utils.crypto import salted_hmac

from zhoushan_consult.duties.kinds import Kind, every
from zhoushan_consult.vault.cipher import DecryptionError

from .address import client_network
from .models import Draft
from .throttle import allow

KEEP_FOR = timedelta(hours=2)
# A hall of three hundred firms behind one address stays below.
SAVES_AN_HOUR, HOUR = 2_000, timedelta(hours=1)
# Characters. The longest form with every field at its limit has 5,000; a pasted report has 50,000.
MAX_LENGTH = 100_000
# The id of the form of a page: the switch of the 长辈版 sends it too.
FORM_ID = "typed"
# Fields of a form that are not typed.
NOT_TYPED = {"csrfmiddlewaretoken", "draft", "about", "judged", "step", "elder", "clear"}

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Typed:
    """A form as it was typed.

    `judged`: it was sent, so it is shown with its errors. `refusal` is why it was not done, `notice` what the page says
    about it. `page` is where it belongs.
    """

    values: QueryDict = field(repr=False)
    judged: bool = False
    refusal: str = ""
    notice: str = ""
    page: str = "/"

    @classmethod
    def of(cls, request: HttpRequest, **about) -> "Typed":
        """What this request sent."""
        values = request.POST.copy()
        for name in NOT_TYPED & values.keys():
            del values[name]
        return cls(values, **about)

    def fill(self, make: Callable[..., forms.BaseForm]) -> forms.BaseForm:
        """The form that `make(data)` returns, filled in; with its errors if it is judged."""
        if self.judged:
            form = make(self.values)
            if self.refusal:
                form.add_error(None, self.refusal)
            return form
        form = make(None)
        for name, form_field in form.fields.items():
            form.initial[name] = form_field.widget.value_from_datadict(self.values, {}, name)
        return form


def filled(make: Callable[..., forms.BaseForm], typed: Typed | None) -> forms.BaseForm:
    """The form of `make`, with what was typed if there is any."""
    return typed.fill(make) if typed else make()


def form_context(draft: str, make: Callable[..., forms.BaseForm], typed: Typed | None) -> dict:
    """What the template of a page with one form reads."""
    return {
        "form": filled(make, typed),
        "notice": typed.notice if typed else "",
        "draft": draft,
        "typed_form": FORM_ID,
    }


def takes(form: type[forms.Form], draft: str = "") -> Callable:
    """Decorator of a view that takes `form`: the pages of errors then know what was typed there, and its labels.

    `draft` is the name of the draft, for forms that may be sent without it.
    """

    def mark(view):
        view.draft = draft
        view.labels = {
            name: each.label for name, each in form.base_fields.items() if isinstance(each, forms.CharField)
        }
        return view

    return mark


def keep(request: HttpRequest, form: str, typed: Typed, now: datetime) -> str:
    """Keep `typed` as the draft of `form`. Returns the key for `set_cookie`; "" if it cannot be kept.

    `form` names the form, and the registration where there is one for each: "amend K7M2-9QRT-4WXP-2H". Without a key, the
    caller must show the text in its answer, or the text is lost.
    """
    content = json.dumps({**vars(typed), "values": list(typed.values.lists())}, ensure_ascii=False)
    if len(content) > MAX_LENGTH or not _may_save(request, now):
        return ""
    key = request.COOKIES.get(settings.DRAFT_COOKIE_NAME) or secrets.token_urlsafe(24)
    row = Draft(browser=_hashed(key), form=form[:60], content=content, saved_at=now)
    try:
        Draft.objects.bulk_create(
            [row],
            update_conflicts=True,
            unique_fields=["browser", "form"],
            update_fields=["content", "saved_at"],
        )
    except DatabaseError as error:
        log.error("draft not kept: %s", type(error).__name__)
        return ""
    return key


def redirect(request: HttpRequest, to: str, form: str, typed: Typed, now: datetime) -> HttpResponse | None:
    """Keep `typed` and go to the page `to`, which shows it. None if it cannot be kept."""
    key = keep(request, form, typed, now)
    return set_cookie(HttpResponseRedirect(to), key) if key else None


def read(request: HttpRequest, form: str, now: datetime) -> Typed | None:
    """The draft of `form` that this browser has. No query without its cookie."""
    key = request.COOKIES.get(settings.DRAFT_COOKIE_NAME)
    return _opened(_rows(key, now).filter(form=form[:60]).first()) if key else None


def latest(key: str, now: datetime) -> tuple[str, Typed | None]:
    """The name and the content of the latest draft of the browser with this key; "" and None if it has none."""
    row = _rows(key, now).order_by("-saved_at").first()
    return (row.form, _opened(row)) if row else ("", None)


def _rows(key: str, now: datetime) -> QuerySet[Draft]:
    return Draft.objects.filter(browser=_hashed(key), saved_at__gt=now - KEEP_FOR)


def _opened(row: Draft | None) -> Typed | None:
    if row is None:
        return None
    try:
        content = json.loads(row.content.open())
    except DecryptionError:  # its key was taken out of the ring
        return None
    values = QueryDict(mutable=True)
    for name, texts in content.pop("values"):
        values.setlist(name, texts)
    return Typed(values, **content)


def erase(request: HttpRequest, form: str = "") -> None:
    """Erase the draft of `form`, or all drafts of this browser. It never fails: the duty erases what is left."""
    key = request.COOKIES.get(settings.DRAFT_COOKIE_NAME)
    if not key:
        return
    which = {"form": form[:60]} if form else {}
    try:
        Draft.objects.filter(browser=_hashed(key), **which).delete()
    except DatabaseError as error:
        # The act itself is done, so its answer must not be an error page.
        log.error("draft not erased: %s", type(error).__name__)


def set_cookie(response: HttpResponse, key: str) -> HttpResponse:
    """Give the browser its key. The cookie ends with the browser, as on a computer that many people use."""
    response.set_cookie(settings.DRAFT_COOKIE_NAME, key, secure=settings.HTTPS, httponly=True, samesite="Lax")
    return response


def change_key(key: str) -> str:
    """A new key for the drafts of a browser: the old one was in an address."""
    new = secrets.token_urlsafe(24)
    Draft.objects.filter(browser=_hashed(key)).update(browser=_hashed(new))
    return new


def purge(now: datetime) -> int:
    """Erase the drafts that were not submitted in time. Returns how many."""
    return Draft.objects.filter(saved_at__lte=now - KEEP_FOR).delete()[0]


def _may_save(request: HttpRequest, now: datetime) -> bool:
    """Everyone may write drafts, so an address may write only so many."""
    return allow(f"draft:{client_network(request)}", SAVES_AN_HOUR, HOUR, now)


def _hashed(key: str) -> str:
    # A copy of the database must not contain what opens a draft in a browser.
    return salted_hmac(__name__, key, algorithm="sha256").hexdigest()


PURGE = Kind(
    name="draft_purge",
    label="清除没有提交的暂存内容",
    schedule=every(timedelta(minutes=10)),
    run=lambda about, due_at, now: purge(now),
    useful_for=timedelta(hours=1),
)
