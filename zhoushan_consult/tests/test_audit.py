"""The trail: written with the act, never changed, and tampering is found."""

import random
import threading
from datetime import datetime, timedelta
from io import StringIO

import pytest
from django.apps import apps
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, transaction
from django.test import override_settings

from zhoushan_consult.audit import number_ranges, sealing, trail
from zhoushan_consult.audit.models import AppendOnlyError, Entry, Seal
from zhoushan_consult.audit.trail import PersonalData, record
from zhoushan_consult.audit.verbs import Verb
from zhoushan_consult.bureau.models import Division
from zhoushan_consult.clock import SHANGHAI
from zhoushan_consult.identity import samples

AT = datetime(2026, 12, 1, 9, 30, tzinfo=SHANGHAI)
HOUR = timedelta(hours=1)

pytestmark = pytest.mark.django_db


@pytest.fixture
def water():
    return Division.objects.get(name="水处")


def write(water, count=1, **facts):
    return [record(Verb.ASSIGNED, water, by=None, at=AT, **facts) for _ in range(count)]


def sql(statement, *values):
    with connection.cursor() as cursor:
        cursor.execute(statement, values)


def verify(*args):
    out = StringIO()
    call_command("verify_audit", *args, stdout=out)
    return out.getvalue()


def fault(*args):
    with pytest.raises(CommandError) as refused:
        verify(*args)
    assert refused.value.returncode == 1
    return str(refused.value)


def test_trail_reads_entries_about_a_matter_in_the_order_written(water, coordinator):
    record(Verb.CALLED, water, by=coordinator, at=AT, origin="203.0.113.7", outcome="通过")
    record(Verb.ASSIGNED, water, by=None, at=AT + HOUR, due=AT.date())
    record(Verb.ASSIGNED, Division.objects.get(name="大气处"), by=None, at=AT)
    first, second = trail.about(water)
    assert (first.verb, first.actor, first.actor_name, first.at) == (Verb.CALLED, coordinator, "钟和", AT)
    assert (first.origin, first.facts) == ("203.0.113.7", {"outcome": "通过"})
    assert (second.actor, second.actor_name, second.facts) == (None, "", {"due": "2026-12-01"})


def test_entry_is_rolled_back_with_the_act(water):
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        write(water)
        _ = 1 / 0
    assert not Entry.objects.exists()


@pytest.mark.parametrize(
    "facts",
    [
        lambda number: {"reason": f"证件号码{number}有误"},
        lambda number: {"reason": "ID" + number.lower()},
        lambda number: {
            "reason": number.translate({ord(str(n)): "０１２３４５６７８９"[n] for n in range(10)})
        },
        lambda number: {"list": [{"deep": [number]}]},
        lambda number: {"dict": {number: 1}},
        lambda number: {"phone": "123"},
        lambda number: {"person": {"id_number": ""}},
    ],
)
def test_entry_with_personal_data_is_refused(water, facts):
    number = samples.resident_id(random.Random(7))
    with pytest.raises(PersonalData, match="请删去"):
        write(water, **facts(number))


def test_entry_may_hold_numbers_that_identify_no_person(water):
    code = samples.uscc(random.Random(7))
    write(water, uscc=code, serial="330902199013011234", seats=10)  # the second has a thirteenth month
    assert Entry.objects.get().facts["uscc"] == code


@pytest.mark.parametrize(
    "change",
    [
        lambda entry: entry.save(),
        lambda entry: entry.delete(),
        lambda entry: Entry.objects.update(verb="改"),
        lambda entry: Entry.objects.filter(pk=entry.pk).delete(),
        lambda entry: Entry.objects.bulk_update([entry], ["verb"]),
        lambda entry: Entry._base_manager.update(verb="改"),
        lambda entry: Entry.objects.bulk_create(
            [entry], update_conflicts=True, update_fields=["verb"], unique_fields=["id"]
        ),
        lambda entry: Entry.objects.update_or_create(pk=entry.pk, defaults={"verb": "改"}),
        lambda entry: Seal.objects.update(mac=""),
    ],
)
def test_trail_cannot_be_changed_through_a_model(water, change):
    (entry,) = write(water)
    with pytest.raises(AppendOnlyError, match="只能追加"):
        change(entry)
    assert Entry.objects.get().verb == Verb.ASSIGNED


