"""演练: the coming weeks are played on a copy of the data and told day by day; the data itself does not change."""

import re
import sqlite3
from contextlib import closing
from datetime import date, datetime
from io import StringIO
from pathlib import Path
from threading import Thread

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.utils import InternalError

from appointments import letters
from appointments.lifecycle import Stage
from triage.tests import factories as made
from triage.tests.desk import follow_up
from zhoushan_consult.bureau.models import Area, Officer
from zhoushan_consult.bureau.roles import Role
from zhoushan_consult.duties import runner
from zhoushan_consult.duties.models import Duty, Heartbeat
from zhoushan_consult.outbox.adapters import MemoryAdapter
from zhoushan_consult.outbox.delivery import deliver_due
from zhoushan_consult.outbox.models import Notice
from zhoushan_consult.upkeep import rehearsal
from zhoushan_consult.upkeep.database_copy import working_copy

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)


@pytest.fixture(autouse=True)
def house(settings, coordinator, watcher, keeper):
    """Letters go to a list; three of the bureau can be reached."""
    settings.OUTBOX_ADAPTERS = dict.fromkeys(
        ["sms", "email"], "zhoushan_consult.outbox.adapters.MemoryAdapter"
    )
    MemoryAdapter.forget()
    for number, who in enumerate((coordinator, watcher, keeper)):
        who.phone, who.email = f"1385720000{number}", f"reader{number}@example.gov.cn"
        who.save()
    yield
    assert MemoryAdapter.sent == []


@pytest.fixture
def month(coordinator):
    """A firm with a seat, one that waits for 初审, and a follow-up due on 4 December; some of it told already."""
    firm = made.seated(1, confirmed=True, contact_name="诸葛渔", enterprise_name="舟山甬东水产有限公司")
    letters.write("seat_confirmed", firm, at=made.NOW)
    made.appointment(2)
    follow_up(made.appointment(3, stage=Stage.FOLLOWING))
    evening = datetime.fromisoformat("2026-11-30T20:00+08:00")
    runner.run_due(evening)
    deliver_due(evening)
    MemoryAdapter.forget()
    return firm


def told(first: str, last: str, **options) -> str:
    out = StringIO()
    call_command("rehearse", "--from", first, "--to", last, stdout=out, **options)
    return out.getvalue()


def consult_date(story: str, heading: str) -> str:
    """What is told of one day."""
    return story[story.index(heading) :].split("\n\n")[0]


def everything() -> tuple:
    """The whole database: on SQLite each byte of its file, on PostgreSQL each row and where each sequence stands."""
    connection.close()
    if connection.vendor == "sqlite":
        name = str(connection.settings_dict["NAME"])
        with closing(sqlite3.connect(name)) as file:
            return Path(name).read_bytes(), list(file.iterdump())
    with connection.cursor() as cursor:
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1")
        tables = [name for (name,) in cursor.fetchall()]
        rows = {table: _rows(cursor, f"SELECT t::text FROM public.{table} t ORDER BY 1") for table in tables}
        return rows, _rows(cursor, "SELECT sequencename, last_value FROM pg_sequences ORDER BY 1")


def _rows(cursor, query: str) -> list:
    cursor.execute(query)
    return cursor.fetchall()


def test_rehearsal_tells_day_by_day_what_would_run_and_who_would_be_told(month):
    story = told("2026-11-30", "2026-12-08")
    headings = re.findall(r"^\d+月\d+日（周.）$", story, re.MULTILINE)
    assert headings[0] == "11月30日（周一）" and headings[-1] == "12月8日（周二）" and len(headings) == 9
    first = consult_date(story, "12月1日（周二）")
    assert "月底截止汇总" in first
    assert re.search(r"预约截止汇总　短信1条、邮件1条　→ 综合处 综合处经办", first)
    assert "运行情况需要处理　短信1条、邮件1条　→ 科监处 系统管理" in first  # 2027's holidays
    assert "现场咨询提醒企业 1条" in consult_date(story, "12月7日（周一）")
    assert "现场咨询提醒　进度页1条、短信1条　→ 预约登记联系人" in consult_date(story, "12月7日（周一）")
    assert "督办到期提醒　短信1条、邮件1条　→ 办公室 办公室督办" in consult_date(story, "12月8日（周二）")
    assert "合计：" in story and "副本已删除" in story


def test_rehearsal_names_no_person_or_firm(month):
    story = told("2026-12-01", "2026-12-08")
    people = ["诸葛渔", "甬东", "测试人", "舟山测试", month.reference, month.uscc, month.phone_number[-8:]]
    people += list(Officer.objects.values_list("name", flat=True))
    assert [word for word in [*people, "13857200", "example.gov.cn"] if word in story] == []


