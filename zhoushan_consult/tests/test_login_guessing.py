"""Guessing passwords and codes is limited, costs the server little, and locks no officer out."""

import logging
from contextlib import contextmanager
from unittest import mock

import pytest
from django.contrib.auth.hashers import MD5PasswordHasher
from django.contrib.sessions.models import Session
from django.db import connection
from django.test.utils import CaptureQueriesContext

from zhoushan_consult.bureau.roles import Role
from zhoushan_consult.tests.doors import (
    ACCOUNT,
    BIND,
    CHANGE,
    CODE,
    DOORS,
    PASSWORD,
    bind,
    browser_at,
    code_of,
    enter,
    is_in,
    words_of,
)
from zhoushan_consult.web.models import Hit

pytestmark = pytest.mark.django_db
each_door = pytest.mark.parametrize("door", DOORS)


@pytest.fixture(autouse=True)
def frozen(time_machine):
    """At the beginning of a window of the limits."""
    time_machine.move_to("2026-11-20T09:00:00+08:00", tick=False)
    return time_machine


@pytest.fixture
def shui(officer):
    return officer(Role.HANDLER, "水处", username="shuiqing", name="水清")


@contextmanager
def counted_hashes():
    """How many passwords were hashed. Every log-in that looks at the password hashes one, also for an unknown name."""
    with mock.patch.object(
        MD5PasswordHasher, "encode", autospec=True, side_effect=MD5PasswordHasher.encode
    ) as spy:
        yield spy


def statuses(tries) -> list[int]:
    return [response.status_code for response in tries]


# --- Limits ------------------------------------------------------------------------------------
@each_door
def test_many_names_from_one_address_meet_the_limit_by_the_tenth_try(door):
    tries = statuses(enter(browser_at(), f"name{n}", "guess", door) for n in range(120))
    assert tries[:8] == [200] * 8 and set(tries[9:]) == {429}


@each_door
def test_many_addresses_on_one_name_meet_the_limit_by_the_tenth_try(door, shui):
    tries = statuses(enter(browser_at(f"203.0.113.{n}"), shui.username, "guess", door) for n in range(25))
    assert tries[:8] == [200] * 8 and set(tries[9:]) == {429}


def test_one_name_from_one_address_meets_the_limit_sooner(shui):
    assert statuses(enter(browser_at(), shui.username, "guess") for _ in range(8)) == [200] * 6 + [429] * 2


def test_unknown_name_meets_the_same_limits_as_an_account(shui):
    known, unknown = (
        statuses(enter(browser_at(f"203.0.113.{part}"), name, "guess") for part in range(12))
        for name in (shui.username, "unknown")
    )
    assert known == unknown


def test_neighbours_in_an_ipv6_network_are_one_address():
    tries = statuses(enter(browser_at(f"2001:db8::{n + 1:x}"), f"name{n}", "guess") for n in range(12))
    assert tries[-1] == 429


def test_both_doors_count_together(shui):
    tries = [enter(browser_at(), shui.username, "guess", DOORS[n % 2]) for n in range(8)]
    assert statuses(tries)[-2:] == [429, 429]


def test_name_is_counted_as_django_reads_it(shui):
    for n in range(9):
        enter(browser_at(f"203.0.113.{n}"), f"  ｓｈｕｉ{shui.username[4:]} ", "guess")
    assert enter(browser_at(), shui.username).status_code == 429


def test_right_password_is_refused_too_beyond_the_limit(shui):
    browser = browser_at()
    for _ in range(6):
        enter(browser, shui.username, "guess")
    assert enter(browser, shui.username).status_code == 429
    assert not is_in(browser)


def test_limit_is_over_after_a_quarter_of_an_hour(shui, frozen):
    browser = browser_at()
    for _ in range(7):
        answer = enter(browser, shui.username, "guess")
    assert "15 分钟后再试" in words_of(answer)
    assert answer["Retry-After"] == "900"
    frozen.shift(15 * 60)
    assert enter(browser, shui.username).status_code == 302


