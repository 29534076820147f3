"""What an act has written: rows, letters and audit entries. And a database that refuses to write into one table."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.apps import apps
from django.db import DatabaseError, connection
from django.db.models import Model

TRAIL, LETTERS = "audit_entry", "outbox_notice"


def rows(*models: type[Model], but: tuple[Model, ...] = ()) -> dict[tuple, dict]:
    """The rows of `models`, by default of all our tables, by (table, key). The records in `but` are left out.

    Compare two results to show that an act changed no other row.
    """
    ours = models or [m for m in apps.get_models() if apps.get_app_config(m._meta.app_label).name in _ours()]
    left_out = {(record._meta.label, record.pk) for record in but}
    by_key = {
        (model._meta.label, row["pk"]): row
        for model in ours
        for row in model._base_manager.order_by("pk").values("pk", *_columns(model))
    }
    return {key: row for key, row in by_key.items() if key not in left_out}


def letters(**which) -> set[tuple[str, str, str]]:
    """Kind, channel and recipient of each letter. Fails if one recipient has the same letter twice: a set would hide it."""
    found = list(_notices(**which).values_list("kind", "channel", "to_name"))
    assert len(found) == len(set(found)), found
    return set(found)


def entries() -> list[tuple]:
    """Verb, record, actor, time, origin and facts of each audit entry, in the order of writing."""
    return [
        (e.verb, f"{e.about_kind} {e.about_id}", e.actor, e.at, e.origin, e.facts)
        for e in apps.get_model("audit.Entry")._base_manager.order_by("pk")
    ]


def name(record: Model) -> str:
    """A record as `entries` names it."""
    return f"{record._meta.label_lower} {record.pk}"


@contextmanager
def refused(table: str) -> Iterator[None]:
    """The database refuses new rows of `table`. Fails if the act raises anything else, or nothing: then it wrote no row."""

    def refuse(execute, sql, params, many, context):
        if sql.startswith("INSERT ") and f' INTO "{table}" ' in sql:
            raise DatabaseError(f"no room in {table}")
        return execute(sql, params, many, context)

    try:
        with connection.execute_wrapper(refuse):
            yield
    except DatabaseError as error:
        assert str(error) == f"no room in {table}"
    else:
        raise AssertionError(f"nothing was written into {table}")


def _ours() -> set[str]:
    places = ("zhoushan_consult", "sessions_app", "appointments", "triage")
    return {config.name for config in apps.get_app_configs() if config.name.split(".")[0] in places}


def _columns(model: type[Model]) -> list[str]:
    return [field.attname for field in model._meta.concrete_fields]


def _notices(**which):
    return apps.get_model("outbox.Notice")._base_manager.filter(**which)
