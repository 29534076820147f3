"""What the rounds remind of, and that a second round repeats nothing (六（一）（二）（四）（五）（六）)."""

from datetime import date, datetime, timedelta

import pytest
import time_machine
from django.test import Client

from appointments.facts import NotOpen
from appointments.lifecycle import Stage
from appointments.models import Appointment, Grade, Rating
from sessions_app.models import ConsultDay
from triage import closing, follow_up, hearing, replies
from triage.models import AssignmentState, FollowUp, Outcome
from triage.tests.factories import NOW, appointment, assignment, division, officer, seated
from zhoushan_consult.bureau.roles import Role
from zhoushan_consult.duties import runner
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
    """Twice, because the second must change nothing. No duty may fail."""
    for _ in range(2):
        runner.run_due(at(text))
    assert not Duty.objects.filter(state=State.FAILED).exists()


def test_duty_names_are_unique():
    assert len({kind.name for kind in kinds()}) == len(kinds())


def test_every_duty_stays_useful_longer_than_two_claim_leases():
    assert [kind.name for kind in kinds() if kind.useful_for <= 2 * runner.CLAIM_LEASE] == []


def test_cutoff_summary_counts_the_list_once_the_month_has_ended(crew):
    appointment(1)
    appointment(2, stage=Stage.ACCEPTED, priority_since=NOW)
    make_rounds("2026-12-01 00:04")
    assert letters("cutoff_summary") == 0
    make_rounds("2026-12-01 00:06")
    assert letters("cutoff_summary") == 1
    assert "待初审1条，已通过1条，其中优先1条" in Notice.objects.get(kind="cutoff_summary").text


def test_missed_cutoff_summary_is_sent_three_days_later(crew):
    make_rounds("2026-11-30 12:00")
    make_rounds("2026-12-03 12:00")
    assert letters("cutoff_summary") == 1


def test_seated_firms_are_reminded_three_days_and_one_day_before(crew):
    seated(1, confirmed=True)
    make_rounds("2026-12-06 09:05")
    assert letters("day_near") == 0
    for day in ("07", "08", "09"):
        make_rounds(f"2026-12-{day} 09:05")
    assert letters("day_near") == 2


def test_firm_whose_offer_lapses_in_the_same_round_is_not_reminded_of_the_day(crew):
    seated(1, confirmed=True)
    unanswered = seated(2)
    ConsultDay.objects.filter(pk=unanswered.day_id).update(settled_at=NOW)
    make_rounds("2026-12-07 09:05")
    assert letters("seat_lapsed") == 1
    assert letters("day_near") == 1


def test_reply_is_reminded_of_before_and_after_its_term_until_released(crew):
    given = assignment(appointment(1, stage=Stage.ACCEPTED), "水处", by=crew["coordinator"])
    make_rounds("2026-11-25 08:45")
    assert (letters("reply_soon"), letters("reply_late")) == (1, 0)
    make_rounds("2026-11-28 08:45")
    assert letters("reply_late") == 2
    given.state = AssignmentState.RELEASED
    given.save()
    make_rounds("2026-11-30 08:45")
    assert (letters("reply_soon"), letters("reply_late")) == (1, 2)


def test_plan_is_requested_daily_from_the_twentieth(crew):
    make_rounds("2026-11-19 09:05")
    assert letters("plan_wanted") == 0
    make_rounds("2026-11-20 09:05")
    make_rounds("2026-11-21 09:05")
    assert letters("plan_wanted") == 2


def test_late_follow_up_is_escalated_step_by_step(crew):
    firm = appointment(1, stage=Stage.FOLLOWING)
    FollowUp.objects.create(
        appointment=firm,
        division=division("水处"),
        origin="day",
        promise="到厂",
        due_on=at("2026-12-14 00:00"),
        opened_at=NOW,
    )
    counts = []
    for day in ("13", "15", "18", "22"):
        make_rounds(f"2026-12-{day} 08:31")
        counts.append(letters("follow_up_late"))
    assert counts == [1, 2, 4, 5]  # handler; head; 综合处 and 办公室; 局领导


