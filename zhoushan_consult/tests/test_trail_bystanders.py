"""The trail with more than one matter in it, and its seals at their edges."""

from datetime import datetime, timedelta

import pytest
from django.db import connection

from zhoushan_consult.audit import sealing, trail
from zhoushan_consult.audit.models import Entry, Seal
from zhoushan_consult.audit.trail import PERSONAL, PersonalData, record
from zhoushan_consult.audit.verbs import Verb
from zhoushan_consult.bureau.models import Area, Division
from zhoushan_consult.clock import SHANGHAI
from zhoushan_consult.tests.evidence import entries, name, rows
from zhoushan_consult.web import throttle
from zhoushan_consult.web.models import Hit

AT = datetime(2026, 12, 1, 9, 30, tzinfo=SHANGHAI)
TICK, HOUR, DAY = timedelta(microseconds=1), timedelta(hours=1), timedelta(days=1)

pytestmark = pytest.mark.django_db


@pytest.fixture
def water():
    return Division.objects.get(name="水处")


def write(about, count=1, at=AT) -> list[Entry]:
    return [record(Verb.ASSIGNED, about, by=None, at=at) for _ in range(count)]


def test_trail_of_a_matter_is_its_own(water):
    """Neither another matter of its kind nor one with its number of another kind."""
    mine = write(water, 2)
    write(Division.objects.get(name="大气处"))
    write(Area(pk=water.pk))
    assert list(trail.about(water)) == mine


def test_entry_says_who_did_what_to_which_matter_when_and_from_where(water, coordinator):
    record(Verb.ASSIGNED, water, by=coordinator, at=AT, origin="203.0.113.7", outcome="通过", due=AT.date())
    record(Verb.CALLED, water, by=None, at=AT)
    assert entries() == [
        (
            Verb.ASSIGNED,
            name(water),
            coordinator,
            AT,
            "203.0.113.7",
            {"outcome": "通过", "due": "2026-12-01"},
        ),
        (Verb.CALLED, name(water), None, AT, "", {}),
    ]
    assert list(Entry.objects.order_by("pk").values_list("actor_name", flat=True)) == ["钟和", ""]


def test_verb_that_is_not_in_the_table_is_refused(water):
    with pytest.raises(ValueError, match="交办"):
        record("交办", water, by=None, at=AT)
    assert not Entry.objects.exists()


@pytest.mark.parametrize("fact", sorted(PERSONAL))
@pytest.mark.parametrize("wrapped", [lambda facts: facts, lambda facts: {"deep": [{"deeper": facts}]}])
def test_fact_that_is_named_like_personal_data_is_refused(water, fact, wrapped):
    before = rows()
    with pytest.raises(PersonalData, match="请删去"):
        record(Verb.ASSIGNED, water, by=None, at=AT, **wrapped({fact: "x"}))
    assert rows() == before


# --- Seals -----------------------------------------------------------------------------------------------------------
def members() -> list[str]:
    return list(Seal.objects.order_by("number").values_list("members", flat=True))


def test_seal_holds_what_no_seal_holds_yet(water):
    first, second, third = (write(water, 1)[0].pk for _ in range(3))
    made = sealing.seal(at=AT)
    assert (made.number, made.at, made.last_entry) == (1, AT, third)
    fourth = write(water)[0].pk
    made = sealing.seal(at=AT + HOUR)
    assert (made.number, made.at, made.last_entry) == (2, AT + HOUR, fourth)
    assert members() == [f"{first}-{third}", str(fourth)]
    assert second == first + 1
    assert sealing.seal(at=AT + 2 * HOUR) is None
    assert len(members()) == 2


@pytest.mark.parametrize(
    ("receipt", "held"),
    [
        ("1:{first}", True),
        ("2:{second}", True),
        ("1:{second}", False),
        ("2:{first}", False),
        ("3:{second}", False),
        (":{first}", False),
        ("x:{first}", False),
        ("1:", False),
        ("1", False),
        ("", False),
    ],
)
def test_receipt_is_held_of_a_seal_with_its_number_and_its_code(water, receipt, held):
    macs = {}
    for hours, which in enumerate(("first", "second")):
        write(water)
        macs[which] = sealing.seal(at=AT + hours * HOUR).mac
    assert sealing.contains_seal(receipt.format(**macs)) is held


def test_entries_without_a_seal_are_counted_before_a_moment(water):
    write(water, at=AT - HOUR)
    sealing.seal(at=AT)
    write(water, 2, at=AT)
    write(water, at=AT + TICK)
    assert [sealing.count_unsealed_before(moment) for moment in (AT, AT + TICK, AT + 2 * TICK)] == [0, 2, 3]


def test_every_fault_is_told_in_the_order_of_the_chain(water):
    sealed = []
    for hours in range(2):
        sealed.append(write(water, 2))
        sealing.seal(at=AT + hours * HOUR)
    (loose,) = write(water)
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM audit_entry WHERE id = %s", [sealed[0][1].pk])
        for entry in (sealed[1][0], loose):
            cursor.execute("UPDATE audit_entry SET verb = 'x' WHERE id = %s", [entry.pk])
    found = list(sealing.find_problems())
    assert [fault.partition("的留痕")[0] for fault in found] == [
        f"编号{entry.pk}" for entry in (sealed[0][1], sealed[1][0], loose)
    ]


def test_hourly_seal_counts_its_entries_and_says_when(water):
    write(water, 3)
    assert sealing.SEAL.run("", AT, AT + HOUR) == 3
    assert Seal.objects.get().at == AT + HOUR
    assert sealing.SEAL.run("", AT, AT + 2 * HOUR) == 0


# --- Counting visitors -----------------------------------------------------------------------------------------------
def test_count_of_a_window_is_forgotten_two_days_after_it_began():
    for start in (AT, AT + HOUR):
        throttle.allow("a", 1, HOUR, start)
    window = Hit.objects.order_by("window_start").first().window_start
    assert throttle.purge(window + 2 * DAY) == 0
    assert throttle.purge(window + 2 * DAY + TICK) == 1
    assert Hit.objects.get().window_start == window + HOUR


def test_windows_count_from_midnight_in_zhoushan():
    midnight = datetime(2026, 12, 1, tzinfo=SHANGHAI)
    assert throttle.allow("a", 1, DAY, midnight - TICK)
    assert throttle.allow("a", 1, DAY, midnight)
    assert not throttle.allow("a", 1, DAY, midnight + DAY - TICK)
    assert throttle.allow("b", 1, DAY, midnight)


def test_visitor_is_counted_beyond_the_limit_too():
    assert [throttle.allow("a", 1, HOUR, AT) for _ in range(3)] == [True, False, False]
    assert Hit.objects.get().count == 3
