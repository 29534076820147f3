"""Letters to a firm about its registration: the recipient, and what every letter may say.

The texts are in `templates/notices/<kind>/`. No letter carries an ID number; SMS and e-mail carry no question and
no reply either, only where to read them.
"""

from datetime import datetime

from sessions_app import calendar, policy
from zhoushan_consult.outbox.models import Notice
from zhoushan_consult.outbox.posting import Recipient, latest_calendar, post

from . import calendar_entry
from .models import Appointment

INVITING_KINDS = {"seat_offered", "seat_confirmed", "plan_changed", "day_near"}
"""Letters that ask a seated firm to come. They carry the calendar entry, or a newer version of it."""
CANCELLING_KINDS = {"seat_given_up", "seat_lapsed", "booking_withdrawn", "day_cancelled"}
"""Letters after which the firm need not come. They carry the cancellation of the calendar entry."""


def write(
    kind: str,
    appointment: Appointment,
    *,
    at: datetime,
    key: str = "1",
    to_page_only: bool = False,
    **context,
) -> list[Notice]:
    """Post the letter of `kind` to the firm, in the caller's transaction. Posted twice with one `key`, it is one letter.

    `to_page_only`: nothing goes to telephone and mailbox, the letter stands on the progress page only.
    """
    entry = _calendar(kind, appointment, at)
    return post(
        kind,
        about=appointment,
        to=Recipient(name=appointment.contact_name) if to_page_only else recipient(appointment),
        key=key,
        at=at,
        appointment=appointment,
        day_label=calendar.label(appointment.day.date),
        day_short=calendar.short(appointment.day.date),
        hours=f"{policy.OPENS_AT:%-H:%M}—{policy.ENDS_AT:%-H:%M}",
        place=appointment.day.place,
        calendar=entry,
        in_calendar=bool(entry),
        **context,
    )


def _calendar(kind: str, appointment: Appointment, at: datetime) -> str:
    """The iCalendar text of a letter: the appointment, its cancellation, or nothing."""
    if kind in INVITING_KINDS:
        confirmed = kind == "seat_confirmed" or bool(appointment.seat.confirmed_at)
        return calendar_entry.render(appointment, confirmed=confirmed, at=at)
    if kind in CANCELLING_KINDS:
        return calendar_entry.render_cancellation(
            latest_calendar(appointment, INVITING_KINDS | CANCELLING_KINDS), appointment, at=at
        )
    return ""


def recipient(appointment: Appointment) -> Recipient:
    """The contact of the firm as a recipient of the outbox."""
    return Recipient(name=appointment.contact_name, phone=appointment.phone_number, email=appointment.email)
