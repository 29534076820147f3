"""Real processes, killed, frozen and emptied in the midst of their work: nobody is left without an answer or a letter."""

import os
import shutil
import sys
from collections import Counter
from signal import SIGKILL
from threading import Lock

import pytest
from celery import Celery

from e2e.counting import LETTERS, RUNG
from e2e.letters import expect_every_letter_once, files, keys, let_claims_run_out, states
from e2e.processes import Firm, House, Process, all_at_once, until

pytestmark = [
    pytest.mark.redis,
    pytest.mark.skipif(not shutil.which("redis-server"), reason="no redis-server: apt install redis-server"),
    pytest.mark.skipif(sys.platform != "linux", reason="looks at processes through /proc"),
]

WORKERS = 3
RUSH = 100  # firms, in a few seconds: no rush of ours will come as fast
IN_A_RUSH = 2  # seconds that a firm waits for its receipt, from the click
LETTERS_WITHIN = 120  # seconds after Redis is back


def register(firms: list[Firm], hands: int = 20) -> list[str]:
    """All at once; their receipts."""
    return all_at_once([firm.register for firm in firms], hands)


def rush(house: House, firms) -> list[str]:
    """So many at a time that each, too, finds its turn to write: SQLite lets the luckiest of those who wait be the next."""
    hands = 8 if "DATABASE_URL" in house.environment else 3
    return register(firms(RUSH, after=1, patience=IN_A_RUSH), hands)


def test_it_answers_a_rush_while_redis_is_dead_and_writes_to_each_firm_afterwards(house, firms):
    house.open(house.worker(), house.beat())
    register(firms(1))
    expect_every_letter_once(house, 2)  # all are connected, and lose Redis now
    house.redis.kill()
    assert not house.redis_answers()
    assert len(set(rush(house, firms))) == RUSH
    house.redis.start()
    expect_every_letter_once(house, 2 * (RUSH + 1), LETTERS_WITHIN)


def test_it_answers_a_rush_while_redis_is_frozen_and_writes_to_each_firm_afterwards(house, firms):
    house.open(house.worker(), house.beat())
    register(firms(1))
    expect_every_letter_once(house, 2)
    house.redis.freeze()
    assert not house.redis_answers()
    assert len(set(rush(house, firms))) == RUSH
    house.redis.thaw()
    expect_every_letter_once(house, 2 * (RUSH + 1), LETTERS_WITHIN)


def test_it_loses_no_letter_when_redis_is_emptied(house, firms):
    house.open(house.beat())
    register(firms(20))
    until("beat has asked for a sweep", lambda: house.broker.llen("celery"))
    house.broker.flushall()
    house.worker().start()
    expect_every_letter_once(house, 40)
    register(firms(5, after=20))
    house.broker.flushall()  # under a worker at work
    expect_every_letter_once(house, 50)


@pytest.mark.parametrize(
    "death, in_hand, doubled",
    [
        pytest.param("before 5 UPDATE outbox_notice", 0, 0, id="before-the-claim"),
        pytest.param("after 5 UPDATE outbox_notice", 1, 0, id="claimed"),
        pytest.param("before 6 UPDATE outbox_notice", 1, 1, id="sent"),
        pytest.param("after 6 UPDATE outbox_notice", 0, 0, id="recorded"),
    ],
)
def test_it_sends_what_a_killed_worker_had_in_hand_again_under_the_same_key(
    house, firms, death, in_hand, doubled
):
    """Each letter is two UPDATEs; at the third, a letter that was sent and not recorded goes once more, and only that."""
    first, second = house.worker(SMS_ADAPTER="e2e.mishaps.DoomedGateway", DIE_AT=death), house.worker()
    house.open()
    register(firms(4))
    first.start()
    house.beat().start()
    assert first.dies()
    held = keys(house, "inflight")
    assert len(held) == in_hand
    second.start()
    until("the others are sent", lambda: states(house), Counter(sent=8 - in_hand, inflight=in_hand))
    let_claims_run_out(house)
    until("all are sent", lambda: states(house), {"sent": 8})
    assert Counter(house.book(LETTERS)) == Counter(keys(house) + held * doubled)
    assert files(house) == set(keys(house))


def test_it_does_everything_once_with_two_beats_and_three_workers(house, firms):
    workers, beats = [house.worker() for _ in range(WORKERS)], [house.beat(), house.beat()]
    house.open(*workers)
    register(firms(20))
    until("all workers wait for work", house.idle_workers, WORKERS)
    keep_busy(house)
    for beat in beats:
        beat.start()
    until("bells have rung for some seconds", lambda: keep_busy(house) or len(set(house.book(RUNG))) >= 200)
    expect_every_letter_once(house, 40)
    for process in [*beats, *workers]:
        process.end()
    rung = house.book(RUNG)
    assert [bell for bell, times in Counter(rung).items() if times > 1] == []
    assert len(rung) == len(house.column("SELECT 1 FROM duties_duty WHERE kind = 'bells' AND state = 'done'"))
    assert house.column("SELECT kind FROM duties_duty WHERE state <> 'done' OR attempts > 1") == []


def keep_busy(house: House) -> None:
    """See that no worker ever waits, as if many beats asked for the same at the same moment."""
    sweep, rounds = "zhoushan_consult.outbox.tasks.sweep", "zhoushan_consult.duties.tasks.make_rounds"
    missing = 40 - house.broker.llen("celery")
    app = Celery(broker=house.environment["REDIS_URL"], set_as_current=False)
    with app.connection_for_write() as connection:
        # One after another for each worker, so that they do the same at the same time.
        for task in [*[sweep] * WORKERS, *[rounds] * WORKERS] * (missing // (2 * WORKERS)):
            app.send_task(task, connection=connection)


def test_it_has_every_receipt_in_the_database_though_web_workers_are_killed(house, firms):
    house.open()
    until("both web workers run", lambda: len(house.web.children()), 2)
    first, second = house.web.children()
    blows = iter(
        [lambda: os.kill(first, SIGKILL), lambda: os.kill(second, SIGKILL), lambda: restart(house.web)]
    )
    one_by_one = Lock()

    def come(firm: Firm) -> str:
        receipt = firm.register_in_the_end()
        if firm.number in (15, 30, 45):
            with one_by_one:  # in this order, whichever firm comes first
                next(blows)()
        return receipt

    receipts = all_at_once([lambda firm=firm: come(firm) for firm in firms(60)], hands=8)
    kept = house.column("SELECT reference FROM appointments_appointment")
    assert set(receipts) - set(kept) == set()
    assert len(kept) == len(set(receipts)) == 60
    until("all workers are back", lambda: len({first, second, *house.web.children()}) == 4)


def restart(server: Process) -> None:
    """As whoever watches over it does, when all of it has died."""
    server.kill()
    server.start()
