"""Scheduled duties: each is done once, however many workers make the rounds, however often and however late."""

import logging
import re
import threading
from datetime import date, datetime, timedelta
from uuid import uuid4

import pytest
import time_machine
from django.db import connection

from zhoushan_consult.audit import trail
from zhoushan_consult.audit.verbs import Verb
from zhoushan_consult.bureau.models import Area
from zhoushan_consult.clock import SHANGHAI
from zhoushan_consult.duties import runner, tasks
from zhoushan_consult.duties.kinds import Kind, daily, every, monthly, next_due, yearly
from zhoushan_consult.duties.models import Duty, Heartbeat, State
from zhoushan_consult.duties.runner import CLAIM_LEASE, last_run_at, run_due

DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)
MONTH_END = datetime(2026, 12, 1, 0, 5, tzinfo=SHANGHAI)

pytestmark = pytest.mark.django_db

faults: list = []  # what the next runs do instead of ending well: an exception to raise, or something to call


def leave_mark(about: str, due_at: datetime, now: datetime) -> int:
    """An effect in the database that can be counted."""
    Area.objects.create(code=uuid4().hex[:20], name=uuid4().hex[:30], kind=about[:10])
    fault = faults.pop(0) if faults else None
    if isinstance(fault, BaseException):
        raise fault
    if fault:
        fault()
    return 1


def find_nothing(about: str, due_at: datetime, now: datetime) -> int:
    return 0


MONTHLY = Kind("monthly", "每月一次", monthly(1, "00:05"), leave_mark, useful_for=9 * DAY)
DAILY = Kind("daily", "每天一次", daily("09:00"), leave_mark, useful_for=10 * HOUR)
BY_MINUTE = Kind("by_minute", "每分钟一次", every(MINUTE), leave_mark, useful_for=10 * MINUTE)
QUIET = Kind("quiet", "每分钟一次，无事", every(MINUTE), find_nothing, useful_for=10 * MINUTE)
QUIET_KEPT = Kind(
    "quiet_kept", "每天一次，无事也记", daily("09:00"), find_nothing, useful_for=DAY, keep_empty_runs=True
)
CROWD = [("a", MONTH_END), ("b", MONTH_END), ("c", MONTH_END), ("d", MONTH_END + MINUTE)]
CROWDED = Kind(
    "crowded",
    "一时多项",
    lambda since, until: [due for due in CROWD if since < due[1] <= until],
    find_nothing,
    useful_for=DAY,
    keep_empty_runs=True,
)


def marks(about: str = "") -> int:
    return Area.objects.filter(kind__startswith=about).exclude(kind__in=Area.Kind).count()


@pytest.fixture(autouse=True)
def duties(settings):
    """Sets which kinds there are: `duties("DAILY")`."""

    def only(*names):
        settings.DUTIES = [f"{__name__}.{name}" for name in names]

    faults.clear()
    only("MONTHLY")
    return only


def due_between(schedule, since, until):
    return list(schedule(since, until))


@pytest.mark.parametrize(
    "year, month", [(2024, 2), (2024, 3), (2026, 12), (2027, 1), (2028, 2), (2028, 3), (2100, 3)]
)
def test_monthly_duty_falls_due_by_the_clock_of_zhoushan(year, month):
    due_at = datetime(year, month, 1, 0, 5, tzinfo=SHANGHAI)
    schedule = monthly(1, "00:05")
    assert due_between(schedule, due_at - DAY, due_at) == [(f"{year}-{month:02}", due_at)]
    assert due_between(schedule, due_at - DAY, due_at - timedelta(microseconds=1)) == []
    assert due_between(schedule, due_at, due_at + 27 * DAY) == []
    assert due_between(schedule, due_at, due_at - 400 * DAY) == []  # the clock went back


def test_yearly_duty_falls_due_on_its_date_only():
    due_at = datetime(2026, 11, 20, 9, tzinfo=SHANGHAI)
    schedule = yearly(month=11, day=20, at="09:00")
    assert due_between(schedule, due_at - 300 * DAY, due_at) == [("2026", due_at)]
    assert due_between(schedule, due_at, due_at + 364 * DAY) == []


def test_daily_duty_falls_due_on_each_day_in_order():
    since = datetime(2028, 2, 28, 9, 0, tzinfo=SHANGHAI)
    found = due_between(daily("09:00"), since, since + 3 * DAY)
    assert [about for about, _ in found] == ["2028-02-29", "2028-03-01", "2028-03-02"]


