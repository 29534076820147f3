"""运行日报: a letter to those who run the site when something does not run as it should, and none when all is well."""

import dataclasses
from datetime import datetime, timedelta

import pytest

from zhoushan_consult.audit import sealing, trail
from zhoushan_consult.audit.verbs import Verb
from zhoushan_consult.clock import SHANGHAI
from zhoushan_consult.duties import runner
from zhoushan_consult.duties.models import Duty, Heartbeat
from zhoushan_consult.duties.models import State as DutyState
from zhoushan_consult.outbox.models import Channel, Notice, State
from zhoushan_consult.upkeep import digest, findings
from zhoushan_consult.upkeep.findings import Findings
from zhoushan_consult.vault import keyring
from zhoushan_consult.workdays.models import WorkdayOverride

pytestmark = pytest.mark.django_db

MORNING = datetime(2026, 11, 24, 8, 20, tzinfo=SHANGHAI)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)

ONE_EACH = {
    "failed_letters": (3, "3条通知发送失败"),
    "oldest_unsent": (MORNING - 2 * HOUR, "自11月24日06:20起在等待"),
    "failed_duties": (1, "1项定时任务失败"),
    "missed_duties": (2, "2项定时任务错过未执行"),
    "silent_from": (MORNING - 5 * HOUR, "自11月24日03:20起没有动静，请检查后台任务进程"),
    "unsealed": (7, "7条办理留痕超过3小时没有封存"),
    "year_unknown": (2027, "2027年的放假安排还没有录入"),
    "bad_keys": ("没有设置 VAULT_KEYS。", "密钥自检没有通过：没有设置 VAULT_KEYS。"),
}


@pytest.fixture(autouse=True)
def well(settings, keeper):
    """The rounds were made a minute ago, and there is an officer who runs the site."""
    settings.DUTIES = ["zhoushan_consult.upkeep.digest.DIGEST"]
    keeper.phone, keeper.email = "13857200000", "keeper@example.gov.cn"
    keeper.save()
    Heartbeat.objects.create(pk=1, at=MORNING - MINUTE)


def morning(at: datetime = MORNING) -> dict[str, str]:
    """Make the rounds. Returns the text of the letter by channel."""
    runner.run_due(at)
    assert not Duty.objects.filter(kind="health_digest", state=DutyState.FAILED).exists()
    return {notice.channel: notice.text for notice in Notice.objects.filter(kind="health_digest")}


# --- What it says ---------------------------------------------------------------------------------------------------


def test_digest_without_findings_has_no_sentence():
    assert digest.compose(Findings()) == []


@pytest.mark.parametrize("name", ONE_EACH)
def test_each_finding_has_one_sentence_that_says_what_to_do(name):
    value, words = ONE_EACH[name]
    (sentence,) = digest.compose(Findings(**{name: value}))
    assert words in sentence
    assert "请" in sentence


def test_sentence_about_an_interruption_says_when_it_ended():
    found = Findings(silent_from=MORNING - 5 * HOUR, silent_until=MORNING - 2 * HOUR)
    assert "自11月24日03:20起没有动静，11月24日06:20恢复" in digest.compose(found)[0]


def test_cases_of_these_tests_cover_every_finding():
    names = {field.name for field in dataclasses.fields(Findings)} - {"silent_until"}
    assert names == set(ONE_EACH)


# --- What it finds --------------------------------------------------------------------------------------------------


def letter(**columns) -> Notice:
    values = {"kind": "water", "channel": Channel.SMS, "about_kind": "bureau.division", "about_id": "1"}
    values |= {"created_at": MORNING, "due_at": MORNING, "to": "+8613857200001", "body": "您好"}
    values |= {"dedupe_key": f"key{Notice.objects.count()}", "next_try_at": MORNING + DAY}
    return Notice.objects.create(**values | columns)


def test_no_digest_is_sent_when_all_is_well():
    letter(due_at=MORNING - 59 * MINUTE)
    letter(due_at=MORNING + DAY)
    letter(due_at=MORNING - DAY, channel=Channel.CALL)
    letter(due_at=MORNING - DAY, state=State.SENT, next_try_at=None)
    assert morning() == {}
    assert Duty.objects.get().rows == 0


