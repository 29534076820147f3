"""没有着落的事项: each way to wait for no person is found and named, and nothing else is."""

from collections.abc import Callable
from datetime import date, datetime, timedelta

import pytest
from django.db import transaction
from django.db.models import Model

from appointments import letters
from appointments.lifecycle import Stage
from appointments.models import Appointment, Publicity, StageMove
from sessions_app.days import day_on
from sessions_app.models import ConsultDay, Plan
from triage import limbo, plan_changes, seating
from triage.admin.worklists import _record_url
from triage.closing import CLOSE_UNANSWERED
from triage.follow_up import LADDER
from triage.models import AssignmentState, FollowUp, ReplyKind
from triage.tests import factories as made
from triage.tests import scenes
from triage.tests.acts import ROWS, Row
from triage.tests.scenes import NOW, Scene
from zhoushan_consult.bureau.models import Officer
from zhoushan_consult.bureau.roles import Role
from zhoushan_consult.duties.models import Duty
from zhoushan_consult.outbox.models import Notice, State

pytestmark = pytest.mark.django_db
LATER = NOW + timedelta(days=3)


@pytest.fixture
def people():
    return scenes.world()


@pytest.fixture
def s(people) -> Scene:
    """A scene, and with it a registration in good order at every stage."""
    other = Scene(people, 2)
    for place, stage in enumerate((Stage.SUBMITTED, Stage.ACCEPTED, Stage.DEFERRED, Stage.ABSENT)):
        firm = other.book(place, stage=stage)
        if stage != Stage.SUBMITTED:
            other.give(firm)
    scenes.follow_up(other.book(5, stage=Stage.FOLLOWING))
    asked = other.book(6, stage=Stage.ANSWERED)
    other.answer(asked)
    other.book(7, stage=Stage.WITHDRAWN)
    seated = other.book(8, stage=Stage.ACCEPTED)
    other.give(seated)
    other.seat(seated)
    return Scene(people)


def leave_division(s: Scene, division: str, *roles: Role) -> None:
    """No officer of the division holds one of these roles any more."""
    for role in roles:
        Officer.objects.filter(division=made.division(division), groups__name=role).update(is_active=False)


# --- Each hole, filled -------------------------------------------------------------------------------------------------
def ended_with_work(s: Scene) -> Model:
    return s.give(s.book(stage=Stage.WITHDRAWN), state=AssignmentState.RETURNED)


def ended_followed(s: Scene) -> Model:
    firm = s.book(stage=Stage.CLOSED, closed_at=NOW)
    scenes.follow_up(firm, origin=FollowUp.Origin.RATING)
    return scenes.follow_up(firm)


def unassigned(s: Scene) -> Model:
    firm = s.book(stage=Stage.DEFERRED)
    s.give(firm, state=AssignmentState.CANCELLED)
    return firm


def not_followed(s: Scene) -> Model:
    firm = s.book(stage=Stage.FOLLOWING)
    scenes.follow_up(firm, closed_at=NOW)
    return firm


def seat_of_nobody(s: Scene) -> Model:
    firm = s.book(stage=Stage.ACCEPTED)
    s.give(firm)
    seat = s.seat(firm)
    Appointment.objects.filter(pk=firm.pk).update(stage=Stage.ACCEPTED, seat=None)
    return seat


def firm_not_asked(s: Scene) -> Model:
    firm = s.book(stage=Stage.ANSWERED, wants_onsite=False)
    s.answer(firm)
    Notice.objects.filter(about_id=str(firm.pk)).delete()
    return firm


def without_officer(s: Scene) -> Model:
    leave_division(s, "土壤处", Role.HANDLER, Role.HEAD)
    return s.give(s.book(stage=Stage.ACCEPTED), "土壤处")


def without_signer(s: Scene) -> Model:
    work = s.give(s.book(stage=Stage.ACCEPTED), state=AssignmentState.DRAFTED)
    s.draft(work, drafted_by=s.people.of(Role.HEAD))
    return work


def plan_without_leader(s: Scene) -> Model:
    Officer.objects.filter(groups__name=Role.LEADER).update(is_active=False)
    day = day_on(date(2027, 4, 10))
    ConsultDay.objects.filter(pk=day.pk).update(plan=Plan.SUBMITTED)
    return day


def answer_alone(s: Scene) -> Model:
    for role in (Role.COORDINATOR, Role.LEADER):
        Officer.objects.filter(groups__name=role).update(is_active=False)
    return scenes.answer(s, Publicity.DRAFT)


def revision_without_officer(s: Scene) -> Model:
    work = s.answer(s.book(stage=Stage.ANSWERED), "土壤处")
    leave_division(s, "土壤处", Role.HANDLER, Role.HEAD)
    return s.draft(work, "更正。", version=2, kind=ReplyKind.CORRECTION)


FILLED: dict[str, Callable[[Scene], Model]] = {
    "ended_with_work": ended_with_work,
    "ended_followed": ended_followed,
    "unassigned": unassigned,
    "not_followed": not_followed,
    "seat_of_nobody": seat_of_nobody,
    "firm_not_asked": firm_not_asked,
    "without_officer": without_officer,
    "without_signer": without_signer,
    "revision_without_officer": revision_without_officer,
    "plan_without_leader": plan_without_leader,
    "answer_alone": answer_alone,
}


