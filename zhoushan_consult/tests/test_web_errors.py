"""Errors: a page in Chinese with the next step, the right status, and a log that quotes nothing that was typed."""

import logging
import re
from io import BytesIO

import pytest
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, InterfaceError, OperationalError
from django.http import HttpResponse
from django.test import Client
from django.urls import path

from zhoushan_consult.web import errors

RAISED = {
    "denied": PermissionDenied("您的岗位不能进行“初审”。"),
    "busy": OperationalError("canceling statement due to lock timeout\nDETAIL: row 13800000001"),
    "gone": InterfaceError("connection already closed"),
    "flaw": ValueError("13800000001"),
    "doubled": IntegrityError("Key (phone)=(13800000001) already exists"),
}


def fail(request, how):
    raise RAISED[how]


def form(request):
    return HttpResponse("saved")


urlpatterns = [path("fail/<str:how>/", fail), path("form/", form)]
handler400 = errors.bad_request
handler403 = errors.forbidden
handler404 = errors.not_found
handler500 = errors.server_error

pytestmark = pytest.mark.urls(__name__)


@pytest.fixture
def browser():
    return Client(raise_request_exception=False, enforce_csrf_checks=True)


@pytest.mark.parametrize("how", ["busy", "gone"])
def test_database_that_does_not_answer_is_a_503_with_retry_after(browser, how):
    response = browser.get(f"/fail/{how}/")
    assert response.status_code == 503
    assert int(response["Retry-After"]) > 0
    assert "过几分钟" in response.content.decode()


@pytest.fixture
def sent_away():
    """The 503 page that answers a form of these fields."""
    browser = Client(raise_request_exception=False)
    return lambda **fields: browser.post("/fail/busy/", fields).content.decode()


def test_503_page_keeps_the_typed_fields_to_be_submitted_again(sent_away):
    page = sent_away(summary='含"引号"的<问题>', topics=["water", "air"])
    assert "没有保存" in page
    assert 'name="summary" value="含&quot;引号&quot;的&lt;问题&gt;"' in page
    assert page.count('name="topics"') == 2
    assert re.search(r'<form method="post">.*<button[^>]*>再提交一次</button>', page, flags=re.DOTALL)


def test_503_page_repeats_no_password_and_no_file(sent_away):
    for fields in [{"username": "a", "password": "Geheim-7"}, {"note": "b", "sheet": BytesIO(b"%PDF")}]:
        page = sent_away(**fields)
        assert "没有保存" in page and "返回上一页" in page
        assert "<form" not in page and "Geheim-7" not in page


def test_503_page_of_a_get_does_not_mention_saving(browser):
    page = browser.get("/fail/busy/").content.decode()
    assert "没有保存" not in page and "刷新本页" in page


def test_500_page_shows_the_number_under_which_the_error_is_logged(browser, caplog):
    response = browser.get("/fail/flaw/")
    assert response.status_code == 500
    number = re.search(r"500 ([0-9a-f]{8}) on GET /fail/<str:how>/: ValueError", caplog.text)[1]
    assert number in response.content.decode()
    assert "test_web_errors.py" in caplog.text


@pytest.mark.parametrize("how", RAISED)
def test_log_of_an_error_has_no_address_and_no_exception_text(browser, how, caplog):
    with caplog.at_level(logging.DEBUG):
        browser.get(f"/fail/{how}/?phone=13800000001")
    assert "13800000001" not in caplog.text
    assert f"fail/{how}" not in caplog.text


def test_500_page_shows_no_exception(browser):
    page = browser.get("/fail/flaw/").content.decode()
    assert "12345" in page and "ValueError" not in page and "13800000001" not in page


def test_403_page_shows_the_reason_of_the_refusal(browser):
    response = browser.get("/fail/denied/")
    assert response.status_code == 403
    assert "您的岗位不能进行“初审”。" in response.content.decode()


def test_404_page_is_chinese(browser):
    response = browser.get("/no-such-page/")
    assert response.status_code == 404
    assert "没有找到这个页面" in response.content.decode()


def test_unknown_host_gets_a_400_page_that_does_not_repeat_it(browser):
    response = browser.get("/form/", headers={"host": "evil.example"})
    assert response.status_code == 400
    assert "evil.example" not in response.content.decode()


def test_csrf_failure_page_says_to_go_back(browser):
    response = browser.post("/form/", {"summary": "废水"})
    assert response.status_code == 403
    assert "请返回上一页" in response.content.decode()


def test_error_pages_are_never_stored(browser):
    for address in ["/no-such-page/", "/fail/busy/", "/fail/flaw/", "/fail/denied/"]:
        assert browser.get(address)["Cache-Control"] == "private, no-store"


def test_error_pages_have_the_security_headers(browser):
    for address in ["/no-such-page/", "/fail/flaw/", "/%00", "/?q=%zz"]:
        response = browser.get(address)
        assert "default-src 'self'" in response["Content-Security-Policy"]
        assert response["X-Content-Type-Options"] == "nosniff"


def test_429_page_says_when_to_try_again(rf):
    response = errors.too_many_requests(rf.get("/"))
    assert response.status_code == 429
    assert "过几分钟" in response.content.decode()


def test_every_page_of_errors_is_chinese_and_needs_no_database(rf):
    for name in ["400", "403", "404", "413", "429", "500", "503", "characters", "csrf"]:
        text = errors.render_error(rf.get("/"), name, 400).content.decode()
        words = re.sub(r"<svg.*?</svg>|<[^>]*>", " ", text, flags=re.DOTALL)
        assert set(re.findall(r"[A-Za-z]{2,}", words)) <= {"ICP", "PDF", "Cookie"}, name
