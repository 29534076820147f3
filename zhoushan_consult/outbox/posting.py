"""Writing a letter. Nothing is sent here: what is due is found in the database by the sweep (`delivery`)."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import NamedTuple

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db.models import Model, QuerySet
from django.template import Context, TemplateDoesNotExist
from django.template.loader import get_template
from django.utils.timezone import localtime

from zhoushan_consult.identity import phone as phones
from zhoushan_consult.vault.blind_index import blind_index

from .models import Channel, Notice, State

CANCELLABLE = [State.WAITING, State.RETRY]


@dataclass(frozen=True)
class Recipient:
    """To whom a letter goes; its channels follow from what is known of the person."""

    name: str
    phone: str = field(default="", repr=False)
    email: str = field(default="", repr=False)


class Words(NamedTuple):
    """A rendered text: its first line where the text has a title, and the rest."""

    subject: str
    body: str


def post(
    kind: str,
    *,
    about: Model,
    to: Recipient,
    key: str,
    at: datetime,
    due_at: datetime | None = None,
    calendar: str = "",
    **context,
) -> list[Notice]:
    """Write the letter of `kind` about `about` in the caller's transaction: a row for each way it can go.

    Its texts are `templates/notices/<kind>/{sms,email,page}.txt`; they read `context`, `to`, `at` and
    `site_url`. The same kind, matter and `key` are one letter: posted again, it is found and not written a
    second time (put the officer into the key where several are told). `due_at` is the earliest moment to
    send it, else `at`. `calendar` is an iCalendar text that an e-mail carries along. Raises LookupError where the
    kind has no text at all.
    """
    texts = _texts(kind, {**context, "to": to, "at": at, "site_url": settings.SITE_URL})
    title = next((words.subject for words in texts.values() if words.subject), "")
    shared: dict = {
        "kind": kind,
        "to_name": to.name,
        "created_at": at,
        "due_at": due_at or at,
        **_matter(about),
    }
    rows = [
        Notice(
            channel=channel,
            dedupe_key=dedupe_key(kind, shared["about_kind"], shared["about_id"], key, channel),
            to=address,
            to_index=address_index(address),
            subject=(words.subject or title)[:150],
            body=words.body,
            calendar=calendar if channel == Channel.EMAIL else "",
            **_start(channel, at, due_at or at),
            **shared,
        )
        for channel, address, words in _ways(to, texts)
    ]
    return store(rows)


def store(rows: list[Notice]) -> list[Notice]:
    """The rows as they stand in the database, those that were not there before newly written."""
    Notice.objects.bulk_create(rows, ignore_conflicts=True)
    return list(Notice.objects.filter(dedupe_key__in=[row.dedupe_key for row in rows]).order_by("pk"))


def letters_to_page(about: Model) -> QuerySet[Notice]:
    """What the firm's progress page shows as letters to it, the newest first. `text` is the body."""
    return Notice.objects.filter(channel=Channel.PAGE, **_matter(about)).order_by("-created_at", "-pk")


def latest_calendar(about: Model, kinds: Iterable[str]) -> str:
    """The iCalendar text that the last e-mail of these kinds about a matter carries; "" where there is none."""
    mails = Notice.objects.filter(channel=Channel.EMAIL, kind__in=kinds, **_matter(about))
    last = mails.exclude(state=State.CANCELLED).order_by("-created_at", "-pk").first()
    return last.calendar.open() if last else ""


def cancel(about: Model, kind: str | None = None, *, at: datetime) -> int:
    """Take back what is not yet sent of the letters about a matter, calls included. Returns how many."""
    unsent = Notice.objects.filter(state__in=CANCELLABLE, **_matter(about))
    if kind:
        unsent = unsent.filter(kind=kind)
    note = f"{localtime(at):%-m月%-d日 %H:%M}取消"
    return unsent.update(state=State.CANCELLED, next_try_at=None, last_error=note)


def dedupe_key(*parts: str) -> str:
    """A letter's own key, 32 hexadecimal digits: here, and towards the gateway on every repeat."""
    return sha256(":".join(parts).encode()).hexdigest()[:32]


def address_index(address: str) -> str:
    """Finds the letters to one canonical phone number or e-mail address."""
    return blind_index("notice_to", address) if address else ""


def canonical_phone(phone: str) -> str:
    """A number in the writing of `identity.phone`, from RFC 3966 too; what is none stays as it is."""
    try:
        return phones.clean(phone.removeprefix("tel:"))
    except ValidationError:
        return phone


def _matter(about: Model) -> dict[str, str]:
    return {"about_kind": about._meta.label_lower, "about_id": str(about.pk)}


def _texts(kind: str, context: dict) -> dict[str, Words]:
    found = {name: _render(f"notices/{kind}/{name}.txt", context) for name in ("page", "email", "sms")}
    texts = {name: text for name, text in found.items() if text is not None}
    if not texts:
        raise LookupError(f"templates/notices/{kind}/ has no text")
    return {name: Words("", text) if name == "sms" else _titled(text) for name, text in texts.items()}


def _render(name: str, context: dict) -> str | None:
    try:
        template = get_template(name, using="django").template
    except TemplateDoesNotExist:
        return None
    return template.render(Context(context, autoescape=False)).strip()  # letters are plain text, not HTML


def _titled(text: str) -> Words:
    title, _, rest = text.partition("\n")
    return Words(" ".join(title.split()), rest.strip())


def _ways(to: Recipient, texts: dict[str, Words]) -> Iterator[tuple[Channel, str, Words]]:
    if "page" in texts:
        yield Channel.PAGE, "", texts["page"]
    if "sms" in texts and to.phone:
        phone = canonical_phone(to.phone)
        yield (Channel.SMS if phones.receives_sms(phone) else Channel.CALL), phone, texts["sms"]
    if "email" in texts and to.email:
        yield Channel.EMAIL, to.email, texts["email"]


def _start(channel: Channel, at: datetime, due_at: datetime) -> dict:
    if channel == Channel.PAGE:  # it is delivered by standing on the page
        return {"state": State.SENT, "sent_at": at}
    return {"next_try_at": due_at}
