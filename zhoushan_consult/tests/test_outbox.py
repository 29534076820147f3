"""Letters: written with the act, sent once, never lost, and readable only by the person to whom they are sent."""

import json
import smtplib
import stat
import threading
from datetime import datetime, timedelta
from itertools import count, pairwise
from pathlib import Path

import pytest
import time_machine
from django.core import mail
from django.db import connection, transaction
from django.db.models import F
from django.test import override_settings

from zhoushan_consult.audit import trail
from zhoushan_consult.audit.verbs import Verb
from zhoushan_consult.bureau.models import Division, NotAllowed
from zhoushan_consult.clock import SHANGHAI
from zhoushan_consult.outbox import delivery, tasks, telephone
from zhoushan_consult.outbox.adapters import Adapter, MemoryAdapter, PermanentFailure, TemporaryFailure
from zhoushan_consult.outbox.delivery import CLAIM_LEASE, LetterAlreadyHandled, calls_to_make, deliver_due
from zhoushan_consult.outbox.models import Channel, Notice, State
from zhoushan_consult.outbox.posting import Recipient, cancel, letters_to_page, post
from zhoushan_consult.tests import letter_kinds

AT = datetime(2026, 12, 1, 9, 30, tzinfo=SHANGHAI)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
MOBILE, LAND_LINE, MAIL = "+8613800000001", "+865802000001", "firm1@example.com"
FIRM = Recipient("王测试", MOBILE, MAIL)
SECRET = "只有收件人能读到的话"
MEMORY = "zhoushan_consult.outbox.adapters.MemoryAdapter"

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def letters(settings, tmp_path):
    """The kinds of letters of these tests, and gateways in memory."""
    texts = {
        "all": {
            "page": f"名额已安排\n{SECRET}",
            "sms": f"{SECRET}：{{{{ site_url }}}}/status/",
            "email": f"通知：{{{{ firm }}}}\n{{{{ to_name }}}}，您好：\n\n{SECRET}，{{{{ firm }}}}。",
        },
        "sms": {"sms": f"第{{{{ number }}}}封，{SECRET}"},
        "email": {"email": f"标题\n{SECRET}"},
        "answer": {"sms": SECRET},
    }
    for kind, files in texts.items():
        for name, text in files.items():
            file = tmp_path / "notices" / kind / f"{name}.txt"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
    settings.TEMPLATES = [{**settings.TEMPLATES[0], "DIRS": [tmp_path, *settings.TEMPLATES[0]["DIRS"]]}]
    settings.OUTBOX_ADAPTERS = dict.fromkeys(["sms", "email"], MEMORY)
    settings.OUTBOX_DAILY_CAP = 1000
    settings.LETTER_KINDS = [*settings.LETTER_KINDS, letter_kinds.PATH]
    MemoryAdapter.forget()


@pytest.fixture
def water():
    return Division.objects.get(name="水处")


@pytest.fixture
def sms(water):
    """Posts SMS letters: `sms(3)` three to one person."""

    def write(count=1, to=FIRM, at=AT, start=0, **options):
        keys = range(start, start + count)
        return [post("sms", about=water, to=to, key=f"{n}", at=at, number=n, **options)[0] for n in keys]

    return write


def state(notice):
    return Notice.objects.get(pk=notice.pk).state


def sent():
    return [key for key, _, _ in MemoryAdapter.sent]


# --- Writing --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "phone, email, channels",
    [
        (MOBILE, MAIL, ["page", "sms", "email"]),
        (MOBILE, "", ["page", "sms"]),
        ("13800000001", "", ["page", "sms"]),
        ("tel:+86-138-0000-0001", "", ["page", "sms"]),
        (LAND_LINE, "", ["page", "call"]),
        ("0580-2000001转8001", "", ["page", "call"]),
        ("办公室电话见名片", "", ["page", "call"]),
        ("", MAIL, ["page", "email"]),
        ("", "", ["page"]),
    ],
)
def test_notice_uses_each_channel_that_has_a_text_and_a_contact(water, phone, email, channels):
    rows = post("all", about=water, to=Recipient("王测试", phone, email), key="1", at=AT, firm="甲")
    assert [row.channel for row in rows] == channels
    page, *others = rows
    assert (page.state, page.sent_at, page.subject, page.text) == (State.SENT, AT, "名额已安排", SECRET)
    assert all((row.state, row.due_at, row.next_try_at) == (State.WAITING, AT, AT) for row in others)


