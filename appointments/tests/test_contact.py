"""更正联系方式: by 综合处 for a reason, by the firm on its page; who is told, and what the trail keeps."""

import json
import re
from dataclasses import replace
from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError

from appointments import booking, contact, letters
from appointments.contact import Contact, contact_of
from appointments.facts import NotOpen
from appointments.lifecycle import ENDED, LIVE, Stage
from appointments.models import Appointment, ContactCorrection
from sessions_app.models import Seat
from triage.tests.factories import NOW, appointment, seated
from zhoushan_consult.audit import trail
from zhoushan_consult.audit.models import Entry
from zhoushan_consult.audit.verbs import Verb
from zhoushan_consult.bureau.models import NotAllowed
from zhoushan_consult.bureau.roles import GRANTS, Act, Role
from zhoushan_consult.outbox.adapters import MemoryAdapter
from zhoushan_consult.outbox.delivery import calls_to_make, deliver_due
from zhoushan_consult.outbox.models import Channel, Notice, State

pytestmark = pytest.mark.django_db

MEMORY = "zhoushan_consult.outbox.adapters.MemoryAdapter"
RIGHT, LAND_LINE = "+8613900000009", "+865802000001"
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
WHY = "企业来电说明换了号码"


@pytest.fixture(autouse=True)
def gateways(settings, time_machine):
    settings.OUTBOX_ADAPTERS = {"sms": MEMORY, "email": MEMORY}
    time_machine.move_to(NOW, tick=False)
    MemoryAdapter.forget()


def correct(firm: Appointment, *, by, at=NOW + HOUR, reason=WHY, **changes) -> ContactCorrection:
    return contact.correct(firm, replace(contact_of(firm), **changes), reason, by=by, at=at)


def sent(at) -> list[tuple[str, str]]:
    """Address and text of the letters that leave at `at`."""
    MemoryAdapter.forget()
    deliver_due(at)
    return sorted((to, text) for _, to, text in MemoryAdapter.sent)


def kinds_to(address: str) -> set[str]:
    return {letter.kind for letter in Notice.objects.all() if letter.to.open() == address}


# --- By 综合处 -------------------------------------------------------------------------------------------------------
def test_firm_is_told_at_its_new_phone_with_its_number(coordinator):
    firm, other = appointment(1), appointment(2)
    correct(firm, by=coordinator, phone=RIGHT)
    ((to, text),) = sent(NOW + HOUR)
    assert (to, firm.phone_number) == (RIGHT, RIGHT)
    assert firm.reference in text and "更正联系电话" in text
    assert contact_of(Appointment.objects.get(pk=other.pk)) == contact_of(other)


def test_firm_with_a_land_line_is_told_by_a_call(coordinator):
    firm = appointment(1)
    correct(firm, by=coordinator, phone=LAND_LINE)
    (call,) = calls_to_make()
    assert (call.kind, call.to.open()) == ("contact_corrected", LAND_LINE)


def test_correction_of_an_address_is_told_on_the_page_alone(coordinator):
    firm = appointment(1)
    correct(firm, by=coordinator, address="舟山市定海区新路1号", postcode="316001")
    assert sent(NOW + HOUR) == []
    page = Notice.objects.get(channel=Channel.PAGE)
    assert "综合处已更正这份登记的通信地址、邮政编码" in page.text
    assert "新的联系" not in page.text


def test_trail_tells_who_corrected_what_and_why_with_masked_values(coordinator):
    firm = appointment(1, email="old@example.com")
    old = firm.masked_phone
    correct(
        firm, by=coordinator, phone=RIGHT, email="new@example.com", contact_name="李新人", address="新路1号"
    )
    entry = trail.about(firm).get(verb=Verb.CONTACT_CORRECTED)
    assert (entry.actor, entry.facts["reason"]) == (coordinator, WHY)
    assert entry.facts["changed"] == [
        "姓名 测**→李**",
        f"联系电话 {old}→139****0009",
        "电子邮箱 o***@example.com→n***@example.com",
        "通信地址",
    ]


