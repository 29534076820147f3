"""Letters when they leave: only what is true at that instant, in the words of that instant, by day, and told once."""

from datetime import datetime, timedelta

import pytest
import time_machine

from zhoushan_consult.audit.models import Entry
from zhoushan_consult.audit.verbs import Verb
from zhoushan_consult.bureau.models import Division
from zhoushan_consult.clock import SHANGHAI
from zhoushan_consult.duties import runner
from zhoushan_consult.duties.models import Duty
from zhoushan_consult.outbox import delivery, telephone
from zhoushan_consult.outbox.adapters import MemoryAdapter, PermanentFailure, TemporaryFailure
from zhoushan_consult.outbox.calls import not_needed
from zhoushan_consult.outbox.delivery import calls_to_make, deliver_due
from zhoushan_consult.outbox.delivery_reports import poll_reports
from zhoushan_consult.outbox.models import Channel, Notice, State
from zhoushan_consult.outbox.posting import Recipient, on_its_way, post, told_at
from zhoushan_consult.outbox.quiet_hours import waking_time
from zhoushan_consult.outbox.retraction import retract_outdated
from zhoushan_consult.tests import letter_kinds
from zhoushan_consult.tests.evidence import entries, name, rows
from zhoushan_consult.tests.letter_kinds import BROKEN

AT = datetime(2026, 12, 1, 9, 30, tzinfo=SHANGHAI)
NIGHT = datetime(2026, 12, 1, 22, 30, tzinfo=SHANGHAI)
MORNING = datetime(2026, 12, 2, 8, tzinfo=SHANGHAI)
TICK, MINUTE, HOUR, DAY = (
    timedelta(microseconds=1),
    timedelta(minutes=1),
    timedelta(hours=1),
    timedelta(days=1),
)
ONE = Recipient("王测试", "+8613800000001", "firm1@example.com")
TWO = Recipient("李测试", "+8613800000002", "firm2@example.com")
LAND_LINE = Recipient("赵测试", "+865802000001")
MEMORY = "zhoushan_consult.outbox.adapters.MemoryAdapter"
OLD, NEW = "管水", "管水和海"

pytestmark = pytest.mark.django_db


class Reporting(MemoryAdapter):
    """Reports that nothing arrived."""

    supports_reports = True

    def was_delivered(self, notice: Notice) -> bool:
        return False


@pytest.fixture(autouse=True)
def gateways(settings, tmp_path):
    """Kinds of letters that say the duty of a 处室, and gateways in memory."""
    for kind in ("fact", "answer", "brief"):
        folder = tmp_path / "notices" / kind
        folder.mkdir(parents=True)
        (folder / "page.txt").write_text("职责\n现在是{{ duty }}")
        (folder / "sms.txt").write_text("职责是{{ duty }}")
        (folder / "email.txt").write_text(
            "职责：{{ duty }}\n{{ duty }}{% if in_calendar %}，见附件{% endif %}"
        )
    settings.TEMPLATES = [{**settings.TEMPLATES[0], "DIRS": [tmp_path, *settings.TEMPLATES[0]["DIRS"]]}]
    settings.OUTBOX_ADAPTERS = {"sms": MEMORY, "email": MEMORY}
    settings.OUTBOX_DAILY_CAP = 1000
    settings.LETTER_KINDS = [*settings.LETTER_KINDS, letter_kinds.PATH]
    MemoryAdapter.forget()
    letter_kinds.told.clear()


@pytest.fixture
def water():
    return with_duty("水处", OLD)


@pytest.fixture
def air():
    """The bystander: its letters stay true."""
    return with_duty("大气处", "管气")


def with_duty(of: str, duty: str) -> Division:
    Division.objects.filter(name=of).update(duty=duty)
    return Division.objects.get(name=of)


def write(about, kind="fact", to=ONE, key="1", at=AT, **options) -> dict[str, Notice]:
    """The letter of each channel."""
    return {n.channel: n for n in post(kind, about=about, to=to, key=key, at=at, **options)}


