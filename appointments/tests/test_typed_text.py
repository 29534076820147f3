"""All that was typed into a public form is still there: after errors, Back, a link, 长辈版, a closed session, a lost cookie."""

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from appointments.lifecycle import Stage
from appointments.models import Appointment
from triage.tests.factories import NOW, appointment
from zhoushan_consult.web import drafts
from zhoushan_consult.web.models import Draft

pytestmark = pytest.mark.django_db

QUESTION = "船坞除锈改用超高压水后，冲洗废水能否委托处理？"
TOKEN = re.compile(r'name="(csrfmiddlewaretoken|form_token)" value="([^"]+)"')


@pytest.fixture(autouse=True)
def the_twentieth(time_machine):
    time_machine.move_to(NOW, tick=False)


@pytest.fixture
def other(firm):
    """A bystander: another browser that has typed into the same form."""
    browser = Client()
    browser.post("/drafts/", firm(2, draft="register", summary="另一家的问题"))
    assert "另一家的问题" in page(browser, "/register/")
    return browser


def page(browser: Client, path: str) -> str:
    return browser.get(path, follow=True).content.decode()


def title(html: str) -> str:
    return re.search("<title>(.*?) - ", html)[1]


def tokens(browser: Client, path: str = "/register/") -> dict[str, str]:
    return dict(TOKEN.findall(page(browser, path)))


def look_up(browser: Client, of: Appointment, path: str = "/status/"):
    phone = of.phone_number.removeprefix("+86")
    return browser.post(path, {"reference": of.reference, "phone": phone}, follow=True)


# --- The registration form -------------------------------------------------------------------------------------------
def test_refused_form_is_a_page_of_its_own_that_can_be_reloaded(client, firm):
    answer = client.post("/register/", firm(1, summary=QUESTION, uscc="91330902MA28K00158"))
    assert (answer.status_code, answer["Location"]) == (302, "/register/#error-summary")
    for _ in range(2):
        html = page(client, "/register/")
        assert QUESTION in html and 'href="#id_uscc"' in html and "91330902MA28K00158" in html


def test_refused_form_is_announced(client, firm):
    html = client.post("/register/", firm(1, uscc=""), follow=True).content.decode()
    assert title(html) == "错误：预约登记"
    assert re.search('<div class="error-summary"[^>]* role="alert" tabindex="-1" autofocus>', html)


def test_check_page_can_be_reloaded_and_leads_back_to_the_form(client, firm):
    client.post("/register/", firm(1, summary=QUESTION, step="check"))
    for _ in range(2):
        html = page(client, "/register/check/")
        assert "请核对" in html and QUESTION in html
    assert QUESTION in page(client, "/register/")
    assert title(page(client, "/register/")) == "预约登记"


def test_corrected_value_is_shown_after_going_back_from_the_check_page(client, firm):
    client.post("/register/", firm(1, summary=QUESTION, step="check"))
    html = client.post("/register/", firm(1, summary="改过的问题", step="edit"), follow=True).content.decode()
    assert (
        "改过的问题" in html
        and QUESTION not in html
        and "error-summary" not in html.partition("<main")[2].partition("<form")[0]
    )


def test_submitted_form_leaves_no_draft(client, firm, other):
    client.post("/register/", firm(1, step="check"))
    assert Draft.objects.count() == 2
    assert "/receipt/" in client.post("/register/", firm(1, step="submit"))["Location"]
    assert Draft.objects.count() == 1
    assert "另一家的问题" in page(other, "/register/")


def test_going_back_from_the_receipt_to_the_check_page_says_that_it_is_done(client, firm):
    client.post("/register/", firm(1, step="check"))
    client.post("/register/", firm(1, step="submit"))
    answer = client.get("/register/check/", follow=True)
    assert answer.redirect_chain == [("/register/", 302)]
    html = answer.content.decode()
    assert "已经提交的，不用再填" in html and firm(1)["enterprise_name"] not in html


