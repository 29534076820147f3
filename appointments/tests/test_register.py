"""/register/ as a firm uses it (六（二）, 附件2)."""

import re
from datetime import date

import pytest
from django.core import signing
from django.db import connection
from django.test import Client

from appointments.lifecycle import Stage
from appointments.models import Appointment
from sessions_app import policy
from zhoushan_consult.audit.models import Entry
from zhoushan_consult.audit.verbs import Verb
from zhoushan_consult.outbox.models import Channel, Notice

pytestmark = pytest.mark.django_db

TOKEN = re.compile(r'name="form_token" value="([^"]+)"')


@pytest.fixture(autouse=True)
def the_twentieth(time_machine):
    time_machine.move_to("2026-11-20T10:00:00+08:00", tick=False)


def opened(browser: Client) -> str:
    """The token of a form freshly opened in `browser`."""
    return TOKEN.search(browser.get("/register/").content.decode())[1]


def address(answer) -> str:
    """Where the browser is after the redirects."""
    return answer.redirect_chain[-1][0]


@pytest.fixture
def submit(client, firm):
    def send(number=1, browser=client, token=None, step="submit", **changes):
        """The page at the end of the redirects, as a browser shows it."""
        data = firm(number, **changes) | {"step": step, "form_token": token or opened(browser)}
        typed = {name: text for name, text in data.items() if text is not None}
        return browser.post("/register/", typed, follow=True)

    return send


def test_registration_is_saved_with_one_post_and_shows_the_receipt(submit):
    answer = submit()
    made = Appointment.objects.get()
    assert address(answer) == f"/receipt/{made.receipt_token}/"
    assert made.reference in answer.content.decode()
    assert (made.stage, made.day.date) == (Stage.SUBMITTED, date(2026, 12, 10))


def test_registration_writes_its_notices_and_audit_entry(submit):
    submit()
    made = Appointment.objects.get()
    assert set(Notice.objects.values_list("channel", flat=True)) == {Channel.PAGE, Channel.SMS, Channel.EMAIL}
    sms = Notice.objects.get(channel=Channel.SMS)
    assert made.reference in sms.text
    assert made.enterprise_name not in sms.text
    assert Entry.objects.filter(about_id=str(made.pk), verb=Verb.REGISTERED).exists()


def test_check_step_shows_all_typed_data_before_sending(submit, firm):
    page = submit(step="check").content.decode()
    typed = firm(1)
    assert Appointment.objects.count() == 0
    assert typed["enterprise_name"] in page
    masked = typed["id_number"][:4] + "*" * 10 + typed["id_number"][-4:]
    assert f"<bdi>{masked}</bdi>" in page


def test_one_wrong_field_keeps_what_was_typed(submit, firm):
    page = submit(uscc="91330902MA28K00158", summary="问题一：排污口怎么设？").content.decode()
    assert Appointment.objects.count() == 0
    assert "问题一：排污口怎么设？" in page
    assert firm(1)["id_number"] in page
    assert 'href="#id_uscc"' in page


@pytest.mark.parametrize(
    "field", ["enterprise_name", "uscc", "contact_name", "id_number", "phone", "summary"]
)
def test_six_starred_fields_are_required(submit, field):
    page = submit(**{field: ""}).content.decode()
    assert f'href="#id_{field}"' in page
    assert not Appointment.objects.exists()


@pytest.mark.parametrize("field", ["address", "postcode", "email", "id_type", "wants_onsite"])
def test_other_fields_are_optional(submit, field):
    assert address(submit(**{field: None})).startswith("/receipt/")
    assert Appointment.objects.count() == 1


@pytest.mark.parametrize("field", ["agree_notice", "agree_id_use"])
def test_each_consent_is_required(submit, field):
    assert f'href="#id_{field}"' in submit(**{field: None}).content.decode()
    assert not Appointment.objects.exists()


def test_same_form_sent_twice_shows_the_same_receipt(client, submit):
    token = opened(client)
    first, second = submit(token=token), submit(token=token)
    assert address(first) == address(second)
    assert Appointment.objects.count() == 1


