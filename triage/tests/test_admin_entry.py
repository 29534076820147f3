"""代企业登记 (六（二）): an officer enters a firm that telephoned or was visited, also after the cutoff, with a reason."""

import re
from datetime import datetime

import pytest
import time_machine
from django.urls import reverse

from appointments.lifecycle import Stage
from appointments.models import Appointment, Channel
from sessions_app.days import day_on
from triage import seating
from triage.tests import factories as made
from zhoushan_consult.audit import trail
from zhoushan_consult.audit.verbs import Verb
from zhoushan_consult.bureau.roles import Role
from zhoushan_consult.clock import SHANGHAI
from zhoushan_consult.outbox.models import Notice
from zhoushan_consult.tests.people import resident_id

pytestmark = pytest.mark.django_db

SECOND = datetime(2026, 12, 2, 9, tzinfo=SHANGHAI)
ADD = "/admin/appointments/appointment/add/"


@pytest.fixture(autouse=True)
def on_the_second():
    with time_machine.travel(SECOND, tick=False):
        yield


@pytest.fixture
def browser(coordinator, signed_in):
    return signed_in(coordinator)


@pytest.fixture
def told(firm):
    """What an officer types in while the firm is on the telephone."""

    def make(number: int = 1, **changes) -> dict[str, str]:
        said = {"day": "2026-12", "channel": "phone", "reason": "企业月底停电，次日来电"} | changes
        return firm(number, **said)

    return make


def token(browser) -> str:
    return re.search(r'name="form_token" value="([^"]+)"', browser.get(ADD).content.decode())[1]


def send(browser, data, **changes):
    return browser.post(ADD, {"form_token": token(browser)} | data | changes)


def test_late_entry_registers_the_firm_and_shows_the_reference_to_read_out(browser, told, coordinator):
    answer = send(browser, told())
    entered = Appointment.objects.get()
    assert answer["Location"] == reverse("admin:appointments_appointment_received", args=[entered.pk])
    page = browser.get(answer["Location"]).content.decode()
    assert entered.reference in page
    assert "电话代录：企业月底停电，次日来电" in page
    assert entered.day.date == made.DAY
    assert (entered.channel, entered.entered_by, entered.stage) == (
        Channel.PHONE,
        coordinator,
        Stage.SUBMITTED,
    )
    assert entered.submitted_at == SECOND
    assert Notice.objects.filter(kind="booking_received", channel="sms").count() == 1
    kept = trail.about(entered).get()
    assert (kept.verb, kept.actor) == (Verb.REGISTERED, coordinator)
    assert kept.facts == {"channel": "phone", "reason": "企业月底停电，次日来电"}


def test_entry_form_is_linked_from_the_first_page_of_the_coordinator(browser):
    page = browser.get("/admin/").content.decode()
    assert f'href="{ADD}">代企业登记' in page


@pytest.mark.parametrize("role", sorted(set(Role) - {Role.COORDINATOR}))
def test_entry_is_refused_to_every_role_but_the_coordinator(role, officer, signed_in, told):
    browser = signed_in(officer(role, "水处", area="定海区"))
    assert browser.get(ADD).status_code == 403
    assert browser.post(ADD, told()).status_code == 403
    assert "代企业登记" not in browser.get("/admin/").content.decode()
    assert not Appointment.objects.exists()


@pytest.mark.parametrize(
    ("now", "days"),
    [
        ("2026-11-30 23:59:59", ["2026-12"]),
        ("2026-12-01 00:00:00", ["2026-12", "2027-01"]),
        ("2026-12-10 11:29:59", ["2026-12", "2027-01"]),
        ("2026-12-10 11:30:00", ["2027-01"]),
    ],
)
def test_entry_form_offers_a_day_closed_to_the_public_until_it_is_over(coordinator, signed_in, now, days):
    with time_machine.travel(datetime.fromisoformat(f"{now}+08:00"), tick=False):
        page = signed_in(coordinator).get(ADD).content.decode()
    assert re.findall(r'name="day" value="([\d-]+)"', page) == days


def test_entry_for_a_settled_day_is_neither_offered_nor_accepted(browser, coordinator, told):
    made.appointment(9, stage=Stage.ACCEPTED)
    stale = {"form_token": token(browser)}
    seating.settle(day_on(made.DAY), by=coordinator, at=SECOND)
    assert 'value="2026-12"' not in browser.get(ADD).content.decode()
    answer = browser.post(ADD, told() | stale)
    assert answer.status_code == 409
    assert "名单已经确定或活动已结束，不能再补录" in answer.content.decode()
    assert Appointment.objects.count() == 1
    assert send(browser, told(day="2027-01")).status_code == 302
    assert Appointment.objects.count() == 2