def test_intact_trail_passes_verification(water):
    write(water, 3)
    sealing.seal(at=AT)
    write(water, 2)
    sealing.seal(at=AT + HOUR)
    write(water)
    assert "办理留痕完好：共6条，封存2次" in verify()


def test_empty_trail_passes_verification():
    assert "共0条，封存0次" in verify()


def test_seal_duty_seals_new_entries_once(water):
    assert sealing.SEAL.run("", AT, AT) == 0
    write(water, 3)
    assert sealing.SEAL.run("", AT, AT) == 3
    assert sealing.SEAL.run("", AT, AT) == 0
    assert Seal.objects.count() == 1


SEALED = [True, False]


@pytest.mark.parametrize("sealed", SEALED)
@pytest.mark.parametrize(
    "column, value", [("verb", "撤销"), ("facts", '{"a": 1}'), ("actor_name", "某人"), ("at", AT + HOUR)]
)
def test_verification_finds_a_changed_entry(water, sealed, column, value):
    entries = write(water, 5)
    if sealed:
        sealing.seal(at=AT)
    sql(f"UPDATE audit_entry SET {column} = %s WHERE id = %s", value, entries[2].pk)
    assert f"编号{entries[2].pk}的留痕" in fault() and "与印记不符" in fault()


def test_verification_names_the_first_of_several_changed_entries(water):
    entries = write(water, 5)
    sealing.seal(at=AT)
    sql("UPDATE audit_entry SET verb = 'x' WHERE id IN (%s, %s)", entries[1].pk, entries[3].pk)
    assert f"编号{entries[1].pk}的留痕" in fault()


def test_verification_finds_a_deleted_entry(water):
    entries = write(water, 5)
    sealing.seal(at=AT)
    sql("DELETE FROM audit_entry WHERE id = %s", entries[2].pk)
    assert f"编号{entries[2].pk}的留痕缺失：2026-12-01 09:30第1次封存时还在" in fault()


def test_verification_finds_an_entry_inserted_by_hand(water):
    (entry,) = write(water)
    sealing.seal(at=AT)
    _copy(entry, entry.pk + 1, "0" * 80)
    assert f"编号{entry.pk + 1}的留痕" in fault()
    sealing.seal(at=AT + HOUR)
    assert f"编号{entry.pk + 1}的留痕" in fault()


def test_stamp_of_an_entry_is_unique(water):
    (entry,) = write(water)
    with pytest.raises(IntegrityError), transaction.atomic():
        _copy(entry, entry.pk + 1, entry.stamp)


def _copy(entry, pk, stamp):
    sql(
        "INSERT INTO audit_entry (id, verb, about_kind, about_id, actor_name, at, origin, facts, stamp)"
        " SELECT %s, verb, about_kind, about_id, actor_name, at, origin, facts, %s FROM audit_entry"
        " WHERE id = %s",
        pk,
        stamp,
        entry.pk,
    )


def test_verification_finds_entries_that_exchanged_numbers(water):
    first, second = write(water), write(water)
    sealing.seal(at=AT)
    sql("UPDATE audit_entry SET id = -1 WHERE id = %s", first[0].pk)
    sql("UPDATE audit_entry SET id = %s WHERE id = %s", first[0].pk, second[0].pk)
    sql("UPDATE audit_entry SET id = %s WHERE id = -1", second[0].pk)
    assert "互换过位置" in fault()


def late(water, pk):
    """An entry whose transaction ended after those with higher numbers were sealed."""
    entry = record(Verb.ASSIGNED, water, by=None, at=AT)
    sql("UPDATE audit_entry SET id = %s WHERE id = %s", pk, entry.pk)


def test_seal_includes_an_entry_committed_after_higher_numbers_were_sealed(water):
    entries = write(water, 3)
    sql("DELETE FROM audit_entry WHERE id = %s", entries[1].pk)
    sealing.seal(at=AT)
    late(water, entries[1].pk)
    assert sealing.seal(at=AT + HOUR).members == str(entries[1].pk)
    assert "完好" in verify()


def test_entry_far_below_the_last_seals_is_never_sealed(water, monkeypatch):
    monkeypatch.setattr(sealing, "RECHECKED_SEALS", 2)
    entries = write(water, 3)
    sql("DELETE FROM audit_entry WHERE id = %s", entries[1].pk)
    for hours in range(3):
        write(water)
        sealing.seal(at=AT + hours * HOUR)
    late(water, entries[1].pk)
    assert sealing.seal(at=AT + 3 * HOUR) is None
    assert f"编号{entries[1].pk}的留痕不在任何一次封存之中" in fault()


