"""Finding the 咨询日 row of a date, with its ten seats; made the first time it is asked for."""

from datetime import date

from django.db import transaction

from . import policy
from .models import ConsultDay, Seat


@transaction.atomic
def day_on(day: date) -> ConsultDay:
    """The ConsultDay of `day` with its seats (三, 六（五）). Two callers at once get the same one."""
    found, made = ConsultDay.objects.get_or_create(date=day)
    if made:
        Seat.objects.bulk_create(Seat(day=found, number=n) for n in range(1, policy.SEATS + 1))
    return found
