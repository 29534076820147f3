"""受理编号 and telephone as people type and paste them; wrong look-ups are limited, right ones never; a lost number."""

import pytest
from django.test import Client

from appointments.lifecycle import Stage
from appointments.models import Appointment
from appointments.references import LENGTH, clean_reference
from triage.tests.factories import NOW, appointment
from zhoushan_consult.audit.models import Entry
from zhoushan_consult.audit.verbs import Verb
from zhoushan_consult.outbox.delivery import deliver_due
from zhoushan_consult.outbox.models import Channel, Notice, State

pytestmark = pytest.mark.django_db

REFERENCE = "K7M2-9QRT-4WXP-2H"
MOBILE = "13800138000"


@pytest.fixture(autouse=True)
def the_twentieth(time_machine):
    time_machine.move_to(NOW, tick=False)


def looks_up(reference: str, phone: str, address: str = "10.0.0.1") -> str:
    """The page that a new browser at `address` sees."""
    browser = Client(REMOTE_ADDR=address)
    answer = browser.post("/status/", {"reference": reference, "phone": phone}, follow=True)
    return answer.content.decode()


@pytest.mark.parametrize(
    "typed",
    [
        "受理编号：K7M2-9QRT-4WXP-2H",
        "受理编号K7M2-9QRT-4WXP-2H。",
        "Ｋ７Ｍ２－９ＱＲＴ－４ＷＸＰ－２Ｈ",
        "k7m2 9qrt 4wxp 2h",
        "K7M2—9QRT—4WXP—2H",
        "K7M29QRT4WXP2H",
        "K7\u200bM2-9QRT-\u30004WXP-2H\ufeff",
        "K7M2-9QRT-4WXP-2H 13800138000",
        "SMS K7M2-9QRT-4WXP-2H",
        "2026-12-01 14:30:05 受理编号 K7M2-9QRT-4WXP-2H",
        "2026-12-01 14:30:05 编号k7m29qrt4wxp2h",
        "http://127.0.0.1:8000/status/ 受理编号 K7M2-9QRT-4WXP-2H",
        "您的企业环保咨询日登记已收到，受理编号 K7M2-9QRT-4WXP-2H，拟参加12月10日（周四）。凭编号和联系电话查进度：https://a.gov.cn/status/",
    ],
)
def test_number_is_read_as_it_was_pasted(typed):
    made, other = appointment(1, reference=REFERENCE), appointment(2)
    html = looks_up(typed, made.phone_number)
    assert made.enterprise_name in html and other.enterprise_name not in html


@pytest.mark.parametrize("typed", ["K7M2-9QRT-4WXP-2", "K7M2-9QRT-4WXP-2HX", "编号", "9QRT-K7M2-4WXP-2H"])
def test_other_numbers_find_nothing(typed):
    made = appointment(1, reference=REFERENCE)
    assert "没有查到" in looks_up(typed, made.phone_number)


def test_number_that_is_too_long_is_not_cut():
    assert len(clean_reference(REFERENCE + "X").replace("-", "")) == LENGTH + 1


@pytest.mark.parametrize(
    "typed", ["0580-2021234转8001", "0580-2021234-8001", "0580-2021234", "05802021234。", "+86 580 2021234"]
)
def test_land_line_is_read_with_and_without_its_extension(typed):
    made = appointment(1, phone="+865802021234;ext=8001")
    assert made.enterprise_name in looks_up(made.reference, typed)


@pytest.mark.parametrize("typed", ["0580-2021234转8002", "0580-2021235"])
def test_another_line_finds_nothing(typed):
    made = appointment(1, phone="+865802021234;ext=8001")
    assert "没有查到" in looks_up(made.reference, typed)


def test_extension_that_was_not_registered_finds_nothing():
    made = appointment(1, phone="+865802021234")
    assert "没有查到" in looks_up(made.reference, "0580-2021234转8001")


def test_right_look_ups_from_one_address_are_not_limited():
    firms = [appointment(number) for number in range(1, 6)]
    for round_ in range(5):
        for firm in firms:
            assert firm.enterprise_name in looks_up(firm.reference, firm.phone_number), round_


def test_wrong_look_ups_from_one_address_are_limited():
    made = appointment(1)
    for number in range(10):
        assert "没有查到" in looks_up(f"ABCD-EFGH-JKLM-{number + 20}", MOBILE)
    assert "次数过多" in looks_up("ABCD-EFGH-JKLM-99", MOBILE)
    assert "次数过多" in looks_up(made.reference, made.phone_number)
    assert made.enterprise_name in looks_up(made.reference, made.phone_number, address="10.0.0.2")


def test_wrong_look_ups_of_one_number_are_limited():
    made, other = appointment(1), appointment(2)
    for number in range(10):
        assert "没有查到" in looks_up(made.reference, f"138001380{number:02}", address=f"10.0.1.{number}")
    assert "次数过多" in looks_up(made.reference, made.phone_number, address="10.0.2.1")
    assert other.enterprise_name in looks_up(other.reference, other.phone_number, address="10.0.2.1")


