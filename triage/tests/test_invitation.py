"""The calendar entry of a seated firm: sent, updated, cancelled, and downloaded from its progress page."""

import re
from datetime import UTC, timedelta
from email import message_from_bytes

import pytest
from django.core import mail

from appointments import booking, calendar_entry
from appointments.lifecycle import Stage
from appointments.models import Appointment
from sessions_app import calendar, policy
from sessions_app.models import ConsultDay, Plan
from triage import plan_changes, reminders, seating
from triage.tests.factories import DAY, NOW, appointment, seated
from zhoushan_consult.outbox.adapters import MemoryAdapter
from zhoushan_consult.outbox.delivery import deliver_due
from zhoushan_consult.outbox.gateways.registered import RegisteredTemplate
from zhoushan_consult.outbox.models import Channel, Notice, State
from zhoushan_consult.outbox.sms_texts import wordings

pytestmark = pytest.mark.django_db

PLACE = "舟山市定海区海天大道681号,一楼;大厅\\西侧"
MAIL = "firm1@example.com"


def parsed(text: str) -> dict[str, str]:
    """An iCalendar text with one event, read as RFC 5545 says; every line of it is checked on the way."""
    assert text.endswith("END:VCALENDAR\r\n")
    lines = text.removesuffix("\r\n").split("\r\n")
    assert all(len(line.encode()) <= 75 and "\n" not in line and "\r" not in line for line in lines)
    whole = "\r\n".join(lines).replace("\r\n ", "").split("\r\n")
    assert [line for line in whole if line.startswith(("BEGIN", "END"))] == [
        "BEGIN:VCALENDAR", "BEGIN:VEVENT", "END:VEVENT", "END:VCALENDAR",
    ]  # fmt: skip
    pairs = [re.fullmatch(r'([A-Z-]+)((?:;[A-Z]+="[^"]*")*):(.*)', line) for line in whole]
    names = [pair[1] for pair in pairs if pair[1] not in ("BEGIN", "END")]
    assert len(names) == len(set(names))
    return {pair[1]: unescaped(pair[3]) for pair in pairs}


def unescaped(value: str) -> str:
    return re.sub(r"\\(.)", lambda found: "\n" if found[1] in "nN" else found[1], value)


def entries(of: Appointment) -> list[dict[str, str]]:
    """The calendar entries that were sent to the firm's mailbox, in order."""
    sent = Notice.objects.filter(channel=Channel.EMAIL, about_id=str(of.pk), state=State.SENT)
    letters = sent.order_by("sent_at", "pk")
    return [parsed(letter.calendar.open()) for letter in letters if letter.calendar]


@pytest.fixture(autouse=True)
def gateways(settings):
    settings.OUTBOX_ADAPTERS = dict.fromkeys(
        ["sms", "email"], "zhoushan_consult.outbox.adapters.MemoryAdapter"
    )
    MemoryAdapter.forget()


@pytest.fixture
def firm():
    made = appointment(1, stage=Stage.ACCEPTED, email=MAIL)
    ConsultDay.objects.filter(pk=made.day_id).update(place=PLACE, theme="涉水", plan=Plan.PUBLISHED)
    return Appointment.objects.select_related("day").get(pk=made.pk)


@pytest.fixture
def offered(firm):
    """The offer has left."""
    seating.seat_firm(firm, by=None, at=NOW)
    deliver_due(NOW)
    return Appointment.objects.select_related("day", "seat").get(pk=firm.pk)


HOUR = timedelta(hours=1)


def test_offer_carries_a_tentative_calendar_entry(offered, settings):
    (entry,) = entries(offered)
    assert (entry["METHOD"], entry["STATUS"]) == ("PUBLISH", "TENTATIVE")
    assert (entry["DTSTART"], entry["DTEND"]) == (
        "20261210T003000Z",
        "20261210T033000Z",
    )  # 8:30 to 11:30 here
    assert entry["LOCATION"] == PLACE
    assert entry["SUMMARY"] == "企业环保咨询日现场咨询（待确认）"
    assert f"受理编号 {offered.reference}。" in entry["DESCRIPTION"] and "\n" in entry["DESCRIPTION"]
    assert entry["ORGANIZER"].startswith("mailto:") and entry["VERSION"] == "2.0"
    assert entry["DTSTAMP"] == f"{NOW.astimezone(UTC):%Y%m%dT%H%M%SZ}"


