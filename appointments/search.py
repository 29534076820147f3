"""Search for a registration by what a caller on the telephone knows of it."""

import re
import unicodedata
from datetime import date
from functools import reduce

from django.core.exceptions import ValidationError
from django.db.models import Case, CharField, F, Q, QuerySet, Value, When
from django.db.models.expressions import Combinable
from django.db.models.functions import Cast, Replace

from zhoushan_consult.identity import phone, resident_id
from zhoushan_consult.identity.canonical import canonical
from zhoushan_consult.identity.mask import mask_id
from zhoushan_consult.vault.blind_index import blind_index

from .models import Appointment
from .references import LENGTH, clean_reference

LONGEST = 100
_LONG_NUMBER = re.compile(r"[0-9]{14,17}[0-9Xx]")
# The last four of a telephone; seven or eight are a land line without its area code.
_LAST_DIGITS = re.compile(r"[0-9]{4}|[0-9]{7,8}")
_CODE = re.compile(r"(?<![0-9A-Z])[0-9A-Z]{18}(?![0-9A-Z])")
_BETWEEN_WORDS = re.compile("[,，、;；]")
# In a name people write these in either width, or leave them out.
_LEFT_OUT = '()（）[]［］【】〔〕《》“”"·•・-－—– \u3000'


def search(rows: QuerySet[Appointment], text: str, *, today: date) -> QuerySet[Appointment]:
    """The `rows` that match `text`: those of such a firm first, then those whose name and question have all its words.

    Accepts any text. The words are those between blanks and commas.
    """
    text = _printable(text)[:LONGEST]
    if not text:
        return rows.none()
    of_firm = _of_firm(text, today)
    asks = reduce(Q.__and__, (_named(word) | _asked(word) for word in _words(text)), Q())
    found = _with_keys(rows).filter(of_firm | asks if asks else of_firm)
    return found.order_by(Case(When(of_firm, then=0), default=1), "-submitted_at", "-pk")


def find_firm(rows: QuerySet[Appointment], text: str, *, today: date) -> QuerySet[Appointment]:
    """The `rows` of the firm that `text` means: a number as a whole, the last four digits of its telephone, part of its name.

    A name is found by any of its parts, with brackets of either width or without. Accepts any text.
    """
    text = _printable(text)[:LONGEST]
    return _with_keys(rows).filter(_of_firm(text, today)) if text else rows.none()


def safe_to_echo(text: str) -> str:
    """The searched text as a page may repeat it: an ID number is masked."""
    return _LONG_NUMBER.sub(lambda found: mask_id(found[0]), text)


def _with_keys(rows: QuerySet[Appointment]) -> QuerySet[Appointment]:
    # Computed in the query, for a name is stored as it was typed. `phone_text` is the column as plain text, as in
    # "tel:+865802021234;ext=8001": a lookup of its own type would read four digits as a telephone number.
    name: Combinable = F("enterprise_name")
    for sign in _LEFT_OUT:
        name = Replace(name, Value(sign))
    return rows.alias(name_key=name, phone_text=Replace(Cast("phone", CharField()), Value("-")))


def _of_firm(text: str, today: date) -> Q:
    by = _named(text) | _by_person(text, today)
    # Pasted with a label before it, or within a line.
    if code := _CODE.search(_clean(canonical, text)):
        by |= Q(uscc=code[0])
    if len(clean_reference(text).replace("-", "")) == LENGTH:
        by |= Q(reference=clean_reference(text))
    return by


def _named(text: str) -> Q:
    """A condition on the name: it has all the words. It matches nothing if only brackets and blanks were typed."""
    keys = [key for word in _words(text) if (key := _name_key(word))]
    return reduce(Q.__and__, (Q(name_key__icontains=key) for key in keys)) if keys else Q(pk=None)


def _words(text: str) -> list[str]:
    return _BETWEEN_WORDS.sub(" ", text).split()


def _asked(word: str) -> Q:
    """A condition on the question. Letters and digits are typed in either width."""
    return Q(summary__icontains=word) | Q(summary__icontains=unicodedata.normalize("NFKC", word))


def _name_key(word: str) -> str:
    return "".join(sign for sign in unicodedata.normalize("NFKC", word) if sign not in _LEFT_OUT)


def _by_person(text: str, today: date) -> Q:
    by = Q()
    if number := _clean(phone.clean, text):
        by |= Q(phone=number)
        # A land line is asked for without its extension.
        if ";ext=" not in number:
            by |= Q(phone_text__startswith=f"tel:{number};ext=")
    if _LAST_DIGITS.fullmatch(digits := _clean(canonical, text)):
        by |= Q(phone_text__endswith=digits) | Q(phone_text__contains=f"{digits};ext=")
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
