"""PostgreSQL crashes while firms register: every receipt that was shown is stored, and no firm loses what it typed."""

import os
import re
import shutil
import sys
from collections import Counter
from itertools import count
from threading import Lock

import pytest

from e2e.letters import dedupe_keys, expire_claims, states
from e2e.postgres_server import BINARIES, MAX_CONNECTIONS, PostgresServer
from e2e.processes import (
    Deployment,
    DeploymentTemplate,
    Firm,
    ServiceUnavailable,
    run_concurrently,
    wait_until,
)
from e2e.recording import SENT_LOG

pytestmark = [
    pytest.mark.redis,
    pytest.mark.skipif(not shutil.which("redis-server"), reason="no redis-server: apt install redis-server"),
    pytest.mark.skipif(sys.platform != "linux", reason="looks at processes through /proc"),
]

FIRMS = 120
AT_ONCE = MAX_CONNECTIONS + 20
# The server crashes after so many receipts.
CRASHES = {30, 80}
NO_ERRORS = re.compile(r"Traceback|psycopg|Error|connection", re.IGNORECASE)


@pytest.fixture(scope="module")
def postgres_server():
    if not BINARIES:
        must = os.environ.get("CI") or os.environ.get("STRICT")
        (pytest.fail if must else pytest.skip)("no PostgreSQL binaries: apt install postgresql")
    postgres_server = PostgresServer()
    try:
        postgres_server.start()
        yield postgres_server
    finally:
        postgres_server.remove()


@pytest.fixture(scope="module")
def template(postgres_server, tmp_path_factory):
    """The empty service on that server."""
    template = DeploymentTemplate(tmp_path_factory.mktemp("template"), postgres_server.url)
    template.prepare()
    return template


def registered(deployment: Deployment) -> list[str]:
    return deployment.column("SELECT reference FROM appointments_appointment")


def expect_consistent(deployment: Deployment) -> None:
    """Each registration has one audit entry, one move and three letters, and there are no others."""
    pks = Counter(map(str, deployment.column("SELECT id FROM appointments_appointment")))
    entries = deployment.column("SELECT about_id FROM audit_entry WHERE verb = 'registered'")
    letters = deployment.rows("SELECT about_id, channel FROM outbox_notice WHERE kind = 'booking_received'")
    moves = deployment.column("SELECT appointment_id FROM appointments_stagemove")
    assert Counter(entries) == Counter(map(str, moves)) == pks
    assert Counter(letters) == Counter((pk, channel) for pk in pks for channel in ("page", "sms", "email"))


def expect_helpful_page(firm: Firm, unavailable: ServiceUnavailable) -> None:
    """The page is Chinese and says what happened, and its form has everything that was typed."""
    assert int(unavailable.retry_after) > 0
    assert "系统暂时无法使用" in unavailable.page
    assert "过几分钟" in unavailable.page
    assert not NO_ERRORS.search(unavailable.page)
    # Only a form says so: a receipt that could not be shown belongs to a registration that was saved.
    assert ("没有保存" in unavailable.page) == unavailable.sent
    if unavailable.sent:
        assert firm.typed.items() <= unavailable.form().items()


def expect_every_letter_in_the_end(deployment: Deployment, letters: int) -> None:
    """Only a letter that was in flight at a crash may have been sent twice."""
    wait_until("the others are sent", lambda: states(deployment).keys() <= {"sent", "inflight"})
    in_hand = dedupe_keys(deployment, "inflight")
    expire_claims(deployment)
    wait_until("all are sent", lambda: states(deployment), {"sent": letters})
    gone, theirs = Counter(deployment.read_log(SENT_LOG)), Counter(dedupe_keys(deployment))
    assert set(gone) == set(theirs)
    assert gone - theirs <= Counter(in_hand)


def test_more_visitors_than_database_connections_are_all_answered(deployment, firms):
    deployment.open()
    assert len(set(run_concurrently([firm.register for firm in firms(FIRMS)], threads=AT_ONCE))) == FIRMS


def test_every_receipt_is_stored_when_postgresql_crashes_under_load(postgres_server, deployment, firms):
    worker, beat = deployment.worker(), deployment.beat()
    deployment.open(worker, beat)
    wait_until("both web workers run", lambda: len(deployment.web.children()), 2)
    web, rush, receipts, one_by_one = deployment.web.children(), firms(FIRMS), count(1), Lock()

    def come(firm: Firm) -> str:
        receipt = firm.register_through_503()
        with one_by_one:
            if next(receipts) in CRASHES:
                postgres_server.crash()
        return receipt

    shown = run_concurrently([lambda firm=firm: come(firm) for firm in rush], threads=AT_ONCE)
    kept = registered(deployment)
    assert set(shown) - set(kept) == set()
    assert len(kept) == len(set(shown)) == FIRMS
    expect_consistent(deployment)

    unavailable_pages = [(firm, page) for firm in rush for page in firm.unavailable_pages]
    assert any(page.sent for _, page in unavailable_pages)
    for firm, page in unavailable_pages:
        expect_helpful_page(firm, page)

    # Without load, the next visitors notice nothing.
    postgres_server.crash()
    run_concurrently([firm.register for firm in firms(20, after=FIRMS)])
    assert deployment.web.children() == web

    expect_every_letter_in_the_end(deployment, 2 * (FIRMS + 20))
    assert worker.is_running() and beat.is_running()
