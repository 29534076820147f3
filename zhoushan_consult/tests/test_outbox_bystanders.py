"""Letters among other letters: each act and each sweep touches its own rows, leaves one entry, and loses none of the rest."""

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest
from django.db import IntegrityError, transaction

from zhoushan_consult.audit.verbs import Verb
from zhoushan_consult.bureau.models import Area, Division, NotAllowed
from zhoushan_consult.bureau.roles import Role
from zhoushan_consult.clock import SHANGHAI
from zhoushan_consult.outbox import delivery, posting, telephone
from zhoushan_consult.outbox.adapters import Adapter, MemoryAdapter, PermanentFailure, TemporaryFailure
from zhoushan_consult.outbox.delivery_reports import poll_reports
from zhoushan_consult.outbox.models import Channel, Notice, State
from zhoushan_consult.outbox.posting import Recipient, cancel, latest_calendar, letters_to_page, post
from zhoushan_consult.tests import letter_kinds
from zhoushan_consult.tests.evidence import LETTERS, TRAIL, entries, name, refused, rows

AT = datetime(2026, 12, 1, 9, 30, tzinfo=SHANGHAI)
TICK, MINUTE, HOUR, DAY = (
    timedelta(microseconds=1),
    timedelta(minutes=1),
    timedelta(hours=1),
    timedelta(days=1),
)
ONE = Recipient("王测试", "+8613800000001", "firm1@example.com")
TWO = Recipient("李测试", "+8613800000002", "firm2@example.com")
MEMORY = "zhoushan_consult.outbox.adapters.MemoryAdapter"

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def gateways(settings, tmp_path):
    """Two kinds of letters that go every way, and gateways in memory."""
    for kind in ("news", "other"):
        folder = tmp_path / "notices" / kind
        folder.mkdir(parents=True)
        (folder / "page.txt").write_text("页上的标题\n页上的话")
        (folder / "sms.txt").write_text("短信的话")
        (folder / "email.txt").write_text("邮件的标题\n邮件的话")
    settings.TEMPLATES = [{**settings.TEMPLATES[0], "DIRS": [tmp_path, *settings.TEMPLATES[0]["DIRS"]]}]
    settings.OUTBOX_ADAPTERS = {"sms": MEMORY, "email": MEMORY}
    settings.OUTBOX_DAILY_CAP = 1000
    settings.LETTER_KINDS = [*settings.LETTER_KINDS, letter_kinds.PATH]
    MemoryAdapter.forget()


@pytest.fixture
def water():
    return Division.objects.get(name="水处")


@pytest.fixture
def air():
    return Division.objects.get(name="大气处")


@pytest.fixture
def namesake(water):
    """Another matter with the same number in another table."""
    return Area.objects.create(pk=water.pk + 900, name="同号", code="same", kind="zone")


def write(about, kind="news", to=ONE, key="1", at=AT, **options) -> dict[str, Notice]:
    """The letter of each channel."""
    return {n.channel: n for n in post(kind, about=about, to=to, key=key, at=at, **options)}


def put(notice: Notice, **changes) -> Notice:
    Notice.objects.filter(pk=notice.pk).update(**changes)
    notice.refresh_from_db()
    return notice


def others(*records) -> dict:
    return rows(Notice, but=records)


# --- By hand ---------------------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Case:
    """One act of an officer on a letter of `channel` that stands at `state`."""

    name: str
    do: Callable
    roles: frozenset
    verb: str
    channel: Channel
    state: State
    takes: set
    facts: dict = field(default_factory=dict)

    def __str__(self):
        return self.name


MENDERS = frozenset({Role.SYSTEM, Role.COORDINATOR, Role.LEADER})
UNSENT = {State.WAITING, State.RETRY, State.FAILED}
GATEWAY = {Channel.SMS, Channel.EMAIL}


def call(notice, by, at, outcome="reached"):
    telephone.record_call([notice], by=by, at=at, outcome=outcome, gist="已告知时间地点")


CASES = [
    Case(
        "retry",
        lambda notice, by, at: delivery.retry(notice, by=by, at=at),
        MENDERS,
        Verb.NOTICE_RETRIED,
        Channel.SMS,
        State.FAILED,
        set(itertools.product(GATEWAY, UNSENT)),
        {"channel": "sms", "kind": "news"},
    ),
    Case(
        "replace_by_call",
        lambda notice, by, at: delivery.replace_by_call(notice, by=by, at=at),
        MENDERS,
        Verb.NOTICE_TO_CALL,
        Channel.SMS,
        State.FAILED,
        set(itertools.product({Channel.SMS}, UNSENT)),
        {"kind": "news"},
    ),
    Case(
        "dismiss",
        lambda notice, by, at: delivery.dismiss(notice, by=by, at=at),
        MENDERS,
        Verb.NOTICE_DISMISSED,
        Channel.EMAIL,
        State.FAILED,
        set(itertools.product(Channel, {State.FAILED})),
        {"channel": "email", "kind": "news"},
    ),
    Case(
        "record_call",
        call,
        frozenset({Role.COORDINATOR}),
        Verb.NOTICE_CALLED,
        Channel.CALL,
        State.WAITING,
        {(Channel.CALL, State.WAITING)},
        {"outcome": "reached", "kind": "news"},
    ),
]
every_act = pytest.mark.parametrize("case", CASES, ids=str)