def test_notice_is_rendered_from_its_templates_without_escaping(water, settings):
    settings.SITE_URL = "https://consult.example.com"
    _, sms, email = post("all", about=water, to=FIRM, key="1", at=AT, firm="甲&乙<丙>")
    assert (sms.text, sms.to.open()) == (f"{SECRET}：https://consult.example.com/status/", MOBILE)
    assert (email.subject, email.text) == ("通知：甲&乙<丙>", f"王测试，您好：\n\n{SECRET}，甲&乙<丙>。")


@pytest.mark.parametrize("newline", ["\r\n", "\n", "\r", "\u2028", "\x0b", "\x85"])
def test_line_break_in_a_subject_adds_no_mail_header(water, newline, settings):
    settings.OUTBOX_ADAPTERS = {"email": "zhoushan_consult.outbox.adapters.DjangoEmailAdapter"}
    post("all", about=water, to=FIRM, key="1", at=AT, firm=f"甲{newline}Bcc: x@example.com")
    assert deliver_due(AT) == 1
    (letter,) = mail.outbox
    assert letter.message()["Bcc"] is None
    assert letter.recipients() == [MAIL]
    assert len(letter.subject.splitlines()) == 1


def test_posting_the_same_notice_again_returns_the_first(water, sms):
    first = post("all", about=water, to=FIRM, key="1", at=AT, firm="甲")
    with transaction.atomic():
        again = post("all", about=water, to=FIRM, key="1", at=AT + DAY, firm="乙")
        assert Division.objects.exists()  # the caller's transaction goes on
    assert [row.pk for row in again] == [row.pk for row in first]
    assert Notice.objects.count() == 3
    other = Division.objects.get(name="大气处")
    post("all", about=water, to=FIRM, key="2", at=AT, firm="甲")
    post("all", about=other, to=FIRM, key="1", at=AT, firm="甲")
    assert Notice.objects.count() == 9


def test_notice_is_rolled_back_with_the_act(water, sms):
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        sms()
        _ = 1 / 0
    assert not Notice.objects.exists()


def test_notice_without_a_template_is_an_error(water):
    with pytest.raises(LookupError):
        post("no_such_letter", about=water, to=FIRM, key="1", at=AT)


def test_stored_notice_is_encrypted(water):
    post("all", about=water, to=FIRM, key="1", at=AT, firm="甲")
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM outbox_notice")
        stored = repr(cursor.fetchall())
    for clear in (SECRET, MOBILE, "13800000001", MAIL):
        assert clear not in stored
    assert MOBILE not in repr(FIRM) and MAIL not in repr(FIRM)


def test_page_shows_the_notices_of_one_matter_newest_first(water):
    for days in range(3):
        post("all", about=water, to=FIRM, key=f"{days}", at=AT + days * DAY, firm="甲")
    post("all", about=Division.objects.get(name="大气处"), to=FIRM, key="1", at=AT, firm="甲")
    assert [letter.created_at for letter in letters_to_page(water)] == [AT + 2 * DAY, AT + DAY, AT]


def test_cancel_stops_the_unsent_notices_only(water, sms):
    (gone,) = sms()
    deliver_due(AT)
    _, waiting, email = post("all", about=water, to=FIRM, key="1", at=AT, firm="甲")
    assert cancel(water, "all", at=AT + HOUR) == 2
    assert deliver_due(AT + HOUR) == 0
    assert [state(row) for row in (gone, waiting, email)] == [State.SENT, State.CANCELLED, State.CANCELLED]
    assert letters_to_page(water).count() == 1


# --- Sending --------------------------------------------------------------------------------------


