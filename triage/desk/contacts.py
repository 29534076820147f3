"""The contact of a firm: in full for officers who have to call, masked for those who only watch."""

from dataclasses import dataclass

from appointments.models import Appointment
from zhoushan_consult.bureau.models import Division, Officer
from zhoushan_consult.bureau.roles import Act
from zhoushan_consult.identity.mask import mask_name
from zhoushan_consult.identity.phone import format_phone


@dataclass(frozen=True)
class Contact:
    """A person at a firm as one officer may see them. `dial` is for the `tel:` link, empty if masked."""

    name: str
    phone: str
    dial: str = ""


def contact(appointment: Appointment, officer: Officer, division: Division | None = None) -> Contact:
    """The contact of a registration.

    In full for the `division` that works on it and for officers who may call; masked for others.
    """
    # Personal data is erased after its term; the registration itself stays.
    if not appointment.phone:
        return Contact("已按期删除", "")
    if not (officer.may(Act.CALL) or (division and division.pk == officer.division_id)):
        return Contact(mask_name(appointment.contact_name), appointment.masked_phone)
    # An extension is stored after ";", which a `tel:` link cannot dial.
    number = appointment.phone_number
    return Contact(appointment.contact_name, format_phone(number), number.partition(";")[0])
