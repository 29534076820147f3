"""After the password: the second factor, its binding, recovery codes, its reset; and what a halfway officer may open."""

import re
import subprocess
import sys

import pytest
from django.conf import settings as real_settings
from django.contrib.sessions.models import Session
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client

from zhoushan_consult.audit.models import Entry
from zhoushan_consult.audit.verbs import Verb
from zhoushan_consult.bureau.models import Officer
from zhoushan_consult.bureau.roles import Role
from zhoushan_consult.login import second_factor
from zhoushan_consult.login.models import Authenticator, RecoveryCode
from zhoushan_consult.outbox.models import Notice
from zhoushan_consult.tests.doors import (
    ACCOUNT,
    BIND,
    CHANGE,
    CODE,
    CODES,
    DOORS,
    bind,
    browser_at,
    code_of,
    codes_on,
    enter,
    is_in,
    key_on,
    words_of,
)
from zhoushan_consult.tests.test_code_rules import PUBLIC, ROUTES, path_for

pytestmark = pytest.mark.django_db

OWN = {"admin/second-factor/bind/", "admin/logout/", "desk/logout/"}
"""Where an officer without a second factor may go: binding it, and out."""


@pytest.fixture(autouse=True)
def frozen(time_machine):
    time_machine.move_to("2026-11-20T09:00:00+08:00", tick=False)
    return time_machine


@pytest.fixture(autouse=True)
def required(settings):
    settings.STAFF_SECOND_FACTOR = True


@pytest.fixture
def shui(officer):
    return officer(Role.HANDLER, "水处", username="shuiqing", name="水清", phone="13800000021")


@pytest.fixture
def key(shui, frozen):
    """An officer's telephone, bound at the first log-in, some minutes ago."""
    browser = browser_at()
    enter(browser, shui.username)
    key, _ = bind(browser)
    frozen.shift(300)
    return key


def halfway(who) -> Client:
    browser = browser_at()
    enter(browser, who.username)
    return browser


# --- Binding ---------------------------------------------------------------------------------------
@pytest.mark.parametrize("door", DOORS)
def test_first_log_in_leads_to_binding_and_then_to_the_page_asked_for(door, shui):
    browser = browser_at()
    asked = f"{door}?next=/desk/follow-ups/"
    page = browser.get(enter(browser, shui.username, door=asked).url)
    assert "绑定动态口令" in words_of(page) and "<svg" in page.content.decode()
    answer = browser.post(BIND, {"code": code_of(key_on(page)), "next": "/desk/follow-ups/"})
    assert len(codes_on(answer)) == 10
    assert 'href="/desk/follow-ups/"' in answer.content.decode()
    assert is_in(browser)
    assert [entry.verb for entry in Entry.objects.filter(actor=shui)] == [Verb.FACTOR_BOUND, Verb.SIGNED_IN]


def test_page_of_binding_may_be_loaded_again_and_shows_the_same_secret(shui):
    browser = halfway(shui)
    assert key_on(browser.get(BIND)) == key_on(browser.get(BIND))


def test_two_officers_get_different_secrets(shui, handler):
    assert key_on(halfway(shui).get(BIND)) != key_on(halfway(handler).get(BIND))


def test_secret_is_stored_sealed_only(shui):
    browser = halfway(shui)
    key, codes = bind(browser)
    stored = []
    with connection.cursor() as cursor:
        for table in ("login_authenticator", "login_recoverycode"):
            cursor.execute(f"SELECT * FROM {table}")
            stored += cursor.fetchall()
    sessions = [session.get_decoded() for session in Session.objects.all()]
    for secret in (key, *codes):
        assert secret not in f"{stored}{sessions}"
    assert Authenticator.objects.get().key.open() == key


def test_secret_that_is_being_bound_is_sealed_in_the_session(shui):
    key = key_on(halfway(shui).get(BIND))
    assert key not in str([session.get_decoded() for session in Session.objects.all()])


@pytest.mark.parametrize("typed", ["", "123", "abcdef", "000000", "１２３４５６", "9" * 90, "-1", "1e5"])
def test_wrong_code_binds_nothing(typed, shui):
    browser = halfway(shui)
    answer = browser.post(BIND, {"code": typed})
    assert answer.status_code == 200 and "error-summary" in answer.content.decode()
    assert not Authenticator.objects.exists() and not is_in(browser)


