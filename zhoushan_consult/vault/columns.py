"""The sealed columns, and their envelopes as they are in the database."""

from collections.abc import Iterator

from django.apps import apps
from django.db.models import Model, Q, QuerySet, TextField
from django.db.models.functions import Cast

from . import cipher
from .fields import SealedField


def sealed_columns(registry=apps) -> Iterator[tuple[type[Model], SealedField]]:
    """Every sealed column of every model that has its own table."""
    for model in registry.get_models():
        if model._meta.managed and not model._meta.proxy:
            for field in model._meta.local_fields:
                if isinstance(field, SealedField):
                    yield model, field


def envelopes(model: type[Model], field: SealedField) -> QuerySet:
    """The rows of `model` with a value in `field`, annotated with the raw text as `envelope`, by primary key."""
    # SealedField refuses lookups. Cast to text, the envelope can be compared by its prefix.
    rows = model._base_manager.annotate(envelope=Cast(field.attname, TextField()))
    return rows.filter(envelope__gt="").order_by("pk")


def sealed_with(*key_ids: str) -> Q:
    """Selects the rows of `envelopes()` that one of these keys sealed."""
    selected = Q(pk__in=[])  # no row, if there are no keys
    for key_id in key_ids:
        selected |= Q(envelope__startswith=cipher.prefix(key_id))
    return selected