def test_rehearsal_leaves_every_byte_of_the_data_unchanged(month):
    before = everything()
    assert "月底截止汇总" in told("2026-12-01", "2026-12-02")
    assert everything() == before
    assert not Notice.objects.filter(kind="cutoff_summary").exists()


def test_real_rounds_change_what_the_comparison_reads(month, coordinator):
    """The control of the test above: what that test compares does change when duties run."""
    before = everything()
    runner.run_due(datetime.fromisoformat("2026-12-01T00:06+08:00"))
    assert everything() != before


def test_interrupted_rehearsal_leaves_nothing_behind(month, monkeypatch, tmp_path):
    monkeypatch.setattr(
        settings, "VAR_DIR", tmp_path
    )  # other workers of the suite rehearse in the common one
    adapters, name = settings.OUTBOX_ADAPTERS, connection.settings_dict["NAME"]
    played = rehearsal.rehearse(date(2026, 12, 1), date(2026, 12, 30))
    next(played)
    if connection.vendor == "sqlite":
        assert connection.settings_dict["NAME"] != name
    played.close()  # as Ctrl-C would
    assert adapters == settings.OUTBOX_ADAPTERS and connection.settings_dict["NAME"] == name
    assert not list(tmp_path.glob("rehearsal-*"))
    Area.objects.create(code="x", name="可以写入", kind=Area.Kind.ZONE)


def test_rehearsal_continues_after_a_failed_duty_and_names_it(month, monkeypatch):
    def broken(*args, **kwargs):
        raise ValueError("诸葛渔的号码")

    monkeypatch.setattr("triage.reminders.letters.write", broken)
    story = told("2026-12-07", "2026-12-07")
    assert "现场咨询提醒企业 失败（ValueError" in story and "诸葛渔" not in story
    assert not Duty.objects.filter(state="failed").exists()


def test_rehearsal_assumes_the_days_before_it_went_as_planned(month):
    """What falls due between the last rounds and the span is neither late nor told."""
    story = told("2026-12-02", "2026-12-02", verbosity=2)
    assert "12月1日" not in story and "失败" not in story and "错过" not in story
    assert "截止汇总" not in story  # it was told on the 1st


def in_a_thread(act) -> list:
    """Do `act` on a connection of its own, as another process would; what it returned or raised."""
    found: list = []

    def one():
        try:
            found.append(act())
        except Exception as error:
            found.append(error)
        finally:
            connection.close()

    thread = Thread(target=one)
    thread.start()
    thread.join()
    return found


def make_real_rounds() -> datetime:
    """The beat of the real site, while the rehearsal goes on."""
    now = datetime.fromisoformat("2026-12-01T08:40+08:00")
    runner.run_due(now)
    return runner.last_run_at()


@pytest.mark.postgres
def test_site_continues_during_a_rehearsal(month):
    played = rehearsal.rehearse(date(2026, 12, 1), date(2026, 12, 3))
    next(played)
    (beat,) = in_a_thread(make_real_rounds)
    assert beat == datetime.fromisoformat("2026-12-01T08:40+08:00")
    assert [one.day for one in played] == [date(2026, 12, 2), date(2026, 12, 3)]
    assert Heartbeat.objects.get().at == beat


@pytest.mark.postgres
@pytest.mark.parametrize(
    "write",
    [
        "UPDATE public.duties_heartbeat SET at = now()",
        "DELETE FROM public.audit_entry",
        "INSERT INTO public.web_hit (bucket, window_start, count) VALUES ('x', now(), 1)",
        "SELECT nextval(pg_get_serial_sequence('public.outbox_notice', 'id'))",
    ],
)
def test_server_refuses_every_write_to_the_real_data(month, write):
    with working_copy():
        with connection.cursor() as cursor, pytest.raises(InternalError, match="read-only"):
            cursor.execute(write)
        assert Notice.objects.filter(kind="seat_confirmed").exists()
        Area.objects.create(code="copy", name="只在副本里", kind=Area.Kind.ZONE)
    assert not Area.objects.filter(code="copy").exists()


@pytest.mark.parametrize(
    "first, last, says",
    [
        ("2026-11-31", "2026-12-01", "不是日期"),
        ("昨天", "2026-12-01", "不是日期"),
        ("2026-12-02", "2026-12-01", "不能早于"),
        ("2026-01-01", "2027-01-01", "最多演练"),
    ],
)
def test_wrong_dates_are_explained(first, last, says):
    with pytest.raises(CommandError, match=says):
        told(first, last)


def test_rehearsal_counts_officers_without_contact_details(house):
    made.officer(Role.HANDLER, "水处")
    assert "有 1 名工作人员没有登记手机和邮箱" in told("2026-11-24", "2026-11-24")