@pytest.fixture
def letter(case, water, air):
    """The letter of the act, among letters of every other matter, reader, kind and key that stand as it does."""
    mine = write(water)
    for number, options in enumerate(({"to": TWO}, {"kind": "other"}, {"key": "2"}, {"about": air}), 3):
        write(**({"about": water, "key": str(number)} | options))
    Notice.objects.exclude(channel=Channel.PAGE).update(channel=case.channel, state=case.state, attempts=4)
    kept = {Channel.SMS: Channel.SMS, Channel.EMAIL: Channel.EMAIL, Channel.CALL: Channel.SMS}[case.channel]
    return Notice.objects.get(pk=mine[kept].pk)


@every_act
def test_act_on_a_letter_leaves_one_entry_about_its_matter(case, letter, water, officer):
    by = officer(min(case.roles), "综合处")
    case.do(letter, by, AT + HOUR)
    assert entries() == [(case.verb, name(water), by, AT + HOUR, "", case.facts)]


@every_act
def test_act_on_a_letter_spares_every_other_letter(case, letter, officer):
    before = others(letter)
    case.do(letter, officer(min(case.roles), "综合处"), AT + HOUR)
    made = Notice.objects.exclude(pk__in=[pk for _, pk in before]).exclude(pk=letter.pk)
    assert made.count() == (case.name == "replace_by_call")
    assert others(letter, *made) == before


@every_act
def test_act_on_a_letter_leaves_nothing_without_its_entry(case, letter, officer):
    by = officer(min(case.roles), "综合处")
    before = rows()
    with refused(TRAIL):
        case.do(letter, by, AT + HOUR)
    assert rows() == before


def test_letter_is_not_taken_back_without_the_call_instead(water, keeper):
    letter = write(water)["sms"]
    before = rows()
    with refused(LETTERS):
        delivery.replace_by_call(letter, by=keeper, at=AT)
    assert rows() == before


@pytest.mark.parametrize("role", list(Role))
@every_act
def test_act_on_a_letter_is_refused_to_every_other_role(case, role, letter, officer):
    by = officer(role, "水处", area="定海区")
    before = rows()
    if role in case.roles:
        case.do(letter, by, AT + HOUR)
        assert rows() != before
        return
    with pytest.raises(NotAllowed):
        case.do(letter, by, AT + HOUR)
    assert rows() == before


@pytest.mark.parametrize("state", list(State))
@pytest.mark.parametrize("channel", list(Channel))
@every_act
def test_act_on_a_letter_takes_only_from_its_own_states(case, channel, state, letter, officer):
    put(letter, channel=channel, state=state, next_try_at=AT + DAY)
    by = officer(min(case.roles), "综合处")
    before = rows()
    if (channel, state) in case.takes:
        case.do(letter, by, AT + HOUR)
        assert rows() != before
        return
    with pytest.raises(delivery.LetterAlreadyHandled):
        case.do(letter, by, AT + HOUR)
    assert rows() == before


@pytest.mark.parametrize(("left", "takes"), [(TICK, False), (timedelta(0), True)])
def test_letter_whose_sending_was_broken_off_is_sent_again_once_the_claim_runs_out(
    water, keeper, left, takes
):
    letter = put(write(water)["sms"], state=State.INFLIGHT, next_try_at=AT + left, claimed_by="x")
    if takes:
        delivery.retry(letter, by=keeper, at=AT)
        assert (put(letter).state, letter.claimed_by) == (State.WAITING, "")
    else:
        with pytest.raises(delivery.LetterAlreadyHandled):
            delivery.retry(letter, by=keeper, at=AT)


def test_letter_sent_again_starts_with_a_clean_sheet(water, keeper):
    letter = put(
        write(water)["sms"],
        state=State.FAILED,
        attempts=9,
        last_error="空号",
        claimed_by="x",
        next_try_at=None,
    )
    delivery.retry(letter, by=keeper, at=AT + HOUR)
    letter.refresh_from_db()
    found = (letter.state, letter.next_try_at, letter.attempts, letter.claimed_by, letter.last_error)
    assert found == (State.WAITING, AT + HOUR, 0, "", "")