def test_trail_holds_no_value_in_clear(coordinator):
    firm = appointment(1, email="old@example.com")
    before = contact_of(firm)
    correct(
        firm, by=coordinator, phone=RIGHT, email="new@example.com", contact_name="李新人", address="新路1号"
    )
    kept = json.dumps(list(Entry.objects.values_list("facts", flat=True)), ensure_ascii=False)
    values = [
        before.phone[3:],
        RIGHT[3:],
        before.email,
        "new@example.com",
        before.contact_name,
        "李新人",
        "新路1号",
    ]
    assert [value for value in values if value in kept] == []


@pytest.mark.parametrize(
    "reason, says",
    [
        ("", "写明为什么"),
        ("  ", "写明为什么"),
        ("打13800001234联系上的", "手机号码"),
        ("改发 name@qq.com", "电子邮箱"),
        ("座机0580-2021234已停", "电话号码"),
    ],
)
def test_correction_needs_a_reason_without_numbers(coordinator, reason, says):
    firm = appointment(1)
    before = contact_of(firm)
    with pytest.raises(ValidationError, match=says):
        correct(firm, by=coordinator, reason=reason, phone=RIGHT)
    assert contact_of(Appointment.objects.get()) == before


@pytest.mark.parametrize("role", Role)
def test_only_those_who_telephone_correct_a_contact(officer, role):
    firm, who = appointment(1), officer(role, "水处")
    if Act.CALL in GRANTS[role]:
        correct(firm, by=who, phone=RIGHT)
        return
    with pytest.raises(NotAllowed):
        correct(firm, by=who, phone=RIGHT)
    assert not ContactCorrection.objects.exists()


@pytest.mark.parametrize("stage", sorted(LIVE - {Stage.SEATED}))
def test_contact_can_be_corrected_at_every_stage_until_it_has_ended(coordinator, stage):
    firm = appointment(1, stage=stage)
    correct(firm, by=coordinator, phone=RIGHT)
    assert Appointment.objects.get().phone_number == RIGHT


@pytest.mark.parametrize("stage", sorted(ENDED))
@pytest.mark.parametrize("days, may", [(7, True), (8, False)])
def test_contact_of_an_ended_registration_is_corrected_while_its_letters_are_fresh(
    coordinator, stage, days, may
):
    firm = appointment(1, stage=stage, closed_at=NOW)
    last = {
        Stage.WITHDRAWN: "booking_withdrawn",
        Stage.CLOSED: "feedback_closed",
        Stage.DECLINED: "priority_moved",
    }
    if stage == Stage.DECLINED:
        firm.handed_to = appointment(2)
        firm.save()
    letters.write(last[stage], firm, at=NOW)
    deliver_due(NOW)
    if may:
        correct(firm, by=coordinator, at=NOW + days * DAY, phone=RIGHT)
        return
    with pytest.raises(NotOpen, match="已经结束"):
        correct(firm, by=coordinator, at=NOW + days * DAY, phone=RIGHT)


def test_correction_that_changes_nothing_is_refused(coordinator):
    with pytest.raises(contact.NothingCorrected):
        correct(appointment(1), by=coordinator)
    assert not Entry.objects.filter(verb=Verb.CONTACT_CORRECTED).exists()


def test_second_officer_corrects_what_is_registered_now(coordinator):
    firm = appointment(1)
    stale = Appointment.objects.get()
    mark = contact_of(stale).mark()
    correct(firm, by=coordinator, phone=RIGHT)
    with pytest.raises(contact.ChangedMeanwhile):
        correct(stale, by=coordinator, phone=LAND_LINE)
    with pytest.raises(contact.ChangedMeanwhile):
        contact.correct(
            firm, replace(contact_of(firm), phone=LAND_LINE), WHY, version=mark, by=coordinator, at=NOW
        )
    assert Appointment.objects.get().phone_number == RIGHT