def test_entry_uid_does_not_reveal_the_firm(offered):
    (entry,) = entries(offered)
    uid, _, host = entry["UID"].partition("@")
    assert re.fullmatch("[0-9a-f]{32}", uid) and host
    assert offered.reference not in entry["UID"] and str(offered.pk) != uid
    other = seated(2, email=MAIL)
    assert parsed(calendar_entry.render(other, confirmed=False, at=NOW))["UID"] != entry["UID"]


def test_updates_keep_the_entry_uid_and_increase_its_sequence(offered, coordinator, monkeypatch):
    booking.confirm_seat(offered, at=NOW + HOUR)
    deliver_due(NOW + HOUR)
    ConsultDay.objects.filter(pk=offered.day_id).update(place="新城办公楼")
    eve = calendar.local_datetime(DAY - timedelta(days=1)) + 9 * HOUR
    monkeypatch.setattr(policy, "OPENS_AT", policy.OPENS_AT.replace(hour=9))
    reminders.remind_firms("", eve, eve)
    deliver_due(eve)
    found = entries(offered)
    assert {entry["UID"] for entry in found} == {found[0]["UID"]}
    assert [entry["STATUS"] for entry in found] == ["TENTATIVE", "CONFIRMED", "CONFIRMED"]
    numbers = [int(entry["SEQUENCE"]) for entry in found]
    assert numbers == sorted(set(numbers)) and numbers[0] >= 0 and numbers[-1] < 2**31
    assert (found[2]["LOCATION"], found[2]["DTSTART"]) == ("新城办公楼", "20261210T013000Z")


def test_plan_change_updates_the_place_in_the_entry(offered, coordinator):
    day = ConsultDay.objects.get(pk=offered.day_id)
    wording = {"theme": day.theme, "place": "新城办公楼", "partners": "", "note": "", "version": day.version}
    plan_changes.change(day, [], "会议室维修", by=coordinator, at=NOW + HOUR, **wording)
    deliver_due(NOW + HOUR)
    first, second = entries(offered)
    assert (second["METHOD"], second["LOCATION"], second["UID"]) == ("PUBLISH", "新城办公楼", first["UID"])
    assert int(second["SEQUENCE"]) > int(first["SEQUENCE"])


def give_up(firm, leader):
    booking.give_up_seat(firm, at=NOW + HOUR)


def lapse(firm, leader):
    seating.fill(firm.day, at=NOW + timedelta(days=3))


def withdraw(firm, leader):
    booking.withdraw(firm, at=NOW + HOUR)


def cancel_day(firm, leader):
    plan_changes.cancel(firm.day, "台风", by=leader, at=NOW + HOUR)


@pytest.mark.parametrize("act", [give_up, lapse, withdraw, cancel_day])
def test_lost_seat_cancels_the_entry_that_was_sent(offered, officer, act):
    act(offered, officer("局领导"))
    deliver_due(NOW + timedelta(days=3))
    invited, cancelled = entries(offered)
    assert (cancelled["METHOD"], cancelled["STATUS"]) == ("CANCEL", "CANCELLED")
    same = ["UID", "DTSTART", "DTEND", "LOCATION", "ORGANIZER"]
    assert [cancelled[name] for name in same] == [invited[name] for name in same]
    assert int(cancelled["SEQUENCE"]) > int(invited["SEQUENCE"])
    letter = Notice.objects.filter(channel=Channel.EMAIL).latest("pk")
    assert "从日历中删去" in letter.text


def test_entry_is_cancelled_once_and_only_if_it_was_sent(offered):
    booking.give_up_seat(offered, at=NOW + HOUR)
    deliver_due(NOW + HOUR)
    booking.withdraw(offered, at=NOW + 2 * HOUR)
    never = appointment(3, email=MAIL)
    booking.withdraw(never, at=NOW + 2 * HOUR)
    deliver_due(NOW + 2 * HOUR)
    assert [entry["METHOD"] for entry in entries(offered)] == ["PUBLISH", "CANCEL"]
    assert entries(never) == []
    withdrawn = Notice.objects.get(channel=Channel.EMAIL, about_id=str(never.pk))
    assert "登记已撤回" in withdrawn.text and "日历" not in withdrawn.text


def test_offer_that_did_not_leave_in_time_invites_to_nothing(firm):
    """The firm gives its seat up on its page while the mail server is down: there is no entry to be cancelled."""
    seating.seat_firm(firm, by=None, at=NOW)
    booking.give_up_seat(Appointment.objects.select_related("day", "seat").get(pk=firm.pk), at=NOW + HOUR)
    deliver_due(NOW + 2 * HOUR)
    assert entries(firm) == []
    left = Notice.objects.filter(state=State.SENT).exclude(channel=Channel.PAGE)
    assert {letter.kind for letter in left} == {"seat_given_up"}


