"""Duties among other duties: what a round takes up, what an officer settles, and what both leave alone."""

from datetime import datetime, timedelta

import pytest

from zhoushan_consult.audit.verbs import Verb
from zhoushan_consult.bureau.models import Division, NotAllowed
from zhoushan_consult.bureau.roles import Role
from zhoushan_consult.clock import SHANGHAI
from zhoushan_consult.duties import runner
from zhoushan_consult.duties.kinds import Kind, daily, every, monthly, next_due
from zhoushan_consult.duties.models import Duty, Heartbeat, State
from zhoushan_consult.duties.runner import CLAIM_LEASE, run_due, stalled_for
from zhoushan_consult.tests.evidence import TRAIL, entries, name, refused, rows

AT = datetime(2026, 12, 1, 9, tzinfo=SHANGHAI)
TICK, MINUTE, HOUR, DAY = (
    timedelta(microseconds=1),
    timedelta(minutes=1),
    timedelta(hours=1),
    timedelta(days=1),
)

pytestmark = pytest.mark.django_db

faults: dict = {}  # by the name of a duty
done: list[tuple] = []


def act(kind: str, rows_touched: int = 1):
    def run(about: str, due_at: datetime, now: datetime) -> int:
        if kind in faults:
            raise faults[kind]
        done.append((kind, about, due_at, now))
        return rows_touched

    return run


FIRST = Kind("first", "第一", daily("09:00"), act("first"), useful_for=10 * HOUR)
SECOND = Kind("second", "第二", daily("09:00"), act("second"), useful_for=10 * HOUR)
THIRD = Kind("third", "第三", daily("09:00"), act("third"), useful_for=10 * HOUR)
QUIET = Kind("quiet", "无事", every(MINUTE), act("quiet", 0), useful_for=10 * MINUTE)
KEPT = Kind("kept", "无事也记", every(MINUTE), act("kept", 0), useful_for=10 * MINUTE, keep_empty_runs=True)


@pytest.fixture(autouse=True)
def duties(settings):
    def only(*names):
        settings.DUTIES = [f"{__name__}.{name}" for name in names]

    faults.clear()
    done.clear()
    only("FIRST", "SECOND", "THIRD")
    return only


def duty(kind="first", about="2026-11-30", due_at=AT - DAY, **fields) -> Duty:
    return Duty.objects.create(kind=kind, about=about, due_at=due_at, **({"next_try_at": due_at} | fields))


def put(row: Duty, **changes) -> Duty:
    Duty.objects.filter(pk=row.pk).update(**changes)
    row.refresh_from_db()
    return row


def states() -> dict[str, str]:
    return dict(Duty.objects.filter(about="2026-12-01").values_list("kind", "state"))


# --- Rounds go on ----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("broken", ["first", "second", "third"])
def test_round_goes_on_past_a_duty_that_raises(broken):
    faults[broken] = RuntimeError("号码13800000001")
    run_due(AT)
    others = {"first", "second", "third"} - {broken}
    assert states() == dict.fromkeys(others, State.DONE) | {broken: State.FAILED}
    assert {kind for kind, *_ in done} == others
    assert Heartbeat.objects.get().at == AT
    assert "13800000001" not in Duty.objects.get(kind=broken).last_error


def test_duty_is_told_what_it_is_about_and_both_moments():
    run_due(AT + HOUR)
    assert done == [(kind, "2026-12-01", AT, AT + HOUR) for kind in ("first", "second", "third")]


def test_duty_done_is_written_down_in_full():
    run_due(AT + HOUR)
    row = Duty.objects.get(kind="first")
    assert (
        row.state,
        row.rows,
        row.attempts,
        row.started_at,
        row.finished_at,
        row.next_try_at,
        row.last_error,
    ) == (
        State.DONE,
        1,
        1,
        AT + HOUR,
        AT + HOUR,
        None,
        "",
    )
    assert row.took is not None


