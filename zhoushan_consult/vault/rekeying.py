"""Rotation: sealed rows are sealed anew under the current key, batch by batch, while the service runs."""

from dataclasses import dataclass

from django.db import transaction
from django.db.models import Model

from . import cipher, keyring
from .columns import envelopes, under
from .fields import SealedField
from .sealed import Sealed


@dataclass
class RekeyResult:
    """Rows of one column: sealed anew; changed by somebody else meanwhile (and so sealed anew by them); unreadable."""

    anew: int = 0
    changed: int = 0
    unreadable: int = 0


def rekey_column(model: type[Model], field: SealedField, batch: int = 500) -> RekeyResult:
    """Seal every row of a column anew that is not under the current key, `batch` rows in a transaction.

    Safe to interrupt and to run again: what is done is not looked at a second time.
    """
    done = RekeyResult()
    stale = envelopes(model, field).exclude(under(keyring.ring().current))
    rows = list(stale.values_list("pk", "envelope")[:batch])
    while rows:
        with transaction.atomic():
            for pk, envelope in rows:
                _reseal_row(model, field, pk, envelope, done)
        rows = list(stale.filter(pk__gt=rows[-1][0]).values_list("pk", "envelope")[:batch])
    return done


def _reseal_row(model: type[Model], field: SealedField, pk, envelope: str, done: RekeyResult) -> None:
    try:
        fresh = Sealed.around(cipher.unseal(envelope, field.place), field.place)
    except cipher.DecryptionError:
        done.unreadable += 1
        return
    unchanged = envelopes(model, field).filter(pk=pk, envelope=envelope)
    if unchanged.order_by().update(**{field.attname: fresh}):
        done.anew += 1
    else:
        done.changed += 1
