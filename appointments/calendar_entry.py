"""The appointment of a seated firm as an iCalendar entry (RFC 5545; published and cancelled by RFC 5546).

A registration has one entry for all its days: the UID is opaque and never changes, so a later text replaces the earlier
one in the firm's calendar, and a cancellation removes it.
"""

from datetime import UTC, datetime
from email.utils import parseaddr
from urllib.parse import urlsplit

from django.conf import settings

from sessions_app import calendar
from zhoushan_consult.vault.blind_index import blind_index

from .models import Appointment

LINE_OCTETS = 75  # RFC 5545, 3.1: longer lines are folded


def render(appointment: Appointment, *, confirmed: bool, at: datetime) -> str:
    """The entry as it stands at `at`; tentative until the firm has confirmed."""
    day = appointment.day.date
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        f"PRODID:-//{_host()}//consult//ZH",
        "METHOD:PUBLISH",
        "BEGIN:VEVENT",
        f"UID:{blind_index('calendar_entry', str(appointment.pk))[:32]}@{_host()}",
        *_issue(appointment, at),
        f"DTSTART:{_utc(calendar.starts_at(day))}",
        f"DTEND:{_utc(calendar.ends_at(day))}",
        f"STATUS:{'CONFIRMED' if confirmed else 'TENTATIVE'}",
        f'ORGANIZER;CN="{_name()}":mailto:{parseaddr(settings.DEFAULT_FROM_EMAIL)[1]}',
        f"SUMMARY:{_escaped('企业环保咨询日现场咨询' if confirmed else '企业环保咨询日现场咨询（待确认）')}",
        *_place(appointment),
        f"DESCRIPTION:{_escaped(_advice(appointment))}",
        f"URL:{settings.SITE_URL}/status/",
        "END:VEVENT",
        "END:VCALENDAR",
    ]
    return "".join(f"{_folded(line)}\r\n" for line in lines)


def render_cancellation(last: str, appointment: Appointment, *, at: datetime) -> str:
    """The cancellation of the entry sent last; "" where none was sent, or it is cancelled already."""
    if "METHOD:PUBLISH\r\n" not in last:
        return ""
    changed = ["METHOD:CANCEL", "STATUS:CANCELLED", *_issue(appointment, at)]
    renewed = {line.partition(":")[0]: line for line in changed}
    return "".join(renewed.get(line.partition(":")[0], line) + "\r\n" for line in last.split("\r\n")[:-1])


def _issue(appointment: Appointment, at: datetime) -> list[str]:
    """DTSTAMP and SEQUENCE, by which a calendar knows the newer of two texts.

    Place and hours can change in several ways, even by a setting. Seconds since the registration always grow, so no
    counter has to be kept.
    """
    age = max(0, int((at - appointment.submitted_at).total_seconds()))
    return [f"DTSTAMP:{_utc(at)}", f"SEQUENCE:{age}"]


def _place(appointment: Appointment) -> list[str]:
    place = appointment.day.place
    return [f"LOCATION:{_escaped(place)}"] if place else []


def _advice(appointment: Appointment) -> str:
    return (
        f"受理编号 {appointment.reference}。请带登记时的证件和有关资料，提前十五分钟签到。\n"
        f"确认或放弃名额、查看进度：{settings.SITE_URL}/status/"
    )


def _host() -> str:
    return urlsplit(settings.SITE_URL).hostname or "localhost"


def _name() -> str:
    return settings.SITE["host_unit"].replace('"', "")


def _utc(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y%m%dT%H%M%SZ}"


def _escaped(text: str) -> str:
    """A text value: what has a meaning in iCalendar is escaped, control characters are left out."""
    for sign in "\\;,":
        text = text.replace(sign, f"\\{sign}")
    lines = (line.strip() for line in text.splitlines())
    return "\\n".join("".join(filter(str.isprintable, line)) for line in lines)


def _folded(line: str) -> str:
    """No line longer than 75 octets, and no character cut in two."""
    rows, room = [""], LINE_OCTETS
    for letter in line:
        size = len(letter.encode())
        if size > room:
            rows.append("")
            room = LINE_OCTETS - 1  # the space that marks a folded line counts
        rows[-1] += letter
        room -= size
    return "\r\n ".join(rows)