def test_right_passwords_are_no_failures(officer):
    """A morning in an office: thirty officers behind one address."""
    for n in range(30):
        made = officer(Role.HANDLER, "水处")
        assert enter(browser_at(), made.username).status_code == 302, n


def test_form_without_a_password_is_no_try(shui):
    assert set(statuses(enter(browser_at(), shui.username, "") for _ in range(20))) == {200}


# --- Cost --------------------------------------------------------------------------------------
def test_refused_try_costs_one_query_and_no_hash(shui):
    for _ in range(6):
        enter(browser_at(), shui.username, "guess")
    with counted_hashes() as hashes, CaptureQueriesContext(connection) as queries:
        enter(browser_at(), shui.username, "guess")
    assert hashes.call_count == 0
    assert len(queries) == 1 and queries[0]["sql"].startswith("SELECT")


def test_tries_at_the_same_instant_do_not_slip_through(shui):
    """All of them read the counters before the first one has failed."""
    with mock.patch("zhoushan_consult.web.throttle.reached", return_value=False), counted_hashes() as hashes:
        tries = statuses(enter(browser_at(), shui.username, "guess") for _ in range(20))
        names = statuses(enter(browser_at("203.0.113.7"), f"name{n}", "guess") for n in range(20))
    assert tries == [200] * 6 + [429] * 14
    assert names == [200] * 8 + [429] * 12
    assert hashes.call_count == 6 + 8


# --- No officer is locked out ----------------------------------------------------------------------
def test_outsider_does_not_lock_out_an_officer_at_a_known_device(shui):
    own = browser_at()
    enter(own, shui.username)
    own.post("/desk/logout/")
    for n in range(30):
        enter(browser_at(f"203.0.113.{n}"), shui.username, "guess")
    assert enter(browser_at("198.51.100.9"), shui.username).status_code == 429
    assert enter(own, shui.username).status_code == 302


def test_known_device_has_a_limit_of_its_own(shui):
    own = browser_at()
    enter(own, shui.username)
    own.post("/desk/logout/")
    assert statuses(enter(own, shui.username, "guess") for _ in range(10)) == [200] * 8 + [429] * 2


def test_device_is_known_for_the_officer_who_logged_in_only(shui, officer):
    own, other = browser_at(), officer(Role.HANDLER, "大气处")
    enter(own, shui.username)
    own.post("/desk/logout/")
    for _ in range(6):
        enter(own, other.username, "guess")
    assert enter(own, other.username).status_code == 429
    assert enter(own, shui.username).status_code == 302


def test_device_of_two_officers_is_known_for_both(shui, officer):
    own, other = browser_at(), officer(Role.HANDLER, "大气处")
    for who in (shui, other):
        enter(own, who.username)
        own.post("/desk/logout/")
        for n in range(9):
            enter(browser_at(f"203.0.113.{n}"), who.username, "guess")
    assert statuses(enter(own, who.username) for who in (shui, other)) == [302, 302]


def test_forged_cookie_makes_no_known_device(shui):
    own = browser_at()
    enter(own, shui.username)
    signed = own.cookies["device"].value
    assert "shuiqing" not in signed
    forged = browser_at()
    forged.cookies["device"] = signed[:-4] + "AAAA"
    assert statuses(enter(forged, shui.username, "guess") for _ in range(7))[-1] == 429


def test_wrong_password_makes_no_known_device(shui):
    assert "device" not in enter(browser_at(), shui.username, "guess").cookies


def test_cookie_of_the_device_is_hidden_from_scripts(shui):
    cookie = enter(browser_at(), shui.username).cookies["device"]
    assert cookie["httponly"] and cookie["samesite"] == "Lax" and int(cookie["max-age"]) > 10_000_000


def test_officers_who_mistype_do_not_block_the_office(shui, officer):
    for who in (shui, officer(Role.HEAD, "水处")):
        for _ in range(5):
            enter(browser_at(), who.username, "guess")
    for _ in range(6):
        assert enter(browser_at(), officer(Role.HANDLER, "水处").username).status_code == 302


