"""Writes letters. Nothing is sent here: `delivery` finds in the database what is due."""

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

from zhoushan_consult.clock import SHANGHAI
from zhoushan_consult.identity import phone as phones
from zhoushan_consult.vault.blind_index import blind_index

from .models import Channel, Notice, State

# A letter in flight is not cancelled: a worker is sending it at this moment.
CANCELLABLE = [State.WAITING, State.RETRY]


@dataclass(frozen=True)
class Recipient:
    """The person to whom a letter goes. The known phone and e-mail decide its channels."""

    name: str
    phone: str = field(default="", repr=False)
    email: str = field(default="", repr=False)


class RenderedText(NamedTuple):
    """A rendered template: the subject, which is its first line (an SMS has none), and the rest."""

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
    """Write the letter of `kind` about `about` in the caller's transaction: one row for each channel it can use.

    Its templates are `templates/notices/<kind>/{sms,email,page}.txt`. They read `context`, `to`, `at` and `site_url`.
    The same kind, `about` and `key` are one letter: posted again, the existing rows are returned. If several officers
    get the letter, the key must name the officer. `due_at` is the earliest time to send it, by default `at`.
    `calendar` is an iCalendar text to attach to the e-mail. Raises LookupError if the kind has no template.
    """
    texts = _texts(kind, {**context, "to": to, "at": at, "site_url": settings.SITE_URL})
    title = next((text.subject for text in texts.values() if text.subject), "")
    shared: dict = {
        "kind": kind,
        "to_name": to.name,
        "created_at": at,
        "due_at": due_at or at,
        **_about_fields(about),
    }
    rows = [
        Notice(
            **_addressed(shared, key, channel, address),
            **_initial_state(channel, at, due_at or at),
            subject=(text.subject or title)[:150],
            body=text.body,
            calendar=calendar if channel == Channel.EMAIL else "",
        )
        for channel, address, text in _channels(to, texts)
    ]
    return store(rows)


class NotStored(RuntimeError):
    """The database refused a letter, and not because it has the same one already."""


def store(rows: list[Notice]) -> list[Notice]:
    """Insert the rows whose dedupe key is new. Returns all of them as the database has them now. Raises NotStored."""
    # One INSERT for all rows. A letter that was posted before is skipped, also if another process posts it now. But
    # `ignore_conflicts` passes over every constraint, on SQLite an empty column too: a letter lost in any other way
    # must take back the act that it tells of.
    Notice.objects.bulk_create(rows, ignore_conflicts=True)
    keys = {row.dedupe_key for row in rows}
    stored = list(Notice.objects.filter(dedupe_key__in=keys).order_by("pk"))
    if len(stored) != len(keys):
        raise NotStored
    return stored


def letters_to_page(about: Model) -> QuerySet[Notice]:
    """The letters that the firm's progress page shows, the newest first."""
    return Notice.objects.filter(channel=Channel.PAGE, **_about_fields(about)).order_by("-created_at", "-pk")


def latest_calendar(about: Model, kinds: Iterable[str]) -> str:
    """The iCalendar text of the last e-mail of these kinds about `about`; "" if there is none."""
    mails = Notice.objects.filter(channel=Channel.EMAIL, kind__in=kinds, **_about_fields(about))
    last = mails.exclude(state=State.CANCELLED).order_by("-created_at", "-pk").first()
    return last.calendar.open() if last else ""


def cancel(about: Model, kind: str | None = None, *, at: datetime) -> int:
    """Cancel the letters about `about` that are not sent yet, calls included. Returns how many."""
    unsent = Notice.objects.filter(state__in=CANCELLABLE, **_about_fields(about))
    if kind:
        unsent = unsent.filter(kind=kind)
    note = f"{at.astimezone(SHANGHAI):%-m月%-d日 %H:%M}取消"
    return unsent.update(state=State.CANCELLED, next_try_at=None, last_error=note)


def dedupe_key(*parts: str) -> str:
    """The key of a letter, 32 hexadecimal digits. It is unique here, and sent to the gateway with each attempt."""
    # No secret is needed: the parts are ids, and a person who knows the key can do nothing with it.
    return sha256(":".join(parts).encode()).hexdigest()[:32]


def address_index(address: str) -> str:
    """The blind index of a canonical phone number or e-mail address: it finds all letters to it."""
    return blind_index("notice_to", address) if address else ""


def canonical_phone(phone: str) -> str:
    """A phone number in the form of `identity.phone`, also from RFC 3966. Other text is returned unchanged."""
    try:
        return phones.clean(phone.removeprefix("tel:"))
    except ValidationError:
        return phone


def _about_fields(about: Model) -> dict[str, str]:
    return {"about_kind": about._meta.label_lower, "about_id": str(about.pk)}


def _texts(kind: str, context: dict) -> dict[str, RenderedText]:
    found = {name: _render(f"notices/{kind}/{name}.txt", context) for name in ("page", "email", "sms")}
    texts = {name: text for name, text in found.items() if text is not None}
    if not texts:
        raise LookupError(f"templates/notices/{kind}/ has no text")
    return {name: RenderedText("", text) if name == "sms" else _titled(text) for name, text in texts.items()}


def _render(name: str, context: dict) -> str | None:
    try:
        template = get_template(name, using="django").template
    except TemplateDoesNotExist:
        return None
    return template.render(Context(context, autoescape=False)).strip()  # plain text: & must stay &


def _titled(text: str) -> RenderedText:
    title, _, rest = text.partition("\n")
    return RenderedText(" ".join(title.split()), rest.strip())


def _channels(to: Recipient, texts: dict[str, RenderedText]) -> Iterator[tuple[Channel, str, RenderedText]]:
    # A number that cannot get an SMS, such as a land line, gets a call with the text of the SMS.
    if "page" in texts:
        yield Channel.PAGE, "", texts["page"]
    if "sms" in texts and to.phone:
        phone = canonical_phone(to.phone)
        yield (Channel.SMS if phones.receives_sms(phone) else Channel.CALL), phone, texts["sms"]
    if "email" in texts and to.email:
        yield Channel.EMAIL, to.email, texts["email"]


def _addressed(shared: dict, key: str, channel: Channel, address: str) -> dict:
    """The columns of one letter, without its text, for one channel and address."""
    return {
        **shared,
        "channel": channel,
        "dedupe_key": dedupe_key(shared["kind"], shared["about_kind"], shared["about_id"], key, channel),
        "to": address,
        "to_index": address_index(address),
    }


def _initial_state(channel: Channel, at: datetime, due_at: datetime) -> dict:
    if channel == Channel.PAGE:  # the page shows it from now on
        return {"state": State.SENT, "sent_at": at}
    return {"next_try_at": due_at}