def put(notice: Notice, **changes) -> Notice:
    Notice.objects.filter(pk=notice.pk).update(**changes)
    notice.refresh_from_db()
    return notice


def bodies() -> list[str]:
    return [text for _, _, text in MemoryAdapter.sent]


def told() -> list[tuple[str, datetime]]:
    return [(which, at) for which, _, _, at in letter_kinds.told]


def retract(now: datetime) -> int:
    return retract_outdated("", now, now)


# --- What is not true any more ---------------------------------------------------------------------------------------
@pytest.mark.parametrize("channel", ["sms", "email"])
@pytest.mark.parametrize("stands", [State.WAITING, State.RETRY])
def test_outdated_letter_never_leaves_and_the_trail_says_so(water, air, channel, stands):
    letter, other = write(water)[channel], write(air)[channel]
    put(letter, state=stands)
    with_duty("水处", "")
    deliver_due(AT + HOUR)
    assert (put(letter).state, letter.next_try_at, letter.sent_at) == (State.CANCELLED, None, None)
    assert (letter.last_error, letter.claimed_by) == ("职责已撤销", "")
    assert put(other).state == State.SENT
    assert set(bodies()) == {"职责是管气", "管气，见附件"}
    why = {"channel": channel, "kind": "fact", "why": "职责已撤销"}
    retracted = (Verb.NOTICE_RETRACTED, name(water), None, AT + HOUR, "", why)
    assert entries().count(retracted) == 1
    assert not Entry.objects.filter(about_id=str(air.pk)).exists()


def test_letter_whose_record_is_gone_never_leaves(water):
    letter = put(write(water)["sms"], about_id="0")
    deliver_due(AT)
    assert (put(letter).state, letter.last_error) == (State.CANCELLED, "所涉记录已不存在")
    assert Entry.objects.filter(verb=Verb.NOTICE_RETRACTED, about_kind="outbox.notice").count() == 1


@pytest.mark.parametrize(("late", "leaves"), [(2 * HOUR, True), (2 * HOUR + TICK, False)])
def test_letter_leaves_while_it_is_useful_and_not_later(water, late, leaves):
    letter = write(water, kind="brief")["sms"]
    deliver_due(AT + late)
    assert put(letter).state == (State.SENT if leaves else State.CANCELLED)
    assert letter.last_error == ("" if leaves else "已过时效")


def test_letter_of_a_kind_that_no_floor_declares_goes_as_it_was_written(water, settings):
    letter = write(water)["email"]
    with_duty("水处", "")
    settings.LETTER_KINDS = []
    put(letter, calendar="BEGIN:旧")
    deliver_due(AT)
    assert (put(letter).state, letter.text, letter.calendar.open()) == (State.SENT, OLD, "BEGIN:旧")
    assert retract(AT) == 0


def test_call_of_a_kind_that_no_floor_declares_is_recorded_as_it_was_written(water, settings, coordinator):
    call = write(water, to=LAND_LINE)["call"]
    settings.LETTER_KINDS = []
    telephone.record_call([call], by=coordinator, at=AT, outcome="reached", gist="已告知")
    assert (put(call).state, call.text) == (State.SENT, "职责是管水")


# --- The duty that tidies up -----------------------------------------------------------------------------------------
def test_outdated_calls_and_failed_letters_are_retracted_and_no_other(water, air):
    call, failed = write(water, to=LAND_LINE)["call"], put(write(water, key="2")["email"], state=State.FAILED)
    later = put(write(water, key="3")["sms"], next_try_at=AT + DAY)
    due = write(water, key="4")["sms"]
    gone = put(write(water, key="5")["sms"], state=State.SENT, sent_at=AT)
    write(air, to=LAND_LINE)
    put(write(air, key="2")["email"], state=State.FAILED)
    put(write(air, key="3")["sms"], next_try_at=AT + DAY)
    with_duty("水处", "")
    before = rows(Notice, but=(call, failed, later))
    assert retract(AT) == 3
    assert rows(Notice, but=(call, failed, later)) == before
    for letter in (call, failed, later):
        assert (put(letter).state, letter.last_error) == (State.CANCELLED, "职责已撤销")
    assert put(due).state == State.WAITING and put(gone).state == State.SENT
    assert [verb for verb, *_ in entries()] == [Verb.NOTICE_RETRACTED] * 3
    assert retract(AT) == 0