def test_refused_submission_keeps_the_reason_and_the_text_on_the_check_page(client, firm):
    Client().post("/register/", firm(1, step="submit"))
    client.get("/register/")
    html = client.post("/register/", firm(1, step="submit", summary=QUESTION), follow=True).content.decode()
    assert title(html) == "错误：核对登记内容"
    assert "同一企业每期只需登记一次" in html and f'name="summary" value="{QUESTION}"' in html


def test_form_that_is_checked_twice_is_still_one_registration(client, firm):
    typed = firm(1) | tokens(client)
    client.post("/register/", typed | {"step": "check"})
    for _ in range(2):
        assert tokens(client, "/register/check/")["form_token"] == typed["form_token"]
        assert tokens(client, "/register/")["form_token"] == typed["form_token"]


def test_check_page_can_be_sent_after_the_draft_has_expired(client, firm, time_machine):
    client.post("/register/", firm(1, step="check") | tokens(client))
    html = page(client, "/register/check/")
    time_machine.shift(3 * 3600)
    assert drafts.purge(timezone.now()) == 1
    hidden = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', html)
    client.post("/register/", dict(hidden) | {"step": "submit"})
    assert Appointment.objects.get().enterprise_name == firm(1)["enterprise_name"]


def test_form_that_is_left_is_there_at_the_next_visit(client, firm, other):
    client.get("/register/")
    typed = firm(
        1, draft="register", summary=QUESTION, wants_onsite="0", topics=["water", "air"], postcode=""
    )
    assert client.post("/drafts/", typed).status_code == 204
    html = page(client, "/register/")
    assert QUESTION in html and typed["id_number"] in html and "另一家" not in html
    assert re.search('name="wants_onsite" value="0"[^>]* checked', html)
    assert len(re.findall('name="topics" value="(?:water|air)"[^>]* checked', html)) == 2
    assert "没有填" not in html and title(html) == "预约登记"


def test_errors_that_are_left_are_shown_again_after_a_link(client, firm):
    client.post("/register/", firm(1, uscc="", phone=""))
    client.post("/drafts/", firm(1, draft="register", judged="1", uscc=""))
    html = page(client, "/register/")
    assert 'href="#id_uscc"' in html and 'href="#id_phone"' not in html


@pytest.mark.parametrize("on", ["1", "0"])
def test_switching_large_type_keeps_what_was_typed(client, firm, on):
    client.cookies["elder"] = "1"
    typed = firm(1, draft="register", summary=QUESTION, elder=on)
    answer = client.post("/drafts/?next=/register/", typed, follow=True)
    assert answer.redirect_chain == [("/register/", 302)]
    html = answer.content.decode()
    assert QUESTION in html and ('class="elder"' in html) == (on == "1")


@pytest.mark.parametrize("path", ["/register/", "/status/", "/status/reference/"])
def test_switch_of_large_type_sends_the_form_of_the_page(client, path):
    html = page(client, path)
    assert f'form="typed" formaction="/drafts/?next={path}"' in html and 'action="/elder/"' not in html
    # The Enter key presses the first button of a form.
    first = re.search('<button[^>]*form="typed"[^>]*>', html)[0]
    assert "formaction" not in first and 'tabindex="-1"' in first and 'aria-hidden="true"' in first


def test_large_type_switch_never_redirects_to_another_site(client, firm):
    typed = firm(1, draft="register", elder="1")
    assert client.post("/drafts/?next=https://evil.example/", typed)["Location"] == "/"


def test_visitor_can_clear_the_form(client, firm, other):
    client.post("/register/", firm(1, uscc=""))
    assert 'name="clear"' in page(client, "/register/")
    answer = client.post("/drafts/?next=/register/", firm(1, draft="register", clear="1"), follow=True)
    assert firm(1)["enterprise_name"] not in answer.content.decode()
    assert "另一家的问题" in page(other, "/register/")


def test_draft_is_gone_after_two_hours(client, firm, other, time_machine):
    client.post("/register/", firm(1, uscc=""))
    time_machine.shift(3600)
    other.post("/drafts/", firm(2, draft="register", summary="另一家的问题"))
    time_machine.shift(3600)
    assert firm(1)["enterprise_name"] not in page(client, "/register/")
    assert drafts.PURGE.run("", timezone.now(), timezone.now()) == 1
    assert drafts.PURGE.run("", timezone.now(), timezone.now()) == 0
    assert "另一家的问题" in page(other, "/register/")


