"""What an act left behind: rows, letters and entries of the trail, and a database that refuses one table."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.apps import apps
from django.db import DatabaseError, connection
from django.db.models import Model

TRAIL, LETTERS = "audit_entry", "outbox_notice"


def rows(*models: type[Model], but: tuple[Model, ...] = ()) -> dict[tuple, dict]:
    """The rows of `models`, or of every table of ours, by table and key; `but` are left out."""
    ours = models or [m for m in apps.get_models() if apps.get_app_config(m._meta.app_label).name in _ours()]
    left_out = {(record._meta.label, record.pk) for record in but}
    found = {
        (model._meta.label, row["pk"]): row
        for model in ours
        for row in model._base_manager.order_by("pk").values("pk", *_columns(model))
    }
    return {key: row for key, row in found.items() if key not in left_out}


def letters(**which) -> set[tuple[str, str, str]]:
    """Kind, channel and reader of every letter. Fails where one reader has the same letter twice."""
    found = list(_notices(**which).values_list("kind", "channel", "to_name"))
    assert len(found) == len(set(found)), found
    return set(found)


def entries() -> list[tuple]:
    """Verb, matter, actor, moment, origin and facts of every entry, in the order of writing."""
    return [
        (e.verb, f"{e.about_kind} {e.about_id}", e.actor, e.at, e.origin, e.facts)
        for e in apps.get_model("audit.Entry")._base_manager.order_by("pk")
    ]


def name(record: Model) -> str:
    """A matter as `entries` names it."""
    return f"{record._meta.label_lower} {record.pk}"


@contextmanager
def refused(table: str) -> Iterator[None]:
    """The database takes no new row of `table`. The act must fail on that, and at that point only."""

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