def test_repeated_duty_falls_due_for_the_latest_moment_only():
    now = datetime(2026, 12, 1, 9, 30, 30, tzinfo=SHANGHAI)
    (due,) = due_between(every(MINUTE), now - 3 * DAY, now)
    assert due == ("", datetime(2026, 12, 1, 9, 30, tzinfo=SHANGHAI))
    assert due_between(every(MINUTE), due[1], now) == []


def test_monthly_schedule_refuses_the_29th():
    with pytest.raises(ValueError):
        monthly(29, "00:05")


@pytest.mark.parametrize(
    "kind, expected",
    [
        (MONTHLY, datetime(2027, 1, 1, 0, 5, tzinfo=SHANGHAI)),
        (DAILY, datetime(2026, 12, 2, 9, 0, tzinfo=SHANGHAI)),
        (BY_MINUTE, datetime(2026, 12, 1, 9, 31, tzinfo=SHANGHAI)),
        (Kind("x", "x", every(7 * HOUR), find_nothing, DAY), None),
    ],
)
def test_next_due_is_the_next_moment_of_the_schedule(kind, expected):
    now = datetime(2026, 12, 1, 9, 30, tzinfo=SHANGHAI)
    if expected is None:  # by walking there minute by minute
        expected = next(
            now + n * MINUTE for n in range(500) if due_between(kind.schedule, now, now + n * MINUTE)
        )
    assert next_due(kind, now) == expected


def test_due_duty_runs_once():
    (duty,) = run_due(MONTH_END)
    assert (duty.kind, duty.about, duty.due_at, duty.state) == ("monthly", "2026-12", MONTH_END, State.DONE)
    assert (duty.rows, duty.attempts, duty.finished_at) == (1, 1, MONTH_END)
    assert run_due(MONTH_END) == run_due(MONTH_END + DAY) == []
    assert marks() == 1


def test_duty_does_not_run_before_it_is_due():
    assert run_due(MONTH_END - timedelta(microseconds=1)) == []
    assert not Duty.objects.exists()


def test_rounds_task_runs_a_due_duty_once():
    with time_machine.travel(MONTH_END + MINUTE, tick=False):
        tasks.make_rounds.apply().get()
        tasks.make_rounds.apply().get()
    assert marks() == 1
    assert tasks.make_rounds.name == "zhoushan_consult.duties.tasks.make_rounds"


def test_rounds_catch_up_in_order_after_days_without_a_run(duties):
    duties("DAILY", "MONTHLY")
    start = datetime(2026, 11, 28, 9, 0, tzinfo=SHANGHAI)
    run_due(start)
    back = run_due(start + 3 * DAY)  # 1 December, 9:00
    assert [(duty.kind, duty.about) for duty in back] == [("monthly", "2026-12"), ("daily", "2026-12-01")]
    missed = Duty.objects.filter(state=State.MISSED).order_by("due_at")
    assert [duty.about for duty in missed] == ["2026-11-29", "2026-11-30"]
    assert marks() == 3


def test_duties_of_one_moment_run_in_the_order_of_the_settings(duties):
    duties("QUIET_KEPT", "DAILY")
    now = datetime(2026, 12, 1, 9, 0, tzinfo=SHANGHAI)
    assert [duty.kind for duty in run_due(now)] == ["quiet_kept", "daily"]


def test_long_backlog_is_worked_off_in_batches_without_loss(duties, monkeypatch):
    duties("DAILY")
    monkeypatch.setattr(runner, "BATCH_SIZE", 3)
    start = datetime(2026, 11, 1, 9, 0, tzinfo=SHANGHAI)
    run_due(start)
    for _ in range(10):
        run_due(start + 20 * DAY)
    assert Duty.objects.count() == 21
    assert Duty.objects.filter(state=State.MISSED).count() == 19


def test_batch_includes_every_duty_of_its_last_moment(duties, monkeypatch):
    duties("CROWDED")
    monkeypatch.setattr(runner, "BATCH_SIZE", 2)
    run_due(MONTH_END + MINUTE)
    assert set(Duty.objects.values_list("about", flat=True)) == {"a", "b", "c"}


def test_new_site_runs_only_duties_that_are_still_useful(duties):
    duties("MONTHLY", "DAILY")
    (duty,) = run_due(datetime(2026, 12, 8, 20, 0, tzinfo=SHANGHAI))
    assert (duty.kind, duty.about) == ("monthly", "2026-12")


def test_duties_dated_in_the_future_do_not_hide_what_is_due():
    run_due(MONTH_END.replace(year=2036))
    assert [duty.about for duty in run_due(MONTH_END)] == ["2026-12"]