def test_only_the_email_carries_a_calendar_entry(offered):
    carried = {notice.channel: bool(notice.calendar) for notice in Notice.objects.all()}
    assert carried == {Channel.PAGE: False, Channel.SMS: False, Channel.EMAIL: True}


@pytest.mark.parametrize(
    "place", ["", "一\n楼", "甲" * 120, "a" * 200, "😀" * 40, "\\n;,:\"'", "一\u2028二\x00三\r\n四"]
)
def test_any_place_can_be_read_back_from_the_entry(firm, place):
    firm.day.place = place
    entry = parsed(calendar_entry.render(firm, confirmed=True, at=NOW))
    kept = "\n".join("".join(filter(str.isprintable, line)) for line in place.splitlines())
    assert entry.get("LOCATION", "") == kept


def test_email_attaches_the_entry_as_a_calendar_file(firm, settings):
    settings.OUTBOX_ADAPTERS = {"email": "zhoushan_consult.outbox.adapters.DjangoEmailAdapter"}
    seating.seat_firm(firm, by=None, at=NOW)
    deliver_due(NOW)
    booking.give_up_seat(Appointment.objects.select_related("day", "seat").get(pk=firm.pk), at=NOW + HOUR)
    deliver_due(NOW + HOUR)
    messages = [message_from_bytes(letter.message().as_bytes()) for letter in mail.outbox]
    for message, method in zip(messages, ["PUBLISH", "CANCEL"], strict=True):
        text, attached = message.get_payload()
        assert "您好" in text.get_payload(decode=True).decode()
        assert attached.get_content_type() == "text/calendar"
        assert attached.get_param("method") == method
        assert attached.get_filename() == "咨询日.ics"
        assert parsed(attached.get_payload(decode=True).decode())["METHOD"] == method


# --- The same file on the progress page -----------------------------------------------------------------------------


def look_up(client, firm):
    phone = firm.phone_number.removeprefix("+86")
    client.post("/status/", {"reference": firm.reference, "phone": phone})
    return client.get("/status/").content.decode()


def test_progress_page_offers_the_current_entry(client, offered, time_machine):
    time_machine.move_to(NOW + HOUR, tick=False)
    (address,) = re.findall(r'href="([^"]+calendar\.ics)"', look_up(client, offered))
    answer = client.get(address)
    assert answer["Content-Type"].startswith("text/calendar")
    assert answer["Content-Disposition"] == f'attachment; filename="{offered.reference}.ics"'
    assert "no-store" in answer["Cache-Control"]
    entry = parsed(answer.content.decode())
    (sent,) = entries(offered)
    assert (entry["UID"], entry["STATUS"], entry["LOCATION"]) == (sent["UID"], "TENTATIVE", PLACE)
    assert int(entry["SEQUENCE"]) > int(sent["SEQUENCE"])
    booking.confirm_seat(offered, at=NOW + HOUR)
    assert parsed(client.get(address).content.decode())["STATUS"] == "CONFIRMED"


@pytest.mark.parametrize("stage", [stage for stage in Stage if stage != Stage.SEATED])
def test_only_a_seated_firm_can_download_the_entry(client, offered, stage, time_machine):
    time_machine.move_to(NOW + HOUR, tick=False)
    address = f"/receipt/{offered.receipt_token}/calendar.ics"
    Appointment.objects.filter(pk=offered.pk).update(stage=stage, closed_at=NOW)
    assert client.get(address).status_code == 404
    assert "calendar.ics" not in look_up(client, offered)
    assert client.get("/receipt/nobody/calendar.ics").status_code == 404


# --- Vendors send only what is registered with them ---------------------------------------------------------------------


def test_seat_sms_match_their_registered_templates(offered, coordinator):
    booking.confirm_seat(offered, at=NOW + HOUR)
    reminders.remind_firms("", calendar.local_datetime(DAY - timedelta(days=3)), NOW + HOUR)
    booking.give_up_seat(offered, at=NOW + 2 * HOUR)
    letters = Notice.objects.filter(channel=Channel.SMS)
    assert {letter.kind for letter in letters} == {
        "seat_offered",
        "seat_confirmed",
        "day_near",
        "seat_given_up",
    }
    for letter in letters:
        assert any(RegisteredTemplate("1", text).match(letter.text) for text in wordings(letter.kind)), (
            letter.text
        )