def test_letter_replaced_by_a_call_will_not_be_tried_and_the_call_says_the_same(water, keeper):
    letter = write(water)["sms"]
    made = delivery.replace_by_call(letter, by=keeper, at=AT + HOUR)
    assert (put(letter).state, letter.next_try_at) == (State.CANCELLED, None)
    made.refresh_from_db()
    same = ("kind", "about_kind", "about_id", "to_name", "to_index", "subject")
    assert [getattr(made, n) for n in same] == [getattr(letter, n) for n in same]
    assert (made.to.open(), made.text, made.subject) == (ONE.phone, "短信的话", "一条消息")
    # The same letter by another way: written when the SMS was.
    assert (made.channel, made.state, made.created_at) == (Channel.CALL, State.WAITING, AT)
    assert (made.due_at, made.next_try_at) == (AT + HOUR, AT + HOUR)


@pytest.mark.parametrize(
    ("stands", "waits"),
    [(State.WAITING, True), (State.FAILED, True), (State.CANCELLED, True), (State.SENT, False)],
)
def test_letter_replaced_by_a_call_that_was_made_in_vain_is_to_be_telephoned_again(
    water, keeper, stands, waits
):
    letter = put(write(water)["sms"], state=State.FAILED)
    earlier = delivery.add_to_call_list(letter, AT)
    put(earlier, state=stands, next_try_at=None, outcome="wrong_number", last_error="号码有误")
    other = put(delivery.add_to_call_list(write(water, key="2")["sms"], AT), state=State.FAILED)
    made = delivery.replace_by_call(letter, by=keeper, at=AT + HOUR)
    assert (made, made.state) == (earlier, State.WAITING if waits else State.SENT)
    assert list(delivery.calls_to_make()) == ([earlier] if waits else [])
    assert put(other).state == State.FAILED
    earlier.refresh_from_db()
    if stands in (State.FAILED, State.CANCELLED):
        found = (earlier.due_at, earlier.next_try_at, earlier.outcome, earlier.last_error)
        assert found == (AT + HOUR, AT + HOUR, "", "")


@pytest.mark.parametrize(
    ("outcome", "state", "sent_at", "next_try_at", "error"),
    [
        ("reached", State.SENT, AT + HOUR, None, ""),
        ("no_answer", State.WAITING, None, AT, ""),
        ("wrong_number", State.FAILED, None, None, "号码有误"),
    ],
)
def test_call_is_settled_by_its_outcome(water, coordinator, outcome, state, sent_at, next_try_at, error):
    made = put(write(water)["sms"], channel=Channel.CALL)
    call(made, coordinator, AT + HOUR, outcome)
    made.refresh_from_db()
    assert (made.state, made.sent_at, made.next_try_at, made.last_error) == (
        state,
        sent_at,
        next_try_at,
        error,
    )
    assert (made.outcome, made.gist.open(), made.attempts) == (outcome, "已告知时间地点", 1)


# --- Writing and taking back -----------------------------------------------------------------------------------------
def test_letter_of_another_kind_matter_number_or_key_is_another_letter(water, air, namesake):
    Notice.objects.all().delete()
    write(water)
    for number, options in enumerate(
        (
            {"kind": "other"},
            {"about": air},
            {"about": namesake},
            {"key": "2"},
            {"about": type(namesake)(pk=water.pk)},
        ),
        2,
    ):
        write(**({"about": water} | options))
        assert Notice.objects.count() == 3 * number
    write(water)
    assert Notice.objects.count() == 18


def test_letter_goes_out_at_its_own_moment(water):
    made = write(water, due_at=AT + HOUR)
    assert {(n.created_at, n.due_at) for n in made.values()} == {(AT, AT + HOUR)}
    assert [made[c].next_try_at for c in ("page", "sms", "email")] == [None, AT + HOUR, AT + HOUR]
    assert [made[c].sent_at for c in ("page", "sms", "email")] == [AT, None, None]


def test_letter_takes_its_title_from_its_text_or_from_its_kind(water):
    made = write(water)
    assert {c: n.subject for c, n in made.items()} == {
        "page": "页上的标题",
        "sms": "一条消息",
        "email": "邮件的标题",
    }


def test_index_of_the_reader_is_of_the_address_the_letter_goes_to(water):
    made, again = write(water), write(water, key="2")
    assert made["page"].to_index == ""
    assert made["sms"].to_index == again["sms"].to_index != made["email"].to_index
    assert write(water, to=TWO, key="3")["sms"].to_index != made["sms"].to_index


def test_letter_that_cannot_be_stored_is_not_lost_in_silence(water):
    with pytest.raises((posting.NotStored, IntegrityError)), transaction.atomic():
        write(water, to=Recipient(name=None, phone=ONE.phone))
    assert not Notice.objects.exists()