@pytest.mark.parametrize(("attempts", "minutes"), [(0, 1), (1, 5), (2, 15), (3, 60), (4, 60), (9, 60)])
def test_failure_is_tried_again_later_and_later(attempts, minutes):
    row = duty(about="2026-12-01", due_at=AT, attempts=attempts, state=State.FAILED)
    faults["first"] = RuntimeError()
    run_due(AT)
    row.refresh_from_db()
    assert (row.state, row.attempts, row.next_try_at) == (State.FAILED, attempts + 1, AT + minutes * MINUTE)
    assert (row.finished_at, row.rows, row.last_error[:12]) == (AT, None, "RuntimeError")


def test_claim_holds_a_duty_while_it_runs(monkeypatch):
    seen = []

    def look(about, due_at, now):
        row = Duty.objects.get(kind="first")
        seen.append((row.state, row.next_try_at, row.attempts))
        return 1

    monkeypatch.setitem(vars(FIRST), "run", look)
    run_due(AT)
    assert seen == [(State.RUNNING, AT + CLAIM_LEASE, 1)]


@pytest.mark.parametrize(
    ("fields", "runs"),
    [
        ({}, True),
        ({"next_try_at": AT + TICK}, False),
        ({"state": State.RUNNING, "next_try_at": AT}, True),
        ({"state": State.RUNNING, "next_try_at": AT + TICK}, False),
        ({"state": State.FAILED}, True),
        ({"state": State.DONE}, False),
        ({"state": State.MISSED}, False),
        ({"state": State.WAIVED}, False),
        ({"kind": "no longer a duty"}, False),
    ],
    ids=str,
)
def test_round_takes_up_what_is_open_and_ready(fields, runs):
    row = duty(**({"about": "2026-12-01", "due_at": AT, "next_try_at": AT} | fields))
    run_due(AT)
    assert put(row).attempts == runs


@pytest.mark.parametrize(
    ("fields", "missed"),
    [
        ({"due_at": AT - 10 * HOUR - TICK}, True),
        ({"due_at": AT - 10 * HOUR}, False),
        ({"due_at": AT - 10 * HOUR - TICK, "state": State.FAILED}, True),
        ({"due_at": AT - 10 * HOUR - TICK, "state": State.RUNNING}, True),
        ({"due_at": AT - 10 * HOUR - TICK, "state": State.RUNNING, "next_try_at": AT + TICK}, False),
        ({"due_at": AT - 10 * HOUR - TICK, "state": State.DONE}, False),
        ({"due_at": AT - 10 * HOUR - TICK, "kind": "no longer a duty"}, False),
        ({"due_at": AT - 9 * DAY, "asked_at": AT - 10 * HOUR}, False),
        ({"due_at": AT - 9 * DAY, "asked_at": AT - 10 * HOUR - TICK}, True),
    ],
    ids=str,
)
def test_duty_is_missed_once_it_is_of_no_use(fields, missed):
    row = duty(**fields)
    faults["first"] = RuntimeError()
    run_due(AT)
    assert (put(row).state == State.MISSED) is missed
    if missed:
        assert row.next_try_at is None


def test_use_of_a_duty_is_that_of_its_own_kind(duties, monkeypatch):
    monkeypatch.setitem(vars(SECOND), "useful_for", HOUR)
    mine, other = (duty(kind, due_at=AT - 2 * HOUR, next_try_at=AT) for kind in ("first", "second"))
    run_due(AT)
    assert (put(mine).state, put(other).state) == (State.DONE, State.MISSED)


def test_moments_are_written_down_after_the_last_one_known_of_the_kind():
    duty("first", due_at=AT - 2 * DAY, state=State.DONE)
    duty("first", due_at=AT + 9 * DAY, state=State.DONE)  # written by a clock that was ahead
    duty("second", due_at=AT, about="2026-12-01", state=State.DONE)
    run_due(AT)
    assert [
        row.about
        for row in Duty.objects.filter(kind="first", due_at__range=(AT - DAY, AT)).order_by("due_at")
    ] == [
        "2026-11-30",
        "2026-12-01",
    ]
    assert Duty.objects.filter(kind="second").count() == 1
    assert [row.due_at for row in Duty.objects.filter(kind="third")] == [AT]