def test_same_form_with_other_content_is_refused(client, submit):
    token = opened(client)
    submit(token=token)
    page = submit(token=token, summary="完全不同的问题").content.decode()
    assert "内容与这次不同" in page and "完全不同的问题" in page
    assert Appointment.objects.get().summary != "完全不同的问题"


def test_token_used_in_another_browser_reveals_nothing(client, submit):
    token = opened(client)
    submit(token=token)
    reference = Appointment.objects.get().reference
    thief = Client()
    thief.get("/register/")
    answer = submit(browser=thief, token=token)
    assert address(answer) == "/register/check/"
    assert reference not in answer.content.decode()
    assert "不是在本浏览器打开的" in answer.content.decode()


def test_forged_token_is_refused(submit):
    answer = submit(token=signing.dumps(["a", "b", "2026-12-10"], salt="another"))
    assert address(answer) == "/register/check/"
    assert Appointment.objects.count() == 0


def test_firm_has_one_live_registration_a_day(submit):
    submit()
    page = submit(browser=Client(), summary="另一个问题").content.decode()
    assert "同一企业每期只需登记一次" in page
    assert Appointment.objects.get().reference not in page


def test_firm_can_register_again_after_withdrawing(submit):
    submit()
    Appointment.objects.update(stage=Stage.WITHDRAWN)
    assert address(submit(browser=Client())).startswith("/receipt/")
    stages = Appointment.objects.order_by("pk").values_list("stage", flat=True)
    assert list(stages) == [Stage.WITHDRAWN, Stage.SUBMITTED]


def test_cutoff_passed_while_the_form_was_open_is_explained(client, submit, time_machine):
    time_machine.move_to("2026-11-30T23:59:30+08:00", tick=False)
    token = opened(client)
    time_machine.move_to("2026-12-01T00:00:00+08:00", tick=False)
    page = submit(token=token).content.decode()
    assert Appointment.objects.count() == 0
    assert "12月10日（周四）的预约已截止" in page
    assert "1月10日（周日）" in page
    submit(token=TOKEN.search(page)[1])
    assert Appointment.objects.get().day.date == date(2027, 1, 10)


def test_registration_joins_the_old_day_until_the_last_moment(submit, time_machine):
    time_machine.move_to("2026-11-30T23:59:59.999+08:00", tick=False)
    submit()
    assert Appointment.objects.get().day.date == date(2026, 12, 10)


def test_honeypot_discards_the_form_of_a_robot_silently(submit):
    assert address(submit(website="http://example.com")) == "/"
    assert Appointment.objects.count() == 0


def test_rate_limit_for_one_address_keeps_what_was_typed(submit, firm, monkeypatch):
    monkeypatch.setattr(policy, "REGISTRATIONS_AN_HOUR", 3)
    answers = [submit(n, browser=Client()) for n in range(1, 5)]
    assert [address(answer).split("/")[1] for answer in answers] == ["receipt"] * 3 + ["register"]
    page = answers[3].content.decode()
    assert "一小时后再试" in page and firm(4)["enterprise_name"] in page


def test_notices_to_one_phone_and_email_are_limited(submit, firm):
    victim = firm(1)["phone"]
    for n in range(1, 6):
        assert address(submit(n, browser=Client(), phone=victim, email="a@example.com")).startswith(
            "/receipt/"
        )
    by_channel = [
        Notice.objects.filter(channel=channel).count()
        for channel in (Channel.PAGE, Channel.SMS, Channel.EMAIL)
    ]
    assert by_channel == [5, 3, 3]


def test_columns_not_on_the_form_are_ignored(submit):
    submit(stage="seated", priority_since="2020-01-01", reference="X", day="1", seat="1", channel="visit")
    made = Appointment.objects.get()
    assert (made.stage, made.priority_since, made.seat, made.channel) == (
        Stage.SUBMITTED,
        None,
        None,
        "online",
    )


def test_full_width_phone_with_extension_is_normalized(submit):
    submit(phone="０５８０-2021234转8001")
    assert Appointment.objects.get().phone_number == "+865802021234;ext=8001"


