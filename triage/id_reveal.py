"""查看完整证件号码: opened for a reason, shown once, and every view written down."""

from datetime import datetime

from django.db import transaction

from appointments.models import Appointment
from zhoushan_consult.audit.trail import record
from zhoushan_consult.audit.verbs import Verb
from zhoushan_consult.bureau.models import Officer
from zhoushan_consult.bureau.roles import Act


@transaction.atomic
def reveal_id(appointment: Appointment, reason: str, *, by: Officer, at: datetime) -> str:
    """The whole ID number, once the view is in the trail.

    Raises NotAllowed, and PersonalData where the reason itself holds an ID number.
    """
    by.must(Act.REVEAL_ID)
    record(Verb.ID_REVEALED, appointment, by=by, at=at, reason=reason)
    return appointment.id_number.open()