def test_draft_is_sealed_and_its_cookie_says_nothing(client, firm):
    client.post("/register/", firm(1, uscc="", summary=QUESTION))
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM web_draft")
        row = str(cursor.fetchall())
    cookie = client.cookies["draft"]
    for typed in (firm(1)["id_number"], firm(1)["phone"], QUESTION, "测试"):
        assert typed not in row and typed not in cookie.value
    assert cookie.value not in row
    assert cookie["httponly"] and cookie["samesite"] == "Lax" and not cookie["max-age"]


def test_draft_is_not_in_the_log(client, firm, caplog):
    client.post("/register/", firm(1, uscc=""))
    Client(enforce_csrf_checks=True).post("/register/", firm(1, draft="register"))
    assert firm(1)["phone"] not in caplog.text and firm(1)["id_number"] not in caplog.text


def test_page_with_a_draft_is_never_stored(client, firm):
    client.post("/register/", firm(1, uscc=""))
    for path in ("/register/", "/register/check/"):
        assert client.get(path)["Cache-Control"] == "private, no-store"


def test_text_that_cannot_be_kept_is_shown_in_the_answer_itself(client, firm, monkeypatch):
    monkeypatch.setattr(drafts, "SAVES_AN_HOUR", 0)
    answer = client.post("/register/", firm(1, uscc="", summary=QUESTION))
    assert answer.status_code == 200 and QUESTION in answer.content.decode()
    answer = client.post("/register/", firm(1, summary=QUESTION, step="check"))
    assert answer.status_code == 200 and "请核对" in answer.content.decode()
    assert not Draft.objects.exists()


@pytest.mark.parametrize(
    ("text", "redirects"), [("问" * 20_000, 1), ("a" * 120_000, 0)], ids=["kept", "too long"]
)
def test_text_over_the_limit_is_shown_whole_with_its_length(client, firm, text, redirects):
    answer = client.post("/register/", firm(1, summary=text), follow=True)
    html = answer.content.decode()
    assert text in html and f"已写 {len(text):,} 字，最多 2,000 字" in html
    assert len(answer.redirect_chain) == redirects


def test_visitor_without_a_draft_costs_no_query(client, django_assert_num_queries):
    client.get("/register/")
    with django_assert_num_queries(0):
        client.get("/register/")


def test_control_characters_of_a_pasted_text_are_left_out(client, firm):
    typed = firm(
        1, draft="register", step="check", summary="第一问\x0b第\x02二问\x00", contact_name="王\x7f测试"
    )
    html = client.post("/register/", typed, follow=True).content.decode()
    assert "<bdi>第一问\n第二问</bdi>" in html and "<bdi>王测试</bdi>" in html


# --- Cookies ---------------------------------------------------------------------------------------------------------
@pytest.fixture
def strict():
    """A browser whose forms are checked as in production."""
    return Client(enforce_csrf_checks=True)


def test_form_whose_cookies_are_gone_is_shown_again_and_can_be_sent(strict, firm):
    typed = firm(1, draft="register", summary=QUESTION, step="submit") | tokens(strict)
    strict.cookies.clear()
    answer = strict.post("/register/", typed, follow=True)
    html = answer.content.decode()
    assert answer.redirect_chain[-1] == ("/register/", 302)
    assert "页面放得太久" in html and QUESTION in html and not Appointment.objects.exists()
    strict.post("/register/", typed | dict(TOKEN.findall(html)))
    assert Appointment.objects.get().summary == QUESTION


def test_form_with_an_old_token_is_shown_again(strict, firm):
    strict.get("/register/")
    answer = strict.post("/register/", firm(1, draft="register", summary=QUESTION), follow=True)
    assert answer.redirect_chain == [("/register/", 302)]
    assert QUESTION in answer.content.decode()


