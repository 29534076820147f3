"""What a password must be, how long it lasts, and what a changed one ends (等保三级)."""

import os
import subprocess
import sys
from datetime import datetime, timedelta
from itertools import pairwise

import pytest
from django.conf import settings as real_settings

from triage.demo.people import create_officers
from zhoushan_consult.audit.models import Entry
from zhoushan_consult.audit.verbs import Verb
from zhoushan_consult.bureau import accounts, passwords
from zhoushan_consult.bureau.models import Officer, PastPassword
from zhoushan_consult.bureau.roles import Role
from zhoushan_consult.clock import SHANGHAI, local_date
from zhoushan_consult.tests.doors import ACCOUNT, CHANGE, PASSWORD, browser_at, enter, is_in, words_of

pytestmark = pytest.mark.django_db

GOOD = "Ferry-to-4-islands"


@pytest.fixture(autouse=True)
def frozen(time_machine):
    time_machine.move_to("2026-11-20T09:00:00+08:00", tick=False)
    return time_machine


@pytest.fixture
def shui(officer):
    return officer(Role.HANDLER, "水处", username="shuiqing", name="水清", email="lanmao@example.com")


@pytest.fixture
def browser(shui, signed_in):
    return signed_in(shui)


def change(browser, new: str, old: str = PASSWORD, **more):
    return browser.post(CHANGE, {"old_password": old, "new_password1": new, "new_password2": new} | more)


def is_taken(browser, new: str, old: str = PASSWORD) -> bool:
    return change(browser, new, old).status_code == 302


# --- Rules -----------------------------------------------------------------------------------------
def test_rules_are_said_before_anything_is_typed(browser):
    page = words_of(browser.get(CHANGE))
    for rule in ("至少 10 位", "至少有 3 种", "不含舟山、环保", "本人姓名", "常见的密码", "最近 5 次"):
        assert rule in page


@pytest.mark.parametrize(
    ("new", "why"),
    [
        ("Fer-4-isl", "至少要 10 位"),
        ("ferrytoislands", "至少要有 3 种"),
        ("ferry-to-islands", "至少要有 3 种"),
        ("FERRYTOISLANDS4", "至少要有 3 种"),
        ("Zhoushan-2026", "地名"),
        ("Go-4-zhou.shan", "地名"),
        ("Zh0u5han-x-26", "地名"),
        ("Love-舟山-2026", "地名"),
        ("HUANBAO-ferry-4", "行业用词"),
        ("Ferry-hbzx-4-us", "单位"),
        ("Haiyan-ferry-4", "地名"),
        ("P@ssw0rd-2026x", "行业用词"),
        ("Ferry-123456-a", "行业用词"),
        ("Shuiqing-4-you", "用户名"),
        ("Ferry-lanmao-4", "用户名"),
        ("Ferry-水清-4-us", "姓名"),
        ("Trustno1-2026!", "很多人在用"),
        (PASSWORD, "和现在的密码相同"),
    ],
)
def test_password_against_a_rule_is_refused_with_the_reason(new, why, browser, shui):
    page = words_of(change(browser, new))
    assert why in page
    shui.refresh_from_db()
    assert shui.check_password(PASSWORD)


@pytest.mark.parametrize("new", [GOOD, "ferry4islands!", "四个海湾-Ferry-7", "correct HORSE battery 7"])
def test_password_that_meets_the_rules_is_taken(new, browser, shui):
    assert is_taken(browser, new)
    shui.refresh_from_db()
    assert shui.check_password(new)
    assert Entry.objects.get(verb=Verb.PASSWORD_CHANGED).actor == shui


def test_wrong_present_password_changes_nothing(browser, shui):
    assert "原来的密码不对" in words_of(change(browser, GOOD, old="guess"))
    shui.refresh_from_db()
    assert shui.check_password(PASSWORD)


def test_numbers_of_the_rules_come_from_the_environment():
    ask = (
        "import django; django.setup(); from zhoushan_consult.bureau.passwords import rules; "
        "from django.conf import settings; print(rules(), settings.PASSWORD_DAYS, settings.SESSION_COOKIE_AGE)"
    )
    keys = {
        name: getattr(real_settings, name)
        for name in ("SECRET_KEY", "VAULT_KEYS", "VAULT_INDEX_KEY", "AUDIT_KEY")
    }
    env = {**os.environ, **keys, "DJANGO_SETTINGS_MODULE": "zhoushan_consult.settings"}
    env |= {
        "PASSWORD_MIN_LENGTH": "14",
        "PASSWORD_KINDS": "4",
        "PASSWORD_HISTORY": "7",
        "PASSWORD_DAYS": "30",
    }
    env |= {"SESSION_IDLE_MINUTES": "10"}
    run = subprocess.run(
        [sys.executable, "-c", ask], env=env, cwd=real_settings.BASE_DIR, capture_output=True, text=True
    )
    assert "14 位" in run.stdout and "4 种" in run.stdout and "7 次" in run.stdout, run.stderr
    assert run.stdout.strip().endswith("30 600")


def test_generated_password_meets_the_rules():
    assert all(passwords.meets_the_rules(accounts.new_password()) for _ in range(50))