@pytest.mark.parametrize("channel", [Channel.SMS, Channel.EMAIL, Channel.CALL])
@pytest.mark.parametrize("state", list(State))
def test_only_an_unsent_letter_is_taken_back(water, state, channel):
    letter = put(write(water)["sms"], state=state, channel=channel)
    before = others(letter, *Notice.objects.filter(channel=Channel.EMAIL))
    Notice.objects.filter(channel=Channel.EMAIL).exclude(pk=letter.pk).delete()
    taken = state in (State.WAITING, State.RETRY)
    assert cancel(water, at=AT + HOUR) == taken
    assert put(letter).state == (State.CANCELLED if taken else state)
    if taken:
        assert (letter.next_try_at, letter.last_error) == (None, "12月1日 10:30取消")
    assert others(letter) == before


def test_letters_of_other_matters_and_kinds_are_not_taken_back(water, air):
    twin = Area.objects.create(pk=water.pk + 500, name="孪生", code="twin", kind="zone")
    Notice.objects.all().delete()
    mine, kept = (
        write(water),
        [*write(air).values(), *write(twin).values(), *write(water, kind="other").values()],
    )
    Notice.objects.filter(about_kind="bureau.area").update(about_id=str(water.pk))
    before = rows(Notice, but=tuple(mine.values()))
    assert cancel(water, "news", at=AT) == 2
    assert rows(Notice, but=tuple(mine.values())) == before
    assert len(before) == len(kept)
    assert cancel(water, at=AT) == 2


def test_page_shows_its_own_letters_only(water, air):
    mine = write(water)["page"]
    write(air)
    twin = write(water, key="2")["page"]
    put(twin, about_kind="bureau.area")
    assert list(letters_to_page(water)) == [mine]


def test_calendar_is_that_of_the_latest_email_that_has_left(water, air):
    withdrawn = write(water, key="3", at=AT + 2 * HOUR, calendar="三")["email"]
    put(withdrawn, state=State.CANCELLED)
    for hours, (about, kind, calendar) in enumerate(
        [(water, "news", "一"), (water, "news", "二"), (air, "news", "别的事项"), (water, "other", "别的信")]
    ):
        write(about, kind=kind, key=calendar, at=AT + hours * HOUR, calendar=calendar)
        delivery.deliver_due(AT + hours * HOUR)
    write(water, key="6", at=AT + 9 * HOUR, calendar="还没有送出的")
    assert latest_calendar(water, ["news"]) == "二"
    assert latest_calendar(water, ["news", "other"]) == "别的信"
    assert latest_calendar(water, ["none"]) == ""


def test_calendar_leaves_with_the_email_alone(water):
    made = write(water, calendar="BEGIN:VCALENDAR")
    assert [made[c].calendar.open() for c in ("page", "sms", "email")] == ["", "", ""]
    delivery.deliver_due(AT)
    assert [put(made[c]).calendar.open() for c in ("page", "sms", "email")] == ["", "", "BEGIN:VCALENDAR"]


# --- Sweeping --------------------------------------------------------------------------------------------------------
def waiting(water, count=1, to=ONE, start=0, channel="sms", **changes) -> list[Notice]:
    """Letters of one channel alone, as they wait at AT."""
    if channel == Channel.CALL:
        return waiting(water, count, to, start, becomes=Channel.CALL, **changes)
    changes |= {"channel": changes.pop("becomes", channel)}
    found = []
    for number in range(start, start + count):
        made = write(water, to=to, key=f"w{number}")
        Notice.objects.filter(pk__in=[n.pk for c, n in made.items() if c != channel]).delete()
        found.append(put(made[channel], **changes))
    return found


def sent_keys() -> list[str]:
    return [key for key, _, _ in MemoryAdapter.sent]


def test_sweep_writes_down_of_each_letter_how_it_went(water):
    (good,), (bad,) = waiting(water), waiting(water, start=1, channel="email")
    other = waiting(water, start=2, due_at=AT + DAY, next_try_at=AT + DAY)[0]
    before = others(good, bad)
    MemoryAdapter.script = [None, PermanentFailure("退" * 300)]
    assert delivery.deliver_due(AT) == 1
    assert (put(good).state, good.sent_at, good.attempts, good.claimed_by, good.last_error) == (
        State.SENT,
        AT,
        1,
        "",
        "",
    )
    assert (put(bad).state, bad.next_try_at, bad.last_error, bad.claimed_by) == (
        State.FAILED,
        None,
        "退" * 200,
        "",
    )
    assert others(good, bad) == before
    assert put(other).state == State.WAITING


def test_sweep_sends_no_letter_that_is_not_open_or_goes_no_gateway(water):
    for number, state in enumerate((State.SENT, State.FAILED, State.CANCELLED)):
        waiting(water, start=number, state=state, next_try_at=AT)
    waiting(water, start=9, channel="sms")
    Notice.objects.filter(state=State.WAITING).update(channel=Channel.CALL)
    before = rows()
    assert delivery.deliver_due(AT + DAY) == 0
    assert rows() == before


