"""/status/ as a firm uses it: 受理编号 and phone, then the buttons that fit the stage."""

import pytest
from django.test import Client

from appointments import booking
from appointments.lifecycle import MOVES, Stage
from appointments.models import Appointment, Grade, Rating
from sessions_app import seats
from triage.tests.factories import NOW, appointment, seated

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def the_twentieth(time_machine):
    time_machine.move_to(NOW, tick=False)


def typed_phone(of: Appointment) -> str:
    return of.phone_number.removeprefix("+86")


@pytest.fixture
def look_up(client):
    def look(of, phone=None, browser=client):
        return browser.post("/status/", {"reference": of.reference, "phone": phone or typed_phone(of)})

    return look


def test_it_opens_with_reference_and_phone(client, look_up):
    made = appointment()
    assert look_up(made)["Location"] == "/status/"
    page = client.get("/status/").content.decode()
    assert made.enterprise_name in page
    assert "第 2 步，共 5 步" in page
    assert made.id_number.open() not in page


def test_it_forgives_how_the_reference_is_typed(client):
    made = appointment()
    answer = client.post(
        "/status/",
        {"reference": made.reference.lower().replace("-", " "), "phone": "+86 " + typed_phone(made)},
    )
    assert answer.status_code == 302


def test_it_answers_a_wrong_phone_and_a_wrong_reference_alike(client, look_up):
    made = appointment()
    wrong_phone = look_up(made, phone="13900000000")
    made.reference = "ABCD-EFGH-JKLM-NP"
    wrong_reference = look_up(made)
    assert wrong_phone.status_code == wrong_reference.status_code == 200
    assert "没有查到" in wrong_phone.content.decode()
    assert "没有查到" in wrong_reference.content.decode()


def test_it_stops_guessing_at_one_reference_from_many_addresses(look_up):
    made = appointment()
    for n in range(10):
        Client(REMOTE_ADDR=f"10.0.0.{n}").post(
            "/status/", {"reference": made.reference, "phone": f"1390000000{n}"}
        )
    assert look_up(made, browser=Client(REMOTE_ADDR="10.0.1.1")).status_code == 429


def test_it_closes_by_itself_after_half_an_hour(client, look_up, time_machine):
    look_up(appointment())
    time_machine.shift(31 * 60)
    assert "受理编号" in client.get("/status/").content.decode()
    assert "办理经过" not in client.get("/status/").content.decode()


def test_it_closes_when_the_visitor_leaves(client, look_up):
    look_up(appointment())
    client.post("/status/leave/")
    assert "办理经过" not in client.get("/status/").content.decode()


def test_it_withdraws_once_and_says_so_twice(client, look_up):
    made = appointment()
    look_up(made)
    for _ in range(2):
        assert client.post("/status/withdraw/").status_code == 302
    made.refresh_from_db()
    assert made.stage == Stage.WITHDRAWN
    assert made.moves.filter(new=Stage.WITHDRAWN).count() == 1


def test_it_amends_while_waiting_and_keeps_the_id_number(client, look_up):
    made = appointment()
    look_up(made)
    answer = client.post(
        "/status/amend/",
        {
            "contact_name": "新联系人",
            "id_type": "resident",
            "phone": "13800001111",
            "summary": "改后的问题",
            "wants_onsite": "0",
        },
    )
    assert answer.status_code == 302
    after = Appointment.objects.get()
    assert (after.summary, after.wants_onsite, after.version) == ("改后的问题", False, 2)
    assert after.id_number.open() == made.id_number.open()


def test_it_keeps_the_amendment_on_the_page_when_the_review_was_faster(client, look_up):
    made = appointment()
    look_up(made)
    Appointment.objects.update(stage=Stage.ACCEPTED)
    page = client.post(
        "/status/amend/",
        {"contact_name": "新", "id_type": "resident", "phone": "13800001111", "summary": "改后的问题"},
    ).content.decode()
    assert "网上不能再修改" in page
    assert "改后的问题" in page


def test_it_confirms_a_seat(client, look_up):
    made = seated()
    look_up(made)
    assert "确认参加" in client.get("/status/").content.decode()
    client.post("/status/confirm/")
    made.seat.refresh_from_db()
    assert made.seat.confirmed_at


def test_it_gives_a_seat_up_for_the_next_in_line(client, look_up):
    made = seated()
    look_up(made)
    client.post("/status/give-up/")
    made.refresh_from_db()
    assert (made.stage, made.seat, made.wants_onsite) == (Stage.ACCEPTED, None, False)
    assert seats.Seat.objects.filter(uscc=made.uscc).count() == 0


def test_it_says_so_when_the_seat_has_lapsed(client, look_up):
    made = seated()
    look_up(made)
    booking.give_up_seat(made, at=NOW)
    page = client.post("/status/confirm/", follow=True).content.decode()
    assert "已不在您名下" in page


def test_it_carries_a_deferred_firm_to_the_next_day_with_priority(client, look_up):
    made = appointment(stage=Stage.DEFERRED)
    look_up(made)
    client.post("/status/still-onsite/")
    made.refresh_from_db()
    assert (made.stage, made.day.date.isoformat()) == (Stage.ACCEPTED, "2027-01-10")
    assert made.priority_since == NOW


def test_it_takes_the_feedback_that_nothing_is_solved(client, look_up):
    made = appointment(stage=Stage.ANSWERED)
    look_up(made)
    assert "请写一两句" in client.post("/status/unsolved/", {"reason": ""}).content.decode()
    client.post("/status/unsolved/", {"reason": "还差材料清单"})
    made.refresh_from_db()
    assert made.stage == Stage.FOLLOWING


def test_it_reopens_within_the_term_only(client, look_up, time_machine):
    made = appointment(stage=Stage.CLOSED, closed_at=NOW)
    time_machine.shift(31 * 24 * 3600)
    look_up(made)
    page = client.post("/status/unsolved/", {"reason": "仍有问题"}, follow=True).content.decode()
    assert "请重新登记" in page


def test_it_rates_once_with_nothing_preselected(client, look_up):
    made = appointment(stage=Stage.CLOSED, closed_at=NOW)
    look_up(made)
    assert 'name="grade" value="5" checked' not in client.get("/status/").content.decode()
    client.post("/status/rate/", {"grade": "5", "remark": "好"})
    page = client.post("/status/rate/", {"grade": "1"}, follow=True).content.decode()
    assert Rating.objects.get().grade == Grade.VERY_GOOD
    assert "已经评价过" in page


@pytest.mark.parametrize("stage", Stage)
def test_it_offers_only_what_the_stage_allows(client, look_up, stage):
    made = seated() if stage == Stage.SEATED else appointment(stage=stage, closed_at=NOW)
    look_up(made)
    page = client.get("/status/").content.decode()
    assert ("确认撤回" in page) == (Stage.WITHDRAWN in MOVES[stage])
    assert ("修改登记" in page) == (stage == Stage.SUBMITTED)


@pytest.mark.parametrize("verb", ["withdraw", "confirm", "give-up", "still-onsite", "enough", "solved"])
def test_it_changes_nothing_when_a_link_is_opened(client, look_up, verb):
    made = appointment()
    look_up(made)
    assert client.get(f"/status/{verb}/").status_code == 405
    assert client.post(f"/status/{verb}/").status_code == 302  # and with the button it is an ordinary answer


def test_it_asks_again_when_nothing_is_open(client):
    assert "重新输入" in client.post("/status/withdraw/", follow=True).content.decode()
