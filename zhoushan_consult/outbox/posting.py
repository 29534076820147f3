"""Writes letters. Nothing is sent here: `delivery` finds in the database what is due."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256

from django.core.exceptions import ValidationError
from django.db.models import Model, QuerySet

from zhoushan_consult.bureau.models import Officer
from zhoushan_consult.clock import SHANGHAI
from zhoushan_consult.identity import phone as phones
from zhoushan_consult.vault.blind_index import blind_index

from . import kinds, rendering
from .models import OPEN, Channel, Notice, State
from .quiet_hours import waking_time
from .rendering import RenderedText

# A letter in flight is not cancelled: a worker is sending it at this moment.
CANCELLABLE = [State.WAITING, State.RETRY]


@dataclass(frozen=True)
class Recipient:
    """The person to whom a letter goes. The known phone and e-mail decide its channels."""

    name: str
    phone: str = field(default="", repr=False)
    email: str = field(default="", repr=False)

    @classmethod
    def officer(cls, officer: Officer) -> "Recipient":
        return cls(name=officer.name, phone=officer.phone, email=officer.email)


def post(
    kind: str,
    *,
    about: Model,
    to: Recipient,
    key: str,
    at: datetime,
    due_at: datetime | None = None,
    **params,
) -> list[Notice]:
    """Write the letter of `kind` about `about` in the caller's transaction: one row for each channel it can use.

    Its templates are `templates/notices/<kind>/{sms,email,page}.txt`; what they may read is in `rendering`. `params` are ids and
    plain values: when the letter leaves, it is rendered again from the facts of that instant. The text on the progress page
    leaves at once. The same kind, `about` and `key` are one letter: posted again, the existing rows are returned. If several
    officers get the letter, the key must name the officer. `due_at` is the earliest time to send it, by default `at`.
    Raises LookupError for a kind that is not declared, or has no template.
    """
    declared = kinds.find(kind)
    texts = rendering.render_all(declared, about, params, to.name, at)
    due = due_at or at if declared.answers_act else waking_time(due_at or at)
    shared: dict = {
        "kind": kind,
        "params": params,
        "to_name": to.name,
        "created_at": at,
        "due_at": due,
        **_about_fields(about),
    }
    rows = [
        Notice(
            **_addressed(shared, key, channel, address),
            **_initial_state(channel, at, due),
            subject=text.subject or declared.title,
            body=text.body,
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


def copy_of(letter: Notice, *why: str, due_at: datetime) -> Notice:
    """The same letter (`told_at`) once more, not stored yet, for the caller to send by another way. `why` tells the copies apart."""
    return Notice(
        kind=letter.kind,
        channel=letter.channel,
        about_kind=letter.about_kind,
        about_id=letter.about_id,
        params=letter.params,
        dedupe_key=dedupe_key(letter.dedupe_key, *why),
        to_name=letter.to_name,
        to=letter.to,
        to_index=letter.to_index,
        subject=letter.subject,
        body=letter.body,
        letter=letter.letter,
        created_at=letter.created_at,
        due_at=due_at,
        next_try_at=due_at,
    )


def letters_to_page(about: Model) -> QuerySet[Notice]:
    """The letters that the firm's progress page shows, the newest first."""
    return Notice.objects.filter(channel=Channel.PAGE, **_about_fields(about)).order_by("-created_at", "-pk")


def letters_to_reader(about: Model) -> QuerySet[Notice]:
    """The letters about `about` that go to their reader by SMS, e-mail or telephone."""
    return Notice.objects.filter(**_about_fields(about)).exclude(channel=Channel.PAGE)


def told_at(about: Model, of_kinds: Iterable[str]) -> datetime | None:
    """When the last letter of these kinds about `about` reached its reader, by SMS, e-mail or telephone.

    None while one of them has not reached its reader yet, or none was written. A letter that was cancelled need not be told. One that
    failed and was dismissed counts from then: it stands on the page, and is not tried further.
    """
    rows = (
        letters_to_reader(about).filter(kind__in=of_kinds).exclude(state=State.CANCELLED, dismissed_at=None)
    )
    first: dict[str, datetime | None] = {}
    for row in rows.only("letter", "state", "sent_at", "dismissed_at"):
        # What a gateway took and did not deliver has a time too, but has not reached its reader.
        reached = row.sent_at if row.state == State.SENT else row.dismissed_at
        first[row.letter] = min(filter(None, (first.get(row.letter), reached)), default=None)
    times = list(first.values())
    return max(times) if times and all(times) else None


def on_its_way(about: Model, of_kinds: Iterable[str]) -> bool:
    """Whether a letter of these kinds about `about` will still be sent or telephoned."""
    waiting = Notice.objects.filter(state__in=OPEN, kind__in=of_kinds, **_about_fields(about))
    return waiting.exists()


def latest_calendar(about: Model, of_kinds: Iterable[str]) -> str:
    """The iCalendar text of the last e-mail of these kinds about `about` that has left; "" if there is none."""
    mails = Notice.objects.filter(
        channel=Channel.EMAIL, state=State.SENT, kind__in=of_kinds, **_about_fields(about)
    )
    last = mails.order_by("-sent_at", "-pk").first()
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


def channel_to(phone: str) -> Channel:
    """By which way a canonical number is told."""
    return Channel.SMS if phones.receives_sms(phone) else Channel.CALL


def canonical_phone(phone: str) -> str:
    """A phone number in the form of `identity.phone`, also from RFC 3966. Other text is returned unchanged."""
    try:
        return phones.clean(phone.removeprefix("tel:"))
    except ValidationError:
        return phone


def _about_fields(about: Model) -> dict[str, str]:
    return {"about_kind": about._meta.label_lower, "about_id": str(about.pk)}


def _channels(to: Recipient, texts: dict[str, RenderedText]) -> Iterator[tuple[Channel, str, RenderedText]]:
    # A number that cannot get an SMS, such as a land line, gets a call with the text of the SMS.
    if "page" in texts:
        yield Channel.PAGE, "", texts["page"]
    if "sms" in texts and to.phone:
        phone = canonical_phone(to.phone)
        yield channel_to(phone), phone, texts["sms"]
    if "email" in texts and to.email:
        yield Channel.EMAIL, to.email, texts["email"]


def _addressed(shared: dict, key: str, channel: Channel, address: str) -> dict:
    """The columns of one letter, without its text, for one channel and address."""
    letter = (shared["kind"], shared["about_kind"], shared["about_id"], key)
    return {
        **shared,
        "channel": channel,
        "letter": dedupe_key(*letter),
        "dedupe_key": dedupe_key(*letter, channel),
        "to": address,
        "to_index": address_index(address),
    }


def _initial_state(channel: Channel, at: datetime, due_at: datetime) -> dict:
    if channel == Channel.PAGE:  # the page shows it from now on
        return {"state": State.SENT, "sent_at": at}
    return {"next_try_at": due_at}
