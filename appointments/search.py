"""Search for a registration by what a caller on the telephone knows of it."""

import re
import unicodedata
from datetime import date

from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet

from zhoushan_consult.identity import phone, resident_id
from zhoushan_consult.identity.canonical import canonical
from zhoushan_consult.identity.mask import mask_id
from zhoushan_consult.vault.blind_index import blind_index

from .models import Appointment
from .references import LENGTH, clean_reference

LONGEST = 100
_LONG_NUMBER = re.compile(r"[0-9]{14,17}[0-9Xx]")


def search(rows: QuerySet[Appointment], text: str, *, today: date) -> QuerySet[Appointment]:
    """The `rows` that match `text`: a number only as a whole, a firm by part of its name. Accepts any text."""
    text = _printable(text)[:LONGEST]
    if not text:
        return rows.none()
    by = Q(enterprise_name__icontains=text) | Q(uscc=canonical(text)) | _by_person(text, today)
    if len(clean_reference(text).replace("-", "")) == LENGTH:
        by |= Q(reference=clean_reference(text))
    return rows.filter(by)


def safe_to_echo(text: str) -> str:
    """The searched text as a page may repeat it: an ID number is masked."""
    return _LONG_NUMBER.sub(lambda found: mask_id(found[0]), text)


def _by_person(text: str, today: date) -> Q:
    by = Q()
    if number := _clean(phone.clean, text):
        by |= Q(phone=number)
    kinds = (None, resident_id.IdType.OTHER)
    for number in {_clean(resident_id.clean, text, today=today, kind=kind) for kind in kinds} - {""}:
        by |= Q(id_index=blind_index("id_number", number))
    return by


def _clean(clean, text: str, **about) -> str:
    try:
        return clean(text, **about)
    except ValidationError:
        return ""


def _printable(text: str) -> str:
    return "".join(ch for ch in text if unicodedata.category(ch)[0] != "C").strip()