def test_failed_duty_is_rolled_back_and_retried(duties, caplog):
    duties("MONTHLY", "QUIET")
    faults.append(ValueError("号码33090219900101123X"))
    failed, other = run_due(MONTH_END)
    assert (failed.state, other.state) == (State.FAILED, State.DONE)
    assert marks() == 0
    assert failed.next_try_at == MONTH_END + MINUTE
    assert "ValueError: zhoushan_consult/tests/test_duties.py" in failed.last_error
    assert "33090219900101123X" not in Duty.objects.get(pk=failed.pk).last_error + caplog.text
    assert [duty.kind for duty in run_due(MONTH_END + MINUTE)] == ["monthly", "quiet"]
    duty = Duty.objects.get(pk=failed.pk)
    assert (duty.state, duty.attempts, duty.last_error, marks()) == (State.DONE, 2, "", 1)


def test_failing_duty_is_retried_at_growing_intervals_until_it_is_missed(duties):
    duties("DAILY")
    start = now = datetime(2026, 12, 1, 9, 0, tzinfo=SHANGHAI)
    waits = []
    while now - start <= DAILY.useful_for:
        faults[:] = [RuntimeError()]
        (duty,) = run_due(now)
        waits.append((duty.next_try_at - now) / MINUTE)
        now = duty.next_try_at
    assert waits[:6] == [1, 5, 15, 60, 60, 60]
    assert run_due(now) == []
    assert Duty.objects.get().state == State.MISSED
    assert marks() == 0


class Killed(BaseException):
    """What kill -9 looks like from inside: nothing after it runs."""


def test_duty_of_a_dead_worker_is_rolled_back_and_run_again():
    faults.append(Killed())
    with pytest.raises(Killed):
        run_due(MONTH_END)
    assert marks() == 0
    assert Duty.objects.get().state == State.RUNNING
    assert run_due(MONTH_END + CLAIM_LEASE - MINUTE) == []
    (duty,) = run_due(MONTH_END + CLAIM_LEASE)
    assert (duty.state, duty.attempts, marks()) == (State.DONE, 2, 1)


def test_round_that_lost_its_claim_rolls_back_the_duty(caplog):
    faults.append(lambda: Duty.objects.update(attempts=2))  # as another round's claim would
    (late,) = run_due(MONTH_END)
    assert marks() == 0
    assert late.state != State.DONE
    assert "taken over" in caplog.text


def test_only_the_last_empty_run_of_a_duty_is_kept(duties):
    duties("QUIET")
    for minutes in range(5):
        run_due(MONTH_END + minutes * MINUTE)
    assert Duty.objects.get().due_at == MONTH_END + 4 * MINUTE
    assert run_due(MONTH_END + 4 * MINUTE) == []


def test_effective_runs_and_empty_runs_marked_to_be_kept_are_kept(duties):
    duties("BY_MINUTE", "QUIET_KEPT")
    start = datetime(2026, 12, 1, 9, 0, tzinfo=SHANGHAI)
    for days in range(3):
        run_due(start + days * DAY)
    assert Duty.objects.filter(kind="by_minute").count() == 3
    assert Duty.objects.filter(kind="quiet_kept").count() == 3


def test_duty_removed_from_the_settings_is_not_run(duties):
    faults.append(RuntimeError())
    run_due(MONTH_END)
    duties("QUIET")
    assert [duty.kind for duty in run_due(MONTH_END + HOUR)] == ["quiet"]
    assert Duty.objects.get(kind="monthly").label == "已停用的任务"


def test_last_run_is_the_last_that_finished():
    assert last_run_at() is None
    run_due(MONTH_END)
    run_due(MONTH_END + MINUTE)
    assert last_run_at() == MONTH_END + MINUTE
    faults.append(Killed())
    Duty.objects.update(state=State.DUE, next_try_at=MONTH_END)
    with pytest.raises(Killed):
        run_due(MONTH_END + 2 * MINUTE)
    assert last_run_at() == MONTH_END + MINUTE


def test_missed_duties_are_logged(duties, caplog):
    caplog.set_level(logging.ERROR)
    duties("DAILY")
    run_due(datetime(2026, 12, 1, 9, 0, tzinfo=SHANGHAI))
    run_due(datetime(2026, 12, 3, 8, 0, tzinfo=SHANGHAI))
    assert "duty daily: 1 missed" in caplog.text


LEDGER = "/admin/duties/duty/"


@pytest.fixture
def browser(keeper, signed_in):
    with time_machine.travel(datetime(2026, 12, 3, 20, 0, tzinfo=SHANGHAI), tick=False):
        yield signed_in(keeper)


def schedule_of(browser) -> str:
    """The part of the page above the ledger, as text."""
    page = browser.get(LEDGER).content.decode()
    return re.sub(r"<[^>]+>|\s+", " ", page[page.index('id="schedule"') : page.index('id="ledger"')])


