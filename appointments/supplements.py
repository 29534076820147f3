"""What a firm adds to its registration: a further question (补充问题), or that the registration is not its own (登记异议)."""

from datetime import datetime

from django.db import transaction

from sessions_app.notifications import to_role
from zhoushan_consult.audit.trail import record
from zhoushan_consult.audit.verbs import Verb
from zhoushan_consult.bureau.roles import Role

from .facts import require
from .models import Appointment, Objection, Supplement
from .situation import FirmAct


@transaction.atomic
def add_question(appointment: Appointment, text: str, *, at: datetime) -> Supplement:
    """The firm asks something more; 综合处 is told. The same text again is a second click. Raises NotOpen."""
    # Locked, and read again: it may have been settled or withdrawn since the page was shown.
    Appointment.objects.select_for_update(of=("self",), no_key=True).get(pk=appointment.pk)
    current = Appointment.objects.select_related("day", "seat").get(pk=appointment.pk)
    require(current, FirmAct.SUPPLEMENT, at)
    if same := appointment.supplements.filter(text=text).first():
        return same
    made = Supplement.objects.create(appointment=appointment, text=text, at=at)
    record(Verb.SUPPLEMENTED, appointment, by=None, at=at)
    to_role(Role.COORDINATOR, "supplement_added", made, at=at)
    return made


@transaction.atomic
def object_to(
    appointment: Appointment, *, contact_name: str, phone: str, text: str, at: datetime
) -> Objection:
    """A firm says that this registration under its credit code is not its own; 综合处 is told, and telephones.

    The same telephone again is a second click. Another one is called as well: codes are public, so the first to object
    need not be the firm.
    """
    Appointment.objects.select_for_update(of=("self",), no_key=True).get(pk=appointment.pk)
    for earlier in Objection.objects.filter(appointment=appointment, verdict=""):
        if earlier.phone.open() == phone:
            return earlier
    made = Objection.objects.create(
        appointment=appointment, contact_name=contact_name, phone=phone, text=text, at=at
    )
    record(Verb.OBJECTED, appointment, by=None, at=at)
    to_role(Role.COORDINATOR, "objection_raised", made, at=at)
    return made
