"""查看完整证件号码: with a reason, shown once, each view recorded."""

from datetime import datetime

from django.db import transaction

from appointments.models import Appointment
from zhoushan_consult.audit.trail import record
from zhoushan_consult.audit.verbs import Verb
from zhoushan_consult.bureau.models import Officer
from zhoushan_consult.bureau.roles import Act


@transaction.atomic
def reveal_id(appointment: Appointment, reason: str, *, by: Officer, at: datetime) -> str:
    """The full ID number. The view is recorded first, in the same transaction: no view without its entry.

    Raises NotAllowed, and PersonalData where the reason itself holds an ID number.
    """
    by.must(Act.REVEAL_ID)
    record(Verb.ID_REVEALED, appointment, by=by, at=at, reason=reason)
    return appointment.id_number.open()