def test_form_without_the_name_of_its_draft_is_shown_again_too(strict, firm):
    answer = strict.post("/register/", firm(1, summary=QUESTION, step="submit"), follow=True)
    assert QUESTION in answer.content.decode()


def test_browser_without_cookies_is_told_so_once_with_its_text(strict, firm):
    sent = strict.post("/register/", firm(1, draft="register", summary=QUESTION, step="submit"))
    answer = Client().get(sent["Location"])
    html = answer.content.decode()
    assert answer.status_code == 403 and title(html).startswith("错误：浏览器不保存")
    assert "允许本站保存数据" in html and "咨询电话" in html
    assert f"<dt>咨询事项或问题需求概述</dt><dd><bdi>{QUESTION}</bdi></dd>" in html
    assert 'action="/register/"' in html and 'name="draft" value="register"' in html


def test_address_that_was_used_to_find_out_about_cookies_opens_nothing_afterwards(strict, firm):
    sent = strict.post("/register/", firm(1, draft="register", summary=QUESTION))
    assert QUESTION in page(strict, sent["Location"])
    answer = Client().get(sent["Location"])
    assert (answer.status_code, answer["Location"]) == (302, "/")
    assert QUESTION in page(strict, "/register/")


def test_form_from_another_site_is_not_kept(strict, firm):
    strict.get("/register/")
    headers = {"Sec-Fetch-Site": "cross-site"}
    answer = strict.post("/register/", firm(1, draft="register", summary=QUESTION), headers=headers)
    assert answer.status_code == 403 and QUESTION not in answer.content.decode()
    assert not Draft.objects.exists()


# --- The forms about a registration ------------------------------------------------------------------------------------
AMENDED = {"contact_name": "新联系人", "id_type": "resident", "phone": "13800001111", "summary": QUESTION}
FORMS = {
    "amend": (Stage.SUBMITTED, AMENDED, "/status/amend/"),
    "supplement": (Stage.ACCEPTED, {"text": QUESTION}, "/status/"),
    "unsolved": (Stage.ANSWERED, {"reason": QUESTION}, "/status/"),
    "rate": (Stage.CLOSED, {"remark": QUESTION, "grade": "3"}, "/status/"),
}
each_form = pytest.mark.parametrize("form", FORMS)


@pytest.fixture
def opened(client, form):
    """The registration that the browser has opened; and a second one at the same stage."""
    stage = FORMS[form][0]
    closed = {"closed_at": NOW} if stage == Stage.CLOSED else {}
    made, bystander = (appointment(number, stage=stage, **closed) for number in (1, 2))
    look_up(client, made)
    return made, bystander


@each_form
def test_text_typed_until_the_registration_closed_is_there_after_the_next_look_up(
    client, form, opened, time_machine
):
    made, bystander = opened
    _, typed, where = FORMS[form]
    time_machine.shift(31 * 60)
    answer = client.post(f"/status/{form}/", typed | {"draft": f"{form} {made.reference}"}, follow=True)
    assert "刚才填写的内容都还在" in answer.content.decode()
    assert QUESTION not in answer.content.decode()
    assert QUESTION not in look_up(client, bystander).content.decode()
    client.post("/status/", {"reference": made.reference, "phone": made.phone_number})
    assert QUESTION in page(client, where)


@each_form
def test_look_up_leads_back_to_the_form_that_was_being_filled_in(client, form, opened, time_machine):
    made, _ = opened
    _, typed, where = FORMS[form]
    time_machine.shift(31 * 60)
    client.post(f"/status/{form}/", typed | {"draft": f"{form} {made.reference}"})
    answer = look_up(client, made)
    assert answer.redirect_chain[-1][0] == where and QUESTION in answer.content.decode()


@each_form
def test_form_about_a_registration_survives_lost_cookies(form, opened, strict):
    made, _ = opened
    typed = FORMS[form][1]
    answer = strict.post(f"/status/{form}/", typed | {"draft": f"{form} {made.reference}"}, follow=True)
    assert answer.redirect_chain[-1][0] == "/status/"
    html = strict.post(
        "/status/",
        {"reference": made.reference, "phone": made.phone_number}
        | dict(TOKEN.findall(answer.content.decode())),
        follow=True,
    ).content.decode()
    assert QUESTION in html


