"""After month end (六（二）): 综合处 is told how many registered. The cutoff itself is `sessions_app.calendar.booking_closes`."""

from datetime import datetime, timedelta

from appointments.models import Appointment
from sessions_app import calendar
from sessions_app.days import day_on
from zhoushan_consult.bureau.roles import Role
from zhoushan_consult.clock import SHANGHAI
from zhoushan_consult.duties.kinds import Kind, monthly

from . import notifications


def summarize(about: str, due_at: datetime, now: datetime) -> int:
    """Tell 综合处 how many registrations are pending, accepted and carried over for the 10th. Returns how many in all."""
    local = due_at.astimezone(SHANGHAI)
    day = day_on(calendar.consult_date(local.year, local.month))
    notifications.to_role(Role.COORDINATOR, "cutoff_summary", day, at=now)
    return Appointment.objects.live().on(day).count()


CUTOFF = Kind(
    name="cutoff",
    label="月底截止汇总",
    schedule=monthly(1, "00:05"),
    run=summarize,
    useful_for=timedelta(days=9),
)