def test_schedule_shows_the_next_and_the_last_run_of_each_kind(duties, browser, monkeypatch):
    duties("DAILY", "MONTHLY", "BY_MINUTE")
    readings = iter([0.0, 1.25] * 3)
    monkeypatch.setattr(runner, "monotonic", lambda: next(readings))
    run_due(datetime(2026, 12, 3, 9, 0, tzinfo=SHANGHAI))
    shown = schedule_of(browser)
    daily, monthly = shown[shown.index("每天一次") :], shown[shown.index("每月一次") :]
    assert "12月4日 09:00" in daily[:80] and "12月3日 09:00" in daily[:160]
    assert "已完成" in daily[:200] and "1.2 秒" in daily[:300]
    assert "1月1日 00:05" in monthly[:80]


def test_schedule_says_that_a_kind_never_ran(browser):
    assert "还没有执行过" in schedule_of(browser)


def test_ledger_shows_the_keeper_what_ran_and_what_was_missed(duties, browser):
    duties("DAILY", "MONTHLY")
    run_due(datetime(2026, 12, 1, 9, 0, tzinfo=SHANGHAI))
    run_due(datetime(2026, 12, 3, 20, 0, tzinfo=SHANGHAI))
    everything = browser.get(LEDGER).content.decode()
    trouble = browser.get(f"{LEDGER}?extent=trouble").content.decode()
    ledger = trouble[trouble.index('id="ledger"') :]
    assert all(str(date(2026, 12, day)) in everything for day in (1, 2, 3))
    assert "2026-12-02" in ledger and "错过未执行" in ledger and "每月一次" not in ledger
    assert "2 次" in schedule_of(browser)


def test_stopped_rounds_are_shown_on_the_ledger_and_the_first_page(duties, browser):
    duties("QUIET")
    run_due(datetime(2026, 12, 3, 19, 58, tzinfo=SHANGHAI))
    assert "没有动静" not in browser.get(LEDGER).content.decode() + browser.get("/admin/").content.decode()
    Heartbeat.objects.update(at=datetime(2026, 12, 3, 17, 0, tzinfo=SHANGHAI))
    for path in (LEDGER, "/admin/"):
        page = browser.get(path).content.decode()
        assert "定时巡查没有动静" in page and "3 小时" in page


def test_ledger_shows_the_last_interruption_of_the_rounds(duties, browser):
    duties("QUIET")
    for at in ("02:00", "02:01", "05:30", "05:31", "19:59"):
        run_due(datetime.fromisoformat(f"2026-12-03T{at}+08:00"))
        if at == "05:31":
            beat = Heartbeat.objects.get()
            assert (beat.silent_until - beat.silent_from) == timedelta(hours=3, minutes=29)
    assert "上次中断" in browser.get(LEDGER).content.decode()


@pytest.fixture
def missed(duties):
    """The daily duty of 1 December, which was not done."""
    duties("DAILY")
    Heartbeat.objects.all().delete()
    duty = Duty.objects.create(
        kind="daily", about="2026-12-01", due_at=datetime(2026, 12, 1, 9, tzinfo=SHANGHAI), state=State.MISSED
    )
    run_due(datetime(2026, 12, 3, 19, 59, tzinfo=SHANGHAI))
    Duty.objects.exclude(pk=duty.pk).update(state=State.WAIVED)
    return duty


def audited(duty) -> list[tuple[str, str]]:
    return [(entry.verb, entry.actor_name) for entry in trail.about(duty)]


def test_missed_duty_is_run_by_the_next_round_after_a_retry(missed, browser, keeper):
    before = marks("2026-12-01")
    page = browser.post(f"{LEDGER}{missed.pk}/again/", follow=True).content.decode()
    assert "已安排，一分钟内执行" in page
    assert marks("2026-12-01") == before  # the web process does nothing itself
    (done,) = run_due(datetime(2026, 12, 3, 20, 0, tzinfo=SHANGHAI))
    assert (done.pk, done.state, marks("2026-12-01")) == (missed.pk, State.DONE, before + 1)
    assert audited(missed) == [(Verb.DUTY_RERUN, keeper.name)]
    assert not browser.get(f"{LEDGER}?extent=trouble").context["cl"].result_count


def test_failed_duty_runs_at_once_after_a_retry(duties, browser):
    duties("DAILY")
    faults.append(RuntimeError())
    (failed,) = run_due(datetime(2026, 12, 3, 9, 0, tzinfo=SHANGHAI))
    now = datetime(2026, 12, 3, 9, 0, 30, tzinfo=SHANGHAI)
    assert run_due(now) == []
    with time_machine.travel(now, tick=False):
        browser.post(f"{LEDGER}{failed.pk}/again/")
    (done,) = run_due(now)
    assert (done.state, done.attempts) == (State.DONE, 2)