def test_sweep_task_sends_a_notice_once(water, sms):
    (notice,) = sms()
    with time_machine.travel(AT + MINUTE, tick=False):
        tasks.sweep.apply().get()
        tasks.sweep.apply().get()
    assert MemoryAdapter.sent == [(notice.dedupe_key, MOBILE, f"第0封，{SECRET}")]
    notice.refresh_from_db()
    assert (notice.state, notice.sent_at, notice.attempts) == (State.SENT, AT + MINUTE, 1)
    assert notice.gateway_id == "memory-1"
    assert tasks.sweep.name == "zhoushan_consult.outbox.tasks.sweep"


def test_notice_is_not_sent_before_it_is_due(sms):
    sms(due_at=AT + HOUR)
    assert deliver_due(AT + HOUR - MINUTE) == 0
    assert deliver_due(AT + HOUR) == 1


def test_notices_are_sent_longest_waiting_first_up_to_the_limit(sms):
    later, sooner = sms(at=AT + MINUTE)[0], sms(start=1)[0]
    assert deliver_due(AT + HOUR, limit=1) == 1
    assert sent() == [sooner.dedupe_key]
    assert deliver_due(AT + HOUR, limit=1) == 1
    assert sent() == [sooner.dedupe_key, later.dedupe_key]


def test_notice_is_retried_at_growing_intervals_and_then_becomes_a_call(sms, caplog):
    (notice,) = sms()
    MemoryAdapter.script = [TemporaryFailure("HTTP 503")] * 9
    tries, now = [], AT
    while state(notice) in (State.WAITING, State.RETRY):
        assert deliver_due(now - timedelta(seconds=1)) == deliver_due(now) == 0
        tries.append(now - AT)
        notice.refresh_from_db()
        now = notice.next_try_at
    waits = [(after - before) / MINUTE for before, after in pairwise(tries)]
    # Twelve hours after 19:51 it would be night, and the letter waits for 8:00.
    assert waits == [1, 5, 15, 60, 3 * 60, 6 * 60, 12 * 60 + 9, 24 * 60]
    assert (notice.state, notice.attempts, notice.last_error) == (State.FAILED, 9, "HTTP 503")
    (call,) = calls_to_make()
    assert (call.text, call.to.open(), call.to_name) == (f"第0封，{SECRET}", MOBILE, "王测试")
    assert deliver_due(AT + 90 * DAY) == 0
    assert f"notice {notice.pk} failed" in caplog.text


@pytest.mark.parametrize("kind, channel, calls", [("sms", Channel.SMS, 1), ("email", Channel.EMAIL, 0)])
def test_permanently_refused_notice_is_not_retried(water, kind, channel, calls):
    (notice,) = post(kind, about=water, to=FIRM, key="1", at=AT)
    MemoryAdapter.script = [PermanentFailure("空号")]
    assert deliver_due(AT) == 0
    notice.refresh_from_db()
    assert (notice.state, notice.attempts, notice.last_error) == (State.FAILED, 1, "空号")
    assert calls_to_make().count() == calls
    assert deliver_due(AT + 90 * DAY) == 0


def test_notice_that_breaks_the_adapter_does_not_block_the_others(sms, caplog):
    poison, *others = sms(101)
    MemoryAdapter.script = [ZeroDivisionError(f"{MOBILE} {SECRET}")]
    assert deliver_due(AT) == 100
    assert set(sent()) == {other.dedupe_key for other in others}
    for wait in (1, 6):
        MemoryAdapter.script = [ZeroDivisionError(f"{MOBILE} {SECRET}")]
        deliver_due(AT + wait * MINUTE)
    poison.refresh_from_db()
    assert (poison.state, poison.attempts) == (State.FAILED, 3)
    assert poison.last_error.startswith("ZeroDivisionError: zhoushan_consult/outbox/adapters.py:")
    assert calls_to_make().count() == 1
    assert MOBILE not in caplog.text and SECRET not in caplog.text


class Killed(BaseException):
    """What kill -9 looks like from inside: nothing after it runs."""