def test_failed_sms_whose_call_is_retracted_waits_for_no_decision(water):
    MemoryAdapter.script = [PermanentFailure("空号")]
    letter = put(write(water)["sms"])
    deliver_due(AT)
    with_duty("水处", "")
    retract(AT)
    assert put(letter).state == State.FAILED
    assert not calls_to_make().exists() and not delivery.failed().exists()


def test_call_that_an_officer_has_recorded_meanwhile_is_not_retracted(water, coordinator, monkeypatch):
    call = write(water, to=LAND_LINE)["call"]
    read = list(Notice.objects.filter(pk=call.pk))
    monkeypatch.setattr("zhoushan_consult.outbox.retraction._waiting", lambda now: read)
    telephone.record_call([call], by=coordinator, at=AT, outcome="no_answer", gist="")
    with_duty("水处", "")
    assert retract(AT) == 0
    assert put(call).state == State.WAITING


def test_duty_retracts_every_five_minutes(water, settings):
    settings.DUTIES = ["zhoushan_consult.outbox.retraction.RETRACT"]
    call = write(water, to=LAND_LINE)["call"]
    runner.run_due(AT)
    assert put(call).state == State.WAITING
    with_duty("水处", "")
    runner.run_due(AT + 4 * MINUTE)
    assert put(call).state == State.WAITING
    runner.run_due(AT + 5 * MINUTE)
    assert put(call).state == State.CANCELLED
    assert Duty.objects.get(rows=1).kind == "retract_outdated_letters"


# --- The words of the instant ----------------------------------------------------------------------------------------
def test_letter_says_what_is_true_when_it_leaves_and_keeps_what_it_said(water):
    made = write(water)
    with_duty("水处", NEW)
    deliver_due(AT)
    assert bodies() == [f"职责是{NEW}", f"{NEW}，见附件"]
    with_duty("水处", "别的")
    assert put(made["sms"]).text == f"职责是{NEW}"
    email = put(made["email"])
    assert (email.subject, email.text, email.calendar.open()) == (
        f"职责：{NEW}",
        f"{NEW}，见附件",
        f"BEGIN:{NEW}",
    )
    # The page has shown it since it was written.
    assert put(made["page"]).text == f"现在是{OLD}"


def test_letter_that_was_tried_in_vain_says_at_the_next_attempt_what_is_true_then(water):
    letter = write(water)["sms"]
    MemoryAdapter.script = [TemporaryFailure("忙")]
    deliver_due(AT)
    assert put(letter).text == f"职责是{OLD}"
    with_duty("水处", NEW)
    deliver_due(AT + MINUTE)
    assert put(letter).text == f"职责是{NEW}"


def test_call_keeps_what_was_true_when_it_was_made(water, coordinator):
    call, other = write(water, to=LAND_LINE)["call"], write(water, to=LAND_LINE, key="2")["call"]
    with_duty("水处", NEW)
    telephone.record_call([other], by=coordinator, at=AT, outcome="no_answer", gist="")
    telephone.record_call([call], by=coordinator, at=AT, outcome="reached", gist="已告知")
    assert [put(n).text for n in (call, other)] == [f"职责是{NEW}", f"职责是{OLD}"]


def test_outdated_call_is_not_recorded_as_made(water, air, coordinator):
    call, other = write(water, to=LAND_LINE)["call"], write(air, to=LAND_LINE)["call"]
    with_duty("水处", "")
    before = rows()
    with pytest.raises(telephone.CallNotNeeded, match="职责已撤销"):
        telephone.record_call([call], by=coordinator, at=AT, outcome="reached", gist="已告知")
    assert rows() == before
    telephone.record_call([other], by=coordinator, at=AT, outcome="reached", gist="已告知")
    assert put(other).state == State.SENT


