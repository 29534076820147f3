"""Every act of the table in `acts`: what it changes and nothing else, all or nothing, by whom, and not out of date."""

import inspect
import re
from collections.abc import Iterator
from textwrap import wrap
from types import ModuleType

import pytest
from django.db import connection, transaction

from appointments.lifecycle import Stage
from appointments.models import Appointment, IllegalMove
from sessions_app.models import Seat
from triage.tests import scenes
from triage.tests.acts import MODULES, ROWS, WITHIN_AN_ACT, Row
from triage.tests.changes import Broken, Told, inserts, snapshot
from triage.tests.scenes import People, Scene
from zhoushan_consult.audit.models import Entry
from zhoushan_consult.bureau.models import NotAllowed
from zhoushan_consult.bureau.refusals import Refused
from zhoushan_consult.bureau.roles import Role
from zhoushan_consult.outbox.models import Notice

pytestmark = pytest.mark.django_db

each_act = pytest.mark.parametrize("row", ROWS, ids=str)
each_staff_act = pytest.mark.parametrize("row", [row for row in ROWS if row.may], ids=str)


@pytest.fixture
def people(db) -> People:
    return scenes.world()


def furnished(row: Row, people: People) -> Scene:
    by = people.of(row.may[0]) if row.may else None
    return scenes.furnished(row.scene, people, by=by, at=row.at, neighbours=row.neighbours)


@pytest.fixture
def scene(people, row) -> Scene:
    return furnished(row, people)


def effect(row: Row, scene: Scene) -> tuple[list[str], list[Notice]]:
    """What the act changes, in words; and its letters."""
    before = snapshot()
    result = row.do(scene)
    names = {"actor": scene.by, **scene.rows()} if scene.by else scene.rows()
    told = Told(before, snapshot(), names, scene.at)
    lines = [*told.rows(), *told.changed_letters(), *told.letters(), *told.trail(), *told.result(result)]
    return lines, told.new_letters()


def words(text: str) -> list[str]:
    """The lines of an effect as the table has them: one that is indented goes on the line before."""
    return [
        " ".join(line.split()) for line in re.split(r"\n {4}(?! )", "\n" + text.strip("\n")) if line.strip()
    ]


def printed(lines: list[str]) -> str:
    """An effect as it is put into the table."""
    return "\n".join("\n".join(wrap(f"    {line}", 106, subsequent_indent=" " * 8)) for line in lines)


@each_act
def test_act_changes_what_its_row_says_and_nothing_else(row, scene):
    lines, _ = effect(row, scene)
    assert lines == words(row.effect), f"the effect of {row}:\n{printed(lines)}"


@pytest.mark.parametrize("row", [row for row in ROWS if row.says], ids=str)
def test_letter_of_act_says_what_it_is_about(row, scene):
    _, letters = effect(row, scene)
    told = "\n".join(letter.text for letter in letters)
    assert [text for text in row.says if text not in told] == [], told


@pytest.mark.parametrize("row", [row for row in ROWS if row.back], ids=str)
def test_letters_of_act_are_written_again_in_a_second_round(row, scene):
    _, first = effect(row, scene)
    scene.at = scene.at.replace(hour=scene.at.hour + 1)
    row.back(scene)
    scene.look()
    _, second = effect(row, scene)
    kinds = [
        [(letter.kind, letter.channel, letter.to.open()) for letter in letters] for letters in (first, second)
    ]
    assert kinds[0] and kinds[1] == kinds[0]


@each_act
def test_act_leaves_nothing_where_its_trail_or_its_letter_cannot_be_written(row, scene):
    before = snapshot()
    with transaction.atomic(), inserts() as counts:
        row.do(scene)
        transaction.set_rollback(True)
    scene.look()
    tables = [table for model in (Entry, Notice) if (table := model._meta.db_table) in counts]
    assert tables
    for table in tables:
        for number in {1, counts[table]}:
            with pytest.raises(Broken), inserts(refuse=(table, number)):
                row.do(scene)
            # Where the act has no transaction of its own, the test's is spoilt.
            connection.set_rollback(False)
            assert snapshot() == before
            scene.look()