def test_pasted_fields_are_normalized(submit):
    submit(
        enterprise_name="\ufeff舟山（海宁）ＡＢ有限公司。",
        postcode="邮编：３１６　０２１",
        contact_name="阿卜杜拉•买买提\u200b",
        email="邮箱：Name@ＱＱ．com。",
        address="  临城街道\u3000海天大道\n681号 ",
    )
    made = Appointment.objects.get()
    assert (made.enterprise_name, made.contact_name) == ("舟山（海宁）AB有限公司", "阿卜杜拉·买买提")
    assert (made.postcode, made.email) == ("316021", "Name@qq.com")
    assert made.address == "临城街道 海天大道 681号"


@pytest.mark.parametrize("name", ["王䶮", "𠮷", "字" * 100])
def test_rare_and_long_names_are_stored(submit, name):
    submit(contact_name=name, enterprise_name=name)
    made = Appointment.objects.get()
    assert (made.contact_name, made.enterprise_name) == (name, name)
    assert set(Notice.objects.values_list("to_name", flat=True)) == {name}


@pytest.mark.parametrize(
    ("field", "typed", "reason"),
    [
        ("email", "name@qq.com手机同微信", "邮箱前后有其他文字"),
        ("email", "a@qq.com；b@qq.com", "只能填一个邮箱"),
        ("email", "没有", "没有可以不填"),
        ("postcode", "3160", "邮政编码是 6 位数字"),
        ("contact_name", "138", "至少要有一个汉字或字母"),
        ("contact_name", "张三13800138000", "这里只填姓名"),
        ("enterprise_name", "字" * 101, "已写 101 字，最多 100 字"),
        ("address", "字" * 151, "已写 151 字，最多 150 字"),
        ("summary", "字" * 2134, "已写 2,134 字，最多 2,000 字"),
        ("summary", "？", "至少要写 2 字"),
        ("uscc", "9" * 300, "已写 300 字"),
        ("phone", "1" * 300, "已写 300 字"),
        ("id_number", "1" * 300, "已写 300 字"),
    ],
)
def test_what_cannot_be_meant_is_kept_and_refused_with_its_reason(submit, field, typed, reason):
    page = submit(**{field: typed}).content.decode()
    assert reason in page and typed in page and page.count('class="field field-error"') == 1
    assert not Appointment.objects.exists()


@pytest.mark.parametrize("field", ["enterprise_name", "contact_name"])
def test_name_of_invisible_marks_is_missing(submit, field):
    page = submit(**{field: "\u200b\u3000"}).content.decode()
    assert f'href="#id_{field}"' in page and "请填写" in page


def test_line_break_of_a_question_counts_as_one_character(submit):
    submit(summary=("字" * 19 + "\r\n") * 100)
    assert Appointment.objects.get().summary == "\n".join(["字" * 19] * 100)


@pytest.mark.parametrize(
    "path", ["/register/", "/status/", "/status/reference/", "/answers/", "/admin/login/", "/desk/login/"]
)
def test_no_input_cuts_what_is_pasted(client, path):
    page = client.get(path).content.decode()
    assert "<input" in page and "maxlength" not in page and "minlength" not in page


def test_id_number_is_never_stored_in_plain_text(submit, firm):
    submit()
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM appointments_appointment")
        (row,) = cursor.fetchall()
    assert firm(1)["uscc"] in str(row) and firm(1)["id_number"] not in str(row)


def test_blank_form_needs_no_queries(client, django_assert_num_queries):
    client.get("/register/")
    with django_assert_num_queries(0):
        page = client.get("/register/").content.decode()
    assert 'name="enterprise_name"' in page


def test_registration_is_saved_in_few_queries(client, submit, firm, django_assert_max_num_queries):
    submit()
    token = opened(client)
    # Before: the day, the areas, the rate, the form sent before, the receipts. Then eight in one transaction.
    typed = firm(2) | {"step": "submit", "form_token": token}
    with django_assert_max_num_queries(13):
        client.post("/register/", typed)
    assert Appointment.objects.count() == 2