# --- By day ----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("clock", "wakes"),
    [
        ("2026-12-01T07:59:59", "2026-12-01T08:00:00"),
        ("2026-12-01T08:00:00", "2026-12-01T08:00:00"),
        ("2026-12-01T20:59:59", "2026-12-01T20:59:59"),
        ("2026-12-01T21:00:00", "2026-12-02T08:00:00"),
        ("2026-12-31T23:59:59", "2027-01-01T08:00:00"),
        ("2026-12-02T00:00:00", "2026-12-02T08:00:00"),
    ],
)
def test_night_is_from_nine_to_eight_in_zhoushan(clock, wakes):
    at = datetime.fromisoformat(f"{clock}+08:00")
    assert waking_time(at) == datetime.fromisoformat(f"{wakes}+08:00")


@pytest.mark.parametrize(("to", "channel"), [(ONE, "sms"), (ONE, "email"), (LAND_LINE, "call")])
def test_letter_written_at_night_is_due_in_the_morning(water, to, channel):
    letter = write(water, at=NIGHT, to=to)[channel]
    assert (letter.created_at, letter.due_at, letter.next_try_at) == (NIGHT, MORNING, MORNING)
    assert deliver_due(MORNING - TICK) == 0
    deliver_due(MORNING)
    assert put(letter).state == (State.WAITING if channel == "call" else State.SENT)


@pytest.mark.parametrize("channel", ["sms", "email"])
def test_letter_that_a_slow_worker_takes_up_at_night_waits_for_the_morning(water, channel):
    letter = write(water, at=NIGHT - 2 * HOUR)[channel]
    deliver_due(NIGHT)
    assert put(letter).state == State.WAITING
    assert (letter.due_at, letter.next_try_at, letter.attempts) == (MORNING, MORNING, 0)
    assert letter.last_error == "夜间不打扰，早上再发"
    assert delivery.oldest_unsent(NIGHT) is None  # nothing is late
    deliver_due(MORNING)
    assert (put(letter).state, letter.attempts, letter.last_error) == (State.SENT, 1, "")


@pytest.mark.parametrize("channel", ["sms", "email"])
@pytest.mark.parametrize(("late", "leaves"), [(10 * MINUTE, True), (10 * MINUTE + TICK, False)])
def test_answer_to_an_act_leaves_at_night_within_ten_minutes(water, channel, late, leaves):
    letter = write(water, kind="answer", at=NIGHT)[channel]
    assert (letter.due_at, letter.next_try_at) == (NIGHT, NIGHT)
    deliver_due(NIGHT + late)
    assert put(letter).state == (State.SENT if leaves else State.WAITING)
    assert leaves or letter.next_try_at == MORNING


def test_answer_is_tried_again_at_night_within_ten_minutes_only(water):
    letter = write(water, kind="answer", to=Recipient("王测试", ONE.phone), at=NIGHT)["sms"]
    tries, now = [], NIGHT
    for _ in range(5):
        MemoryAdapter.script = [TemporaryFailure("忙")]
        deliver_due(now)
        tries.append(now)
        now = put(letter).next_try_at
    assert tries == [NIGHT, NIGHT + MINUTE, NIGHT + 6 * MINUTE, MORNING, MORNING + HOUR]
    assert letter.state == State.RETRY


def test_letter_that_cannot_be_sent_at_night_is_telephoned_in_the_morning(water):
    write(water, kind="answer", at=NIGHT)
    MemoryAdapter.script = [PermanentFailure("空号")]
    deliver_due(NIGHT)
    assert calls_to_make().get().due_at == MORNING


