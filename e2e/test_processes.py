"""Real processes are killed, frozen and emptied during their work: every firm gets its answer and its letters."""

import os
import shutil
import sys
from collections import Counter
from signal import SIGKILL
from threading import Lock

import pytest
from celery import Celery

from e2e.letters import dedupe_keys, expect_every_letter_once, expire_claims, letter_files, states
from e2e.processes import Deployment, Firm, Process, run_concurrently, wait_until
from e2e.recording import SENT_LOG, TICK_LOG

pytestmark = [
    pytest.mark.redis,
    pytest.mark.skipif(not shutil.which("redis-server"), reason="no redis-server: apt install redis-server"),
    pytest.mark.skipif(sys.platform != "linux", reason="looks at processes through /proc"),
]

WORKERS = 3
# Firms in a few seconds: faster than any real rush.
RUSH = 100
# Seconds that a firm waits for its receipt, from the click.
IN_A_RUSH = 2
# Seconds after Redis is back.
LETTERS_WITHIN = 120


def register(firms: list[Firm], threads: int = 20) -> list[str]:
    """All at once; their receipts."""
    return run_concurrently([firm.register for firm in firms], threads)


def rush(deployment: Deployment, firms) -> list[str]:
    """Few enough at a time that each gets its turn: SQLite does not serve waiting writers in order."""
    threads = 8 if "DATABASE_URL" in deployment.environment else 3
    return register(firms(RUSH, after=1, patience=IN_A_RUSH), threads)


def test_rush_is_answered_while_redis_is_dead_and_letters_follow(deployment, firms):
    deployment.open(deployment.worker(), deployment.beat())
    register(firms(1))
    expect_every_letter_once(deployment, 2)  # all are connected, and lose Redis now
    deployment.redis.kill()
    assert not deployment.redis_answers()
    assert len(set(rush(deployment, firms))) == RUSH
    deployment.redis.start()
    expect_every_letter_once(deployment, 2 * (RUSH + 1), LETTERS_WITHIN)


def test_rush_is_answered_while_redis_is_frozen_and_letters_follow(deployment, firms):
    deployment.open(deployment.worker(), deployment.beat())
    register(firms(1))
    expect_every_letter_once(deployment, 2)
    deployment.redis.freeze()
    assert not deployment.redis_answers()
    assert len(set(rush(deployment, firms))) == RUSH
    deployment.redis.thaw()
    expect_every_letter_once(deployment, 2 * (RUSH + 1), LETTERS_WITHIN)


def test_no_letter_is_lost_when_redis_is_emptied(deployment, firms):
    deployment.open(deployment.beat())
    register(firms(20))
    wait_until("beat has asked for a sweep", lambda: deployment.broker.llen("celery"))
    deployment.broker.flushall()
    deployment.worker().start()
    expect_every_letter_once(deployment, 40)
    register(firms(5, after=20))
    deployment.broker.flushall()  # under a worker at work
    expect_every_letter_once(deployment, 50)


@pytest.mark.parametrize(
    "death, in_hand, doubled",
    [
        pytest.param("before 5 UPDATE outbox_notice", 0, 0, id="before-the-claim"),
        pytest.param("after 5 UPDATE outbox_notice", 1, 0, id="claimed"),
        pytest.param("before 6 UPDATE outbox_notice", 1, 1, id="sent"),
        pytest.param("after 6 UPDATE outbox_notice", 0, 0, id="recorded"),
    ],
)
def test_letter_in_flight_of_a_killed_worker_is_sent_again_under_the_same_key(
    deployment, firms, death, in_hand, doubled
):
    """Each letter needs two UPDATEs. A letter that was sent but not recorded is sent again, and only that one."""
    first = deployment.worker(SMS_ADAPTER="e2e.crash_points.CrashingGateway", CRASH_AT=death)
    second = deployment.worker()
    deployment.open()
    register(firms(4))
    first.start()
    deployment.beat().start()
    assert first.was_killed()
    claimed = dedupe_keys(deployment, "inflight")
    assert len(claimed) == in_hand
    second.start()
    wait_until("the others are sent", lambda: states(deployment), Counter(sent=8 - in_hand, inflight=in_hand))
    expire_claims(deployment)
    wait_until("all are sent", lambda: states(deployment), {"sent": 8})
    assert Counter(deployment.read_log(SENT_LOG)) == Counter(dedupe_keys(deployment) + claimed * doubled)
    assert letter_files(deployment) == set(dedupe_keys(deployment))


def test_two_beats_and_three_workers_do_everything_once(deployment, firms):
    workers, beats = [deployment.worker() for _ in range(WORKERS)], [deployment.beat(), deployment.beat()]
    deployment.open(*workers)
    register(firms(20))
    wait_until("all workers wait for work", deployment.idle_workers, WORKERS)
    keep_busy(deployment)
    for beat in beats:
        beat.start()
    wait_until(
        "ticks have run for some seconds",
        lambda: keep_busy(deployment) or len(set(deployment.read_log(TICK_LOG))) >= 200,
    )
    expect_every_letter_once(deployment, 40)
    for process in [*beats, *workers]:
        process.stop()
    ticks = deployment.read_log(TICK_LOG)
    assert [tick for tick, times in Counter(ticks).items() if times > 1] == []
    assert len(ticks) == len(
        deployment.column("SELECT 1 FROM duties_duty WHERE kind = 'ticks' AND state = 'done'")
    )
    assert deployment.column("SELECT kind FROM duties_duty WHERE state <> 'done' OR attempts > 1") == []


def keep_busy(deployment: Deployment) -> None:
    """Keep the queue full, as if many beats sent the same tasks at the same time."""
    sweep, rounds = "zhoushan_consult.outbox.tasks.sweep", "zhoushan_consult.duties.tasks.make_rounds"
    missing = 40 - deployment.broker.llen("celery")
    app = Celery(broker=deployment.environment["REDIS_URL"], set_as_current=False)
    with app.connection_for_write() as connection:
        # The same task once for each worker, so that they do the same at the same time.
        for task in [*[sweep] * WORKERS, *[rounds] * WORKERS] * (missing // (2 * WORKERS)):
            app.send_task(task, connection=connection)


def test_every_receipt_is_stored_when_web_workers_are_killed(deployment, firms):
    deployment.open()
    wait_until("both web workers run", lambda: len(deployment.web.children()), 2)
    first, second = deployment.web.children()
    kills = iter(
        [lambda: os.kill(first, SIGKILL), lambda: os.kill(second, SIGKILL), lambda: restart(deployment.web)]
    )
    one_by_one = Lock()

    def come(firm: Firm) -> str:
        receipt = firm.register_with_retries()
        if firm.number in (15, 30, 45):
            with one_by_one:  # in this order for any order of firms
                next(kills)()
        return receipt

    receipts = run_concurrently([lambda firm=firm: come(firm) for firm in firms(60)], threads=8)
    kept = deployment.column("SELECT reference FROM appointments_appointment")
    assert set(receipts) - set(kept) == set()
    assert len(kept) == len(set(receipts)) == 60
    wait_until("all workers are back", lambda: len({first, second, *deployment.web.children()}) == 4)


def restart(server: Process) -> None:
    """As systemd does when all of it has died."""
    server.kill()
    server.start()
