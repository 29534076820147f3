"""Telephone calls about letters: one call settles several, and each attempt is a row of its own."""

from datetime import datetime, timedelta

import pytest

from zhoushan_consult.audit import trail
from zhoushan_consult.audit.verbs import Verb
from zhoushan_consult.bureau.models import Division, NotAllowed
from zhoushan_consult.bureau.roles import GRANTS, Act, Role
from zhoushan_consult.clock import SHANGHAI
from zhoushan_consult.outbox import delivery, telephone
from zhoushan_consult.outbox.delivery import LetterAlreadyHandled
from zhoushan_consult.outbox.models import CallOutcome, Notice, NoticeCall, State
from zhoushan_consult.outbox.posting import Recipient, post, told_at
from zhoushan_consult.tests import term_kinds

AT = datetime(2026, 12, 1, 9, 30, tzinfo=SHANGHAI)
HOUR = timedelta(hours=1)
FIRM, OTHER = Recipient("王测试", "+865802000001"), Recipient("李测试", "+865802000002")

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def letters(settings, tmp_path):
    folder = tmp_path / "notices" / "term"
    folder.mkdir(parents=True)
    (folder / "sms.txt").write_text("请答复，现在{{ now }}")
    settings.TEMPLATES = [{**settings.TEMPLATES[0], "DIRS": [tmp_path, *settings.TEMPLATES[0]["DIRS"]]}]
    settings.LETTER_KINDS = [*settings.LETTER_KINDS, term_kinds.PATH]
    term_kinds.EVENTS.clear()


@pytest.fixture
def water():
    return Division.objects.get(name="水处")


@pytest.fixture
def call(water):
    """A letter that waits to be told on the telephone."""

    def write(key="1", to=FIRM, at=AT, **params) -> Notice:
        (letter,) = post("term", about=water, to=to, key=key, at=at, **params)
        return letter

    return write


def state(letter) -> str:
    return Notice.objects.get(pk=letter.pk).state


def record(*letters, by, outcome=CallOutcome.REACHED, at=AT + HOUR) -> NoticeCall:
    return telephone.record_call(letters, by=by, at=at, outcome=outcome, gist="都已告知")


def test_one_call_settles_all_letters_it_was_about(call, coordinator, water):
    first, second, bystander = call("1"), call("2"), call("3", to=OTHER)
    made = record(first, second, by=coordinator)
    assert [state(letter) for letter in (first, second, bystander)] == [State.SENT, State.SENT, State.WAITING]
    assert (made.by, made.at, made.outcome, made.gist.open()) == (
        coordinator,
        AT + HOUR,
        "reached",
        "都已告知",
    )
    assert set(made.notices.all()) == {first, second}
    assert [entry.verb for entry in trail.about(water)] == [Verb.NOTICE_CALLED] * 2
    assert not bystander.calls.exists()


def test_each_letter_told_on_the_telephone_begins_its_term(call, coordinator):
    record(call("1"), call("2", at=AT + HOUR / 2), by=coordinator)
    assert term_kinds.EVENTS == ["delivered 01 10:30"] * 2


def test_text_of_a_call_is_kept_as_of_its_instant(call, coordinator):
    letter = call()
    assert letter.text == "请答复，现在09:30"
    record(letter, by=coordinator)
    letter.refresh_from_db()
    assert letter.text == "请答复，现在10:30"


def test_every_attempt_is_a_row_of_its_own(call, coordinator):
    letter = call()
    for hours, outcome in enumerate(["no_answer", "no_answer", "reached"]):
        record(letter, by=coordinator, outcome=outcome, at=AT + hours * HOUR)
    tried = [(each.outcome, each.at - AT) for each in letter.calls.order_by("at")]
    assert tried == [("no_answer", 0 * HOUR), ("no_answer", HOUR), ("reached", 2 * HOUR)]
    assert term_kinds.EVENTS == ["delivered 01 11:30"]


@pytest.mark.parametrize(
    "outcome, left", [("no_answer", State.WAITING), ("wrong_number", State.FAILED), ("reached", State.SENT)]
)
def test_outcome_decides_where_all_letters_of_the_call_stand(call, coordinator, outcome, left):
    letters = [call("1"), call("2")]
    record(*letters, by=coordinator, outcome=outcome)
    assert [state(letter) for letter in letters] == [left, left]


def test_letter_told_meanwhile_is_passed_over(call, coordinator):
    first, second = call("1"), call("2")
    record(first, by=coordinator)
    made = record(first, second, by=coordinator, outcome="no_answer")
    assert list(made.notices.all()) == [second]
    assert (state(first), first.calls.count()) == (State.SENT, 1)


def test_letter_that_is_not_true_any_more_is_not_told(call, coordinator):
    true, untrue = call("1"), call("2", untrue="名额已放弃")
    made = record(true, untrue, by=coordinator)
    assert list(made.notices.all()) == [true]
    assert state(untrue) == State.WAITING


def test_call_without_anything_to_tell_is_refused_and_leaves_no_row(call, coordinator):
    letter, untrue = call("1"), call("2", untrue="名额已放弃")
    record(letter, by=coordinator)
    with pytest.raises(LetterAlreadyHandled):
        record(letter, by=coordinator)
    with pytest.raises(telephone.CallNotNeeded, match="名额已放弃"):
        record(letter, untrue, by=coordinator)
    assert NoticeCall.objects.count() == 1


@pytest.mark.parametrize("role", Role)
def test_only_those_who_may_telephone_record_a_call(call, officer, role):
    letter, who = call(), officer(role, "水处")
    if Act.CALL in GRANTS[role]:
        record(letter, by=who)
        return
    with pytest.raises(NotAllowed):
        record(letter, by=who)
    assert (state(letter), NoticeCall.objects.exists()) == (State.WAITING, False)


def test_term_begins_when_a_letter_that_failed_is_dismissed(call, coordinator, water):
    letter = call()
    record(letter, by=coordinator, outcome="wrong_number")
    assert told_at(water, ["term"]) is None
    letter.refresh_from_db()
    delivery.dismiss(letter, by=coordinator, at=AT + 2 * HOUR)
    assert told_at(water, ["term"]) == AT + 2 * HOUR
    assert term_kinds.EVENTS == ["delivered 01 11:30"]


def test_call_that_replaces_an_sms_is_the_same_letter(water, coordinator):
    (sms,) = post("term", about=water, to=Recipient("王测试", "+8613800000001"), key="1", at=AT)
    replacing = delivery.replace_by_call(sms, by=coordinator, at=AT + HOUR)
    record(replacing, by=coordinator, at=AT + 2 * HOUR)
    assert told_at(water, ["term"]) == AT + 2 * HOUR


def test_sms_that_failed_and_was_told_on_the_telephone_has_reached_its_reader(water, coordinator):
    (sms,) = post("term", about=water, to=Recipient("王测试", "+8613800000001"), key="1", at=AT)
    Notice.objects.filter(pk=sms.pk).update(state=State.FAILED, sent_at=AT)
    spoken = delivery.add_to_call_list(sms, AT + HOUR)
    assert told_at(water, ["term"]) is None
    record(spoken, by=coordinator, at=AT + 2 * HOUR)
    assert told_at(water, ["term"]) == AT + 2 * HOUR
