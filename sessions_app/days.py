"""Finding the 咨询日 row of a date, with its ten seats; made the first time it is asked for."""

from datetime import date

from django.db import transaction

from . import policy
from .models import ConsultDay, Seat


def day_on(day: date) -> ConsultDay:
    """The ConsultDay of `day` with its seats (三, 六（五）). Two callers at once get the same one."""
    return ConsultDay.objects.filter(date=day).first() or _make(day)


@transaction.atomic
def _make(day: date) -> ConsultDay:
    found, made = ConsultDay.objects.get_or_create(date=day)
    if made:
        Seat.objects.bulk_create(Seat(day=found, number=n) for n in range(1, policy.SEATS + 1))
    return found