# --- Secrets -----------------------------------------------------------------------------------------
def test_password_typed_as_a_name_is_neither_stored_nor_logged(shui, caplog):
    secret = "My-Secret-2026"
    with caplog.at_level(logging.DEBUG):
        for _ in range(8):
            enter(browser_at(), secret, "x")
    assert secret not in caplog.text
    assert secret not in str(list(Hit.objects.values())) and not Session.objects.exists()
    tables = connection.introspection.table_names()
    assert not [name for name in tables if name.startswith("axes")]


# --- Names of any kind -----------------------------------------------------------------------------------
NAMES = {
    "256": "a" * 256,
    "60,000": "舟" * 60_000,
    "NUL": "a\x00b",
    "control": "\x1b[31m",
    "emoji": "👩🏽‍🚒" * 9,
    "direction": "\u202eabc",
    "sql": "' OR 1=1 --",
    "blank": "\u3000",
}


@each_door
@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
def test_name_of_any_kind_is_an_ordinary_refusal(name, door):
    answer = enter(browser_at(), name, "guess", door)
    assert answer.status_code == 200
    assert "用户名或密码不对" in words_of(answer) or "请填写用户名" in words_of(answer)


@each_door
def test_lone_surrogate_is_refused(door):
    body = b"username=%ED%A0%80&password=x"
    answer = browser_at().post(door, body, content_type="application/x-www-form-urlencoded")
    assert answer.status_code == 400


@each_door
def test_password_of_any_length_is_an_ordinary_refusal(door, shui):
    assert "用户名或密码不对" in words_of(enter(browser_at(), shui.username, "密" * 50_000, door))


# --- Codes -------------------------------------------------------------------------------------------
@pytest.fixture
def bound(shui, signed_in):
    """An officer with a telephone; its secret."""
    return bind(signed_in(shui))[0]


def test_codes_are_limited_like_passwords(bound, shui, frozen):
    frozen.shift(60)
    browser = browser_at()
    enter(browser, shui.username)
    assert statuses(browser.post(CODE, {"code": "000000"}) for _ in range(10)) == [200] * 8 + [429] * 2
    assert browser.post(CODE, {"code": code_of(bound)}).status_code == 429
    # A fresh session is no fresh counter.
    again = browser_at("203.0.113.7")
    enter(again, shui.username)
    assert again.post(CODE, {"code": "000000"}).status_code == 429


def test_stranger_with_the_password_does_not_lock_out_the_known_device(bound, shui, frozen):
    frozen.shift(60)
    own = browser_at()
    enter(own, shui.username)
    own.post(CODE, {"code": code_of(bound)})
    own.post("/desk/logout/")
    thief = browser_at("203.0.113.7")
    enter(thief, shui.username)
    for _ in range(10):
        thief.post(CODE, {"code": "000000"})
    frozen.shift(60)
    enter(own, shui.username)
    assert own.post(CODE, {"code": code_of(bound)}).status_code == 302
    assert is_in(own)


def test_password_alone_makes_no_known_device(bound, shui):
    browser = browser_at()
    enter(browser, shui.username)
    assert "device" not in browser.cookies


@pytest.mark.parametrize("path", [BIND, "/admin/account/codes/"])
def test_codes_of_an_open_session_are_limited_too(path, bound, shui, signed_in, frozen):
    frozen.shift(60)
    browser = browser_at()
    enter(browser, shui.username)
    browser.post(CODE, {"code": code_of(bound)})
    answers = [browser.post(path, {"code": "000000", "current": "000000"}) for _ in range(10)]
    assert statuses(answers)[-1] == 429
    assert browser.get(ACCOUNT).status_code == 200


def test_own_password_is_not_guessed_from_an_open_session(shui, signed_in):
    browser = signed_in(shui)
    typed = {"old_password": "guess", "new_password1": "Zs-lang-2026-x", "new_password2": "Zs-lang-2026-x"}
    assert statuses(browser.post(CHANGE, typed) for _ in range(10)) == [200] * 8 + [429] * 2
    with counted_hashes() as hashes:
        browser.post(CHANGE, typed | {"old_password": PASSWORD})
    assert hashes.call_count == 0
    shui.refresh_from_db()
    assert shui.check_password(PASSWORD)
