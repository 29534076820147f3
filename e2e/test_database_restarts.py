"""PostgreSQL struck down while firms register: what was shown was kept, and whoever was sent away loses nothing typed."""

import os
import re
import shutil
import sys
from collections import Counter
from itertools import count
from threading import Lock

import pytest

from e2e.cluster import BINARIES, MOST, Cluster
from e2e.counting import LETTERS
from e2e.letters import keys, let_claims_run_out, states
from e2e.processes import Firm, Ground, House, Unavailable, all_at_once, until

pytestmark = [
    pytest.mark.redis,
    pytest.mark.skipif(not shutil.which("redis-server"), reason="no redis-server: apt install redis-server"),
    pytest.mark.skipif(sys.platform != "linux", reason="looks at processes through /proc"),
]

FIRMS = 120
AT_ONCE = MOST + 20
BLOWS = {30, 80}  # after so many receipts
NO_ERRORS = re.compile(r"Traceback|psycopg|Error|connection", re.IGNORECASE)


@pytest.fixture(scope="module")
def cluster():
    if not BINARIES:
        must = os.environ.get("CI") or os.environ.get("STRICT")
        (pytest.fail if must else pytest.skip)("no PostgreSQL of our own: apt install postgresql")
    cluster = Cluster()
    try:
        cluster.start()
        yield cluster
    finally:
        cluster.remove()


@pytest.fixture(scope="module")
def ground(cluster, tmp_path_factory):
    """The same as of every house of real processes, on that server."""
    ground = Ground(tmp_path_factory.mktemp("ground"), cluster.url)
    ground.prepare()
    return ground


def registered(house: House) -> list[str]:
    return house.column("SELECT reference FROM appointments_appointment")


def expect_whole(house: House) -> None:
    """Each registration has its entry in the trail, its move and its three letters; and none of them is there without."""
    pks = Counter(map(str, house.column("SELECT id FROM appointments_appointment")))
    entries = house.column("SELECT about_id FROM audit_entry WHERE verb = 'registered'")
    letters = house.rows("SELECT about_id, channel FROM outbox_notice WHERE kind = 'booking_received'")
    moves = house.column("SELECT appointment_id FROM appointments_stagemove")
    assert Counter(entries) == Counter(map(str, moves)) == pks
    assert Counter(letters) == Counter((pk, channel) for pk in pks for channel in ("page", "sms", "email"))


def expect_kind(firm: Firm, sent_away: Unavailable) -> None:
    """A page in Chinese that says how things stand; what was typed is all in it."""
    assert int(sent_away.retry_after) > 0
    assert "系统暂时无法使用" in sent_away.page
    assert "过几分钟" in sent_away.page
    assert not NO_ERRORS.search(sent_away.page)
    assert (
        "没有保存" in sent_away.page
    ) == sent_away.sent  # a receipt that could not be shown was saved before
    if sent_away.sent:
        assert firm.typed.items() <= sent_away.form().items()


def expect_every_letter_in_the_end(house: House, letters: int) -> None:
    """Only one that the worker had in hand at a blow may have gone twice."""
    until("the others are sent", lambda: states(house).keys() <= {"sent", "inflight"})
    in_hand = keys(house, "inflight")
    let_claims_run_out(house)
    until("all are sent", lambda: states(house), {"sent": letters})
    gone, theirs = Counter(house.book(LETTERS)), Counter(keys(house))
    assert set(gone) == set(theirs)
    assert gone - theirs <= Counter(in_hand)


def test_it_sends_nobody_away_though_more_come_at_once_than_the_server_has_connections(house, firms):
    house.open()
    assert len(set(all_at_once([firm.register for firm in firms(FIRMS)], hands=AT_ONCE))) == FIRMS


def test_it_keeps_every_receipt_though_postgresql_is_struck_down_under_load(cluster, house, firms):
    worker, beat = house.worker(), house.beat()
    house.open(worker, beat)
    until("both web workers run", lambda: len(house.web.children()), 2)
    web, rush, receipts, one_by_one = house.web.children(), firms(FIRMS), count(1), Lock()

    def come(firm: Firm) -> str:
        receipt = firm.register_though_sent_away()
        with one_by_one:
            if next(receipts) in BLOWS:
                cluster.strike_down()
        return receipt

    shown = all_at_once([lambda firm=firm: come(firm) for firm in rush], hands=AT_ONCE)
    kept = registered(house)
    assert set(shown) - set(kept) == set()
    assert len(kept) == len(set(shown)) == FIRMS
    expect_whole(house)

    sent_away = [(firm, page) for firm in rush for page in firm.sent_away]
    assert any(page.sent for _, page in sent_away)
    for firm, page in sent_away:
        expect_kind(firm, page)

    cluster.strike_down()  # in a quiet moment: nobody who comes afterwards notices
    all_at_once([firm.register for firm in firms(20, after=FIRMS)])
    assert house.web.children() == web

    expect_every_letter_in_the_end(house, 2 * (FIRMS + 20))
    assert worker.lives() and beat.lives()