@pytest.mark.parametrize(
    "column, value",
    [("members", "1-999999999999"), ("mac", "f" * 64), ("content", "f" * 64), ("at", AT + HOUR)],
)
def test_verification_finds_a_changed_seal(water, column, value):
    write(water)
    sealing.seal(at=AT)
    sql(f"UPDATE audit_seal SET {column} = %s", value)
    assert "第1次封存记录（2026-12-01" in fault() and "被改动过" in fault()


def test_verification_finds_a_deleted_seal(water):
    for hours in range(3):
        write(water)
        sealing.seal(at=AT + hours * HOUR)
    sql("DELETE FROM audit_seal WHERE number = 2")
    assert "第2次封存记录缺失" in fault()


def test_verification_finds_a_seal_from_another_chain(water):
    write(water)
    other = sealing.seal(at=AT)
    sql("DELETE FROM audit_seal")
    sealing.seal(at=AT + HOUR)
    write(water)
    sealing.seal(at=AT + 2 * HOUR)
    assert "完好" in verify()
    sql("UPDATE audit_seal SET at = %s, mac = %s WHERE number = 1", other.at, other.mac)
    assert "第2次封存记录" in fault()


def test_known_receipt_shows_that_the_chain_was_truncated(water, caplog):
    caplog.set_level("INFO")
    write(water)
    sealing.seal(at=AT)
    (entry,) = write(water)
    receipt = sealing.seal(at=AT + HOUR).receipt
    assert receipt in caplog.text
    assert "完好" in verify("--known", receipt)
    sql("DELETE FROM audit_seal WHERE number = 2")
    sql("DELETE FROM audit_entry WHERE id = %s", entry.pk)
    assert "完好" in verify()
    assert "可能被截短" in fault("--known", receipt)


def test_verification_finds_entries_written_under_another_key(water):
    with override_settings(AUDIT_KEY="AAAA" + "A" * 40):
        write(water)
    assert "不是本系统写入的" in fault()


@pytest.mark.parametrize("bad", ["", "x", "QEFC", "不是密钥"])
def test_service_does_not_start_without_a_valid_audit_key(settings, bad):
    settings.AUDIT_KEY = bad
    with pytest.raises(ImproperlyConfigured, match="AUDIT_KEY"):
        apps.get_app_config("audit").ready()


def test_numbers_are_written_as_ranges_and_their_gaps_are_found():
    assert number_ranges.format_ranges([3, 1, 2, 7, 9, 10]) == "1-3,7,9-10"
    assert number_ranges.parse_ranges("1-3,7,9-10") == [range(1, 4), range(7, 8), range(9, 11)]
    assert list(number_ranges.gaps(number_ranges.parse_ranges("1-3,7,5-6,9-10"), up_to=8))[1:] == [
        range(4, 5),
        range(8, 9),
    ]
    assert list(number_ranges.gaps(number_ranges.parse_ranges("1-3"), up_to=5)) == [
        range(number_ranges.LOWEST, 1),
        range(4, 6),
    ]


@pytest.mark.postgres
def test_trail_needs_only_select_and_insert_rights(water):
    for statement in [
        "CREATE ROLE trail_writer",
        "GRANT SELECT, INSERT ON audit_entry, audit_seal TO trail_writer",
        "GRANT USAGE ON audit_entry_id_seq, audit_seal_id_seq TO trail_writer",
        "SET ROLE trail_writer",
    ]:
        sql(statement)
    write(water, 2)
    sealing.seal(at=AT)
    sql("RESET ROLE")
    assert "共2条，封存1次" in verify()


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_entry_open_during_one_seal_is_included_in_the_next():
    water, _ = Division.objects.get_or_create(code="water", defaults={"name": "水处"})  # tables begin empty
    written, sealed = threading.Event(), threading.Event()

    def slow():
        with transaction.atomic():
            write(water)
            written.set()
            sealed.wait(10)
        connection.close()

    writer = threading.Thread(target=slow)
    writer.start()
    written.wait(10)
    write(water)
    first = sealing.seal(at=AT)
    sealed.set()
    writer.join()
    second = sealing.seal(at=AT + HOUR)
    assert int(second.members) < int(first.members)
    assert "共2条，封存2次" in verify()