def test_call_asked_for_at_night_is_made_in_the_morning(water, keeper):
    letter = write(water)["sms"]
    put(letter, state=State.FAILED)
    first = delivery.replace_by_call(letter, by=keeper, at=NIGHT)
    assert (first.due_at, first.next_try_at) == (MORNING, MORNING)
    put(first, state=State.FAILED)
    put(letter, state=State.FAILED)
    again = delivery.replace_by_call(letter, by=keeper, at=NIGHT + DAY)
    assert (again.pk, again.due_at, again.next_try_at) == (first.pk, MORNING + DAY, MORNING + DAY)


@pytest.mark.parametrize(
    ("kind", "at", "leaves", "why"),
    [
        ("fact", AT, AT, ""),
        ("fact", NIGHT, MORNING, "夜间不打扰，早上再发"),
        ("answer", NIGHT, MORNING, "夜间不打扰，早上再发"),
        ("answer", AT + 5 * MINUTE, AT + 5 * MINUTE, ""),
    ],
)
def test_letter_sent_again_by_hand_waits_for_the_morning_too(water, keeper, kind, at, leaves, why):
    by_sms = Recipient("王测试", ONE.phone)
    letter = put(write(water, kind=kind, to=by_sms)["sms"], state=State.FAILED, next_try_at=None)
    delivery.retry(letter, by=keeper, at=at)
    assert (put(letter).next_try_at, letter.last_error) == (leaves, why)
    assert deliver_due(leaves - TICK) == 0
    deliver_due(leaves)
    assert put(letter).state == State.SENT


def test_letter_sent_again_by_hand_keeps_to_the_daily_cap(water, keeper, settings):
    settings.OUTBOX_DAILY_CAP = 1
    put(write(water)["sms"], state=State.SENT, sent_at=AT)
    letter = put(write(water, key="2")["sms"], state=State.FAILED, next_try_at=None)
    other = put(write(water, key="3", to=TWO)["sms"], state=State.FAILED, next_try_at=None)
    for each in (letter, other):
        delivery.retry(each, by=keeper, at=AT)
    assert (put(letter).next_try_at, letter.last_error) == (MORNING, "当日短信已达上限，次日再发")
    assert put(other).next_try_at == AT


# --- What begins with a letter ---------------------------------------------------------------------------------------
def test_kind_is_told_once_that_its_letter_has_reached_the_reader(water, air):
    write(water)
    write(air, to=TWO)
    deliver_due(AT + HOUR)
    assert [(which, about, at) for which, about, _, at in letter_kinds.told] == [
        ("delivered", water, AT + HOUR),
        ("delivered", air, AT + HOUR),
    ]


@pytest.mark.parametrize("later", [{"key": "2"}, {"kind": "brief"}], ids=str)
def test_kind_is_told_of_each_letter_about_one_matter(water, settings, later):
    """What another letter began is not begun again by it, and does not stand for it."""
    write(water)
    deliver_due(AT)
    by_sms = Recipient("王测试", ONE.phone)
    letter = write(water, to=by_sms, at=AT + HOUR, **later)["sms"]
    deliver_due(AT + HOUR)
    assert told() == [("delivered", AT), ("delivered", AT + HOUR)]
    put(letter, gateway_id="g")
    Notice.objects.exclude(pk=letter.pk).update(gateway_id="")
    settings.OUTBOX_ADAPTERS = {"sms": f"{__name__}.Reporting"}
    poll_reports(AT + 2 * HOUR)
    assert told()[2:] == [("lost", AT + 2 * HOUR)]


class Clock:
    """A clock that moves by a second at each look."""

    def __init__(self):
        self.now = AT - timedelta(seconds=1)

    def __call__(self) -> datetime:
        self.now += timedelta(seconds=1)
        return self.now


def test_kind_is_told_the_instant_for_which_the_text_was_rendered(water, monkeypatch):
    rendered = []
    real = delivery.render
    monkeypatch.setattr(
        delivery, "render", lambda notice, about, now: rendered.append(now) or real(notice, about, now)
    )
    letter = write(water)["sms"]
    deliver_due(AT, clock=Clock())
    assert told() == [("delivered", rendered[0])]
    assert put(letter).sent_at > rendered[0]