def test_findings_count_failed_notices_and_name_the_oldest_unsent():
    letter(state=State.FAILED)
    letter(state=State.RETRY, due_at=MORNING - 3 * HOUR)
    letter(state=State.WAITING, due_at=MORNING - 2 * HOUR)
    found = findings.collect(MORNING)
    assert (found.failed_letters, found.oldest_unsent) == (1, MORNING - 3 * HOUR)


def test_findings_count_failed_and_missed_duties_until_they_are_waived(keeper):
    for number, state in enumerate((DutyState.FAILED, DutyState.MISSED, DutyState.DONE, DutyState.DUE)):
        Duty.objects.create(kind="cutoff", about=str(number), due_at=MORNING, state=state)
    found = findings.collect(MORNING)
    assert (found.failed_duties, found.missed_duties) == (1, 1)
    for duty in Duty.objects.filter(state__in=[DutyState.FAILED, DutyState.MISSED]):
        runner.waive(duty, by=keeper, at=MORNING)
    assert findings.collect(MORNING) == Findings()


def test_findings_include_a_current_interruption_and_one_of_the_last_day():
    began, ended = MORNING - 5 * HOUR, MORNING - 2 * HOUR
    Heartbeat.objects.update(at=began)
    assert (findings.collect(MORNING).silent_from, findings.collect(MORNING).silent_until) == (began, None)
    runner.run_due(ended)
    Heartbeat.objects.update(at=MORNING)
    assert (findings.collect(MORNING).silent_from, findings.collect(MORNING).silent_until) == (began, ended)
    tomorrow = MORNING + DAY
    Heartbeat.objects.update(at=tomorrow)
    assert findings.collect(tomorrow) == Findings()


def test_digest_reports_the_interruption_that_its_own_round_ends():
    Heartbeat.objects.update(at=MORNING - 5 * HOUR)
    assert "自11月24日03:20起没有动静" in morning()["email"]


def test_findings_count_audit_entries_left_unsealed(keeper):
    trail.record(Verb.DUTY_RERUN, keeper, by=keeper, at=MORNING - 4 * HOUR)
    trail.record(Verb.DUTY_RERUN, keeper, by=keeper, at=MORNING - HOUR)
    assert findings.collect(MORNING).unsealed == 1
    sealing.seal(at=MORNING)
    assert findings.collect(MORNING).unsealed == 0


@pytest.mark.parametrize(
    "day, known, year",
    [
        ("2026-11-30", False, None),
        ("2026-12-01", False, 2027),
        ("2026-12-31", False, 2027),
        ("2027-01-01", False, None),
        ("2026-12-01", True, None),
        ("2025-12-01", False, None),  # the calendar knows 2026
    ],
)
def test_findings_name_the_coming_year_in_december_if_its_holidays_are_unknown(day, known, year):
    if known:
        WorkdayOverride.objects.create(date="2027-10-01", works=False)
    at = datetime.fromisoformat(f"{day}T08:20+08:00")
    Heartbeat.objects.update(at=at)
    assert findings.collect(at).year_unknown == year


def test_findings_include_keys_that_fail_their_self_test(monkeypatch):
    def broken():
        raise keyring.InvalidKeys("vault.E001", "没有设置 VAULT_KEYS。", "")

    monkeypatch.setattr(findings, "self_test", broken)
    assert findings.collect(MORNING).bad_keys == "没有设置 VAULT_KEYS。"


# --- Who gets it -----------------------------------------------------------------------------------------------------


def test_digest_is_sent_once_a_day_to_the_keeper_only(keeper, coordinator, leader):
    coordinator.phone = leader.phone = "13857200009"
    coordinator.save()
    leader.save()
    letter(state=State.FAILED)
    said = morning()
    assert said["email"].startswith("柯建，您好") and "1条通知发送失败" in said["email"]
    assert "有1项需要处理" in said["sms"] and "通知" not in said["sms"]
    for minutes in (1, 60):
        morning(MORNING + minutes * MINUTE)
    assert set(Notice.objects.filter(kind="health_digest").values_list("to_name", flat=True)) == {keeper.name}
    assert Notice.objects.filter(kind="health_digest").count() == 2
    morning(MORNING + DAY)
    assert Notice.objects.filter(kind="health_digest").count() == 4


def test_digest_names_no_recipient_of_a_failed_notice():
    letter(state=State.FAILED, to_name="诸葛渔", subject="给舟山甬东水产的通知", last_error="号码不存在")
    assert not any(word in text for text in morning().values() for word in ("诸葛渔", "甬东", "13857200001"))