@each_form
def test_invalid_form_about_a_registration_is_announced_by_a_get(client, form, opened):
    _, typed, where = FORMS[form]
    wrong = {
        name: "" if name in ("phone", "text", "reason", "grade") else text for name, text in typed.items()
    }
    wrong |= {"remark": "字" * 501} if form == "rate" else {}
    answer = client.post(f"/status/{form}/", wrong, follow=True)
    assert answer.redirect_chain == [(f"{where}#error-summary", 302)]
    for html in (answer.content.decode(), page(client, where)):
        assert title(html).startswith("错误：") and 'id="error-summary"' in html
    assert ("字" * 501 in html) == (form == "rate")


@each_form
def test_done_form_about_a_registration_leaves_no_draft(client, form, opened):
    made, bystander = opened
    typed = FORMS[form][1]
    for each in (made, bystander):
        client.post("/drafts/", typed | {"draft": f"{form} {each.reference}"})
    client.post(f"/status/{form}/", typed)
    assert [draft.form for draft in Draft.objects.all()] == [f"{form} {bystander.reference}"]


def test_leaving_the_registration_erases_what_was_typed(client, other):
    made = appointment(1, stage=Stage.ANSWERED)
    look_up(client, made)
    client.post("/drafts/", {"draft": f"unsolved {made.reference}", "reason": QUESTION})
    client.post("/status/leave/")
    assert "另一家的问题" in page(other, "/register/") and Draft.objects.count() == 1


def test_text_of_a_form_that_is_not_offered_any_more_can_be_copied(client):
    made = appointment(1, stage=Stage.ANSWERED)
    look_up(client, made)
    client.post("/drafts/", {"draft": f"unsolved {made.reference}", "reason": QUESTION})
    Appointment.objects.update(stage=Stage.FOLLOWING)
    html = page(client, "/status/")
    assert "现在不能提交了" in html and QUESTION in html


def test_refused_act_is_announced(client):
    made = appointment(1, stage=Stage.ACCEPTED)
    look_up(client, made)
    Appointment.objects.update(stage=Stage.DECLINED)
    html = client.post("/status/withdraw/", follow=True).content.decode()
    assert title(html) == "错误：办理进度"
    assert re.search(
        'class="notice notice-error"[^>]*role="alert" tabindex="-1" autofocus', " ".join(html.split())
    )
    assert title(page(client, "/status/")) == "办理进度"


@pytest.mark.parametrize("act", ["supplement", "unsolved", "rate", "leave", "confirm"])
def test_address_of_an_act_leads_back_to_its_page(client, act):
    look_up(client, appointment(1))
    answer = client.get(f"/status/{act}/")
    assert (answer.status_code, answer["Location"]) == (302, "/status/")
    assert "办理经过" in page(client, "/status/")


@pytest.mark.parametrize("path", ["/status/", "/status/reference/"])
def test_short_forms_keep_what_was_typed(client, path):
    typed = {"reference": "K7M2-9QRT-4WXP-2H", "uscc": "9133", "phone": "138000"}
    html = client.post(path, typed, follow=True).content.decode()
    assert title(html).startswith("错误：") and 'value="138000"' in html
    assert 'value="138000"' in page(client, path)


def test_draft_older_than_the_key_ring_is_ignored(client, firm, settings):
    client.post("/register/", firm(1, uscc=""))
    settings.VAULT_KEYS = "t2:EBESExQVFhcYGRobHB0eHw=="
    assert firm(1)["enterprise_name"] not in page(client, "/register/")


def test_keeping_counts_by_address(client, firm, monkeypatch):
    monkeypatch.setattr(drafts, "SAVES_AN_HOUR", 2)
    answers = [client.post("/drafts/", firm(1, draft="register")).status_code for _ in range(3)]
    assert answers == [204, 204, 429]
    assert Client(REMOTE_ADDR="10.0.0.9").post("/drafts/", firm(2, draft="register")).status_code == 204
    assert timedelta(hours=1) == drafts.HOUR
