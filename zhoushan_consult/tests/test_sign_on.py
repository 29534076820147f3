"""The seam for the province's sign-on, with the trial provider: the officer's door. The firm's form: appointments/tests."""

import re
from io import StringIO
from urllib.parse import parse_qs, urlsplit

import pytest
from django.core.management import CommandError, call_command

from zhoushan_consult.audit.models import Entry
from zhoushan_consult.audit.verbs import Verb
from zhoushan_consult.bureau.models import Officer
from zhoushan_consult.bureau.roles import Role
from zhoushan_consult.sign_on.provider import Firm
from zhoushan_consult.sign_on.trial import issue
from zhoushan_consult.tests.doors import DOORS, browser_at, is_in, words_of

pytestmark = pytest.mark.django_db

TRIAL = "zhoushan_consult.sign_on.trial.TrialProvider"
LEAVE, BACK = "/admin/sign-on/", "/admin/sign-on/back/"


@pytest.fixture
def configured(settings):
    settings.STAFF_SIGN_ON = TRIAL


@pytest.fixture
def shui(officer):
    return officer(Role.HANDLER, "水处", username="shuiqing")


def ticket_for(**who) -> str:
    out = StringIO()
    call_command("sign_on_ticket", **who, stdout=out)
    return out.getvalue().strip()


def sign_on(browser, ticket: str):
    """Press the button, and type the ticket into the page of the trial."""
    page = browser.get(browser.get(LEAVE).url).content.decode()
    path = re.search(r'<form method="get" action="([^"]+)"', page)[1]
    state = re.search(r'name="state" value="([^"]+)"', page)[1]
    return browser.get(path, {"state": state, "ticket": ticket})


def test_officer_comes_in_by_the_button_of_the_door(configured, shui):
    browser = browser_at()
    for door in DOORS:
        assert f'href="{LEAVE}"' in browser.get(door).content.decode()
    assert sign_on(browser, ticket_for(officer=shui.username)).url == "/admin/"
    assert is_in(browser)
    assert Entry.objects.get(verb=Verb.SIGNED_IN).actor == shui


def test_second_factor_is_asked_for_after_the_sign_on(configured, shui, settings):
    settings.STAFF_SECOND_FACTOR = True
    browser = browser_at()
    assert sign_on(browser, ticket_for(officer=shui.username)).url.startswith("/admin/second-factor/bind/")
    assert not is_in(browser)


def test_old_password_does_not_stand_in_the_way_of_the_sign_on(configured, shui):
    Officer.objects.filter(pk=shui.pk).update(password_is_first=True)
    browser = browser_at()
    sign_on(browser, ticket_for(officer=shui.username))
    assert is_in(browser)


def test_ticket_is_taken_once(configured, shui):
    ticket = ticket_for(officer=shui.username)
    sign_on(browser_at(), ticket)
    again = browser_at()
    answer = sign_on(again, ticket)
    assert answer.status_code == 403 and "重新点一次" in words_of(answer) and not is_in(again)


def test_ticket_is_too_old_after_ten_minutes(configured, shui, time_machine):
    time_machine.move_to("2026-11-20T09:00:00+08:00", tick=False)
    ticket = ticket_for(officer=shui.username)
    time_machine.shift(601)
    browser = browser_at()
    assert sign_on(browser, ticket).status_code == 403 and not is_in(browser)


@pytest.mark.parametrize("ticket", ["", "x", "eyJhIjoxfQ:1:x"])
def test_forged_ticket_is_refused(ticket, configured, shui):
    assert sign_on(browser_at(), ticket).status_code == 403


def test_ticket_of_a_firm_opens_no_door_of_officers(configured, shui):
    ticket = issue(Firm("91330902MA28K0001X", shui.username))
    browser = browser_at()
    assert sign_on(browser, ticket).status_code == 403 and not is_in(browser)


def test_ticket_brought_by_another_browser_is_refused(configured, shui):
    """A stranger's link must not log an officer in under the stranger's account."""
    left = browser_at().get(LEAVE).url
    state = parse_qs(urlsplit(parse_qs(urlsplit(left).query)["return_to"][0]).query)["state"][0]
    browser = browser_at()
    answer = browser.get(BACK, {"state": state, "ticket": ticket_for(officer=shui.username)})
    assert answer.status_code == 403 and not is_in(browser)


@pytest.mark.parametrize("account", ["unknown", "closed"])
def test_person_without_an_account_is_told_what_to_do(account, configured, officer):
    officer(Role.HANDLER, "水处", username="closed", is_active=False)
    browser = browser_at()
    answer = sign_on(browser, ticket_for(officer=account))
    assert answer.status_code == 403 and "联系科监处开通" in words_of(answer) and not is_in(browser)


def test_nothing_is_shown_or_open_where_no_sign_on_is_configured(shui):
    browser = browser_at()
    for door in DOORS:
        assert "统一身份" not in browser.get(door).content.decode()
    assert browser.get(LEAVE).status_code == 404
    assert browser.get(BACK, {"ticket": ticket_for(officer=shui.username)}).status_code == 403
    assert browser.get("/sign-on/trial/", {"return_to": BACK}).status_code == 404


def test_page_of_the_trial_sends_the_ticket_to_no_other_address(configured):
    browser = browser_at()
    for elsewhere in ("https://evil.example/", "//evil.example/x", "/status/", ""):
        assert browser.get("/sign-on/trial/", {"return_to": elsewhere}).status_code == 404
    page = browser.get(
        "/sign-on/trial/", {"return_to": f"https://evil.example{BACK}?state=1"}
    ).content.decode()
    assert "evil" not in page


def test_command_asks_for_one_of_both(configured):
    for wrong in ({}, {"officer": "a", "uscc": "b"}, {"uscc": "123", "name": "甲公司"}):
        with pytest.raises(CommandError):
            ticket_for(**wrong)


def test_check_before_deployment_names_the_trial(configured, capsys):
    call_command("check", deploy=True)
    assert "login.W002" in capsys.readouterr().err