def test_kind_is_told_of_both_ways_where_neither_text_could_know_of_the_other(water):
    """Two workers at once: what the later one says of a term must hold too."""
    write(water)
    Notice.objects.filter(channel="email").update(state=State.SENT, sent_at=AT + TICK, next_try_at=None)
    deliver_due(AT)
    assert told() == [("delivered", AT)]


def test_kind_is_told_by_a_recorded_call(water, coordinator):
    call = write(water, to=LAND_LINE)["call"]
    for outcome in ("no_answer", "reached"):
        assert told() == []
        telephone.record_call([call], by=coordinator, at=AT + HOUR, outcome=outcome, gist="已告知")
    assert told() == [("delivered", AT + HOUR)]


def test_kind_is_not_told_by_a_call_after_the_email(water, coordinator):
    """The SMS failed and became a call; the reader knew by e-mail."""
    write(water)
    MemoryAdapter.script = [PermanentFailure("空号")]
    deliver_due(AT)
    call = calls_to_make().get()
    telephone.record_call([call], by=coordinator, at=AT + HOUR, outcome="reached", gist="已告知")
    assert told() == [("delivered", AT)]


def test_kind_is_told_that_an_sms_was_lost(water, air, settings, coordinator):
    settings.OUTBOX_ADAPTERS = {"sms": f"{__name__}.Reporting"}
    write(water)
    put(write(air, to=TWO)["sms"], state=State.SENT, sent_at=AT + 2 * HOUR, gateway_id="g")
    deliver_due(AT)
    poll_reports(AT + HOUR)
    assert told() == [("delivered", AT), ("lost", AT + HOUR)]
    assert letter_kinds.told[-1][1] == water
    call = calls_to_make().get()
    telephone.record_call([call], by=coordinator, at=AT + 3 * HOUR, outcome="reached", gist="已告知")
    assert told()[2:] == [("delivered", AT + 3 * HOUR)]


def test_lost_sms_leaves_what_began_with_the_email(water, settings):
    settings.OUTBOX_ADAPTERS = {"sms": f"{__name__}.Reporting"}
    write(water)
    deliver_due(AT)
    settings.OUTBOX_ADAPTERS |= {"email": MEMORY}
    deliver_due(AT + HOUR)
    poll_reports(AT + 2 * HOUR)
    assert told() == [("delivered", AT), ("lost", AT + 2 * HOUR), ("delivered", AT + HOUR)]


# --- When it was told ------------------------------------------------------------------------------------------------
def test_letter_is_told_when_the_first_of_its_ways_has_reached_the_reader(water, air):
    write(air)
    made = write(water)
    assert told_at(water, ["fact"]) is None
    put(made["email"], state=State.SENT, sent_at=AT + 2 * HOUR)
    assert told_at(water, ["fact"]) == AT + 2 * HOUR
    put(made["sms"], state=State.SENT, sent_at=AT + HOUR)
    assert told_at(water, ["fact", "brief"]) == AT + HOUR
    assert told_at(air, ["fact"]) is told_at(water, ["brief"]) is None


def test_all_letters_are_told_when_the_last_of_them_is(water):
    first, second = write(water), write(water, kind="brief", at=AT + HOUR)
    put(first["sms"], state=State.SENT, sent_at=AT + HOUR)
    assert told_at(water, ["fact", "brief"]) is None
    put(second["sms"], state=State.SENT, sent_at=AT + 3 * HOUR)
    assert told_at(water, ["fact", "brief"]) == AT + 3 * HOUR


def test_cancelled_letter_need_not_be_told(water):
    made = write(water)
    later = write(water, key="2", at=AT + HOUR)
    put(made["sms"], state=State.SENT, sent_at=AT)
    for letter in (later["sms"], later["email"]):
        put(letter, state=State.CANCELLED)
    assert told_at(water, ["fact"]) == AT