def test_kind_that_was_never_run_falls_due_for_what_is_of_use(monkeypatch):
    monkeypatch.setitem(vars(FIRST), "useful_for", 2 * DAY)
    run_due(AT + HOUR)
    assert Duty.objects.filter(kind="first").count() == 2
    assert Duty.objects.filter(kind="second").count() == 1


def test_run_that_found_nothing_forgets_the_earlier_ones_of_its_kind_alone(duties):
    duties("QUIET", "KEPT")
    at = AT - HOUR
    spared = [
        duty("quiet", "", at, state=State.DONE, rows=3),
        duty("quiet", "", at + MINUTE, state=State.FAILED, rows=0, next_try_at=AT + DAY),
        duty("quiet", "", AT + MINUTE, state=State.DONE, rows=0),
        duty("kept", "", at, state=State.DONE, rows=0),
        duty("first", "", at, state=State.DONE, rows=0),
    ]
    gone = duty("quiet", "", at + 2 * MINUTE, state=State.DONE, rows=0)
    before = rows(Duty, but=(gone,))
    run_due(AT)
    fresh = Duty.objects.filter(due_at=AT)
    assert fresh.count() == 2
    assert rows(Duty, but=tuple(fresh)) == before
    assert len(spared) == len(before)


def test_round_does_the_oldest_first(duties):
    old = duty("third", due_at=AT - HOUR)
    run_due(AT)
    assert done[0] == ("third", old.about, AT - HOUR, AT)
    assert [kind for kind, *_ in done] == ["third", "first", "second", "third"]


# --- The heartbeat ---------------------------------------------------------------------------------------------------
THREE = 3 * MINUTE


@pytest.mark.parametrize(
    ("gap", "silent"), [(THREE, None), (THREE + TICK, THREE + TICK), (-THREE - TICK, THREE + TICK)]
)
def test_rounds_are_silent_after_three_minutes(gap, silent):
    assert stalled_for(AT) == timedelta.max
    run_due(AT)
    assert stalled_for(AT + gap) == silent


@pytest.mark.parametrize(("gap", "noted"), [(THREE, False), (THREE + TICK, True)])
def test_silence_is_noted_when_it_ends(gap, noted):
    run_due(AT)
    run_due(AT + gap)
    beat = Heartbeat.objects.get()
    assert beat.at == AT + gap
    assert (beat.silent_from, beat.silent_until) == ((AT, AT + gap) if noted else (None, None))


def test_last_silence_is_remembered():
    for moment in (AT, AT + HOUR, AT + HOUR + MINUTE):
        run_due(moment)
    beat = Heartbeat.objects.get()
    assert (beat.silent_from, beat.silent_until) == (AT, AT + HOUR)


# --- By hand ---------------------------------------------------------------------------------------------------------
ACTS = {
    "again": (runner.retry, Verb.DUTY_RERUN, {"state": State.DUE, "next_try_at": AT, "asked_at": AT}),
    "waive": (
        runner.waive,
        Verb.DUTY_DISMISSED,
        {"state": State.WAIVED, "next_try_at": None, "asked_at": None},
    ),
}
every_act = pytest.mark.parametrize("act_name", list(ACTS))


@pytest.fixture
def missed():
    """A duty that was missed, among others of its kind and moment."""
    duty("second", state=State.MISSED)
    duty("first", about="2026-11-29", due_at=AT - 2 * DAY, state=State.MISSED)
    return duty("first", state=State.MISSED, attempts=2, last_error="x")


@every_act
def test_act_on_a_duty_leaves_one_entry_and_spares_the_others(act_name, missed, keeper):
    do, verb, changes = ACTS[act_name]
    before = rows(Duty, but=(missed,))
    do(missed, by=keeper, at=AT)
    facts = {"kind": "first", "due_at": "2026-11-30T09:00:00+08:00"}
    assert entries() == [(verb, name(missed), keeper, AT, "", facts)]
    assert rows(Duty, but=(missed,)) == before
    assert {key: getattr(put(missed), key) for key in changes} == changes


