"""Real processes, killed, frozen and emptied in the midst of their work: nobody is left without an answer or a letter."""

import os
import shutil
import sys
from collections import Counter
from signal import SIGKILL
from threading import Lock

import pytest
from celery import Celery

from e2e.counting import HELD, LETTERS, RUNG
from e2e.processes import Firm, Ground, House, Process, all_at_once, until

pytestmark = [
    pytest.mark.redis,
    pytest.mark.skipif(not shutil.which("redis-server"), reason="no redis-server: apt install redis-server"),
    pytest.mark.skipif(sys.platform != "linux", reason="looks at processes through /proc"),
]

GATEWAYS = "channel IN ('sms', 'email')"


@pytest.fixture(scope="module")
def ground(tmp_path_factory):
    ground = Ground(tmp_path_factory.mktemp("ground"))
    try:
        ground.prepare()
        yield ground
    finally:
        ground.clear()


@pytest.fixture
def house(ground, tmp_path):
    house = ground.house(tmp_path / "var")
    yield house
    house.close()


@pytest.fixture
def firms(house, firm):
    """Firms that have not come yet: `firms(20)`, and afterwards `firms(5, after=20)`."""
    return lambda count, after=0: [
        Firm(house, number, firm(number)) for number in range(after + 1, after + count + 1)
    ]


def register(firms: list[Firm]) -> list[str]:
    """All at once; their receipts."""
    return all_at_once([firm.register for firm in firms])


def expect_every_letter_once(house: House, firms: int) -> None:
    """Each firm's SMS and e-mail are recorded as sent, and the gateway was given each of them once."""
    until("every letter is sent", lambda: states(house), {"sent": 2 * firms})
    assert Counter(house.book(LETTERS)) == Counter(keys(house))
    assert files(house) == set(keys(house))


def states(house: House) -> dict[str, int]:
    return Counter(house.column(f"SELECT state FROM outbox_notice WHERE {GATEWAYS}"))


def keys(house: House) -> list[str]:
    return house.column(f"SELECT dedupe_key FROM outbox_notice WHERE {GATEWAYS}")


def files(house: House) -> set[str]:
    return {path.stem for path in (house.var / "letters").glob("*.json")}


def test_it_answers_every_firm_while_redis_is_dead_and_writes_to_each_afterwards(house, firms):
    house.open(house.worker(), house.beat())
    register(firms(1))
    expect_every_letter_once(house, 1)  # all are connected, and lose Redis now
    house.redis.kill()
    assert not house.redis_answers()
    assert len(set(register(firms(20, after=1)))) == 20
    house.redis.start()
    expect_every_letter_once(house, 21)


def test_it_answers_every_firm_while_redis_is_frozen_and_writes_to_each_afterwards(house, firms):
    house.open(house.worker(), house.beat())
    register(firms(1))
    expect_every_letter_once(house, 1)
    house.redis.freeze()
    assert not house.redis_answers()
    assert len(set(register(firms(20, after=1)))) == 20
    house.redis.thaw()
    expect_every_letter_once(house, 21)


def test_it_loses_no_letter_when_redis_is_emptied(house, firms):
    house.open(house.beat())
    register(firms(20))
    until("beat has asked for a sweep", lambda: house.broker.llen("celery"))
    house.broker.flushall()
    house.worker().start()
    expect_every_letter_once(house, 20)
    register(firms(5, after=20))
    house.broker.flushall()  # under a worker at work
    expect_every_letter_once(house, 25)


@pytest.mark.parametrize("point, doubled", [("before", 0), ("after", 1)])
def test_it_sends_what_a_killed_worker_had_in_hand_again_under_the_same_key(house, firms, point, doubled):
    """Killed before the gateway took the letter, it goes once; after that and before it was recorded, once more."""
    first, second = house.worker(HOLD=f"{point} 3"), house.worker()
    house.open()
    register(firms(4))
    first.start()
    house.beat().start()
    until("the third letter is being sent", lambda: house.book(HELD))
    [held] = house.book(HELD)
    first.kill()
    second.start()
    until("the others are sent", lambda: states(house), {"sent": 7, "inflight": 1})
    house.change(
        "UPDATE outbox_notice SET next_try_at = due_at WHERE state = 'inflight'"
    )  # its claim has run out
    until("the held letter is sent", lambda: states(house), {"sent": 8})
    assert Counter(house.book(LETTERS)) == Counter(keys(house)) + Counter({held: doubled})
    assert files(house) == set(keys(house))


def test_it_does_everything_once_with_two_beats_and_two_workers(house, firms):
    workers, beats = [house.worker(), house.worker()], [house.beat(), house.beat()]
    house.open(*workers)
    register(firms(20))
    until("both workers wait for work", house.idle_workers, 2)
    keep_busy(house)
    for beat in beats:
        beat.start()
    until("bells have rung for some seconds", lambda: keep_busy(house) or len(set(house.book(RUNG))) >= 200)
    expect_every_letter_once(house, 20)
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
        for task in [sweep, sweep, rounds, rounds] * (missing // 4):  # in pairs: one for each worker
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