def test_notice_is_sent_once_when_its_first_sweep_died_before_sending(sms):
    (notice,) = sms()
    MemoryAdapter.script = [Killed()]
    with pytest.raises(Killed):
        deliver_due(AT)
    assert (state(notice), sent()) == (State.INFLIGHT, [])
    assert deliver_due(AT + CLAIM_LEASE - MINUTE) == 0
    assert deliver_due(AT + CLAIM_LEASE) == 1
    assert deliver_due(AT + CLAIM_LEASE + DAY) == 0
    assert sent() == [notice.dedupe_key]


class DiesAfterSending(MemoryAdapter):
    def send(self, notice):
        super().send(notice)
        raise Killed


def test_notice_is_sent_again_under_the_same_key_when_its_sweep_died_after_sending(sms):
    (notice,) = sms()
    with override_settings(OUTBOX_ADAPTERS={"sms": f"{__name__}.DiesAfterSending"}), pytest.raises(Killed):
        deliver_due(AT)
    assert deliver_due(AT + CLAIM_LEASE) == 1
    assert sent() == [notice.dedupe_key] * 2


def test_notice_on_which_every_sweep_dies_becomes_a_call(sms):
    (notice,) = sms()
    now = AT
    for _ in range(9):
        MemoryAdapter.script = [Killed()]
        with pytest.raises(Killed):
            deliver_due(now)
        now += CLAIM_LEASE
    assert deliver_due(now) == 0
    assert (state(notice), sent()) == (State.FAILED, [])
    assert calls_to_make().count() == 1


class TooLate(Adapter):
    """Answers when the claim has run out and another sweep has the letter: still sending it, or done."""

    def send(self, notice):
        overtaking = {"next_try_at": AT + CLAIM_LEASE, "claimed_by": "another"}
        Notice.objects.filter(pk=notice.pk).update(**overtaking)
        raise PermanentFailure("太迟的回答")


class MuchTooLate(TooLate):
    def send(self, notice):
        with override_settings(OUTBOX_ADAPTERS={"sms": MEMORY}):
            deliver_due(AT + CLAIM_LEASE)
        super().send(notice)


@pytest.mark.parametrize("adapter, stands", [(TooLate, State.INFLIGHT), (MuchTooLate, State.SENT)])
def test_late_answer_is_ignored_once_another_sweep_has_the_notice(sms, settings, caplog, adapter, stands):
    (notice,) = sms()
    settings.OUTBOX_ADAPTERS = {"sms": f"{__name__}.{adapter.__name__}"}
    deliver_due(AT)
    notice.refresh_from_db()
    assert (notice.state, notice.last_error) == (stands, "")
    assert not calls_to_make().exists()
    assert "taken over" in caplog.text


def test_slow_gateway_does_not_hold_up_the_other_channel(water, sms):
    sms(5)
    post("email", about=water, to=FIRM, key="1", at=AT)
    seconds = iter(range(0, 1000, 3))  # every look at the clock is three seconds later
    assert deliver_due(AT, clock=lambda: AT + timedelta(seconds=next(seconds))) < 6
    assert Notice.objects.filter(channel="email", state=State.SENT).count() == 1
    assert Notice.objects.filter(channel="sms", state=State.WAITING).exists()


def test_notice_waits_while_its_channel_is_badly_configured(water, sms, settings):
    (notice,) = sms()
    post("email", about=water, to=FIRM, key="1", at=AT)
    settings.OUTBOX_ADAPTERS = {**settings.OUTBOX_ADAPTERS, "sms": "no.such.Adapter"}
    assert deliver_due(AT) == 1
    notice.refresh_from_db()
    assert (notice.state, notice.attempts) == (State.WAITING, 0)


def test_daily_cap_puts_off_further_sms_to_the_next_morning(water, sms, settings):
    settings.OUTBOX_DAILY_CAP = 3
    mine = sms(5)
    sms(to=Recipient("李测试", "+8613800000002"), start=9)
    for number in range(4):
        post("email", about=water, to=FIRM, key=f"{number}", at=AT)
    assert deliver_due(AT) == 3 + 1 + 4
    put_off = [notice for notice in mine if state(notice) == State.WAITING]
    assert len(put_off) == 2
    morning = datetime(2026, 12, 2, 8, 0, tzinfo=SHANGHAI)
    assert set(Notice.objects.filter(state=State.WAITING).values_list("next_try_at", "attempts")) == {
        (morning, 0)
    }
    assert deliver_due(morning - MINUTE) == 0
    assert deliver_due(morning) == 2