def test_letter_is_told_by_the_call_that_is_made_instead(water, settings, coordinator):
    settings.OUTBOX_ADAPTERS = {"sms": f"{__name__}.Reporting"}
    write(water, to=Recipient("王测试", ONE.phone))
    deliver_due(AT)
    assert told_at(water, ["fact"]) == AT
    poll_reports(AT + HOUR)
    assert told_at(water, ["fact"]) is None
    call = calls_to_make().get()
    telephone.record_call([call], by=coordinator, at=AT + 2 * HOUR, outcome="reached", gist="已告知")
    assert told_at(water, ["fact"]) == AT + 2 * HOUR


@pytest.mark.parametrize(
    ("state", "coming"),
    [
        (State.WAITING, True),
        (State.RETRY, True),
        (State.INFLIGHT, True),
        (State.SENT, False),
        (State.FAILED, False),
        (State.CANCELLED, False),
    ],
)
@pytest.mark.parametrize("channel", [Channel.SMS, Channel.CALL])
def test_letter_is_on_its_way_while_it_will_be_sent_or_telephoned(water, air, state, channel, coming):
    write(air)
    letter = write(water, to=Recipient("王测试", ONE.phone))["sms"]
    put(letter, channel=channel, state=state)
    assert on_its_way(water, ["fact", "brief"]) is coming
    assert not on_its_way(water, ["brief"])


# --- A kind with a fault ---------------------------------------------------------------------------------------------
@pytest.mark.parametrize("breaks", ["facts", "outdated", "calendar"])
def test_kind_that_raises_stops_no_other_letter_and_is_retried_as_a_bug(water, air, breaks, caplog):
    letter = write(water, to=Recipient("王测试", email="firm1@example.com"), breaks=breaks)["email"]
    others = [write(air)[channel] for channel in ("sms", "email")]
    with_duty("水处", BROKEN)
    assert deliver_due(AT) == 2
    assert [put(each).state for each in others] == [State.SENT] * 2
    assert (put(letter).state, letter.next_try_at, letter.attempts) == (State.RETRY, AT + MINUTE, 1)
    assert letter.last_error.startswith("ZeroDivisionError: zhoushan_consult/tests/letter_kinds.py:")
    for minutes in (1, 6):
        deliver_due(AT + minutes * MINUTE)
    assert (put(letter).state, letter.attempts) == (State.FAILED, 3)
    assert BROKEN not in caplog.text and BROKEN not in letter.last_error


def test_letter_has_left_although_what_begins_with_it_raises(water, air, caplog):
    letter = write(water, breaks="delivered")["sms"]
    write(air)
    with_duty("水处", BROKEN)
    assert deliver_due(AT) == 4
    assert put(letter).state == State.SENT
    assert [about for _, about, _, _ in letter_kinds.told] == [air]
    assert f"notice {letter.pk} failed: ZeroDivisionError" in caplog.text and BROKEN not in caplog.text
    assert deliver_due(AT + DAY) == 0


def test_call_is_recorded_although_what_begins_with_it_raises(water, coordinator):
    call = write(water, to=LAND_LINE, breaks="delivered")["call"]
    with_duty("水处", BROKEN)
    telephone.record_call([call], by=coordinator, at=AT, outcome="reached", gist="已告知")
    assert put(call).state == State.SENT


def test_report_is_kept_although_what_ends_with_it_raises(water, air, settings):
    settings.OUTBOX_ADAPTERS = {"sms": f"{__name__}.Reporting"}
    write(water, breaks="lost")
    write(air, to=TWO)
    deliver_due(AT)
    with_duty("水处", BROKEN)
    assert poll_reports(AT + HOUR) == 2
    assert calls_to_make().count() == 2
    assert told()[2:] == [("lost", AT + HOUR)]


