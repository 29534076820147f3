"""法人账号 on the form of registration: name and code are those of the firm that has signed on, and never what the form sends."""

import re

import pytest
from django.test import Client

from appointments.models import Appointment
from zhoushan_consult.sign_on.provider import Firm
from zhoushan_consult.sign_on.trial import issue
from zhoushan_consult.tests.people import uscc

pytestmark = pytest.mark.django_db

NAME = "舟山群岛水产有限公司"


@pytest.fixture(autouse=True)
def configured(settings, time_machine):
    settings.FIRM_SIGN_ON = "zhoushan_consult.sign_on.trial.TrialProvider"
    time_machine.move_to("2026-11-20T10:00:00+08:00")


def sign_on(browser, code: str = "", name: str = NAME):
    page = browser.get(browser.get("/register/sign-on/").url).content.decode()
    state = re.search(r'name="state" value="([^"]+)"', page)[1]
    ticket = issue(Firm(code or uscc(7), name))
    return browser.get("/register/sign-on/back/", {"state": state, "ticket": ticket})


def read_only(page: str) -> dict[str, str]:
    tags = [tag for tag in re.findall(r"<input[^>]*>", page) if " readonly" in tag]
    return {re.search(r'name="(\w+)"', tag)[1]: re.search(r'value="([^"]*)"', tag)[1] for tag in tags}


@pytest.fixture
def browser():
    browser = Client()
    assert sign_on(browser).url == "/register/"
    return browser


def test_form_of_a_firm_that_has_signed_on_has_its_name_and_code(browser):
    page = browser.get("/register/").content.decode()
    assert read_only(page) == {"enterprise_name": NAME, "uscc": uscc(7)}
    assert "已用法人账号登录" in page


def test_registration_has_the_name_and_code_of_the_sign_on_whatever_is_sent(browser, firm):
    browser.post("/register/", firm(3) | {"step": "submit"})
    made = Appointment.objects.get()
    assert (made.enterprise_name, made.uscc) == (NAME, uscc(7))


def test_fields_that_a_browser_leaves_out_are_filled_in(browser, firm):
    sent = {name: value for name, value in firm(3).items() if name not in ("enterprise_name", "uscc")}
    browser.post("/register/", sent | {"step": "submit"})
    assert Appointment.objects.get().uscc == uscc(7)


def test_check_page_and_draft_show_the_firm_of_the_sign_on(browser, firm):
    check = browser.post("/register/", firm(3) | {"step": "check"}, follow=True).content.decode()
    assert NAME in check and firm(3)["enterprise_name"] not in re.sub(r"<input[^>]*>", "", check)
    browser.post("/register/", firm(3) | {"step": "edit"})
    assert read_only(browser.get("/register/").content.decode())["uscc"] == uscc(7)


def test_form_with_errors_stays_read_only(browser, firm):
    browser.post("/register/", firm(3, phone="1"))
    assert read_only(browser.get("/register/").content.decode())["enterprise_name"] == NAME


def test_firm_may_go_on_without_the_sign_on(browser, firm):
    assert browser.post("/register/sign-on/end/").url == "/register/"
    assert read_only(browser.get("/register/").content.decode()) == {}
    browser.post("/register/", firm(3) | {"step": "submit"})
    assert Appointment.objects.get().uscc == uscc(3)


def test_sign_on_lasts_two_hours(browser, time_machine):
    time_machine.shift(2 * 3600 + 1)
    assert read_only(browser.get("/register/").content.decode()) == {}


def test_forged_cookie_is_no_sign_on(browser):
    browser.cookies["firm"] = browser.cookies["firm"].value[:-3] + "abc"
    assert read_only(browser.get("/register/").content.decode()) == {}


@pytest.mark.parametrize("code, name", [("123", NAME), ("91330902MA28K0000X", NAME), ("", "")])
def test_account_with_a_code_that_the_form_refuses_leads_to_the_open_form(code, name):
    answer = sign_on(Client(), code or uscc(7), name)
    assert answer.status_code == 403 and "直接填写" in answer.content.decode()


def test_ticket_of_an_officer_is_no_firm():
    from zhoushan_consult.sign_on.provider import Person

    browser = Client()
    page = browser.get(browser.get("/register/sign-on/").url).content.decode()
    state = re.search(r'name="state" value="([^"]+)"', page)[1]
    answer = browser.get("/register/sign-on/back/", {"state": state, "ticket": issue(Person("xitong"))})
    assert answer.status_code == 403 and "firm" not in browser.cookies


def test_form_offers_the_sign_on_only_where_it_is_configured(settings):
    assert "用法人账号登录" in Client().get("/register/").content.decode()
    settings.FIRM_SIGN_ON = ""
    assert "法人账号" not in Client().get("/register/").content.decode()
    assert Client().get("/register/sign-on/").status_code == 404


def test_cookie_of_before_is_nothing_where_no_sign_on_is_configured(browser, settings):
    settings.FIRM_SIGN_ON = ""
    assert read_only(browser.get("/register/").content.decode()) == {}


def test_blank_form_still_costs_no_query(django_assert_num_queries):
    Client().get("/register/")
    with django_assert_num_queries(0):
        Client().get("/register/")
