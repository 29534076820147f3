"""The text of a letter, from its templates and the facts of one instant."""

from datetime import datetime
from typing import NamedTuple

from django.conf import settings
from django.db.models import Model
from django.template import Context, TemplateDoesNotExist
from django.template.loader import get_template

from . import kinds
from .kinds import LetterKind, Params
from .models import Channel, Notice

# A call is made with the text of the SMS.
TEMPLATES = {Channel.PAGE: "page", Channel.EMAIL: "email", Channel.SMS: "sms", Channel.CALL: "sms"}


class RenderedText(NamedTuple):
    """A rendered template: the subject, which is its first line (an SMS has none), and the rest."""

    subject: str
    body: str
    calendar: str = ""


def render_all(
    kind: LetterKind, about: Model, params: Params, to_name: str, now: datetime
) -> dict[str, RenderedText]:
    """The text for each template of the kind: "page", "email", "sms". Raises LookupError if it has none."""
    facts = kind.facts(about, params, now) | {"in_calendar": False}
    texts = {name: _render(kind.name, name, facts, to_name, now) for name in ("page", "email", "sms")}
    found = {name: text for name, text in texts.items() if text is not None}
    if not found:
        raise LookupError(f"templates/notices/{kind.name}/ has no text")
    return found


def render(notice: Notice, about: Model, now: datetime) -> RenderedText:
    """The text of one letter as of `now`; as it was written, if no floor declares its kind any more.

    Raises LookupError if the kind has no text for the channel.
    """
    if not kinds.exists(notice.kind):
        return RenderedText(notice.subject, notice.text, notice.calendar.open())
    kind = kinds.find(notice.kind)
    calendar = kind.calendar(about, notice.params, now) if notice.channel == Channel.EMAIL else ""
    facts = kind.facts(about, notice.params, now) | {"in_calendar": bool(calendar)}
    text = _render(kind.name, TEMPLATES[Channel(notice.channel)], facts, notice.to_name, now)
    if text is None:
        raise LookupError(f"templates/notices/{kind.name}/ has no text for {notice.channel}")
    return RenderedText(text.subject or kind.title, text.body, calendar)


def _render(kind: str, name: str, facts: dict, to_name: str, now: datetime) -> RenderedText | None:
    try:
        template = get_template(f"notices/{kind}/{name}.txt", using="django").template
    except TemplateDoesNotExist:
        return None
    context = {**facts, "to_name": to_name, "at": now, "site_url": settings.SITE_URL}
    text = template.render(Context(context, autoescape=False)).strip()  # plain text: & must stay &
    if name == "sms":
        return RenderedText("", text)
    title, _, rest = text.partition("\n")
    return RenderedText(" ".join(title.split())[:150], rest.strip())
