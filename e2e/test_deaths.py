"""A worker killed in the midst of a duty, again and again: what it left undone is done, and nothing twice.

Real workers die here, at some of the statements. `triage/tests/test_settling.py` tries every one, inside one process.
"""

import shutil
import sys
from contextlib import ExitStack
from itertools import takewhile

import pytest

from e2e.letters import expect_every_letter_once, keys, let_claims_run_out
from e2e.mishaps import STATEMENTS
from e2e.processes import House, until

pytestmark = [
    pytest.mark.redis,
    pytest.mark.skipif(not shutil.which("redis-server"), reason="no redis-server: apt install redis-server"),
    pytest.mark.skipif(sys.platform != "linux", reason="looks at processes through /proc"),
]

STATE = {
    "firms": "SELECT id, stage, seat_id, wants_onsite, priority_since, reply_due_on FROM appointments_appointment",
    "moves": "SELECT appointment_id, old, new, note, at FROM appointments_stagemove",
    "seats": "SELECT id, uscc, offered_at, reply_by, confirmed_at FROM sessions_app_seat",
    "work": "SELECT id, state, due_on FROM triage_assignment",
    "letters": "SELECT dedupe_key, kind, channel, created_at FROM outbox_notice",
    "trail": "SELECT verb, about_kind, about_id, at, facts FROM audit_entry",
}
"""All that the duties of a month's end write, without what is made anew by chance."""


@pytest.fixture
def build(ground, tmp_path):
    """One house after another, each with the scene played in it: `build("calm", "month_end")`."""
    with ExitStack() as closed:

        def make(name: str, scene: str) -> House:
            house = ground.house(tmp_path / name)
            closed.callback(house.close)
            house.play(scene)
            return house

        yield make


def state(house: House) -> dict[str, list]:
    return {name: sorted(house.rows(statement), key=str) for name, statement in STATE.items()}


def deaths(statements: int) -> list[str]:
    """At the first, in the midst, and at the last, once all is written and nothing is committed."""
    early, half, late = statements // 4, statements // 2, 3 * statements // 4
    return [
        "before 1",
        f"after {early}",
        f"before {half}",
        f"after {late}",
        f"before {statements}",
        f"after {statements}",
    ]


def die(house: House, deed: dict[str, str], death: str) -> None:
    worker = house.worker(**deed, DIE_AT=death)
    worker.start()
    assert worker.dies()


def expect_all_done(house: House) -> None:
    until("the duty is done", lambda: house.column("SELECT state FROM duties_duty"), ["done"])
    expect_every_letter_once(house, len(keys(house)))


@pytest.mark.parametrize(
    "scene, duty, moment",
    [
        ("month_end", "triage.cutoff.CUTOFF", "2026-12-01T00:06:00+08:00"),
        ("seats_freed", "triage.seating.FILL", "2026-12-05T10:00:30+08:00"),
    ],
)
def test_it_ends_the_same_wherever_workers_are_killed(build, scene, duty, moment):
    deed = {"DUTY": duty, "STANDS_AT": moment}
    calm = build("calm", scene)
    blank = state(calm)
    calm.start(calm.beat(), calm.worker(**deed, DIE_AT="before 0"))
    expect_all_done(calm)
    end, inside = state(calm), list(takewhile(lambda line: line.startswith("inside"), calm.book(STATEMENTS)))
    calm.close()
    assert end != blank and len(inside) >= 8

    house = build("struck", scene)
    house.start(house.beat())
    for death in deaths(len(inside)):
        die(house, deed, death)
        assert state(house) == blank, death
        let_claims_run_out(house)
    die(house, deed, f"before {len(inside) + 1}")  # committed, and nobody knows
    assert state(house) == end
    house.worker(**deed).start()
    expect_all_done(house)
    assert state(house) == end