def test_qr_code_says_what_the_page_says(shui):
    uri = second_factor.key_uri("JBSWY3DP", shui)
    assert uri.startswith("otpauth://totp/%E4%BC%81%E4%B8%9A")
    assert "secret=JBSWY3DP&" in uri and uri.isascii()


# --- What is open halfway --------------------------------------------------------------------------------
@pytest.mark.parametrize("route", [route for route in ROUTES if route not in PUBLIC | OWN])
def test_officer_without_a_factor_reaches_only_the_page_of_binding(route, keeper):
    """With every right there is, and by GET and POST."""
    Officer.objects.filter(pk=keeper.pk).update(is_superuser=True)
    browser = halfway(keeper)
    before = set(Entry.objects.values_list("pk", flat=True))
    for method in ("get", "post"):
        answer = getattr(browser, method)(path_for(route))
        if answer.status_code == 302:
            assert re.match(r"/(admin|desk)/login/|/admin/second-factor/bind/|/status/$", answer.url), (
                answer.url
            )
        else:
            assert answer.status_code in (403, 405), method
    assert set(Entry.objects.values_list("pk", flat=True)) == before


def test_halfway_officer_is_led_to_the_step_from_each_door(shui):
    browser = halfway(shui)
    sent = browser.get("/desk/follow-ups/", follow=True)
    assert sent.redirect_chain[-1][0] == "/admin/second-factor/bind/?next=%2Fdesk%2Ffollow-ups%2F"
    assert "退出登录" in words_of(sent) and 'aria-label="主导航"' not in sent.content.decode()


@pytest.mark.parametrize("address", ["/admin/logout/", "/desk/logout/"])
def test_halfway_officer_can_log_out(address, keeper):
    browser = halfway(keeper)
    browser.post(address)
    assert "_auth_user_id" not in browser.session


def test_text_of_a_halfway_officer_is_shown_again(shui):
    answer = halfway(shui).post("/desk/assignments/1/save/", {"body": "写了四十分钟的答复"})
    assert "写了四十分钟的答复" in words_of(answer)


def test_factor_is_required_by_the_setting(shui, settings):
    settings.STAFF_SECOND_FACTOR = False
    assert is_in(halfway(shui))


def test_factor_is_asked_of_those_who_have_one_whatever_the_setting(key, shui, settings):
    settings.STAFF_SECOND_FACTOR = False
    assert not is_in(halfway(shui))


# --- The code ------------------------------------------------------------------------------------------
def test_log_in_needs_the_code_after_the_password(key, shui):
    browser = browser_at()
    sent = enter(browser, shui.username, door="/desk/login/?next=/desk/follow-ups/")
    assert sent.url == "/admin/second-factor/?next=%2Fdesk%2Ffollow-ups%2F"
    assert not is_in(browser)
    answer = browser.post(CODE, {"code": code_of(key), "next": "/desk/follow-ups/"})
    assert answer.url == "/desk/follow-ups/" and is_in(browser)


@pytest.mark.parametrize("elsewhere", ["https://evil.example/", "//evil.example/", "javascript:alert(1)"])
def test_code_leads_to_no_other_site(elsewhere, key, shui):
    assert halfway(shui).post(CODE, {"code": code_of(key), "next": elsewhere}).url == "/admin/"


def test_code_is_taken_once(key, shui):
    code = code_of(key)
    assert halfway(shui).post(CODE, {"code": code}).status_code == 302
    again = halfway(shui)
    assert "已经用过" in words_of(again.post(CODE, {"code": code})) and not is_in(again)


def test_code_of_binding_is_not_taken_again(shui):
    browser = halfway(shui)
    key, _ = bind(browser)
    browser = halfway(shui)
    browser.post(CODE, {"code": code_of(key)})
    assert not is_in(browser)


def test_earlier_code_is_refused_after_a_later_one(key, shui):
    earlier = code_of(key, -1)
    halfway(shui).post(CODE, {"code": code_of(key)})
    browser = halfway(shui)
    browser.post(CODE, {"code": earlier})
    assert not is_in(browser)


@pytest.mark.parametrize("steps, taken", [(-2, False), (-1, True), (1, True), (2, False)])
def test_clock_of_the_telephone_may_be_off_by_one_step(steps, taken, key, shui):
    browser = halfway(shui)
    browser.post(CODE, {"code": code_of(key, steps)})
    assert is_in(browser) is taken


def test_code_is_taken_with_a_blank_in_the_middle(key, shui):
    browser = halfway(shui)
    code = code_of(key)
    browser.post(CODE, {"code": f" {code[:3]} {code[3:]} "})
    assert is_in(browser)