def test_right_look_up_leaves_the_wrong_ones_counted():
    made = appointment(1)
    for number in range(9):
        looks_up(made.reference, f"138001380{number:02}")
    assert made.enterprise_name in looks_up(made.reference, made.phone_number)
    assert "没有查到" in looks_up(made.reference, MOBILE)
    assert "次数过多" in looks_up(made.reference, made.phone_number)


def test_limit_of_wrong_look_ups_ends_after_ten_minutes(time_machine):
    made = appointment(1)
    for number in range(11):
        looks_up(made.reference, f"138001380{number:02}")
    time_machine.shift(10 * 60)
    assert made.enterprise_name in looks_up(made.reference, made.phone_number)


# --- A lost number ---------------------------------------------------------------------------------------------------
@pytest.fixture
def asks(client):
    """`asks(code, phone)` at /status/reference/: the page that follows."""

    def ask(code: str, phone: str, browser: Client = client) -> str:
        answer = browser.post("/status/reference/", {"uscc": code, "phone": phone}, follow=True)
        return answer.content.decode()

    return ask


def sent() -> list[tuple[str, str, str]]:
    """The letters with a number: about whom, by which channel, to which telephone."""
    letters = Notice.objects.filter(kind="reference_again").order_by("pk")
    return [(letter.about_id, letter.channel, letter.to.open()) for letter in letters]


def test_lost_number_is_sent_to_the_registered_telephone_alone(asks):
    made, _ = appointment(1, email="firm@example.com"), appointment(2)
    assert "如果这两项与登记一致" in asks(made.uscc, made.phone_number)
    assert sent() == [(str(made.pk), Channel.SMS, made.phone_number)]
    assert made.reference in Notice.objects.get(kind="reference_again").text
    assert Entry.objects.filter(verb=Verb.REFERENCE_SENT).values_list("about_id", flat=True).get() == str(
        made.pk
    )


@pytest.mark.parametrize("typed", ["0580-2021234转8001", "0580-2021234"])
def test_lost_number_of_a_land_line_is_told_on_the_telephone(asks, typed):
    made = appointment(1, phone="+865802021234;ext=8001")
    asks(made.uscc, typed)
    assert sent() == [(str(made.pk), Channel.CALL, "+865802021234;ext=8001")]


def test_answer_does_not_tell_whether_there_is_a_registration(asks):
    made, other = appointment(1), appointment(2)
    wrong = [(made.uscc, MOBILE), (made.uscc, other.phone_number), ("91330902MA28K00157", MOBILE)]
    pages = [asks(code, phone, browser=Client()) for code, phone in wrong]
    assert sent() == []
    pages.append(asks(made.uscc, made.phone_number, browser=Client()))
    assert len(sent()) == 1
    assert len({page.partition("csrfmiddlewaretoken")[0] for page in pages}) == 1


def test_latest_registration_in_hand_is_meant(asks):
    made = appointment(1, stage=Stage.ACCEPTED)
    appointment(1, stage=Stage.WITHDRAWN, submitted_at=NOW)
    appointment(1, stage=Stage.CLOSED, on=NOW.date().replace(month=10, day=10))
    asks(made.uscc, made.phone_number)
    assert [about for about, _, _ in sent()] == [str(made.pk)]


@pytest.mark.parametrize("stage", [Stage.CLOSED, Stage.WITHDRAWN, Stage.DECLINED])
def test_number_of_a_finished_registration_is_sent_too(asks, stage):
    made = appointment(1, stage=stage)
    asks(made.uscc, made.phone_number)
    deliver_due(NOW)
    assert Notice.objects.get(kind="reference_again").state == State.SENT


def test_lost_number_is_sent_three_times_a_day_with_the_same_answer(asks, time_machine):
    made, other = appointment(1), appointment(2)
    pages = []
    for _ in range(5):
        time_machine.shift(60)
        pages.append(asks(made.uscc, made.phone_number, browser=Client()).partition("csrfmiddlewaretoken")[0])
    assert len(set(pages)) == 1 and len(sent()) == 3
    asks(other.uscc, other.phone_number)
    assert len(sent()) == 4
    time_machine.shift(24 * 3600)
    asks(made.uscc, made.phone_number)
    assert len(sent()) == 5


def test_stranger_who_knows_the_code_cannot_block_the_firm(asks):
    made = appointment(1)
    for number in range(9):
        asks(made.uscc, f"138001380{number:02}", browser=Client(REMOTE_ADDR="10.0.0.9"))
    asks(made.uscc, made.phone_number)
    assert len(sent()) == 1


def test_requests_from_one_address_are_limited(asks):
    made = appointment(1)
    for number in range(10):
        asks(made.uscc, f"138001380{number:02}")
    assert "一小时后再试" in asks(made.uscc, made.phone_number)
    assert sent() == []
    asks(made.uscc, made.phone_number, browser=Client(REMOTE_ADDR="10.0.0.9"))
    assert len(sent()) == 1


def test_look_up_page_leads_to_the_lost_number(client):
    assert 'href="/status/reference/"' in client.get("/status/").content.decode()
    assert client.get("/status/reference/").status_code == 200


def test_code_that_an_officer_admitted_is_taken(asks):
    made = appointment(1)
    Appointment.objects.update(uscc="91330902MA28K00158")  # a wrong check digit
    asks("91330902MA28K00158", made.phone_number)
    assert len(sent()) == 1
