"""Any request gets a page: at worst one that says what to correct, never a 500."""

import logging
import re
from html import unescape

import pytest
from django.test import Client, RequestFactory

from zhoushan_consult.wsgi import application

FORM = "application/x-www-form-urlencoded"


@pytest.fixture
def browser(db):
    return Client(raise_request_exception=True)


def said(response) -> str:
    return response.content.decode()


@pytest.mark.parametrize(
    "path", ["/%00", "/days/%00/", "/receipt/a%1Bb/", "/a%0Bb", "/%C2%85", "/admin/%00/"]
)
def test_path_with_control_characters_is_refused(browser, path):
    assert browser.get(path).status_code == 400


@pytest.mark.parametrize("path", ["/", "/answers/", "/admin/login/", "/desk/"])
@pytest.mark.parametrize(
    "query", ["q=%00", "q=%1b[2J", "%00=1", "q=%C2%9F", "q=%ED%A0%80", "q=%B7%CF", "q=%zz", "q=%", "q=\udcff"]
)
def test_unreadable_query_is_refused(browser, path, query):
    response = browser.get(path, QUERY_STRING=query.encode("utf-8", "surrogateescape").decode("latin-1"))
    assert response.status_code == 400
    assert "请核对链接是否完整" in said(response)


def test_query_may_hold_chinese_emoji_and_line_breaks(browser):
    response = browser.get("/days/", {"q": "废水\r\n\t🦀 50%"})
    assert response.status_code == 200


@pytest.mark.parametrize("path", ["/status/", "/register/", "/admin/login/", "/elder/", "/nowhere/"])
@pytest.mark.parametrize("charset", ["gbk", "gb18030", "utf-16", "utf-7"])
def test_form_in_another_charset_is_refused(browser, path, charset):
    response = browser.generic("POST", path, b"phone=1", content_type=f"{FORM}; charset={charset}")
    assert response.status_code == 400
    assert "没有保存" in said(response)


@pytest.mark.parametrize(
    "content_type",
    [
        f"{FORM}; charset=gbk",
        f"{FORM}; charset=hex",
        f"{FORM}; charset=undefined",
        f"{FORM}; charset=idna",
        "multipart/form-data; boundary=x; charset=rot13",
        f"{FORM}; charset*=no-such'zh'x",
        f"{FORM}; charset*=utf-8'zh'%00",
    ],
)
@pytest.mark.parametrize("query", ["", "q=1", "&".join("f=1" for _ in range(1500))])
def test_charset_that_django_cannot_decode_is_refused_by_the_wsgi_application(db, content_type, query):
    """Called as the web server calls the application, because it would fail there."""
    environ = RequestFactory().post("/status/", b"phone=1", content_type=FORM, QUERY_STRING=query).environ
    statuses = []
    application(environ | {"CONTENT_TYPE": content_type}, lambda status, headers: statuses.append(status))
    assert statuses == ["400 Bad Request"]


@pytest.mark.parametrize("charset", ["utf-8", "UTF-8", "no-such-charset"])
def test_form_in_utf8_or_an_unknown_charset_is_read(browser, charset):
    response = browser.generic("POST", "/elder/", "on=1", content_type=f"{FORM}; charset={charset}")
    assert response.status_code == 302
    assert response.cookies["elder"].value


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"--x\r\nContent-Disposition: form-data; name=a", "multipart/form-data"),
        (b"--x", "multipart/form-data; boundary="),
        (b"--x", "multipart/form-data; boundary=\xff"),
        (b"a=%zz", FORM),
        (b"a=%", FORM),
        (b"a=%ff", FORM),
        (b"a=\xff\xfe", FORM),
        (b"&".join(b"f%d=1" % number for number in range(1500)), FORM),
    ],
)
def test_broken_form_is_refused(browser, body, content_type):
    assert browser.post("/status/", body, content_type=content_type).status_code == 400


def test_query_with_too_many_fields_is_refused(browser):
    assert browser.get("/days/?" + "&".join(f"f{number}=1" for number in range(1500))).status_code == 400


@pytest.mark.parametrize("content_type", [FORM, "multipart/form-data; boundary=x", "application/json"])
def test_form_that_is_too_long_gets_a_413_page(browser, content_type):
    response = browser.post("/register/", b"a" * 300_000, content_type=content_type)
    assert response.status_code == 413
    assert "精简" in said(response)


@pytest.mark.parametrize("method", ["TRACE", "PUT", "DELETE", "OPTIONS", "PATCH", "BREW"])
@pytest.mark.parametrize("path", ["/", "/register/", "/admin/", "/healthz"])
def test_methods_other_than_get_head_and_post_are_not_allowed(browser, path, method):
    response = browser.generic(method, path)
    assert response.status_code == 405
    assert response["Allow"] == "GET, HEAD, POST"


class TestControlCharactersInAForm:
    """They come with text copied from a PDF, and cannot be seen."""

    def test_refused_form_offers_the_same_text_without_control_characters(self, browser):
        response = browser.post("/status/", {"reference": 'A"<b>\x02-\x0b1', "phone": ["1\x85", "2"]})
        assert response.status_code == 400
        page = said(response).partition("<h1>")[2]
        fields = re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)">', page)
        assert [(name, unescape(value)) for name, value in fields] == [
            ("reference", 'A"<b>-1'), ("phone", "1"), ("phone", "2"),
        ]  # fmt: skip

    def test_form_without_control_characters_is_taken(self, browser):
        response = browser.post("/status/", {"reference": "A-1", "phone": "1"}, follow=True)
        assert response.status_code == 200
        assert 'value="A-1"' in said(response)

    @pytest.mark.parametrize("sign", ["\x00", "\x07", "\x1b", "\x7f", "\x80", "\x9f"])
    def test_control_character_is_refused_in_names_and_values(self, browser, sign):
        assert browser.post("/status/", {"phone": f"1{sign}"}).status_code == 400
        assert browser.post("/status/", {f"phone{sign}": "1"}).status_code == 400

    def test_refused_form_does_not_repeat_a_password(self, browser):
        response = browser.post("/admin/login/", {"username": "a", "password": "Sec\x01ret-9"})
        assert response.status_code == 400
        assert "ret-9" not in said(response)

    @pytest.mark.parametrize("sign", ["\t", "\r\n", "\n", "　", "\u200b", "\u202e", "🦀", "\ufffd"])
    def test_ordinary_whitespace_and_unicode_are_taken(self, browser, sign):
        assert browser.post("/elder/", {"on": "1", "note": f"a{sign}b"}).status_code == 302


def test_log_of_refused_requests_has_nothing_that_was_sent(browser, caplog):
    with caplog.at_level(logging.DEBUG):
        browser.get("/receipt/secret-token%00/?q=330902198001010012")
        browser.post("/status/", b"phone=13800000001%zz", content_type=FORM)
        browser.post("/status/", {"phone": "13800000001\x00"})
        browser.get("/receipt/secret-token/nowhere/")
    assert caplog.text.count("request refused") >= 2
    assert not re.search("secret-token|330902198001010012|13800000001", caplog.text)
