"""The records that letters are about, read together with what their kinds need of them."""

from collections import defaultdict
from collections.abc import Iterable

from django.apps import apps
from django.db.models import Model

from . import kinds
from .models import Notice


def record_of(notice: Notice) -> Model | None:
    """The record that the letter is about; None if it is gone."""
    return records_of([notice])[notice.pk]


def records_of(notices: Iterable[Notice]) -> dict[int, Model | None]:
    """The record of each letter, by the key of the letter. One query for each model, however many letters there are."""
    notices = list(notices)
    found = {label: _read(label, group) for label, group in _by_model(notices).items()}
    return {notice.pk: found[notice.about_kind].get(notice.about_id) for notice in notices}


def _by_model(notices: list[Notice]) -> dict[str, list[Notice]]:
    groups = defaultdict(list)
    for notice in notices:
        groups[notice.about_kind].append(notice)
    return groups


def _read(label: str, notices: list[Notice]) -> dict[str, Model]:
    """By their keys as text, as a letter has them."""
    declared = [kinds.find(name) for name in {notice.kind for notice in notices} if kinds.exists(name)]
    related = {name for kind in declared for name in kind.related}
    # The base manager: a record that the default manager hides is still what the letter is about.
    rows = apps.get_model(label)._base_manager.order_by().filter(pk__in={n.about_id for n in notices})
    return {str(row.pk): row for row in (rows.select_related(*related) if related else rows)}