def test_unsolved_feedback_opens_a_follow_up(crew):
    firm = appointment(1, stage=Stage.ANSWERED)
    assignment(firm, "水处", by=crew["coordinator"], state=AssignmentState.RELEASED)
    firm.move_to(Stage.FOLLOWING, "企业反馈未解决：还差材料", by=None, at=NOW)
    make_rounds("2026-11-21 08:31")
    found = FollowUp.objects.get()
    assert (found.division.name, found.origin) == ("水处", FollowUp.Origin.FIRM)


def test_poor_rating_opens_a_follow_up_due_in_five_working_days(crew):
    firm = appointment(1, stage=Stage.CLOSED, closed_at=NOW)
    Rating.objects.create(appointment=firm, grade=Grade.POOR, at=NOW)
    make_rounds("2026-11-21 08:31")
    found = FollowUp.objects.get()
    assert (found.division.name, found.due_on.isoformat()) == ("综合处", "2026-11-27")


def test_last_closed_follow_up_closes_the_registration_and_tells_the_firm(crew):
    firm = appointment(1, stage=Stage.FOLLOWING)
    for _ in range(2):
        follow_up.open_follow_up(firm, division("水处"), "到厂", "day", by=crew["coordinator"], at=NOW)
    first, second = firm.follow_ups.all()
    follow_up.close(first, "好", by=crew["handler"], at=NOW + timedelta(days=1))
    assert Appointment.objects.get().stage == Stage.FOLLOWING
    follow_up.close(second, "好", by=crew["handler"], at=NOW + timedelta(days=1))
    assert Appointment.objects.get().stage == Stage.CLOSED
    assert letters("closed", "page") == 1


# --- What the firms say, and what stays open -------------------------------------------------------------------------
def matters() -> list[tuple]:
    rows = FollowUp.objects.order_by("pk")
    return [(row.origin, row.closed_at is None, row.result) for row in rows]


@pytest.fixture
def followed(crew):
    """A firm in 督办 with one follow-up of 水处, due months later."""
    firm = appointment(1, stage=Stage.FOLLOWING)
    assignment(firm, "水处", by=crew["coordinator"], state=AssignmentState.RELEASED)
    follow_up.open_follow_up(
        firm, division("水处"), "到厂", "day", due_on=date(2027, 3, 1), by=crew["coordinator"], at=NOW
    )
    return firm


def firm_says(firm: Appointment, what: str, text: str) -> None:
    """The firm presses the button on its progress page."""
    with time_machine.travel(at(text), tick=False):
        browser = Client()
        browser.post(
            "/status/", {"reference": firm.reference, "phone": firm.phone_number.removeprefix("+86")}
        )
        path = {"solved": "/status/solved/", "unsolved": "/status/unsolved/"}[what]
        answer = browser.post(path, {"reason": "还差材料"}, follow=True)
        assert "谢谢反馈" in answer.content.decode() or "已转有关处室" in answer.content.decode()


def test_solved_feedback_closes_the_open_follow_up(followed):
    firm_says(followed, "solved", "2026-11-25 20:00")
    make_rounds("2026-11-26 08:31")
    assert matters() == [("day", False, "企业反馈已解决")]
    assert FollowUp.objects.get().closed_at == at("2026-11-25 20:00")
    assert letters("follow_up_closed") == 2  # 综合处 and 办公室
    make_rounds("2027-03-20 08:31")
    assert letters("follow_up_late") == 0 and letters("follow_up_old") == 0


def test_solved_feedback_leaves_the_follow_up_of_a_poor_rating_open(followed):
    Rating.objects.create(appointment=followed, grade=Grade.VERY_POOR, at=at("2026-11-25 19:00"))
    make_rounds("2026-11-25 19:30")
    firm_says(followed, "solved", "2026-11-25 20:00")
    make_rounds("2026-11-26 08:31")
    assert matters() == [("day", False, "企业反馈已解决"), ("rating", True, "")]