def found(now: datetime = LATER) -> list[tuple[str, Model]]:
    return [(each.hole.name, each.record) for each in limbo.search(now)]


def test_every_hole_has_its_case():
    assert {hole.name for hole in limbo.HOLES} == set(FILLED)


def test_nothing_is_found_where_all_is_in_order(s):
    assert found() == []


@pytest.mark.parametrize("name", FILLED)
def test_what_is_left_with_nobody_is_found_and_named(s, name):
    record = FILLED[name](s)
    assert (name, record) in found()
    assert {record for _, record in found()} == {record}


def test_what_a_duty_mends_within_a_day_is_not_reported_before(s):
    firm = s.book(stage=Stage.FOLLOWING)
    StageMove.objects.create(appointment=firm, old=Stage.HEARD, new=Stage.FOLLOWING, at=NOW)
    assert found(NOW + timedelta(hours=24, seconds=-1)) == []
    assert found(NOW + timedelta(hours=24)) == [("not_followed", firm)]
    LADDER.run("", NOW, NOW)
    assert found(NOW + timedelta(days=2)) == []


def test_firm_whose_question_is_on_its_way_is_asked(s):
    firm = firm_not_asked(s)
    assert ("firm_not_asked", firm) in found()
    letters.write("deferred", firm, at=NOW)
    assert ("firm_not_asked", firm) not in found()
    Notice.objects.filter(about_id=str(firm.pk)).update(state=State.CANCELLED)
    assert ("firm_not_asked", firm) in found()


# --- Who is told ---------------------------------------------------------------------------------------------------------
def test_every_find_stands_on_the_first_page_with_what_to_do_and_a_link(s, signed_in, time_machine):
    time_machine.move_to(LATER, tick=False)
    for place, fill in enumerate((ended_with_work, ended_followed, unassigned, not_followed), 3):
        fill(Scene(s.people, place))
    Officer.objects.update(is_staff=True)
    by = s.people.of(Role.COORDINATOR)
    assert "没有着落的事项" in signed_in(by).get("/admin/").content.decode()
    assert "请在登记页另行交办" not in signed_in(by).get("/admin/").content.decode()
    Duty.objects.create(kind="limbo", due_at=LATER, state="done", rows=limbo.report("a", LATER, LATER))
    page = signed_in(by).get("/admin/").content.decode()
    shown = {hole.name for hole in limbo.HOLES if hole.title in page and hole.advice in page}
    assert shown == {"ended_with_work", "ended_followed", "unassigned", "not_followed"}


@pytest.mark.parametrize("name", FILLED)
def test_every_kind_of_find_has_a_page_that_opens(s, name, signed_in, time_machine):
    time_machine.move_to(LATER, tick=False)
    Officer.objects.filter(groups__name=Role.SYSTEM).update(is_staff=True)
    record = FILLED[name](s)
    reader = s.people.of(
        Role.LEADER if name not in ("answer_alone", "plan_without_leader") else Role.COORDINATOR
    )
    Officer.objects.filter(pk=reader.pk).update(is_active=True, is_staff=True)
    assert signed_in(reader).get(_record_url(record)).status_code == 200


def test_nightly_search_tells_综合处_and_系统管理_once(s):
    ended_with_work(s)
    unassigned(s)
    for _ in range(2):
        assert limbo.report("2026-11-23", LATER, LATER) == 2
    told = Notice.objects.filter(kind="limbo_found", channel="sms").values_list("to_name", flat=True)
    assert sorted(told) == ["系统管理", "综合处经办"]


def test_nightly_search_is_silent_where_all_is_in_order(s):
    assert limbo.report("", LATER, LATER) == 0
    assert not Notice.objects.filter(kind="limbo_found").exists()


# --- The acts leave nothing ------------------------------------------------------------------------------------------------
def rounds(at: datetime) -> datetime:
    """What runs by itself for a day and a half after an act: duties and letters. Returns when it is over."""
    over = at + timedelta(hours=37)
    for moment in (at, over):
        for duty in (plan_changes.CARRY, seating.FILL, CLOSE_UNANSWERED, LADDER):
            with transaction.atomic():
                duty.run("", moment, moment)
        made.deliver(moment)
    return over


@pytest.mark.parametrize("row", [row for row in ROWS if not row.name.startswith("limbo")], ids=str)
def test_no_act_leaves_anything_with_nobody(people, row: Row):
    by = people.of(row.may[0]) if row.may else None
    own = scenes.furnished(row.scene, people, by=by, at=row.at)
    with transaction.atomic():
        row.do(own)
        after = left(row.at)
        transaction.set_rollback(True)
    # What the scene itself leaves open is not the act's.
    assert not after or after <= left(row.at)


def left(at: datetime) -> set[tuple]:
    with transaction.atomic():
        names = {(name, type(record), record.pk) for name, record in found(rounds(at))}
        transaction.set_rollback(True)
    return names