def test_daily_cap_counts_sms_in_flight(sms, settings):
    settings.OUTBOX_DAILY_CAP = 1
    sms(2)
    MemoryAdapter.script = [Killed()]
    with pytest.raises(Killed):
        deliver_due(AT)
    assert deliver_due(AT + MINUTE) == 0
    assert sorted(Notice.objects.values_list("state", flat=True)) == [State.INFLIGHT, State.WAITING]


def test_daily_cap_starts_again_at_midnight_in_zhoushan(water, settings):
    """Only an answer leaves at night."""
    settings.OUTBOX_DAILY_CAP = 1
    evening = datetime(2026, 12, 1, 23, 59, tzinfo=SHANGHAI)
    for key, before_midnight in (("1", 1), ("2", 0)):
        post("answer", about=water, to=Recipient("王测试", MOBILE), key=key, at=evening)
        assert deliver_due(evening) == before_midnight
    assert Notice.objects.get(state=State.WAITING).next_try_at > evening + MINUTE
    Notice.objects.filter(state=State.WAITING).update(next_try_at=evening)
    assert deliver_due(evening + MINUTE) == 1


# --- By hand --------------------------------------------------------------------------------------


@pytest.fixture
def failed(sms):
    (notice,) = sms()
    MemoryAdapter.script = [PermanentFailure("空号")]
    deliver_due(AT)
    return notice


@pytest.mark.parametrize("who", ["keeper", "coordinator"])
def test_retry_sends_a_failed_notice_again_with_one_audit_entry(request, water, failed, who):
    officer = request.getfixturevalue(who)
    delivery.retry(failed, by=officer, at=AT + HOUR)
    assert deliver_due(AT + HOUR) == 1
    entry = trail.about(water).get()
    assert (entry.verb, entry.actor, entry.facts) == (
        Verb.NOTICE_RETRIED,
        officer,
        {"channel": "sms", "kind": "sms"},
    )
    with pytest.raises(LetterAlreadyHandled, match="请刷新"):
        delivery.retry(failed, by=officer, at=AT + HOUR)


def test_retried_notice_has_all_its_attempts_again(failed, keeper):
    delivery.retry(failed, by=keeper, at=AT + HOUR)
    MemoryAdapter.script = [TemporaryFailure("HTTP 503")]
    deliver_due(AT + HOUR)
    assert state(failed) == State.RETRY


def test_retry_takes_a_notice_in_flight_once_its_claim_has_expired(sms, keeper):
    (notice,) = sms()
    Notice.objects.update(state=State.INFLIGHT, next_try_at=AT + CLAIM_LEASE, attempts=F("attempts") + 1)
    with pytest.raises(LetterAlreadyHandled):
        delivery.retry(notice, by=keeper, at=AT)
    delivery.retry(notice, by=keeper, at=AT + CLAIM_LEASE)
    assert deliver_due(AT + CLAIM_LEASE) == 1


def test_call_replaces_an_unsent_sms(sms, coordinator, water):
    (notice,) = sms()
    call = delivery.replace_by_call(notice, by=coordinator, at=AT)
    assert deliver_due(AT + DAY) == 0
    assert list(calls_to_make()) == [call]
    assert trail.about(water).get().verb == Verb.NOTICE_TO_CALL
    with pytest.raises(LetterAlreadyHandled):
        delivery.replace_by_call(notice, by=coordinator, at=AT)


def test_failed_sms_replaced_by_a_call_is_on_the_call_list_once(failed, coordinator):
    delivery.replace_by_call(failed, by=coordinator, at=AT)
    assert calls_to_make().count() == 1