def test_sweep_takes_the_longest_waiting_first_and_of_one_moment_the_first_written(water):
    late, early, second = (
        waiting(water, next_try_at=AT)[0],
        waiting(water, start=1, next_try_at=AT - HOUR)[0],
        waiting(water, start=2, next_try_at=AT)[0],
    )
    delivery.deliver_due(AT)
    assert sent_keys() == [n.dedupe_key for n in (early, late, second)]


def test_sweep_of_each_channel_has_its_own_limit(water):
    waiting(water, 3)
    waiting(water, 3, start=5, channel="email")
    assert delivery.deliver_due(AT, limit=2) == 4


class Slow(Adapter):
    """Takes three seconds for a letter."""

    clock: list[datetime] = [AT]

    def send(self, notice: Notice) -> str:
        self.clock[0] += 3 * timedelta(seconds=1)
        return "slow"


@pytest.mark.parametrize(("longest", "count"), [(9, 3), (10, 4), (12, 4)])
def test_sweep_stops_after_its_longest_time(water, settings, monkeypatch, longest, count):
    settings.OUTBOX_ADAPTERS = {"sms": f"{__name__}.Slow"}
    monkeypatch.setattr(delivery, "MAX_RUN", timedelta(seconds=longest))
    Slow.clock[0] = AT
    waiting(water, 6)
    assert delivery.deliver_due(AT, clock=lambda: Slow.clock[0]) == count
    assert Notice.objects.filter(state=State.WAITING, attempts=0).count() == 6 - count
    moments = sorted(Notice.objects.filter(state=State.SENT).values_list("sent_at", flat=True))
    assert moments == [AT + n * timedelta(seconds=3) for n in range(1, count + 1)]


class Overtaken(Adapter):
    """While the first letter is sent, another sweep takes up all others."""

    def send(self, notice: Notice) -> str:
        taken = {"state": State.INFLIGHT, "claimed_by": "another", "next_try_at": AT + delivery.CLAIM_LEASE}
        Notice.objects.exclude(pk=notice.pk).filter(channel=Channel.SMS).update(**taken)
        return "overtaken"


def test_sweep_passes_over_a_letter_that_another_took_up_meanwhile(water, settings):
    settings.OUTBOX_ADAPTERS = {"sms": f"{__name__}.Overtaken"}
    first, second = waiting(water, 2)
    assert delivery.deliver_due(AT) == 1
    assert put(first).state == State.SENT
    assert (put(second).state, second.claimed_by, second.attempts) == (State.INFLIGHT, "another", 0)


class Looks(Adapter):
    """Sees how the letter stands while it is sent."""

    seen: list[tuple] = []

    def send(self, notice: Notice) -> str:
        now = Notice.objects.get(pk=notice.pk)
        self.seen.append((now.state, now.next_try_at, now.attempts, bool(now.claimed_by)))
        return "g" * 300


def test_claim_holds_the_letter_while_it_is_sent(water, settings):
    settings.OUTBOX_ADAPTERS = {"sms": f"{__name__}.Looks"}
    Looks.seen.clear()
    (letter,) = waiting(water)
    delivery.deliver_due(AT)
    assert Looks.seen == [(State.INFLIGHT, AT + delivery.CLAIM_LEASE, 1, True)]
    assert put(letter).gateway_id == "g" * 120


@pytest.mark.parametrize(
    ("fault", "attempts", "state", "next_try_at", "calls"),
    [
        (TemporaryFailure("忙"), 0, State.RETRY, AT + MINUTE, 0),
        (TemporaryFailure("忙"), 7, State.RETRY, AT + DAY, 0),
        (TemporaryFailure("忙"), 8, State.FAILED, None, 1),
        (ZeroDivisionError(), 1, State.RETRY, AT + 5 * MINUTE, 0),
        (ZeroDivisionError(), 2, State.FAILED, None, 1),
        (PermanentFailure("空号"), 0, State.FAILED, None, 1),
        (None, 8, State.SENT, AT + delivery.CLAIM_LEASE, 0),
        (None, 9, State.FAILED, None, 1),
    ],
)
def test_letter_is_tried_so_often_and_then_telephoned(water, fault, attempts, state, next_try_at, calls):
    (letter,) = waiting(water, attempts=attempts)
    spared = waiting(water, start=5, due_at=AT + DAY, next_try_at=AT + DAY)
    MemoryAdapter.script = [fault]
    delivery.deliver_due(AT)
    assert (put(letter).state, letter.next_try_at, letter.attempts) == (state, next_try_at, attempts + 1)
    assert delivery.calls_to_make().count() == calls
    assert put(spared[0]).state == State.WAITING


def test_failure_is_not_written_down_without_the_call_instead(water):
    (letter,) = waiting(water)
    MemoryAdapter.script = [PermanentFailure("空号")]
    with refused(LETTERS):
        delivery.deliver_due(AT)
    assert put(letter).state == State.INFLIGHT  # the claim runs out, and the letter is taken up again


