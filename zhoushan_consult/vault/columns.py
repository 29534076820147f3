"""Which columns are sealed, and their envelopes as the database holds them."""

from collections.abc import Iterator

from django.apps import apps
from django.db.models import Model, Q, QuerySet, TextField
from django.db.models.functions import Cast

from . import cipher
from .fields import SealedField


def sealed_columns(registry=apps) -> Iterator[tuple[type[Model], SealedField]]:
    """Every sealed column of every model that has a table of its own."""
    for model in registry.get_models():
        if model._meta.managed and not model._meta.proxy:
            for field in model._meta.local_fields:
                if isinstance(field, SealedField):
                    yield model, field


def envelopes(model: type[Model], field: SealedField) -> QuerySet:
    """The rows of `model` that hold something in `field`, with its text as `envelope`, by primary key."""
    rows = model._base_manager.annotate(envelope=Cast(field.attname, TextField()))
    return rows.filter(envelope__gt="").order_by("pk")


def under(*key_ids: str) -> Q:
    """The rows of `envelopes()` that were sealed under one of these keys."""
    found = Q(pk__in=[])
    for key_id in key_ids:
        found |= Q(envelope__startswith=cipher.prefix(key_id))
    return found