@pytest.mark.parametrize(
    "outcome, left, now",
    [("reached", 0, State.SENT), ("no_answer", 1, State.WAITING), ("wrong_number", 0, State.FAILED)],
)
def test_outcome_of_a_call_decides_its_state(water, failed, coordinator, outcome, left, now):
    call = calls_to_make().get()
    telephone.record_call([call], by=coordinator, at=AT, outcome=outcome, gist="已告知时间地点")
    call.refresh_from_db()
    assert (call.state, call.outcome, call.attempts, call.gist.open()) == (now, outcome, 1, "已告知时间地点")
    assert calls_to_make().count() == left
    entry = trail.about(water).get()
    assert (entry.verb, entry.facts) == (Verb.NOTICE_CALLED, {"outcome": outcome, "kind": "sms"})


def test_outcome_of_a_call_is_recorded_once(failed, coordinator):
    call = calls_to_make().get()
    telephone.record_call([call], by=coordinator, at=AT, outcome="reached", gist="已告知")
    with pytest.raises(LetterAlreadyHandled):
        telephone.record_call([call], by=coordinator, at=AT, outcome="no_answer", gist="")


def test_acts_on_a_notice_are_refused_to_other_roles(sms, handler, keeper):
    (notice,) = sms()
    for act in (delivery.retry, delivery.replace_by_call):
        with pytest.raises(NotAllowed):
            act(notice, by=handler, at=AT)
    with pytest.raises(NotAllowed):
        telephone.record_call([notice], by=keeper, at=AT, outcome="reached", gist="")


# --- Ways out -------------------------------------------------------------------------------------


def test_file_adapter_writes_a_private_file_and_prints_no_content(water, settings, tmp_path, capsys):
    settings.OUTBOX_ADAPTERS = {"sms": "zhoushan_consult.outbox.adapters.FileAdapter"}
    settings.OUTBOX_FOLDER = tmp_path / "letters"
    _, notice, _ = post("all", about=water, to=FIRM, key="1", at=AT, firm="甲")
    deliver_due(AT)
    Notice.objects.filter(pk=notice.pk).update(state=State.WAITING, next_try_at=AT)
    deliver_due(AT)
    (file,) = Path(settings.OUTBOX_FOLDER).iterdir()  # the repeat overwrote the first
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    letter = json.loads(file.read_text())
    assert (letter["key"], letter["to"]) == (notice.dedupe_key, MOBILE)
    assert SECRET in letter["body"]
    printed = capsys.readouterr().out
    assert "[短信] 名额已安排 → 138****0001" in printed
    assert SECRET not in printed and "13800000001" not in printed


def test_mail_has_the_dedupe_key_in_its_message_id(water, settings):
    settings.OUTBOX_ADAPTERS = {"email": "zhoushan_consult.outbox.adapters.DjangoEmailAdapter"}
    settings.SITE_URL = "https://consult.example.com"
    (notice,) = post("email", about=water, to=FIRM, key="1", at=AT)
    deliver_due(AT)
    (letter,) = mail.outbox
    assert letter.message()["Message-ID"] == f"<{notice.dedupe_key}@consult.example.com>"
    assert (letter.to, letter.subject, letter.body) == ([MAIL], "标题", SECRET)


@pytest.mark.parametrize(
    "error, expected, reason",
    [
        (
            smtplib.SMTPRecipientsRefused({MAIL: (550, b"no such user " + MAIL.encode())}),
            State.FAILED,
            "SMTP 550",
        ),
        (smtplib.SMTPRecipientsRefused({MAIL: (450, b"busy")}), State.RETRY, "SMTP 450"),
        (smtplib.SMTPDataError(554, b"refused"), State.FAILED, "SMTP 554"),
        (smtplib.SMTPDataError(451, b"later"), State.RETRY, "SMTP 451"),
        (smtplib.SMTPSenderRefused(550, b"not you", "noreply"), State.RETRY, "SMTP 550"),
        (smtplib.SMTPAuthenticationError(535, b"no"), State.RETRY, "SMTP 535"),
        (smtplib.SMTPServerDisconnected("gone"), State.RETRY, "SMTPServerDisconnected"),
        (TimeoutError("slow"), State.RETRY, "TimeoutError"),
        (ConnectionRefusedError(), State.RETRY, "ConnectionRefusedError"),
        (ValueError(f"bad address {MAIL}"), State.FAILED, "ValueError"),
    ],
)
def test_refused_mail_fails_and_trouble_of_the_server_is_retried(
    water, settings, monkeypatch, caplog, error, expected, reason
):
    def refuse(*args):
        raise error

    settings.OUTBOX_ADAPTERS = {"email": "zhoushan_consult.outbox.adapters.DjangoEmailAdapter"}
    monkeypatch.setattr("django.core.mail.backends.locmem.EmailBackend.send_messages", refuse)
    (notice,) = post("email", about=water, to=FIRM, key="1", at=AT)
    deliver_due(AT)
    notice.refresh_from_db()
    assert (notice.state, notice.last_error) == (expected, reason)
    assert MAIL not in caplog.text