def test_email_that_failed_is_not_telephoned(water):
    waiting(water, channel="email")
    MemoryAdapter.script = [PermanentFailure("SMTP 550")]
    delivery.deliver_due(AT)
    assert not delivery.calls_to_make().exists()


# --- The daily cap ---------------------------------------------------------------------------------------------------
MIDNIGHT = datetime(2026, 12, 1, tzinfo=SHANGHAI)


@pytest.mark.parametrize(
    ("earlier", "goes"),
    [
        ({}, False),
        ({"sent_at": MIDNIGHT}, False),
        ({"sent_at": MIDNIGHT - TICK}, True),
        ({"state": State.INFLIGHT, "sent_at": None}, False),
        ({"state": State.CANCELLED}, True),
        ({"state": State.FAILED}, True),
        ({"state": State.RETRY, "next_try_at": AT + DAY}, True),
        ({"channel": Channel.CALL}, True),
        ({"to_index": "somebody else"}, True),
    ],
    ids=str,
)
def test_only_what_the_same_person_had_by_sms_today_counts_into_the_cap(water, settings, earlier, goes):
    settings.OUTBOX_DAILY_CAP = 1
    waiting(water, start=7, **({"state": State.SENT, "sent_at": AT, "next_try_at": AT + HOUR} | earlier))
    (letter,) = waiting(water)
    assert delivery.deliver_due(AT) == goes
    tomorrow = datetime(2026, 12, 2, 8, tzinfo=SHANGHAI)
    expected = (State.SENT, 1, "") if goes else (State.WAITING, 0, "当日短信已达上限，次日再发")
    assert (put(letter).state, letter.attempts, letter.last_error) == expected
    assert letter.claimed_by == ""
    if not goes:
        assert letter.next_try_at == tomorrow


def test_cap_is_of_sms_and_puts_no_email_off(water, settings):
    settings.OUTBOX_DAILY_CAP = 0
    waiting(water, channel="email")
    assert delivery.deliver_due(AT) == 1


@pytest.mark.parametrize("hour", [0, 7, 8, 20, 23])
def test_letter_over_the_cap_goes_the_next_morning_in_zhoushan(water, settings, hour):
    settings.OUTBOX_DAILY_CAP = 0
    now = MIDNIGHT.replace(hour=hour)
    (letter,) = waiting(water, next_try_at=now)
    delivery.deliver_due(now)
    if hour < 8:  # at night it is put off to the morning in any case, and asks for the cap then
        assert put(letter).next_try_at == MIDNIGHT.replace(hour=8)
        delivery.deliver_due(letter.next_try_at)
    assert put(letter).next_try_at == letter.due_at == datetime(2026, 12, 2, 8, tzinfo=SHANGHAI)


# --- What is told of the outbox --------------------------------------------------------------------------------------
TEN = timedelta(minutes=10)


@pytest.mark.parametrize(
    ("changes", "late"),
    [
        ({"next_try_at": AT - TEN}, True),
        ({"next_try_at": AT - TEN + TICK}, False),
        ({"next_try_at": AT - TEN, "state": State.RETRY}, True),
        ({"next_try_at": AT - TEN, "state": State.INFLIGHT}, True),
        ({"next_try_at": AT - TEN, "state": State.SENT}, False),
        ({"next_try_at": AT - TEN, "state": State.FAILED}, False),
        ({"next_try_at": AT - TEN, "channel": Channel.CALL}, False),
        ({"next_try_at": AT - TEN, "channel": Channel.EMAIL}, True),
    ],
    ids=str,
)
def test_outbox_is_overdue_where_a_letter_was_not_taken_up(water, changes, late):
    waiting(water, **changes)
    assert delivery.is_stalled(AT) is late


def refused_by_gateway(water, people=3, channel="sms", **changes):
    fields = {
        "state": State.RETRY,
        "due_at": AT - TEN - TICK,
        "next_try_at": AT + HOUR,
        "created_at": AT - HOUR,
    }
    for number in range(people):
        to = Recipient("人", f"+86138000010{number:02}", f"firm{number}@example.com")
        waiting(
            water,
            to=to,
            start=100 + number + 50 * (channel == "email"),
            channel=channel,
            **(fields | changes),
        )


@pytest.mark.parametrize(
    ("refusals", "dead"),
    [
        ({}, True),
        ({"people": 2}, False),
        ({"channel": "email"}, True),
        ({"due_at": AT - TEN}, False),
        ({"state": State.WAITING}, False),
        ({"state": State.FAILED}, False),
    ],
    ids=str,
)
def test_outbox_is_overdue_where_a_gateway_takes_nothing_of_three_people(water, refusals, dead):
    refused_by_gateway(water, **refusals)
    assert delivery.is_stalled(AT) is dead


def test_three_letters_of_one_person_are_no_dead_gateway(water):
    waiting(water, 3, state=State.RETRY, due_at=AT - HOUR, next_try_at=AT + HOUR, created_at=AT - HOUR)
    assert not delivery.is_stalled(AT)


