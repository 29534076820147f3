"""A worker is killed during a duty, again and again. In the end everything is done, and nothing twice.

Here real workers die, at some of the statements. `triage/tests/test_settling.py` tries each statement, in one process.
"""

import shutil
import sys
from contextlib import ExitStack

import pytest

from e2e.crash_points import STATEMENT_LOG
from e2e.letters import dedupe_keys, expect_every_letter_once, expire_claims
from e2e.processes import Deployment, wait_until

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
"""Everything that the duties of a month's end write, without random values."""
# A beat with it asks for duties only. A letter that leaves writes as well, and would hide what the duty wrote.
NO_LETTERS = {"OUTBOX_EVERY": "3600"}


@pytest.fixture
def build(template, tmp_path):
    """Makes deployments with a scenario loaded: `build("calm", "month_end")`."""
    with ExitStack() as closed:

        def make(name: str, scenario: str) -> Deployment:
            deployment = template.deployment(tmp_path / name)
            closed.callback(deployment.close)
            deployment.load_scenario(scenario)
            return deployment

        yield make


def state(deployment: Deployment) -> dict[str, list]:
    return {name: sorted(deployment.rows(statement), key=str) for name, statement in STATE.items()}


def statements_of_the_duty(log: list[str]) -> list[str]:
    """The statements of its transaction. The last one marks it as done; on PostgreSQL nothing else tells where it ends."""
    marks = (number for number, line in enumerate(log, 1) if line.startswith("inside UPDATE duties_duty"))
    return log[: next(marks)]


def deaths(statements: int) -> list[str]:
    """Crash points at the beginning, in between, and at the end, when all is written and nothing is committed."""
    early, half, late = statements // 4, statements // 2, 3 * statements // 4
    return [
        "before 1",
        f"after {early}",
        f"before {half}",
        f"after {late}",
        f"before {statements}",
        f"after {statements}",
    ]


def die(deployment: Deployment, work: dict[str, str], death: str) -> None:
    worker = deployment.worker(**work, CRASH_AT=death)
    worker.start()
    assert worker.was_killed()


def expect_duty_done(deployment: Deployment) -> None:
    wait_until("the duty is done", lambda: deployment.column("SELECT state FROM duties_duty"), ["done"])


def send_letters(deployment: Deployment, duty: str, moment: str) -> dict[str, list]:
    """Let the letters leave, each once, and return what is written then: the time to answer begins with the letter."""
    deployment.beat().start()
    deployment.worker(DUTY=duty, FROZEN_TIME=moment).start()
    expect_every_letter_once(deployment, len(dedupe_keys(deployment)))
    expect_duty_done(deployment)
    return state(deployment)


@pytest.mark.parametrize(
    "scenario, duty, moment, letters_leave",
    [
        # At night no letter to an officer leaves.
        (
            "month_end",
            "triage.cutoff_summary.CUTOFF",
            "2026-12-01T00:06:00+08:00",
            "2026-12-01T08:05:00+08:00",
        ),
        (
            "seats_freed",
            "triage.seating.FILL",
            "2026-12-05T10:00:30+08:00",
            "2026-12-05T10:00:30+08:00",
        ),
    ],
    ids=["month_end", "seats_freed"],
)
def test_duty_has_the_same_result_at_every_crash_point(build, scenario, duty, moment, letters_leave):
    work = {"DUTY": duty, "FROZEN_TIME": moment}
    calm = build("calm", scenario)
    blank = state(calm)
    worker = calm.worker(**work, CRASH_AT="before 0")
    calm.start(calm.beat(**NO_LETTERS), worker)
    expect_duty_done(calm)
    end, inside = state(calm), statements_of_the_duty(calm.read_log(STATEMENT_LOG))
    worker.stop()
    told = send_letters(calm, duty, letters_leave)
    calm.close()
    assert end != blank and len(inside) >= 8

    deployment = build("struck", scenario)
    deployment.start(deployment.beat(**NO_LETTERS))
    for death in deaths(len(inside)):
        die(deployment, work, death)
        assert state(deployment) == blank, death
        expire_claims(deployment)
    # Committed, but the worker has no answer.
    die(deployment, work, f"before {len(inside) + 1}")
    assert state(deployment) == end
    worker = deployment.worker(**work)
    worker.start()
    expect_duty_done(deployment)
    assert state(deployment) == end
    worker.stop()
    assert send_letters(deployment, duty, letters_leave) == told