# --- The letters -----------------------------------------------------------------------------------------------------
def test_letters_that_wait_go_to_the_new_phone(coordinator):
    firm, other = seated(1), seated(2)
    for each in (firm, other):
        letters.write("seat_offered", each, at=NOW, **letters.seat_params(each))
    correct(firm, by=coordinator, phone=RIGHT)
    told = [to for to, _ in sent(NOW + HOUR)]
    assert told == sorted([RIGHT, RIGHT, other.phone_number])
    assert kinds_to(RIGHT) == {"seat_offered", "contact_corrected"}


def test_offer_sent_to_a_wrong_phone_begins_its_term_at_the_new_one(coordinator):
    firm, other = seated(1), seated(2)
    for each in (firm, other):
        letters.write("seat_offered", each, at=NOW, **letters.seat_params(each))
    deliver_due(NOW)
    began = Seat.objects.get(pk=firm.seat_id).reply_by
    correct(firm, by=coordinator, at=NOW + DAY, phone=RIGHT)
    assert Seat.objects.get(pk=firm.seat_id).reply_by is None
    assert Seat.objects.get(pk=other.seat_id).reply_by == began
    deliver_due(NOW + DAY)
    assert Seat.objects.get(pk=firm.seat_id).reply_by == began + DAY


def test_receipt_is_not_repeated_because_the_correction_says_the_number(coordinator):
    firm = appointment(1)
    letters.write("booking_received", firm, at=NOW)
    correct(firm, by=coordinator, phone=RIGHT)
    assert kinds_to(RIGHT) == {"contact_corrected"}
    assert [to for to, _ in sent(NOW + HOUR)] == [RIGHT]


def test_two_corrections_in_a_row_tell_only_the_last_address(coordinator):
    firm = appointment(1)
    correct(firm, by=coordinator, phone="+8613900000008")
    correct(firm, by=coordinator, phone=RIGHT)
    assert [to for to, _ in sent(NOW + HOUR)] == [RIGHT]


def test_amended_phone_gets_the_letters_that_could_not_be_delivered():
    firm = appointment(1)
    letters.write("review_reopened", firm, at=NOW)
    Notice.objects.filter(channel=Channel.SMS).update(state=State.FAILED)
    values = {
        name: getattr(firm, name)
        for name in ("enterprise_name", "uscc", "contact_name", "id_type", "summary")
    }
    form = booking.Registration(**values, id_number=firm.id_number.open(), phone=RIGHT)
    booking.amend(firm, form, at=NOW + HOUR)
    assert kinds_to(RIGHT) == {"review_reopened", "booking_amended"}


# --- By the firm itself ----------------------------------------------------------------------------------------------
@pytest.fixture
def opened(client):
    """A firm that has looked up its registration."""

    def look_up(firm):
        client.post("/status/", {"reference": firm.reference, "phone": firm.phone_number.removeprefix("+86")})
        return firm

    return look_up


def typed(firm: Appointment, **changes) -> dict:
    values = {name: getattr(contact_of(firm), name) for name in contact.FIELDS}
    return values | changes


def test_firm_corrects_its_contact_on_its_page(client, opened, coordinator):
    firm, other = opened(appointment(1, stage=Stage.ACCEPTED)), appointment(2)
    assert 'href="/status/contact/"' in client.get("/status/").content.decode()
    answer = client.post("/status/contact/", typed(firm, phone="139 0000 0009", email="new@example.com"))
    assert (answer.status_code, answer["Location"]) == (302, "/status/")
    firm.refresh_from_db()
    assert (firm.phone_number, firm.email) == (RIGHT, "new@example.com")
    assert "今后的通知按新的" in client.get("/status/").content.decode()
    assert contact_of(Appointment.objects.get(pk=other.pk)) == contact_of(other)
    entry = trail.about(firm).get(verb=Verb.CONTACT_CORRECTED)
    assert (entry.actor, entry.facts["changed"][0].split("→")[1]) == (None, "139****0009")


def test_coordinators_are_told_that_a_firm_corrected_its_contact(client, opened, coordinator):
    coordinator.phone = "+8613700000001"
    coordinator.save()
    firm = opened(appointment(1, stage=Stage.ACCEPTED))
    client.post("/status/contact/", typed(firm, phone=RIGHT, contact_name="李新人"))
    told = dict(sent(NOW))
    assert set(told) == {RIGHT, "+8613700000001"}
    assert "更正了姓名、联系电话，证件号码没有改" in told["+8613700000001"]
    assert RIGHT[3:] not in told["+8613700000001"]


