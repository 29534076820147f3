"""What the tests of the desk share: follow-ups, and a page as a person reads it."""

import re
from datetime import date
from html import unescape

from django.urls import reverse

from appointments.models import Appointment
from triage.models import FollowUp

from .factories import NOW, division


def follow_up(of: Appointment, to: str = "水处", **columns) -> FollowUp:
    """A matter that the division named `to` promised to a firm, due on 4 December unless said."""
    values = {"origin": FollowUp.Origin.DAY, "promise": "现场查看排放口后书面答复", "opened_at": NOW}
    values |= {"due_on": date(2026, 12, 4), **columns}
    return FollowUp.objects.create(appointment=of, division=division(to), **values)


def read(response) -> str:
    """The words of a page, without its marks."""
    page = re.sub(r"(?s)<(script|style|head).*?</\1>", " ", response.content.decode())
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", page)))


def page_of(row) -> str:
    """The address of a 交办 or of a follow-up."""
    return reverse("desk:follow_up" if isinstance(row, FollowUp) else "desk:assignment", args=[row.pk])


def step(row, name: str) -> str:
    """The address of one of its buttons."""
    return f"{page_of(row)}{name}/"