@every_act
def test_act_on_a_duty_leaves_nothing_without_its_entry(act_name, missed, keeper):
    before = rows()
    with refused(TRAIL):
        ACTS[act_name][0](missed, by=keeper, at=AT)
    assert rows() == before


@pytest.mark.parametrize("role", list(Role))
@every_act
def test_act_on_a_duty_is_refused_to_every_other_role(act_name, role, missed, officer):
    by = officer(role, "水处", area="定海区")
    before = rows()
    if role == Role.SYSTEM:
        ACTS[act_name][0](missed, by=by, at=AT)
        assert rows() != before
        return
    with pytest.raises(NotAllowed):
        ACTS[act_name][0](missed, by=by, at=AT)
    assert rows() == before


@pytest.mark.parametrize("state", list(State))
@every_act
def test_act_on_a_duty_takes_only_where_it_is_in_trouble(act_name, state, missed, keeper):
    put(missed, state=state)
    before = rows()
    if state in (State.FAILED, State.MISSED):
        ACTS[act_name][0](missed, by=keeper, at=AT)
        assert rows() != before
        return
    with pytest.raises(runner.DutyAlreadyHandled, match="请刷新"):
        ACTS[act_name][0](missed, by=keeper, at=AT)
    assert rows() == before


@every_act
def test_act_on_a_duty_that_was_tried_again_meanwhile_is_refused(act_name, missed, keeper):
    Duty.objects.filter(pk=missed.pk).update(attempts=3)
    before = rows()
    with pytest.raises(runner.DutyAlreadyHandled):
        ACTS[act_name][0](missed, by=keeper, at=AT)
    assert rows() == before


# --- When they fall due ----------------------------------------------------------------------------------------------
@pytest.mark.parametrize("day", [0, 29, -1])
def test_monthly_duty_needs_a_day_that_every_month_has(day):
    with pytest.raises(ValueError, match="1 to 28"):
        monthly(day, "00:05")


@pytest.mark.parametrize("day", [1, 28])
def test_monthly_duty_falls_due_on_its_day(day):
    since = datetime(2027, 1, 31, tzinfo=SHANGHAI)
    due_at = datetime(2027, 2, day, 0, 5, tzinfo=SHANGHAI)
    assert list(monthly(day, "00:05")(since, since + 28 * DAY + HOUR)) == [("2027-02", due_at)]


def test_repeated_duty_counts_from_midnight_in_zhoushan():
    schedule = every(7 * HOUR)
    found = [due_at for hours in range(0, 24 * 7, 7) for _, due_at in schedule(AT, AT + hours * HOUR)]
    assert {(moment - datetime(2019, 1, 1, tzinfo=SHANGHAI)) % (7 * HOUR) for moment in found} == {
        timedelta(0)
    }
    assert len(found) == 23


def test_next_moment_is_after_now_and_none_for_what_comes_no_more():
    assert next_due(FIRST, AT) == AT + DAY
    assert next_due(FIRST, AT - TICK) == AT
    assert next_due(Kind("x", "x", lambda since, until: [], act("x"), DAY), AT) is None
    yearly = Kind("x", "x", every(80 * DAY), act("x"), DAY)
    assert AT < next_due(yearly, AT) <= AT + 80 * DAY


def test_row_of_a_duty_says_what_it_is():
    row = duty("first", took=timedelta(seconds=1.26))
    assert (str(row), row.label, row.is_scheduled, row.seconds) == ("第一 2026-11-30", "第一", True, "1.3 秒")
    other = duty("gone", about="")
    assert (str(other), other.is_scheduled, other.seconds) == ("已停用的任务", False, "—")
    assert [put(row, state=state).needs_attention for state in State] == [
        state in (State.FAILED, State.MISSED) for state in State
    ]


def test_nothing_is_left_of_a_duty_that_fails_halfway(monkeypatch):
    def half(about, due_at, now):
        Division.objects.create(code="half", name="半截", duty="", order=99)
        raise RuntimeError

    monkeypatch.setitem(vars(FIRST), "run", half)
    run_due(AT)
    assert not Division.objects.filter(code="half").exists()
    assert states()["first"] == State.FAILED