def test_coordinators_are_not_told_of_their_own_correction(coordinator):
    coordinator.phone = "+8613700000001"
    coordinator.save()
    correct(appointment(1), by=coordinator, phone=RIGHT)
    assert not Notice.objects.filter(kind="contact_changed").exists()


def test_progress_is_looked_up_with_the_new_phone_alone(client, opened):
    firm = opened(appointment(1, stage=Stage.ACCEPTED))
    old = firm.phone_number
    client.post("/status/contact/", typed(firm, phone=RIGHT))
    assert booking.find(firm.reference, RIGHT) == firm
    assert booking.find(firm.reference, old) is None


def test_firm_that_moves_does_not_get_a_new_term(client, opened):
    firm = opened(seated(1))
    letters.write("seat_offered", firm, at=NOW - DAY, **letters.seat_params(firm))
    deliver_due(NOW - DAY)
    ends = Seat.objects.get(pk=firm.seat_id).reply_by
    client.post("/status/contact/", typed(firm, phone=RIGHT))
    assert Seat.objects.get(pk=firm.seat_id).reply_by == ends
    assert kinds_to(RIGHT) == {"contact_corrected"}


def test_wrong_input_is_explained_at_its_field_and_nothing_typed_is_lost(client, opened):
    firm = opened(appointment(1, stage=Stage.ACCEPTED))
    answer = client.post("/status/contact/", typed(firm, phone="2021234", address="新路8号"))
    assert answer.status_code == 302 and "2021234" not in answer["Location"]
    page = client.get(answer["Location"]).content.decode()
    assert "座机请在前面加上区号" in page
    assert 'value="2021234"' in page and 'value="新路8号"' in page
    assert not ContactCorrection.objects.exists()


def test_correction_without_a_change_says_so_and_stays_on_the_page(client, opened):
    firm = opened(appointment(1, stage=Stage.ACCEPTED))
    page = client.post("/status/contact/", typed(firm), follow=True).content.decode()
    assert "没有要更正的内容" in page


def test_what_was_typed_waits_after_a_session_that_ended(client, opened, time_machine):
    firm = opened(appointment(1, stage=Stage.ACCEPTED))
    page = client.get("/status/contact/").content.decode()
    draft = re.search(r'name="draft" value="([^"]+)"', page)[1]
    time_machine.shift(31 * 60)
    client.post("/status/contact/", typed(firm, phone="139 0000 0009", draft=draft))
    answer = client.post(
        "/status/", {"reference": firm.reference, "phone": firm.phone_number.removeprefix("+86")}
    )
    assert answer["Location"] == "/status/contact/"
    assert 'value="139 0000 0009"' in client.get(answer["Location"]).content.decode()


@pytest.mark.parametrize("stage", sorted(ENDED))
def test_firm_whose_registration_has_ended_is_led_back(client, opened, stage):
    firm = opened(appointment(1, stage=stage, closed_at=NOW))
    assert "/status/contact/" not in client.get("/status/").content.decode()
    for answer in (client.get("/status/contact/"), client.post("/status/contact/", typed(firm, phone=RIGHT))):
        assert answer["Location"] == "/status/"
    assert "已经结束" in client.get("/status/").content.decode()
    assert Appointment.objects.get().phone_number != RIGHT


def test_contact_is_not_corrected_without_a_look_up(client):
    firm = appointment(1)
    answer = client.post("/status/contact/", typed(firm, phone=RIGHT))
    assert answer["Location"] == "/status/"
    assert Appointment.objects.get().phone_number != RIGHT


def test_contact_itself_shows_nothing_in_an_error_report():
    shown = repr(Contact("王测试", RIGHT, "a@example.com", "新路1号"))
    assert not [value for value in ("王测试", RIGHT, "a@example.com", "新路1号") if value in shown]
