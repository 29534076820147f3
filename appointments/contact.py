"""更正联系方式: by 综合处, which learns that a firm cannot be reached, or by the firm itself. The letters follow."""

import json
from dataclasses import asdict, dataclass, field
from datetime import datetime

from django.core.exceptions import ValidationError
from django.db import transaction

from sessions_app.models import Seat
from sessions_app.notifications import to_role
from zhoushan_consult.audit.trail import record
from zhoushan_consult.audit.verbs import Verb
from zhoushan_consult.bureau.models import Officer
from zhoushan_consult.bureau.refusals import Refused
from zhoushan_consult.bureau.roles import Act, Role
from zhoushan_consult.identity.mask import mask_email, mask_name, mask_phone
from zhoushan_consult.outbox.posting import letters_to_reader
from zhoushan_consult.outbox.readdressing import readdress
from zhoushan_consult.vault.blind_index import blind_index

from . import letters
from .facts import RESEND_WITHIN, require
from .lifecycle import ENDED, LIVE
from .models import Appointment, ContactCorrection
from .situation import FirmAct, StaffAct
from .text.anonymity import numbers_in

MASKS = {"contact_name": mask_name, "phone": mask_phone, "email": mask_email}
"""Of an address or a postcode, the trail tells only that it was corrected."""


class ChangedMeanwhile(Refused):
    def __init__(self):
        super().__init__("这条登记刚刚有变动，本次没有保存。请对照现在登记的再更正。")


class NothingCorrected(Refused):
    def __init__(self):
        super().__init__("和现在登记的一样，没有要更正的内容。")


@dataclass(frozen=True)
class Contact:
    """How a firm is reached, validated as on the registration form."""

    contact_name: str = field(repr=False)
    phone: str = field(repr=False)
    email: str = field(default="", repr=False)
    address: str = field(default="", repr=False)
    postcode: str = ""

    def mark(self) -> str:
        """Equal for equal contacts. It tells nothing of them: it is a keyed hash."""
        return blind_index("contact", json.dumps(asdict(self), ensure_ascii=False))


FIELDS = tuple(Contact.__dataclass_fields__)


def contact_of(appointment: Appointment) -> Contact:
    """The contact as it is registered; the phone in canonical writing."""
    values = {name: getattr(appointment, name) for name in FIELDS}
    return Contact(**values | {"phone": appointment.phone_number})


@transaction.atomic
def correct(
    appointment: Appointment,
    contact: Contact,
    reason: str = "",
    *,
    version: str = "",
    by: Officer | None = None,
    at: datetime,
) -> ContactCorrection:
    """更正联系方式 by an officer for a reason, or by the firm itself (`by` is None). Letters go to the new address from now on.

    An officer corrects what was wrong: letters of the last days that went there, and are still true, are sent again, and
    the terms that began with them begin again. A firm that corrects its own page has read them there.
    `version`: the mark of the contact that its reader saw. A second click does nothing. Raises NotOpen, NothingCorrected,
    ChangedMeanwhile, and ValidationError for a reason that is missing or contains numbers.
    """
    if by:
        by.must(Act.CALL)
        _check_reason(reason)
    require(appointment, StaffAct.CONTACT if by else FirmAct.CONTACT, at)
    lock_letters(appointment)
    before, old = contact_of(appointment), letters.recipient(appointment)
    if version and version != before.mark():
        return _second_click(appointment, before, contact)
    made = _store(appointment, before, contact, reason, by=by, at=at)
    new = letters.recipient(appointment)
    since = at - RESEND_WITHIN if by else None
    moved = readdress(appointment, old=old, new=new, at=at, sent_since=since, said_otherwise=letters.RECEIPTS)
    told: dict = {"reason": reason} if reason else {}
    told |= {"changed": _masked(made.changed, before, contact), "letters": moved}
    record(Verb.CONTACT_CORRECTED, appointment, by=by, at=at, **told)
    _tell(appointment, made, at=at)
    return made


def _second_click(appointment: Appointment, before: Contact, contact: Contact) -> ContactCorrection:
    """The correction that the first click made. Raises ChangedMeanwhile where something else was changed."""
    made = appointment.contact_corrections.first()
    if made is None or contact != before:
        raise ChangedMeanwhile
    return made


def _check_reason(reason: str) -> None:
    """The trail keeps the reason, and nothing can be erased from it."""
    if not reason.strip():
        raise ValidationError({"reason": "请写明为什么更正，例如“企业来电说明换了号码”。"})
    if found := numbers_in(reason):
        text = f"理由会长期留痕，请不要写{'、'.join(found)}；新的号码填在上面的栏目里。"
        raise ValidationError({"reason": text})


def lock_letters(appointment: Appointment) -> None:
    """Lock letters and seat, before the caller locks the registration.

    In this order a worker that has sent an offer locks them, and a firm that leaves its seat.
    """
    list(letters_to_reader(appointment).select_for_update().order_by("pk").values_list("pk"))
    if appointment.seat_id:
        list(Seat.objects.select_for_update().filter(pk=appointment.seat_id).values_list("pk"))


def _store(
    appointment: Appointment,
    before: Contact,
    contact: Contact,
    reason: str,
    *,
    by: Officer | None,
    at: datetime,
) -> ContactCorrection:
    changes = {
        name: getattr(contact, name) for name in FIELDS if getattr(contact, name) != getattr(before, name)
    }
    if not changes:
        raise NothingCorrected
    as_read = {name: getattr(before, name) for name in FIELDS}
    # The firm may answer meanwhile; but a registration that ends at this instant is corrected no more.
    stages = LIVE if appointment.stage in LIVE else ENDED
    if not Appointment.objects.filter(pk=appointment.pk, stage__in=stages, **as_read).update(**changes):
        raise ChangedMeanwhile
    appointment.refresh_from_db()
    return ContactCorrection.objects.create(
        appointment=appointment, columns=",".join(changes), reason=reason, by=by, at=at
    )


def _masked(changed: list[str], before: Contact, after: Contact) -> list[str]:
    """What was corrected, for the trail: old and new value masked."""
    lines = []
    for name in changed:
        label = str(Appointment._meta.get_field(name).verbose_name)
        mask = MASKS.get(name)
        values = [mask(getattr(each, name)) or "空" for each in (before, after)] if mask else []
        lines.append(f"{label} {'→'.join(values)}" if values else label)
    return lines


def _tell(appointment: Appointment, correction: ContactCorrection, *, at: datetime) -> None:
    """The firm at its new address, with its 受理编号; 综合处 where the firm did it itself."""
    which = {"key": str(correction.pk), "correction": correction.pk}
    to_page_only = not correction.moves_letters
    letters.write(
        "contact_corrected", appointment, by=correction.by, at=at, to_page_only=to_page_only, **which
    )
    if correction.by is None:
        to_role(Role.COORDINATOR, "contact_changed", appointment, at=at, **which)