# --- History ---------------------------------------------------------------------------------------
def test_last_five_passwords_are_refused_and_the_sixth_is_taken(browser, shui):
    used = [
        PASSWORD,
        *(f"Ferry-to-{word}-7" for word in ("Liuheng", "Taohua", "Qushan", "Xiushan", "Jintang")),
    ]
    for old, new in pairwise(used):
        assert is_taken(browser, new, old), new
    for past in used[1:]:
        assert not is_taken(browser, past, used[-1]), past
    assert is_taken(browser, used[0], used[-1])
    assert PastPassword.objects.filter(officer=shui).count() == 5


def test_password_of_before_a_reset_is_refused(keeper, shui):
    first = accounts.reset_password(shui, by=keeper, at=shui.date_joined)
    browser = browser_at()
    enter(browser, shui.username, first)
    assert "近期用过" in words_of(change(browser, PASSWORD, old=first))


def test_history_of_an_officer_is_their_own(browser, handler):
    change(browser, GOOD)
    theirs = browser_at()
    enter(theirs, handler.username)
    assert is_taken(theirs, GOOD)


# --- First password --------------------------------------------------------------------------------------
def test_first_password_opens_only_the_page_on_which_it_is_changed(keeper, shui):
    first = accounts.reset_password(shui, by=keeper, at=shui.date_joined)
    browser = browser_at()
    sent = enter(browser, shui.username, first, "/desk/login/?next=/desk/follow-ups/")
    assert sent.url == "/admin/password_change/?next=%2Fdesk%2Ffollow-ups%2F"
    assert "系统管理员给您的" in words_of(browser.get(sent.url)) and not is_in(browser)
    assert browser.get(ACCOUNT).url.startswith(CHANGE)
    assert "相同" in words_of(change(browser, first, old=first)) and not is_in(browser)
    assert change(browser, GOOD, first, next="/desk/follow-ups/").url == "/desk/follow-ups/"
    assert is_in(browser)
    again = browser_at()
    assert enter(again, shui.username, GOOD).url == "/admin/" and is_in(again)


def test_first_password_is_changed_before_the_telephone_is_bound(keeper, shui, settings):
    settings.STAFF_SECOND_FACTOR = True
    first = accounts.reset_password(shui, by=keeper, at=shui.date_joined)
    browser = browser_at()
    assert enter(browser, shui.username, first).url.startswith(CHANGE)
    assert change(browser, GOOD, first).url.startswith("/admin/second-factor/bind/")


# --- Term ------------------------------------------------------------------------------------------------
def with_term(officer: Officer, days: int) -> None:
    """The password was set so many days ago."""
    set_at = datetime(2026, 11, 20, 9, tzinfo=SHANGHAI) - timedelta(days=days)
    Officer.objects.filter(pk=officer.pk).update(password_set_at=set_at)


@pytest.mark.parametrize("days, due", [(89, False), (90, True), (400, True)])
def test_password_must_be_changed_after_ninety_days(days, due, shui):
    with_term(shui, days)
    browser = browser_at()
    enter(browser, shui.username)
    assert is_in(browser) is not due
    if due:
        assert "已到期" in words_of(browser.get(CHANGE))
        assert change(browser, GOOD, next="/desk/follow-ups/").url == "/desk/follow-ups/"
        assert is_in(browser)
        fresh = Officer.objects.get(pk=shui.pk)
        assert local_date(fresh.password_set_at).isoformat() == "2026-11-20"


def test_term_that_ends_in_the_middle_of_the_work_loses_nothing(shui, frozen):
    with_term(shui, 89)
    frozen.move_to("2026-11-20T23:50:00+08:00", tick=False)
    browser = browser_at()
    enter(browser, shui.username)
    frozen.shift(20 * 60)
    assert is_in(browser)
    browser.post("/desk/logout/")
    assert enter(browser, shui.username).url.startswith(CHANGE)


@pytest.mark.parametrize("home", ["/desk/assignments/", "/admin/"])
@pytest.mark.parametrize("days, said", [(82, None), (83, "还有 7 天"), (89, "还有 1 天")])
def test_first_page_reminds_seven_days_before(days, said, home, shui):
    with_term(shui, days)
    browser = browser_at()
    enter(browser, shui.username)
    page = words_of(browser.get(home))
    assert (said in page) if said else ("到期" not in page)


def test_account_page_says_when_the_password_ends(shui):
    with_term(shui, 0)
    browser = browser_at()
    enter(browser, shui.username)
    assert "2027年2月18日到期" in words_of(browser.get(ACCOUNT))


def test_term_may_be_switched_off(shui, settings):
    settings.PASSWORD_DAYS = 0
    with_term(shui, 4000)
    browser = browser_at()
    enter(browser, shui.username)
    assert is_in(browser)


# --- Other sessions -----------------------------------------------------------------------------------------
def test_changed_password_ends_the_other_sessions_and_not_this_one(shui):
    here, elsewhere = browser_at(), browser_at("203.0.113.1")
    for each in (here, elsewhere):
        enter(each, shui.username)
        assert is_in(each)
    answer = here.post(
        CHANGE, {"old_password": PASSWORD, "new_password1": GOOD, "new_password2": GOOD}, follow=True
    )
    assert "其他设备上的登录已退出" in words_of(answer)
    assert is_in(here) and not is_in(elsewhere)


def test_officer_of_the_demonstration_has_no_first_password_and_no_term():
    password, logins = create_officers()
    browser = browser_at()
    for login in logins[:3]:
        assert enter(browser, login.username, password).status_code == 302
    assert set(Officer.objects.values_list("password_set_at", "password_is_first")) == {(None, False)}