@pytest.mark.parametrize(
    ("taken", "dead"),
    [
        ({}, False),
        ({"created_at": AT - HOUR}, False),
        ({"created_at": AT - HOUR - TICK}, True),
        ({"channel": Channel.EMAIL}, True),
        ({"state": State.FAILED}, True),
    ],
    ids=str,
)
def test_gateway_that_took_a_letter_since_is_alive(water, taken, dead):
    refused_by_gateway(water)
    waiting(water, to=TWO, **({"state": State.SENT, "sent_at": AT, "created_at": AT} | taken))
    assert delivery.is_stalled(AT) is dead


def test_refusals_of_two_channels_are_not_added_up(water):
    refused_by_gateway(water, people=2)
    refused_by_gateway(water, people=2, channel="email")
    assert not delivery.is_stalled(AT)


@pytest.mark.parametrize(
    ("changes", "counts"),
    [
        ({"state": State.WAITING}, True),
        ({"state": State.RETRY}, True),
        ({"state": State.INFLIGHT}, True),
        ({"state": State.SENT}, False),
        ({"state": State.FAILED}, False),
        ({"channel": Channel.CALL}, False),
        ({"due_at": AT}, True),
        ({"due_at": AT + TICK}, False),
    ],
    ids=str,
)
def test_oldest_unsent_letter_is_one_that_should_have_left(water, changes, counts):
    waiting(water, start=5, due_at=AT + DAY)
    (letter,) = waiting(water, **({"due_at": AT - HOUR} | changes))
    assert delivery.oldest_unsent(AT) == (put(letter).due_at if counts else None)


def test_oldest_unsent_letter_is_the_oldest(water):
    for number, hours in enumerate((2, 3, 1)):
        waiting(water, start=number, due_at=AT - hours * HOUR)
    assert delivery.oldest_unsent(AT) == AT - 3 * HOUR


@pytest.mark.parametrize(
    ("differs", "waits"),
    [
        ({}, False),
        ({"kind": "other"}, True),
        ({"about_kind": "bureau.area"}, True),
        ({"about_id": "0"}, True),
        ({"to_index": "somebody else"}, True),
        ({"channel": Channel.SMS}, True),
    ],
    ids=str,
)
def test_failed_sms_waits_for_nobody_only_where_its_own_call_is_made(water, differs, waits):
    (letter,) = waiting(water, state=State.FAILED)
    put(delivery.add_to_call_list(letter, AT), **differs)
    assert list(delivery.failed()) == ([letter] if waits else [])


def test_failed_email_waits_although_a_call_is_made_of_its_kind(water):
    (letter,) = waiting(water, channel="email", state=State.FAILED)
    delivery.add_to_call_list(letter, AT)
    assert list(delivery.failed()) == [letter]
    for number, state in enumerate(set(State) - {State.FAILED}):
        waiting(water, start=50 + number, state=state)
    assert list(delivery.failed()) == [letter]


def test_calls_to_make_are_those_that_wait_the_oldest_first(water):
    for number, (state, hours) in enumerate(
        [(State.WAITING, 2), (State.WAITING, 1), (State.WAITING, 2), (State.SENT, 0), (State.FAILED, 0)]
    ):
        waiting(water, start=number, state=state, channel="sms", due_at=AT + hours * HOUR)
    Notice.objects.update(channel=Channel.CALL)
    waiting(water, start=9)
    keys = [notice.dedupe_key for notice in delivery.calls_to_make()]
    first, second, third, *_ = Notice.objects.order_by("pk").values_list("dedupe_key", flat=True)
    assert keys == [second, first, third]


def test_call_instead_of_a_letter_is_made_once(water):
    first, second = waiting(water, 2)
    made = delivery.add_to_call_list(first, AT)
    assert delivery.add_to_call_list(first, AT + HOUR) == made
    assert delivery.add_to_call_list(second, AT) != made


# --- What became of an SMS -------------------------------------------------------------------------------------------
class Knows(Adapter):
    """Answers in the order of `script`, and notes the letters that it was asked about."""

    supports_reports = True
    script: list = []
    asked: list[int] = []
    meanwhile: Callable = staticmethod(lambda notice: None)

    def was_delivered(self, notice: Notice) -> bool | None:
        self.asked.append(notice.pk)
        self.meanwhile(notice)
        answer = self.script.pop(0) if self.script else None
        if isinstance(answer, Exception):
            raise answer
        return answer


@pytest.fixture
def gateway(settings):
    settings.OUTBOX_ADAPTERS = {"sms": f"{__name__}.Knows"}
    Knows.script, Knows.asked, Knows.meanwhile = [], [], staticmethod(lambda notice: None)
    return Knows