@pytest.mark.parametrize(
    ("day", "status", "says"),
    [
        ("2030-01", 409, "不能再补录"),
        ("2026-11", 409, "不能再补录"),
        ("x", 200, 'id="id_day_error"'),
        ("", 200, 'id="id_day_error"'),
    ],
)
def test_entry_for_a_day_not_offered_is_refused(browser, told, day, status, says):
    answer = send(browser, told(day=day))
    assert answer.status_code == status
    assert says in answer.content.decode()
    assert not Appointment.objects.exists()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"reason": " "}, "请写明代录或补录的理由"),
        ({"channel": ""}, "请选择企业是来电还是走访时登记的"),
        ({"channel": "online"}, "没有这个选项，请从列出的选项里选。"),
        ({"agree_notice": ""}, "对方口头同意后勾选"),
        ({"agree_id_use": ""}, "单独征得对方口头同意"),
        ({"id_number": "330902198001011239"}, "身份证号码"),
        ({"uscc": "91330902MA28K00158"}, "统一社会信用代码"),
    ],
)
def test_entry_form_names_the_mistake_and_keeps_what_was_typed(browser, told, change, said):
    answer = send(browser, told(summary="电话里问：尾水<怎么>排") | change)
    page = answer.content.decode()
    assert said in page
    assert "电话里问：尾水&lt;怎么&gt;排" in page
    assert "舟山测试1号水产有限公司" in page
    assert not Appointment.objects.exists()


def test_credit_code_with_a_wrong_check_digit_needs_a_reason(browser, told):
    wrong = "91330902MA28K00158"
    send(browser, told(uscc=wrong))
    assert not Appointment.objects.exists()
    send(browser, told(uscc=wrong, uscc_reason="看过执照照片"))
    entered = Appointment.objects.get()
    assert (entered.uscc, entered.entry_reason) == (
        wrong,
        "企业月底停电，次日来电（信用代码经核对营业执照：看过执照照片）",
    )


def test_malformed_credit_code_is_refused_even_with_a_reason(browser, told):
    answer = send(browser, told(uscc="91330902", uscc_reason="看过执照照片"))
    assert 'href="#id_uscc"' in answer.content.decode()
    assert not Appointment.objects.exists()


def test_second_click_on_the_entry_form_returns_the_first_receipt(browser, told, coordinator):
    data = told() | {"form_token": token(browser)}
    first, second = browser.post(ADD, data), browser.post(ADD, data)
    assert first["Location"] == second["Location"]
    Appointment.objects.update(stage=Stage.ACCEPTED)
    seating.settle(day_on(made.DAY), by=coordinator, at=SECOND)
    assert browser.post(ADD, data)["Location"] == first["Location"]
    assert Appointment.objects.count() == 1


@pytest.mark.parametrize("change", [{"day": "2027-01"}, {"reason": "另一个理由"}, {"summary": "另一个问题"}])
def test_form_token_already_used_is_refused_for_different_content(browser, told, change):
    data = told() | {"form_token": token(browser)}
    browser.post(ADD, data)
    answer = browser.post(ADD, data | change)
    assert answer.status_code == 409
    assert "已经提交过" in answer.content.decode()
    assert Appointment.objects.count() == 1


def test_firm_already_registered_for_the_day_cannot_be_entered_again(browser, told):
    send(browser, told())
    answer = send(browser, told(contact_name="另一人"))
    assert answer.status_code == 409
    assert "每期只需登记一次" in answer.content.decode()
    assert Appointment.objects.get().contact_name != "另一人"


def test_invalid_form_token_keeps_what_was_typed_and_asks_for_one_more_click(browser, told):
    answer = browser.post(ADD, told() | {"form_token": "forged"})
    page = answer.content.decode()
    assert answer.status_code == 403
    assert "再点一次" in page
    assert "舟山测试1号水产有限公司" in page
    again = re.search(r'name="form_token" value="([^"]+)"', page)[1]
    assert not Appointment.objects.exists()
    assert browser.post(ADD, told() | {"form_token": again}).status_code == 302
    assert Appointment.objects.count() == 1


def test_receipt_page_is_not_found_for_a_firm_that_registered_online(browser):
    own = made.appointment(1)
    assert browser.get(reverse("admin:appointments_appointment_received", args=[own.pk])).status_code == 404


def test_entry_reason_must_not_contain_an_id_number(browser, told):
    answer = send(browser, told(reason=f"法人{resident_id(3)}来电"))
    assert answer.status_code == 409
    assert "不能写入身份证号码" in answer.content.decode()
    assert not Appointment.objects.exists()