def test_code_of_another_officer_is_refused(key, shui, handler):
    other = halfway(handler)
    bind(other)
    browser = halfway(handler)
    browser.post(CODE, {"code": code_of(key)})
    assert not is_in(browser)


def test_halfway_officer_cannot_bind_another_telephone(key, shui):
    """With the password alone, a thief would bind their own."""
    browser = halfway(shui)
    assert browser.get(BIND).url.startswith(CODE)
    assert browser.post(BIND, {"code": "123456"}).url.startswith(CODE)
    assert browser.get(CHANGE).url.startswith(CODE)
    assert Authenticator.objects.get().key.open() == key


def test_session_gets_a_new_key_with_each_step(key, shui):
    browser = browser_at()
    browser.get(DOORS[0])
    enter(browser, shui.username)
    first = browser.cookies["session"].value
    browser.post(CODE, {"code": code_of(key)})
    assert browser.cookies["session"].value != first


def test_second_log_in_in_the_same_browser_asks_again(key, shui):
    browser = halfway(shui)
    browser.post(CODE, {"code": code_of(key)})
    assert is_in(browser)
    enter(browser, shui.username)
    assert not is_in(browser)


# --- Recovery codes ----------------------------------------------------------------------------------------
@pytest.fixture
def codes(shui, frozen):
    browser = halfway(shui)
    _, codes = bind(browser)
    frozen.shift(300)
    return codes


def test_recovery_code_opens_the_door_once(codes, shui):
    browser = halfway(shui)
    browser.post(CODE, {"code": codes[3].upper().replace("-", " ")})
    assert is_in(browser)
    assert Entry.objects.get(verb=Verb.RECOVERY_CODE_USED).facts == {"left": 9}
    again = halfway(shui)
    again.post(CODE, {"code": codes[3]})
    assert not is_in(again)


def test_recovery_code_of_another_officer_is_refused(codes, handler):
    bind(halfway(handler))
    browser = halfway(handler)
    browser.post(CODE, {"code": codes[0]})
    assert not is_in(browser)


def test_last_recovery_codes_are_announced(codes, shui):
    for code in codes[:8]:
        browser = halfway(shui)
        browser.post(CODE, {"code": code})
    assert "备用码还剩 2 个" in words_of(browser.get("/desk/assignments/"))


def test_officer_sees_how_many_codes_are_left_and_renews_them(codes, shui):
    browser = halfway(shui)
    browser.post(CODE, {"code": codes[0]})
    page = words_of(browser.get(ACCOUNT))
    assert "还剩 9 个" in page and not codes_on(browser.get(ACCOUNT))
    second = browser.post(CODES, {"code": codes[1]})
    fresh = codes_on(second)
    assert len(fresh) == 10 and not set(fresh) & set(codes)
    assert Entry.objects.filter(verb=Verb.RECOVERY_CODES_RENEWED, actor=shui).count() == 1
    old, new = halfway(shui), halfway(shui)
    old.post(CODE, {"code": codes[2]})
    new.post(CODE, {"code": fresh[2]})
    assert not is_in(old) and is_in(new)


def test_codes_are_renewed_only_with_a_code(codes, shui):
    browser = halfway(shui)
    browser.post(CODE, {"code": codes[0]})
    answer = browser.post(CODES, {"code": "000000"})
    assert not codes_on(answer) and "口令不对" in words_of(answer)
    assert RecoveryCode.objects.filter(used_at=None).count() == 9


# --- Another telephone ---------------------------------------------------------------------------------------
def test_another_telephone_is_bound_with_a_code_of_the_first(codes, shui, frozen):
    browser, elsewhere = halfway(shui), halfway(shui)
    browser.post(CODE, {"code": codes[0]})
    elsewhere.post(CODE, {"code": codes[1]})
    refused = browser.post(BIND, {"code": code_of(key_on(browser.get(BIND))), "current": "000000"})
    assert "口令不对" in words_of(refused)
    key, fresh = bind(browser, current=codes[2])
    assert len(fresh) == 10 and is_in(browser)
    # A session that was opened with the first telephone must show the new one.
    assert not is_in(elsewhere)
    frozen.shift(60)
    elsewhere.post(CODE, {"code": code_of(key)})
    assert is_in(elsewhere)