def left(water, count=1, start=0, **changes) -> list[Notice]:
    """SMS that a gateway took, the latest first in the list."""
    fields = {"state": State.SENT, "sent_at": AT - HOUR, "next_try_at": None, "gateway_id": "g"}
    return [waiting(water, start=start + n, **(fields | changes))[0] for n in range(count)][::-1]


@pytest.mark.parametrize(
    ("changes", "asked"),
    [
        ({"sent_at": AT - MINUTE}, True),
        ({"sent_at": AT - MINUTE + TICK}, False),
        ({"sent_at": AT - 3 * DAY}, True),
        ({"sent_at": AT - 3 * DAY - TICK}, False),
        ({"gateway_id": ""}, False),
        ({"arrived_at": AT}, False),
        ({"state": State.FAILED}, False),
        ({"channel": Channel.EMAIL}, False),
    ],
    ids=str,
)
def test_gateway_is_asked_about_an_sms_it_took_lately(water, gateway, changes, asked):
    (letter,) = left(water, **changes)
    poll_reports(AT)
    assert gateway.asked == [letter.pk] * asked


def test_gateway_is_asked_about_the_latest_first_and_so_many_at_a_time(water, gateway, monkeypatch):
    monkeypatch.setattr("zhoushan_consult.outbox.delivery_reports.BATCH_SIZE", 3)
    (old,) = left(water, start=9, sent_at=AT - DAY)
    latest = left(water, 3)
    poll_reports(AT)
    assert gateway.asked == [notice.pk for notice in latest]
    assert old.pk not in gateway.asked


@pytest.mark.parametrize(
    ("fault", "settled"),
    [(PermanentFailure("不知道"), 2), (ValueError("奇怪的答复"), 2), (TemporaryFailure("忙"), 0), (None, 2)],
)
def test_round_goes_on_past_one_letter_and_ends_with_the_gateway(water, gateway, fault, settled, caplog):
    first, second, third = left(water, 3)
    gateway.script = [fault, True, False]
    assert poll_reports(AT) == settled
    assert (put(first).state, first.arrived_at) == (State.SENT, None)
    expected = [(AT, State.SENT), (None, State.FAILED)] if settled else [(None, State.SENT)] * 2
    assert [(put(n).arrived_at, n.state) for n in (second, third)] == expected
    assert delivery.calls_to_make().count() == (1 if settled else 0)
    assert "奇怪的答复" not in caplog.text


def test_sms_that_did_not_arrive_is_telephoned_and_no_other_letter_is_touched(water, gateway):
    (letter,) = left(water)
    left(water, 2, start=5, sent_at=AT)
    before = others(letter)
    gateway.script = [False]
    assert poll_reports(AT) == 1
    made = delivery.calls_to_make().get()
    assert (made.to.open(), made.due_at) == (ONE.phone, AT)
    assert (put(letter).state, letter.last_error) == (
        State.FAILED,
        "运营商没有送达，可能停机、关机或号码有误",
    )
    assert others(letter, made) == before


def test_sms_that_did_not_arrive_stays_as_it_is_without_the_call_instead(water, gateway):
    left(water)
    gateway.script = [False]
    before = rows()
    with refused(LETTERS):
        poll_reports(AT)
    assert rows() == before


@pytest.mark.parametrize("answer", [True, False])
@pytest.mark.parametrize(
    "moved", [{"gateway_id": "another"}, {"state": State.WAITING}, {"arrived_at": AT - MINUTE}]
)
def test_answer_about_a_letter_that_went_again_meanwhile_changes_nothing(water, gateway, moved, answer):
    (letter,) = left(water)
    gateway.script = [answer]
    gateway.meanwhile = staticmethod(lambda notice: Notice.objects.filter(pk=notice.pk).update(**moved))
    assert poll_reports(AT) == 0
    now = put(letter)
    assert {n: getattr(now, n) for n in moved} == moved
    assert now.last_error == ""
    assert not delivery.calls_to_make().exists()


def test_gateway_that_cannot_tell_is_not_asked(water, gateway, monkeypatch):
    monkeypatch.setattr(Knows, "supports_reports", False)
    left(water)
    assert (poll_reports(AT), gateway.asked) == (0, [])


# --- The row itself --------------------------------------------------------------------------------------------------
def test_letter_knows_its_matter_and_itself_where_that_is_gone(water):
    letter = write(water)["sms"]
    assert letter.about() == water
    assert put(letter, about_id="0").about() == letter


@pytest.mark.parametrize(
    ("channel", "shown"), [("sms", "138****0001"), ("email", "f***@example.com"), ("page", "")]
)
def test_address_is_shown_masked(water, channel, shown):
    assert write(water)[channel].masked_to == shown


def test_key_of_a_letter_is_stable():
    """The gateway knows a letter by it, so that a repeat after an upgrade is no second one."""
    assert (
        posting.dedupe_key("news", "bureau.division", "7", "1", "sms") == "55869c414baf7aecbc682811e0f4ef16"
    )