# --- In the admin ---------------------------------------------------------------------------------

LIST = "/admin/outbox/notice/"


def test_admin_shows_no_content_and_no_full_address_of_a_notice(water, keeper, signed_in):
    _, sms, _ = post("all", about=water, to=FIRM, key="1", at=AT, firm="甲")
    browser = signed_in(keeper)
    for address in (LIST, f"{LIST}{sms.pk}/change/"):
        page = browser.get(address).content.decode()
        assert "名额已安排（短信）" in page and "138****0001" in page
        for clear in (SECRET, "13800000001", "138 0000 0001", MAIL):
            assert clear not in page


def test_admin_list_retries_notices_and_replaces_them_by_calls(failed, sms, keeper, signed_in):
    browser = signed_in(keeper)
    waiting = sms(start=5)[0]
    browser.post(LIST, {"action": "send_again", "_selected_action": [failed.pk]})
    browser.post(LIST, {"action": "call_instead", "_selected_action": [waiting.pk]})
    assert [state(failed), state(waiting)] == [State.WAITING, State.CANCELLED]
    page = browser.post(LIST, {"action": "send_again", "_selected_action": [waiting.pk]}, follow=True)
    assert "不能再这样处理" in page.content.decode()


def test_caller_sees_what_to_say_until_the_outcome_is_recorded(failed, coordinator, keeper, signed_in):
    call = calls_to_make().get()
    screen = f"{LIST}{call.pk}/change/"
    browser = signed_in(coordinator)
    page = browser.get(screen).content.decode()
    assert SECRET in page and "138 0000 0001" in page
    assert SECRET not in signed_in(keeper).get(screen).content.decode()
    browser.post(f"{LIST}{call.pk}/call/", {"outcome": "reached", "gist": "已告知"})
    assert state(call) == State.SENT
    assert SECRET not in browser.get(screen).content.decode()


@pytest.fixture
def returned(water):
    """An e-mail that its server refused for good."""
    to = Recipient(name="诸葛渔", email="firm@example.com")
    (notice,) = post("email", about=water, to=to, key="k", at=AT)
    Notice.objects.filter(pk=notice.pk).update(state=State.FAILED, next_try_at=None, last_error="SMTP 550")
    return notice


def press(browser, notice, button: str):
    """From the first page to the letter in one click, and there the button."""
    first = browser.get("/admin/").content.decode()
    assert f'href="{LIST}{notice.pk}/change/"' in first
    return browser.post(f"{LIST}{notice.pk}/{button}/", follow=True).content.decode()


def test_failed_notice_is_retried_one_click_from_the_first_page(returned, keeper, signed_in):
    assert "已安排重新发送" in press(signed_in(keeper), returned, "retry")
    assert state(returned) == State.WAITING


def test_failed_sms_becomes_a_call_one_click_from_the_first_page(failed, keeper, signed_in):
    calls_to_make().delete()  # as on a site where failed SMS did not yet become calls
    browser = signed_in(keeper)
    assert "已转到综合处的待电话联系名单" in press(browser, failed, "telephone")
    assert state(failed) == State.CANCELLED and calls_to_make().count() == 1
    assert f"{LIST}{failed.pk}/change/" not in browser.get("/admin/").content.decode()