# --- Reset ----------------------------------------------------------------------------------------------
@pytest.fixture
def opened(keeper, key):
    """系统管理, in."""
    browser = browser_at("198.51.100.50")
    enter(browser, keeper.username)
    bind(browser)
    return browser


def reset_address(who) -> str:
    return f"/admin/bureau/officer/{who.pk}/factor/"


def test_reset_ends_the_factor_is_audited_and_told(opened, key, shui, keeper):
    theirs = halfway(shui)
    theirs.post(CODE, {"code": code_of(key)})
    assert "解除动态口令" in words_of(opened.get(f"/admin/bureau/officer/{shui.pk}/change/"))
    answer = opened.post(reset_address(shui), follow=True)
    assert "下次登录时重新绑定" in words_of(answer)
    assert not is_in(theirs)
    assert Entry.objects.get(verb=Verb.FACTOR_RESET).actor == keeper
    assert not Authenticator.objects.filter(officer=shui).exists()
    assert not RecoveryCode.objects.filter(officer=shui).exists()
    assert [notice.channel for notice in Notice.objects.filter(kind="factor_reset")] == ["sms"]
    page = words_of(theirs.get(BIND))
    assert "已由柯建于" in page and "不是您申请的" in page


def test_reset_is_offered_only_where_a_factor_is_bound(opened, handler):
    assert "解除动态口令" not in words_of(opened.get(f"/admin/bureau/officer/{handler.pk}/change/"))
    assert opened.post(reset_address(handler)).status_code == 409


def test_list_of_officers_says_who_has_bound_a_telephone(opened, handler):
    rows = re.findall(r"<tr.*?</tr>", opened.get("/admin/bureau/officer/").content.decode(), re.DOTALL)
    said = {
        name: re.search("未绑定|已绑定", row)[0] for row in rows for name in ("柯建", "水清") if name in row
    }
    assert said["柯建"] == "已绑定" and "未绑定" in "".join(rows)


def test_own_factor_is_not_reset_by_oneself(opened, keeper):
    assert opened.post(reset_address(keeper)).status_code == 409
    assert Authenticator.objects.filter(officer=keeper).exists()


@pytest.mark.parametrize("role", sorted(set(Role) - {Role.SYSTEM}))
def test_reset_is_closed_to_every_other_role(role, officer, key, shui, settings, signed_in):
    settings.STAFF_SECOND_FACTOR = False
    browser = signed_in(officer(role, "水处", area="定海区"))
    assert browser.post(reset_address(shui)).status_code == 403
    assert Authenticator.objects.filter(officer=shui).exists()


def test_factor_of_the_last_keeper_is_reset_on_the_server(opened, keeper, capsys):
    call_command("reset_factor", keeper.username)
    assert "已解除" in capsys.readouterr().out
    assert opened.get("/admin/").url.startswith("/admin/login/")
    assert Entry.objects.get(verb=Verb.FACTOR_RESET).actor is None
    for username in (keeper.username, "unknown"):
        with pytest.raises(CommandError):
            call_command("reset_factor", username)


# --- The setting -----------------------------------------------------------------------------------------
def test_factor_is_required_in_production_unless_switched_off(tmp_path):
    ask = "from zhoushan_consult import settings; print(settings.STAFF_SECOND_FACTOR)"
    keys = {
        name: getattr(real_settings, name)
        for name in ("SECRET_KEY", "VAULT_KEYS", "VAULT_INDEX_KEY", "AUDIT_KEY")
    }

    def answer(**environment) -> str:
        run = [sys.executable, "-c", ask]
        env = {"PATH": "/usr/bin", "VAR_DIR": str(tmp_path), **keys, **environment}
        return subprocess.run(
            run, env=env, cwd=real_settings.BASE_DIR, capture_output=True, text=True
        ).stdout.strip()

    production = {"DATABASE_URL": "postgres://127.0.0.1/none"}
    assert answer() == "False"
    assert answer(**production) == "True"
    assert answer(**production, STAFF_SECOND_FACTOR="false") == "False"


def test_check_before_deployment_warns_where_no_factor_is_required(settings, capsys):
    settings.STAFF_SECOND_FACTOR = False
    call_command("check", deploy=True)
    assert "login.W001" in capsys.readouterr().err
    settings.STAFF_SECOND_FACTOR = True
    call_command("check", deploy=True)
    assert "login.W001" not in capsys.readouterr().err


def test_pages_of_the_steps_are_never_stored(key, shui):
    browser = halfway(shui)
    assert "no-store" in browser.get(CODE)["Cache-Control"]
