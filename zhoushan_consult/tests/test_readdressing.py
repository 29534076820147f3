"""Letters follow a corrected address: what has not left, what failed, and what lately went to the wrong one."""

from datetime import datetime, timedelta

import pytest

from zhoushan_consult.bureau.models import Division
from zhoushan_consult.clock import SHANGHAI
from zhoushan_consult.outbox import delivery, telephone
from zhoushan_consult.outbox.adapters import MemoryAdapter
from zhoushan_consult.outbox.delivery import calls_to_make, deliver_due
from zhoushan_consult.outbox.models import Channel, Notice, State
from zhoushan_consult.outbox.posting import Recipient, post
from zhoushan_consult.outbox.readdressing import may_be_readdressed, readdress
from zhoushan_consult.tests import term_kinds

AT = datetime(2026, 12, 1, 9, 30, tzinfo=SHANGHAI)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
WRONG, RIGHT, LAND_LINE = "+8613800000001", "+8613800000002", "+865802000001"
MEMORY = "zhoushan_consult.outbox.adapters.MemoryAdapter"

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def letters(settings, tmp_path):
    folder = tmp_path / "notices" / "term"
    folder.mkdir(parents=True)
    for name, text in {"page": "标题\n正文", "sms": "现在{{ now }}", "email": "标题\n正文"}.items():
        (folder / f"{name}.txt").write_text(text)
    settings.TEMPLATES = [{**settings.TEMPLATES[0], "DIRS": [tmp_path, *settings.TEMPLATES[0]["DIRS"]]}]
    settings.LETTER_KINDS = [*settings.LETTER_KINDS, term_kinds.PATH]
    settings.OUTBOX_ADAPTERS = {"sms": MEMORY, "email": MEMORY}
    MemoryAdapter.forget()
    term_kinds.EVENTS.clear()


@pytest.fixture
def water():
    return Division.objects.get(name="水处")


@pytest.fixture
def air():
    return Division.objects.get(name="大气处")


def person(phone=WRONG, email="") -> Recipient:
    return Recipient("王测试", phone, email)


def write(about, to=None, key="1", **params) -> None:
    post("term", about=about, to=to or person(), key=key, at=AT, **params)


def correct(about, old=None, new=None, at=AT + HOUR, **how) -> int:
    return readdress(about, old=old or person(), new=new or person(RIGHT), at=at, **how)


def sent_to(at) -> list[str]:
    """The addresses to which letters leave at `at`."""
    MemoryAdapter.forget()
    deliver_due(at)
    return sorted(to for _, to, _ in MemoryAdapter.sent)


def channels(about) -> list[tuple[str, str]]:
    """Channel and address of the letters that are not ended."""
    alive = Notice.objects.filter(about_id=str(about.pk), state=State.WAITING)
    return sorted((letter.channel, letter.to.open()) for letter in alive)


# --- Not sent yet ----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("state", [State.WAITING, State.RETRY, State.FAILED])
def test_unsent_letter_goes_to_the_new_number_alone(water, air, state):
    write(water)
    write(air)
    Notice.objects.filter(channel=Channel.SMS, about_id=str(water.pk)).update(state=state)
    assert correct(water) == 1
    assert sent_to(AT + HOUR) == [WRONG, RIGHT]  # the first is another matter with the same number


@pytest.mark.parametrize(
    "old, new, channel",
    [
        (WRONG, LAND_LINE, Channel.CALL),
        (LAND_LINE, RIGHT, Channel.SMS),
        (LAND_LINE, "+865802000009", Channel.CALL),
    ],
)
def test_new_number_decides_between_sms_and_call(water, old, new, channel):
    write(water, person(old))
    correct(water, person(old), person(new))
    assert channels(water) == [(channel, new)]


def test_mailbox_that_was_right_keeps_its_letter(water):
    write(water, person(email="a@example.com"))
    assert correct(water, person(email="a@example.com"), person(RIGHT, "a@example.com")) == 1
    assert channels(water) == [("email", "a@example.com"), ("sms", RIGHT)]


def test_letter_to_a_mailbox_that_was_removed_ends(water):
    write(water, person(email="a@example.com"))
    assert correct(water, person(email="a@example.com"), person()) == 0
    assert channels(water) == [("sms", WRONG)]


def test_letter_that_is_due_later_stays_due_then(water):
    post("term", about=water, to=person(), key="1", at=AT, due_at=AT + DAY)
    correct(water)
    assert sent_to(AT + HOUR) == []
    assert sent_to(AT + DAY) == [RIGHT]


def test_letter_that_is_not_true_any_more_does_not_follow(water):
    write(water, key="1", untrue="名额已放弃")
    assert correct(water) == 0
    assert sent_to(AT + DAY) == []


def test_letter_that_another_one_says_does_not_follow(water):
    write(water)
    assert correct(water, said_otherwise={"term"}) == 0
    assert sent_to(AT + DAY) == []