def test_failed_notice_is_dismissed_one_click_from_the_first_page(returned, water, keeper, signed_in):
    browser = signed_in(keeper)
    assert "已记为不再处理" in press(browser, returned, "dismiss")
    assert state(returned) == State.CANCELLED and trail.about(water).last().verb == Verb.NOTICE_DISMISSED
    assert "没有发送失败的通知" in browser.get("/admin/").content.decode()
    assert browser.post(f"{LIST}{returned.pk}/dismiss/").status_code == 409


def test_failed_sms_with_an_open_call_needs_no_decision(failed, keeper, signed_in):
    """The call is on the list of 综合处; only a call that failed needs a decision."""
    assert calls_to_make().count() == 1 and not delivery.failed().exists()
    calls_to_make().update(state=State.FAILED)
    assert delivery.failed().get().channel == Channel.CALL


def test_failed_notice_is_dismissed_from_its_screen_by_no_other_role(
    returned, coordinator, leader, signed_in
):
    for officer in (coordinator, leader):
        assert signed_in(officer).post(f"{LIST}{returned.pk}/dismiss/").status_code == 403
    assert state(returned) == State.FAILED


def test_notices_in_the_admin_are_closed_to_other_roles(sms, handler, watcher, signed_in):
    (notice,) = sms()
    for officer in (handler, watcher):
        for address in (LIST, f"{LIST}{notice.pk}/change/"):
            assert signed_in(officer).get(address).status_code == 403


# --- Many sweeps at a time ------------------------------------------------------------------------

SWEEPS, LETTERS = 8, 200


@pytest.fixture
def race():
    """Lets SWEEPS sweeps begin, all of them with the same letters in hand."""
    gate = threading.Barrier(SWEEPS)

    def run():
        threads = [threading.Thread(target=sweep_once) for _ in range(SWEEPS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def sweep_once():
        looks = count()

        def clock():
            if next(looks) == 1:  # the first look at the clock with the letters in hand
                gate.wait(20)
            return AT

        try:
            deliver_due(AT, clock=clock)
        finally:
            connection.close()

    return run


@pytest.fixture
def matter():
    """Something to write about, in tests that begin with empty tables."""
    return Division.objects.get_or_create(code="water", defaults={"name": "水处", "duty": "水"})[0]


@pytest.fixture
def many(matter, settings):
    settings.OUTBOX_ADAPTERS = {"sms": MEMORY}

    def write(count, same_person=False):
        for n in range(count):
            to = Recipient("王测试", f"+861380000{0 if same_person else n:04}")
            post("sms", about=matter, to=to, key=f"{n}", at=AT, number=n)

    return write


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_parallel_sweeps_send_each_notice_once(many, race):
    many(LETTERS)
    race()
    assert (len(sent()), len(set(sent()))) == (LETTERS, LETTERS)
    assert Notice.objects.filter(state=State.SENT, attempts=1).count() == LETTERS


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_parallel_sweeps_would_repeat_each_notice_without_the_claim(many, race, monkeypatch):
    """The control of the test above: it fails without the claim."""
    monkeypatch.setattr(delivery, "_claim", lambda notice, at: True)
    many(20)
    race()
    assert (len(sent()), len(set(sent()))) == (20 * SWEEPS, 20)


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_daily_cap_holds_for_parallel_sweeps(many, race, settings):
    settings.OUTBOX_DAILY_CAP = 3
    many(20, same_person=True)
    race()
    assert 1 <= len(sent()) <= 3
    assert Notice.objects.filter(state=State.WAITING).count() == 20 - len(sent())


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_notice_posted_by_parallel_transactions_is_stored_once(matter):
    rows, gate = [], threading.Barrier(4)

    def write():
        gate.wait(20)
        with transaction.atomic():
            rows.append(post("all", about=matter, to=FIRM, key="1", at=AT, firm="甲"))
            assert Division.objects.exists()
        connection.close()

    threads = [threading.Thread(target=write) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {tuple(row.pk for row in found) for found in rows} == {
        tuple(Notice.objects.order_by("pk").values_list("pk", flat=True))
    }
