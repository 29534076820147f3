"""What the floor above supplies about a registration: its work, and the end of that work.

`triage` keeps 交办, replies, the day and 督办. Imports go one way only, so settings.APPOINTMENT_WORK names both functions.
"""

from datetime import datetime

from django.conf import settings
from django.db.models import Model
from django.utils.module_loading import import_string

from zhoushan_consult.bureau.models import Officer

from .situation import Work


def work_of(appointment: Model) -> Work:
    """What the divisions do for this registration."""
    return import_string(settings.APPOINTMENT_WORK["work_of"])(appointment)


def end_work(appointment: Model, *, by: Officer | None, at: datetime) -> None:
    """The registration has ended, so its 交办 and 督办 end too. Runs in the caller's transaction."""
    import_string(settings.APPOINTMENT_WORK["end_work"])(appointment, by=by, at=at)
