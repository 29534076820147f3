"""Key rotation: seals old rows again with the current key, in batches, while the service runs."""

from dataclasses import dataclass

from django.db import transaction
from django.db.models import Model

from . import cipher, keyring
from .columns import envelopes, sealed_with
from .fields import SealedField
from .sealed import Sealed


@dataclass
class RekeyResult:
    """Rows of one column: sealed again; saved by another process in the meantime, and so sealed again; unreadable."""

    rekeyed: int = 0
    changed: int = 0
    unreadable: int = 0


def rekey_column(model: type[Model], field: SealedField, batch: int = 500) -> RekeyResult:
    """Seal again every row of a column that another than the current key sealed, `batch` rows in a transaction.

    It may be interrupted and run again: it continues with the rows that are left.
    """
    result = RekeyResult()
    stale = envelopes(model, field).exclude(sealed_with(keyring.load_keyring().current))
    rows = list(stale.values_list("pk", "envelope")[:batch])
    while rows:
        with transaction.atomic():
            for pk, envelope in rows:
                _rekey_row(model, field, pk, envelope, result)
        rows = list(stale.filter(pk__gt=rows[-1][0]).values_list("pk", "envelope")[:batch])
    return result


def _rekey_row(model: type[Model], field: SealedField, pk, envelope: str, result: RekeyResult) -> None:
    try:
        resealed = Sealed.from_text(cipher.unseal(envelope, field.column_name), field.column_name)
    except cipher.DecryptionError:
        result.unreadable += 1
        return
    # Only if the envelope is still the one that was read: a visitor may have saved a new value since then.
    unchanged = envelopes(model, field).filter(pk=pk, envelope=envelope)
    if unchanged.order_by().update(**{field.attname: resealed}):
        result.rekeyed += 1
    else:
        result.changed += 1
