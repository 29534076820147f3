"""Visitors: their address, how often they may act, what a browser may store, and large type."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from django.db import DatabaseError, connection
from django.test import Client

from zhoushan_consult.web import address, throttle
from zhoushan_consult.web.models import Hit

NOON = datetime(2026, 12, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


class TestAddress:
    @pytest.mark.parametrize(
        ("proxies", "forwarded", "peer", "found"),
        [
            (0, "", "203.0.113.7", "203.0.113.7"),
            (0, "198.51.100.1", "203.0.113.7", "203.0.113.7"),
            (1, "198.51.100.1", "10.0.0.1", "198.51.100.1"),
            (1, "6.6.6.6, 198.51.100.1", "10.0.0.1", "198.51.100.1"),
            (2, "6.6.6.6, 198.51.100.1, 10.0.0.2", "10.0.0.1", "198.51.100.1"),
            (2, "198.51.100.1", "203.0.113.7", "203.0.113.7"),
            (1, "", "203.0.113.7", "203.0.113.7"),
            (1, "no address", "203.0.113.7", "203.0.113.7"),
            (1, "198.51.100.1:4711", "10.0.0.1", "198.51.100.1"),
            (1, "[2001:db8::1]:4711", "10.0.0.1", "2001:db8::1"),
            (0, "", "::ffff:203.0.113.7", "203.0.113.7"),
            (0, "", "", ""),
        ],
    )
    def test_client_ip_is_read_from_trusted_proxies_only(self, rf, settings, proxies, forwarded, peer, found):
        settings.TRUSTED_PROXIES = proxies
        request = rf.get("/", REMOTE_ADDR=peer, **({"HTTP_X_FORWARDED_FOR": forwarded} if forwarded else {}))
        assert address.client_ip(request) == found

    def test_ipv6_addresses_of_one_network_count_as_one_visitor(self, rf, settings):
        settings.TRUSTED_PROXIES = 0
        nets = {
            address.client_network(rf.get("/", REMOTE_ADDR=f"2001:db8:1:2::{last}")) for last in range(1, 9)
        }
        assert nets == {"2001:db8:1:2::/64"}

    def test_each_ipv4_address_counts_as_one_visitor(self, rf, settings):
        settings.TRUSTED_PROXIES = 0
        assert address.client_network(rf.get("/", REMOTE_ADDR="203.0.113.7")) == "203.0.113.7"


@pytest.mark.django_db
class TestLimits:
    def test_throttle_allows_the_limit_and_no_more(self):
        assert [throttle.allow("register 203.0.113.7", 3, HOUR, NOON) for _ in range(5)] == [True] * 3 + [
            False
        ] * 2

    def test_throttle_counts_each_visitor_and_each_act_separately(self):
        for bucket in ["register 203.0.113.7", "register 203.0.113.8", "status 203.0.113.7"]:
            assert throttle.allow(bucket, 1, HOUR, NOON)

    def test_throttle_starts_again_in_the_next_window(self):
        assert throttle.allow("a", 1, HOUR, NOON)
        assert not throttle.allow("a", 1, HOUR, NOON + timedelta(minutes=59))
        assert throttle.allow("a", 1, HOUR, NOON + HOUR)

    def test_throttle_stores_no_address(self):
        throttle.allow("register 203.0.113.7", 3, HOUR, NOON)
        (kept,) = Hit.objects.values_list()
        assert "203.0.113.7" not in str(kept)

    @pytest.mark.parametrize("answer", [True, False])
    def test_throttle_returns_when_down_if_the_database_cannot_count(self, answer):
        def broken(execute, sql, params, many, context):
            raise DatabaseError("disk full")

        with connection.execute_wrapper(broken):
            assert throttle.allow("a", 1, HOUR, NOON, when_down=answer) is answer

    def test_purge_deletes_only_counts_of_past_windows(self):
        throttle.allow("a", 1, HOUR, NOON)
        throttle.allow("a", 1, HOUR, NOON + timedelta(days=3))
        assert throttle.purge(NOON + timedelta(days=3)) == 1
        assert not throttle.allow("a", 1, HOUR, NOON + timedelta(days=3))

    def test_purge_duty_changes_nothing_the_second_time(self):
        throttle.allow("a", 1, HOUR, NOON)
        later = NOON + timedelta(days=3)
        assert [throttle.PURGE.run("", later, later) for _ in range(2)] == [1, 0]


@pytest.mark.django_db(transaction=True)
def test_throttle_keeps_its_limit_for_parallel_visitors():
    def come(_) -> bool:
        try:
            return throttle.allow("register 203.0.113.7", 10, HOUR, NOON)
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as visitors:
        assert sum(visitors.map(come, range(40))) == 10


@pytest.mark.django_db
class TestStorage:
    @pytest.mark.parametrize(
        "path", ["/register/", "/status/", "/admin/login/", "/desk/", "/healthz", "/elder/"]
    )
    def test_private_pages_are_never_stored(self, path):
        assert Client().get(path)["Cache-Control"] == "private, no-store"

    @pytest.mark.parametrize("path", ["/", "/days/", "/help/", "/privacy/", "/sitemap/"])
    def test_public_pages_may_be_stored_but_must_be_revalidated(self, path):
        assert Client().get(path)["Cache-Control"] == "no-cache"

    def test_error_of_a_public_page_is_never_stored(self):
        assert Client().get("/days/no-such-day/")["Cache-Control"] == "private, no-store"


@pytest.mark.django_db
class TestElder:
    def test_elder_switch_turns_large_type_on_and_off_and_goes_back(self):
        browser = Client()
        response = browser.post("/elder/", {"on": "1", "next": "/help/"})
        assert (response.status_code, response["Location"]) == (302, "/help/")
        assert 'class="elder"' in browser.get("/help/").content.decode()
        browser.post("/elder/", {"on": "0"})
        assert 'class="elder"' not in browser.get("/help/").content.decode()

    def test_elder_switch_changes_nothing_on_a_get(self):
        response = Client().get("/elder/?on=1&next=/help/")
        assert response["Location"] == "/help/"
        assert not response.cookies

    @pytest.mark.parametrize(
        "elsewhere", ["https://evil.example/", "//evil.example", "///evil.example", "javascript:1"]
    )
    def test_elder_switch_never_redirects_to_another_site(self, elsewhere):
        assert Client().post("/elder/", {"on": "1", "next": elsewhere})["Location"] == "/"

    def test_elder_cookie_is_hidden_from_scripts(self):
        cookie = Client().post("/elder/", {"on": "1"}).cookies["elder"]
        assert cookie["httponly"]
        assert cookie["samesite"] == "Lax"
