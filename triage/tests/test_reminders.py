"""What the rounds remind of, and that a second round repeats nothing (六（一）（二）（四）（五）（六）)."""

from datetime import datetime, timedelta

import pytest

from appointments.lifecycle import Stage
from appointments.models import Appointment, Grade, Rating
from triage import followup
from triage.models import FollowUp, Work
from triage.tests.factories import NOW, appointment, assignment, division, officer, seated
from zhoushan_consult.bureau.roles import Role
from zhoushan_consult.duties import rounds
from zhoushan_consult.duties.kinds import kinds
from zhoushan_consult.duties.models import Duty, State
from zhoushan_consult.outbox.models import Notice

pytestmark = pytest.mark.django_db


def at(text: str) -> datetime:
    return datetime.fromisoformat(f"{text}:00+08:00")


def letters(kind: str, channel: str = "sms") -> int:
    return Notice.objects.filter(kind=kind, channel=channel).count()


@pytest.fixture
def crew():
    """One of each who is reminded, with a telephone."""
    phone = iter(f"1380000{n:04}" for n in range(1, 99))
    return {
        "coordinator": officer(Role.COORDINATOR, "综合处", phone=next(phone)),
        "handler": officer(Role.HANDLER, "水处", phone=next(phone)),
        "head": officer(Role.HEAD, "水处", phone=next(phone)),
        "watcher": officer(Role.WATCH, "办公室", phone=next(phone)),
        "leader": officer(Role.LEADER, phone=next(phone)),
    }


def make_rounds(text: str) -> None:
    """Twice, for the second changes nothing, and every duty must have gone well."""
    for _ in range(2):
        rounds.run_due(at(text))
    assert not Duty.objects.filter(state=State.FAILED).exists()


def test_it_knows_every_duty_it_is_told_of():
    assert len({kind.name for kind in kinds()}) == len(kinds())


def test_it_tells_what_stands_on_the_list_when_the_month_has_ended(crew):
    appointment(1)
    appointment(2, stage=Stage.ACCEPTED, priority_since=NOW)
    make_rounds("2026-12-01 00:04")
    assert letters("cutoff_summary") == 0
    make_rounds("2026-12-01 00:06")
    assert letters("cutoff_summary") == 1
    assert "待初审1条，已通过1条，其中优先1条" in Notice.objects.get(kind="cutoff_summary").text


def test_it_catches_up_after_three_days_of_silence(crew):
    make_rounds("2026-11-30 12:00")
    make_rounds("2026-12-03 12:00")
    assert letters("cutoff_summary") == 1


def test_it_reminds_seated_firms_three_days_and_one_day_before(crew):
    seated(1, confirmed=True)
    make_rounds("2026-12-06 09:05")
    assert letters("day_near") == 0
    for day in ("07", "08", "09"):
        make_rounds(f"2026-12-{day} 09:05")
    assert letters("day_near") == 2


def test_it_reminds_the_division_before_and_its_head_after_the_term(crew):
    given = assignment(appointment(1, stage=Stage.ACCEPTED), "水处", by=crew["coordinator"])
    make_rounds("2026-11-25 08:45")
    assert (letters("reply_soon"), letters("reply_late")) == (1, 0)
    make_rounds("2026-11-28 08:45")
    assert letters("reply_late") == 2
    given.state = Work.RELEASED
    given.save()
    make_rounds("2026-11-30 08:45")
    assert (letters("reply_soon"), letters("reply_late")) == (1, 2)


def test_it_asks_for_the_plan_from_the_twentieth_daily(crew):
    make_rounds("2026-11-19 09:05")
    assert letters("plan_wanted") == 0
    make_rounds("2026-11-20 09:05")
    make_rounds("2026-11-21 09:05")
    assert letters("plan_wanted") == 2


def test_it_climbs_the_ladder_of_a_late_follow_up(crew):
    firm = appointment(1, stage=Stage.FOLLOWING)
    FollowUp.objects.create(
        appointment=firm, division=division("水处"), origin="day", promise="到厂", due_on=at("2026-12-14 00:00"), opened_at=NOW
    )
    counts = []
    for day in ("13", "15", "18", "22"):
        make_rounds(f"2026-12-{day} 08:31")
        counts.append(letters("follow_up_late"))
    assert counts == [1, 2, 4, 5]  # handler; head; 综合处 and 办公室; 局领导


def test_it_opens_a_follow_up_for_what_a_firm_calls_unsolved(crew):
    firm = appointment(1, stage=Stage.ANSWERED)
    assignment(firm, "水处", by=crew["coordinator"], state=Work.RELEASED)
    firm.move_to(Stage.FOLLOWING, "企业反馈未解决：还差材料", by=None, at=NOW)
    make_rounds("2026-11-21 08:31")
    found = FollowUp.objects.get()
    assert (found.division.name, found.origin) == ("水处", FollowUp.Origin.FIRM)


def test_it_follows_a_poor_rating_up_in_five_working_days(crew):
    firm = appointment(1, stage=Stage.CLOSED, closed_at=NOW)
    Rating.objects.create(appointment=firm, grade=Grade.POOR, at=NOW)
    make_rounds("2026-11-21 08:31")
    found = FollowUp.objects.get()
    assert (found.division.name, found.due_on.isoformat()) == ("综合处", "2026-11-27")


def test_it_closes_with_the_last_matter_and_asks_the_firm(crew):
    firm = appointment(1, stage=Stage.FOLLOWING)
    for _ in range(2):
        followup.open_matter(firm, division("水处"), "到厂", "day", by=crew["coordinator"], at=NOW)
    first, second = firm.follow_ups.all()
    followup.close(first, "好", by=crew["handler"], at=NOW + timedelta(days=1))
    assert Appointment.objects.get().stage == Stage.FOLLOWING
    followup.close(second, "好", by=crew["handler"], at=NOW + timedelta(days=1))
    assert Appointment.objects.get().stage == Stage.CLOSED
    assert letters("closed", "page") == 1
