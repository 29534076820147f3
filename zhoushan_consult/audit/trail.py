"""Writes the audit trail, in the transaction of the act itself, and reads it."""

import json
import re
from datetime import date, datetime
from unicodedata import normalize

from django.core.exceptions import ValidationError
from django.core.serializers.json import DjangoJSONEncoder
from django.db.models import Model, QuerySet

from zhoushan_consult.bureau.models import Officer
from zhoushan_consult.bureau.refusals import Refused
from zhoushan_consult.clock import local_date
from zhoushan_consult.identity import resident_id

from .mac import sign
from .models import Entry
from .verbs import Verb

# Names of personal fields. A value under such a name is refused even if it does not look like an ID number.
PERSONAL = frozenset({"id_number", "phone", "email", "contact_name", "address"})
_LOOKS_LIKE_ID = re.compile(r"(?<![0-9])[0-9]{17}[0-9Xx](?![0-9])")


class PersonalData(Refused):
    """Facts that would put personal data into a table from which nothing can be erased."""

    def __init__(self):
        super().__init__("办理留痕不能写入身份证号码等个人信息，请删去后重新提交。")


def record(verb: Verb, about: Model, *, by: Officer | None, at: datetime, origin: str = "", **facts) -> Entry:
    """Record that `by` (None: the firm itself, or the service) did `verb` to `about` at `at`, from `origin`.

    `facts` are small and never personal. Raises PersonalData if one has the name of a personal field or contains an
    ID number, ValueError if `verb` is not a Verb. Call it inside the transaction of the act: both are saved, or neither.
    """
    # Signed in the form in which the database returns them, or the MAC would not match later.
    facts = json.loads(json.dumps(facts, cls=DjangoJSONEncoder))
    _refuse_personal(facts, local_date(at))
    entry = Entry(
        verb=Verb(verb),
        about_kind=about._meta.label_lower,
        about_id=str(about.pk),
        actor=by,
        actor_name=by.name if by else "",
        at=at,
        origin=origin,
        facts=facts,
    )
    entry.stamp = sign(entry)
    entry.save(force_insert=True)
    return entry


def about(subject: Model) -> QuerySet[Entry]:
    """All entries about one record, in the order in which they were written."""
    return Entry.objects.filter(about_kind=subject._meta.label_lower, about_id=str(subject.pk))


def _refuse_personal(facts: object, today: date) -> None:
    if isinstance(facts, dict):
        if PERSONAL & facts.keys():
            raise PersonalData
        facts = [*facts.keys(), *facts.values()]
    if isinstance(facts, list):
        for fact in facts:
            _refuse_personal(fact, today)
    elif any(_is_id_number(found, today) for found in _LOOKS_LIKE_ID.findall(normalize("NFKC", str(facts)))):
        raise PersonalData


def _is_id_number(text: str, today: date) -> bool:
    try:
        resident_id.clean(text, today=today)
    except ValidationError:
        return False
    return True