def test_retried_duty_is_missed_again_when_it_is_not_run_in_time(missed, browser):
    browser.post(f"{LEDGER}{missed.pk}/again/")
    run_due(datetime(2026, 12, 4, 7, 0, tzinfo=SHANGHAI))
    missed.refresh_from_db()
    assert missed.state == State.MISSED


def test_waived_duty_is_not_run(missed, browser, keeper):
    browser.post(f"{LEDGER}{missed.pk}/waive/")
    missed.refresh_from_db()
    assert missed.state == State.WAIVED
    assert run_due(datetime(2026, 12, 3, 20, 0, tzinfo=SHANGHAI)) == []
    assert audited(missed) == [(Verb.DUTY_DISMISSED, keeper.name)]


def test_second_retry_of_a_duty_is_refused(missed, browser, keeper):
    stale = Duty.objects.get(pk=missed.pk)
    browser.post(f"{LEDGER}{missed.pk}/again/")
    answer = browser.post(f"{LEDGER}{missed.pk}/again/")
    assert answer.status_code == 409
    with pytest.raises(runner.DutyAlreadyHandled):
        runner.retry(stale, by=keeper, at=MONTH_END)
    assert len(audited(missed)) == 1


def test_retry_of_a_duty_needs_a_post_by_the_keeper(missed, browser, coordinator, signed_in):
    assert browser.get(f"{LEDGER}{missed.pk}/again/").status_code == 302
    assert signed_in(coordinator).post(f"{LEDGER}{missed.pk}/again/").status_code == 403
    missed.refresh_from_db()
    assert missed.state == State.MISSED and audited(missed) == []


def test_missed_duties_are_retried_from_the_list(missed, browser):
    answer = browser.post(
        f"{LEDGER}?extent=trouble", {"action": "do_again", "_selected_action": [missed.pk]}, follow=True
    )
    assert "已安排，一分钟内执行：1项" in answer.content.decode()
    assert [duty.pk for duty in run_due(datetime(2026, 12, 3, 20, 0, tzinfo=SHANGHAI))] == [missed.pk]


def test_first_page_links_to_the_missed_duty(missed, browser):
    assert f'href="{LEDGER}{missed.pk}/change/"' in browser.get("/admin/").content.decode()


def test_ledger_is_closed_to_other_roles(coordinator, handler, signed_in):
    for officer in (coordinator, handler):
        assert signed_in(officer).get("/admin/duties/duty/").status_code == 403


def in_threads(count, act):
    """Do `act` in so many threads at once, each with a connection of its own."""
    gate = threading.Barrier(count)
    errors = []

    def one():
        try:
            gate.wait(20)
            act()
        except Exception as error:
            errors.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=one) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors, errors


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_parallel_rounds_run_each_duty_once(duties):
    duties("DAILY", "MONTHLY", "QUIET_KEPT")
    for days in range(5):
        now = datetime(2026, 11, 29, 9, 0, tzinfo=SHANGHAI) + days * DAY
        in_threads(4, lambda now=now: run_due(now))
    assert Duty.objects.filter(state=State.DONE).count() == Duty.objects.count() == 5 + 5 + 1
    assert set(Duty.objects.values_list("attempts", flat=True)) == {1}
    assert marks() == 6


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_parallel_rounds_would_repeat_a_duty_without_the_claim(duties, monkeypatch):
    """The control of the test above: it fails without the claim."""
    duties("DAILY")
    found, gate = runner._due, threading.Barrier(4)

    def all_at_once(*args):
        try:
            return found(*args)
        finally:
            gate.wait(20)

    def no_claim(duty, now):
        Duty.objects.filter(pk=duty.pk).update(state=State.RUNNING)
        return True

    monkeypatch.setattr(runner, "_due", all_at_once)
    monkeypatch.setattr(runner, "_claim", no_claim)
    monkeypatch.setattr(runner, "_mark", lambda duty, **changes: None)
    in_threads(4, lambda: run_due(datetime(2026, 12, 1, 9, 0, tzinfo=SHANGHAI)))
    assert marks() == 4


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_duty_is_done_once_when_a_round_outlasts_its_claim():
    faults.append(lambda: in_threads(1, lambda: run_due(MONTH_END + CLAIM_LEASE)))
    run_due(MONTH_END)
    duty = Duty.objects.get()
    assert (duty.state, duty.attempts, marks()) == (State.DONE, 2, 1)