@each_staff_act
def test_act_is_for_its_roles_alone(row, scene):
    before = snapshot()
    passed = set()
    for role in Role:
        scene.by = scene.people.of(role)
        with transaction.atomic():
            try:
                row.do(scene)
                passed.add(role)
            except NotAllowed:
                assert snapshot() == before
            transaction.set_rollback(True)
        scene.look()
    assert passed == set(row.may)


@pytest.mark.parametrize("role", [Role.HANDLER, Role.HEAD])
@pytest.mark.parametrize("row", [row for row in ROWS if row.own], ids=str)
def test_act_is_for_its_own_division_alone(row, scene, role):
    scene.by = scene.people.named({Role.HANDLER: "大气处经办", Role.HEAD: "大气处负责人"}[role])
    before = snapshot()
    with pytest.raises(Refused if role in row.may else NotAllowed):
        row.do(scene)
    assert snapshot() == before


@pytest.mark.parametrize(
    "row, meanwhile",
    [pytest.param(row, change, id=f"{row}-{n}") for row in ROWS for n, change in enumerate(row.meanwhile)],
)
def test_act_is_refused_where_another_was_first(row, meanwhile, scene):
    meanwhile(scene)
    before = snapshot()
    with pytest.raises(Refused) as refusal:
        row.do(scene)
    assert snapshot() == before
    assert str(refusal.value)


@pytest.mark.parametrize(
    "name, stubborn, moved",
    [
        ("seating.settle", "prior", {"first": Stage.SEATED, "second": Stage.SEATED, "third": Stage.DEFERRED}),
        ("seating.fill", "next", {"last": Stage.SEATED, "asked": Stage.SEATED}),
        ("deferral.defer_remaining", "between", {"last": Stage.DEFERRED}),
        ("closing.close_unanswered", "firm", {"other": Stage.CLOSED}),
        ("replies.mark_answered", "firm", {"other": Stage.ANSWERED}),
    ],
)
def test_round_goes_on_where_one_firm_was_moved_meanwhile(people, monkeypatch, name, stubborn, moved):
    row = next(row for row in ROWS if row.name == name)
    own = furnished(row, people)
    first = getattr(own, stubborn)
    move_to = Appointment.move_to

    def refused(appointment, *args, **how):
        if appointment.pk == first.pk:
            raise IllegalMove
        return move_to(appointment, *args, **how)

    theirs = Notice.objects.filter(about_id=str(first.pk), about_kind=first._meta.label_lower)
    told = theirs.count()
    monkeypatch.setattr(Appointment, "move_to", refused)
    row.do(own)
    own.look()
    assert {firm: getattr(own, firm).stage for firm in moved} == moved
    assert getattr(own, stubborn).stage == first.stage
    assert not Seat.objects.filter(uscc=first.uscc).exists()
    assert theirs.count() == told


# --- The table itself --------------------------------------------------------------------------------------------------
def test_every_act_is_in_the_table():
    verbs = {verb for module in MODULES for verb in verbs_of(module)}
    assert {row.name.partition(":")[0] for row in ROWS} == verbs - WITHIN_AN_ACT
    assert verbs >= WITHIN_AN_ACT


def verbs_of(module: ModuleType) -> Iterator[str]:
    """Its public functions that are told the moment of what they do: acts by `at`, duties by `due_at`."""
    for name, function in inspect.getmembers(module, inspect.isfunction):
        told = inspect.signature(function).parameters
        moment = "due_at" in told or ("at" in told and told["at"].kind == inspect.Parameter.KEYWORD_ONLY)
        if function.__module__ == module.__name__ and not name.startswith("_") and moment:
            yield f"{module.__name__.rpartition('.')[2]}.{name}"