def test_kind_that_raises_keeps_no_other_letter_on_the_list(water, air, caplog):
    call = write(water, to=LAND_LINE, breaks="outdated")["call"]
    other = write(air, to=LAND_LINE)["call"]
    with_duty("水处", BROKEN)
    with_duty("大气处", "")
    assert retract(AT) == 1
    assert [put(each).state for each in (call, other)] == [State.WAITING, State.CANCELLED]
    assert BROKEN not in caplog.text


# --- In the admin ----------------------------------------------------------------------------------------------------
LIST = "/admin/outbox/notice/"


def screen(browser, notice: Notice) -> str:
    return browser.get(f"{LIST}{notice.pk}/change/").content.decode()


def test_caller_reads_what_is_true_now(water, coordinator, signed_in):
    call = write(water, to=LAND_LINE)["call"]
    with_duty("水处", NEW)
    with time_machine.travel(AT, tick=False):
        page = screen(signed_in(coordinator), call)
    assert f"职责是{NEW}" in page and "登记通话" in page


def test_caller_is_told_that_an_outdated_call_need_not_be_made(water, air, coordinator, signed_in):
    call, other = write(water, to=LAND_LINE)["call"], write(air, to=LAND_LINE)["call"]
    with_duty("水处", "")
    with time_machine.travel(AT, tick=False):
        browser = signed_in(coordinator)
        page = screen(browser, call)
        assert "不用再打" in page and "职责已撤销" in page
        assert "登记通话" not in page and "告知内容" not in page and "2000001" not in page
        assert "登记通话" in screen(browser, other)
        answer = browser.post(f"{LIST}{call.pk}/call/", {"outcome": "reached", "gist": "说过地点了"})
    assert answer.status_code == 409
    assert "这个电话不用再打：职责已撤销" in answer.content.decode()
    assert "说过地点了" in answer.content.decode()  # nothing typed is lost
    assert put(call).state == State.WAITING


def test_call_whose_kind_raises_is_shown_as_it_was_written(water, coordinator, signed_in):
    call = write(water, to=LAND_LINE, breaks="facts")["call"]
    with_duty("水处", BROKEN)
    with time_machine.travel(AT, tick=False):
        assert f"职责是{OLD}" in screen(signed_in(coordinator), call)


def test_list_of_calls_survives_a_kind_that_raises(water, air, caplog):
    call, other = write(water, to=LAND_LINE, breaks="outdated")["call"], write(air, to=LAND_LINE)["call"]
    with_duty("水处", BROKEN)
    with_duty("大气处", "")
    assert not_needed([call, other], AT) == {other.pk: "职责已撤销"}
    assert BROKEN not in caplog.text


@pytest.mark.parametrize(
    ("now", "says"),
    [
        (AT, "已安排重新发送，几秒钟后刷新可以看到结果。"),
        (NIGHT, "已安排重新发送，12月2日8:00送出（夜间不打扰，早上再发）。"),
        (MORNING - HOUR, "已安排重新发送，12月2日8:00送出（夜间不打扰，早上再发）。"),
    ],
)
def test_officer_who_sends_a_letter_again_is_told_when_it_leaves(water, keeper, signed_in, now, says):
    letter = put(write(water)["sms"], state=State.FAILED, next_try_at=None)
    with time_machine.travel(now, tick=False):
        page = signed_in(keeper).post(f"{LIST}{letter.pk}/retry/", follow=True).content.decode()
    assert says in page


@pytest.mark.parametrize(("now", "says"), [(AT, False), (NIGHT, True)])
def test_officer_who_sends_several_again_is_told_how_many_wait(water, keeper, signed_in, now, says):
    chosen = [
        put(n, state=State.FAILED, next_try_at=None) for n in write(water).values() if n.channel != "page"
    ]
    data = {"action": "send_again", "_selected_action": [letter.pk for letter in chosen]}
    with time_machine.travel(now, tick=False):
        page = signed_in(keeper).post(LIST, data, follow=True).content.decode()
    assert "已安排重新发送：2条。" in page
    assert ("其中2条到早上再发" in page) is says
