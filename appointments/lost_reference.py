"""A lost 受理编号 is sent once more: to the telephone of the registration, never to another."""

from datetime import datetime

from django.db import transaction

from zhoushan_consult.audit.trail import record
from zhoushan_consult.audit.verbs import Verb
from zhoushan_consult.identity.phone import reaches

from . import letters
from .lifecycle import LIVE
from .models import Appointment


@transaction.atomic
def send_again(uscc: str, phone: str, *, at: datetime) -> None:
    """Send the 受理编号 of the firm `uscc` to its telephone, if that is `phone`. Who asks is not told whether it is.

    Of several registrations the latest one in hand is meant, else the latest.
    """
    latest_first = (
        Appointment.objects.select_related("day").filter(uscc=uscc).order_by("-submitted_at", "-pk")
    )
    theirs = [each for each in latest_first if reaches(phone, each.phone_number)]
    found = next((each for each in theirs if each.stage in LIVE), next(iter(theirs), None))
    if found is None:
        return
    # The page limits how often a person may ask. What it lets through is a letter of its own each time.
    letters.write("reference_again", found, at=at, key=at.isoformat())
    record(Verb.REFERENCE_SENT, found, by=None, at=at)
