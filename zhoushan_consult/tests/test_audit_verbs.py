"""Verbs of the trail: stored by code, read by label; entries of before, stored by label, keep their word and their MAC."""

import importlib
import json
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest
from django.db import connection
from django.db.migrations.loader import MigrationLoader

from appointments.lifecycle import Stage
from zhoushan_consult.audit import mac, sealing
from zhoushan_consult.audit.former_verbs import FORMER_LABELS
from zhoushan_consult.audit.models import Entry
from zhoushan_consult.audit.trail import record
from zhoushan_consult.audit.verbs import Verb
from zhoushan_consult.bureau.models import Division

pytestmark = pytest.mark.django_db

AT = datetime(2026, 11, 20, 2, tzinfo=UTC)
migration = importlib.import_module("zhoushan_consult.audit.migrations.0002_verbs_by_code")


@pytest.fixture
def old_entry():
    """An entry as it was written before verbs had codes: the label in the column, the label under the MAC."""
    water = Division.objects.get(code="water")
    salt = "0123456789abcdef"
    covered = [
        "交办",
        "bureau.division",
        str(water.pk),
        None,
        "",
        "2026-11-20T02:00:00.000000+00:00",
        "",
        {"a": 1},
    ]
    text = json.dumps(covered, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return Entry.objects.create(
        verb=Verb.ASSIGNED,
        about_kind="bureau.division",
        about_id=str(water.pk),
        at=AT,
        facts={"a": 1},
        stamp=salt + mac.compute_mac(salt, text),
    )


@pytest.fixture
def migrate():
    """Runs one direction of the migration on the models as they were then."""
    then = MigrationLoader(connection).project_state(("audit", "0002_verbs_by_code")).apps

    def run(step) -> None:
        step(then, SimpleNamespace(connection=connection))

    return run


def test_old_entry_gets_its_code_and_stays_true(old_entry, migrate):
    sealing.seal(at=AT)
    migrate(migration.to_codes)
    assert Entry.objects.get(pk=old_entry.pk).verb == Verb.ASSIGNED
    assert list(sealing.find_problems()) == []


def test_migration_back_restores_old_labels_and_leaves_new_codes(old_entry, migrate):
    new = record(Verb.CALLED, Division.objects.get(code="air"), by=None, at=AT)
    migrate(migration.to_codes)
    migrate(migration.to_labels)
    assert Entry.objects.get(pk=old_entry.pk).verb == "交办"
    assert Entry.objects.get(pk=new.pk).verb == Verb.CALLED


def test_old_entry_whose_verb_was_changed_is_found(old_entry, migrate):
    migrate(migration.to_codes)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE audit_entry SET verb = 'called' WHERE id = %s", [old_entry.pk])
    assert ["与印记不符" in fault for fault in sealing.find_problems()] == [True]


def test_every_former_label_belongs_to_one_verb():
    assert set(FORMER_LABELS) <= set(Verb.values)
    assert len(set(FORMER_LABELS.values())) == len(FORMER_LABELS)


@pytest.mark.parametrize("stage", Stage)
def test_every_stage_has_a_verb(stage):
    assert Verb.of_stage(stage).label == f"转为{stage.label}"