def test_letter_is_moved_at_each_correction_once(water):
    write(water)
    correct(water)
    correct(water, person(RIGHT), person(LAND_LINE))
    correct(water, person(LAND_LINE), person(RIGHT))
    assert sent_to(AT + DAY) == [RIGHT]


def test_sms_that_failed_and_became_a_call_goes_once(water, coordinator):
    write(water)
    sms = Notice.objects.get(channel=Channel.SMS)
    Notice.objects.filter(pk=sms.pk).update(state=State.FAILED)
    call = delivery.add_to_call_list(sms, AT)
    telephone.record_call([call], by=coordinator, at=AT, outcome="wrong_number", gist="空号")
    assert correct(water) == 1
    assert sent_to(AT + HOUR) == [RIGHT]
    assert not calls_to_make().exists() and not delivery.failed().exists()


# --- Sent to the wrong one -------------------------------------------------------------------------------------------
def test_letter_sent_lately_to_the_wrong_number_is_sent_again_once(water, air):
    write(water)
    write(air)
    assert sent_to(AT) == [WRONG, WRONG]
    assert correct(water, sent_since=AT - DAY) == 1
    assert correct(water, sent_since=AT - DAY) == 0
    assert sent_to(AT + HOUR) == [RIGHT]
    assert sent_to(AT + DAY) == []


@pytest.mark.parametrize("since, again", [(AT, [RIGHT]), (AT + timedelta(seconds=1), []), (None, [])])
def test_letter_sent_too_long_ago_is_not_sent_again(water, since, again):
    write(water)
    deliver_due(AT)
    correct(water, sent_since=since)
    assert sent_to(AT + HOUR) == again


def test_sent_letter_that_is_not_true_any_more_stays_sent(water):
    write(water)
    deliver_due(AT)
    Notice.objects.update(params={"untrue": "咨询日已过"})
    assert correct(water, sent_since=AT - DAY) == 0
    assert Notice.objects.get(channel=Channel.SMS).state == State.SENT


def test_person_who_was_reached_by_a_call_is_not_called_again(water, coordinator):
    write(water, person(LAND_LINE))
    telephone.record_call([calls_to_make().get()], by=coordinator, at=AT, outcome="reached", gist="已告知")
    assert correct(water, person(LAND_LINE), sent_since=AT - DAY) == 0
    assert channels(water) == []


def test_term_is_suspended_and_begins_again_at_the_new_address(water):
    write(water)
    deliver_due(AT)
    correct(water, sent_since=AT - DAY)
    assert term_kinds.EVENTS == ["delivered 01 09:30", "lost"]
    deliver_due(AT + 2 * HOUR)
    assert term_kinds.EVENTS[2:] == ["delivered 01 11:30"]


def test_term_goes_on_where_the_mailbox_was_right(water):
    both = person(email="a@example.com")
    write(water, both)
    deliver_due(AT)
    correct(water, both, person(RIGHT, "a@example.com"), sent_since=AT - DAY)
    assert term_kinds.EVENTS[-1] == "delivered 01 09:30"
    deliver_due(AT + 2 * HOUR)
    assert term_kinds.EVENTS[-1] == "delivered 01 09:30"


def test_letter_in_flight_is_sent_again_and_its_worker_finds_it_ended(water):
    write(water)

    class Slow(MemoryAdapter):
        def send(self, notice):
            if notice.to.open() == WRONG:
                correct(water, sent_since=AT - DAY)
            return super().send(notice)

    sms = Notice.objects.get(channel=Channel.SMS)
    assert delivery._claim(sms, AT)
    delivery._send(sms, Slow(), lambda: AT)
    sms.refresh_from_db()
    assert sms.state == State.CANCELLED
    assert term_kinds.EVENTS == ["lost"]
    assert sent_to(AT + HOUR) == [RIGHT]


def test_text_is_rendered_again_for_the_new_address(water):
    write(water)
    deliver_due(AT)
    correct(water, sent_since=AT - DAY)
    deliver_due(AT + 2 * HOUR)
    assert [text for _, _, text in MemoryAdapter.sent] == ["现在09:30", "现在11:30"]


def test_address_that_did_not_change_changes_no_letter(water):
    write(water, person("tel:+86-138-0000-0001"))
    before = list(Notice.objects.order_by("pk").values())
    assert correct(water, person("tel:+86-138-0000-0001"), person(WRONG), sent_since=AT - DAY) == 0
    assert list(Notice.objects.order_by("pk").values()) == before


@pytest.mark.parametrize(
    "state, sent_at, may",
    [
        (State.WAITING, None, True),
        (State.FAILED, None, True),
        (State.CANCELLED, None, False),
        (State.SENT, AT, True),
        (State.SENT, AT - timedelta(seconds=1), False),
    ],
)
def test_letters_that_wait_failed_or_left_lately_may_be_readdressed(water, air, state, sent_at, may):
    write(water)
    write(air)
    Notice.objects.filter(channel=Channel.SMS, about_id=str(water.pk)).update(state=state, sent_at=sent_at)
    assert may_be_readdressed(water, AT) is may