def test_reopened_follow_up_gets_a_new_term_and_starts_at_the_first_step(followed, crew):
    FollowUp.objects.update(due_on=date(2026, 11, 10))
    make_rounds("2026-11-24 08:31")
    climbed = letters("follow_up_late")
    assert climbed == 1  # 局领导: two weeks late
    firm_says(followed, "solved", "2026-11-24 20:00")
    firm_says(followed, "unsolved", "2026-11-24 21:00")
    make_rounds("2026-11-25 08:31")
    assert matters() == [("day", False, "企业反馈已解决"), ("firm", True, "")]
    reopened = FollowUp.objects.get(origin="firm")
    assert (reopened.due_on, reopened.division.name) == (date(2026, 12, 9), "水处")  # ten working days
    assert "还差材料" in reopened.promise
    make_rounds("2026-12-07 08:31")
    assert letters("follow_up_late") == climbed
    counts = []
    for day in ("08", "10", "13", "17"):
        make_rounds(f"2026-12-{day} 08:31")
        counts.append(letters("follow_up_late") - climbed)
    assert counts == [1, 2, 4, 5]  # handler; head; 综合处 and 办公室; 局领导


def test_unsolved_feedback_counts_while_a_poor_rating_is_followed_up(crew):
    firm = appointment(1, stage=Stage.CLOSED, closed_at=NOW)
    Rating.objects.create(appointment=firm, grade=Grade.POOR, at=NOW)
    make_rounds("2026-11-21 08:31")
    firm_says(firm, "unsolved", "2026-11-21 20:00")
    make_rounds("2026-11-22 08:31")
    assert [origin for origin, *_ in matters()] == ["rating", "firm"]
    make_rounds("2026-11-23 08:31")
    assert len(matters()) == 2


def test_follow_up_open_for_long_is_reported_even_before_its_term(followed, crew):
    counts = {}
    for text in ("2026-12-19", "2026-12-20", "2026-12-21", "2027-01-18", "2027-01-19"):
        make_rounds(f"{text} 08:31")
        counts[text] = letters("follow_up_old")
    assert list(counts.values()) == [0, 2, 2, 2, 3]  # after 30 days 综合处 and 办公室, after 60 局领导
    readers = Notice.objects.filter(kind="follow_up_old", channel="sms").order_by("pk")
    assert [notice.to_name for notice in readers][-1] == crew["leader"].name
    assert "立项已满60天" in readers.last().text


# --- Firms that did not come ------------------------------------------------------------------------------------------
@pytest.fixture
def absent(crew):
    """A firm that was not there, with one 交办 answered and one not."""
    firm = seated(1, confirmed=True)
    assignment(firm, "水处", by=crew["coordinator"])
    assignment(firm, "大气处", by=crew["coordinator"], state=AssignmentState.RELEASED)
    hearing.conclude(firm, Outcome.ABSENT, "", [], by=crew["coordinator"], at=at("2026-12-10 11:30"))
    return firm


def test_division_is_asked_for_the_written_reply_to_an_absent_firm(absent, crew):
    asked = Notice.objects.filter(kind="reply_for_absent", channel="sms")
    assert [notice.to_name for notice in asked] == [crew["handler"].name]


def test_absent_firm_is_closed_only_after_its_reply(absent, crew):
    later = at("2026-12-11 10:00")
    with pytest.raises(NotOpen):
        closing.close_registration(absent, by=crew["coordinator"], at=later)
    given = absent.assignments.get(state=AssignmentState.OPEN)
    replies.save_draft(given, "请先办理排水许可。", "", version=0, by=crew["handler"], at=later)
    replies.submit_for_signature(given, by=crew["handler"], at=later)
    replies.sign(given, version=1, by=crew["head"], at=later)
    assert letters("reply_released", "page") == 1
    absent.refresh_from_db()
    closing.close_registration(absent, by=crew["coordinator"], at=later)
    assert Appointment.objects.get().stage == Stage.CLOSED
