"""Who is told at which step of a ladder: each threshold on the day before, on the day and on the day after (六（二）—（六）).

Every scene has officers of each role in two divisions, and other rows than the one that is late.
"""

from datetime import date, datetime, timedelta

import pytest
from django.contrib.auth.models import Group

from appointments.lifecycle import Stage
from appointments.models import Appointment
from sessions_app.days import day_on
from sessions_app.models import ConsultDay, Plan
from triage import cutoff_summary, follow_up, reminders
from triage.models import AssignmentState, FollowUp, Sitting
from zhoushan_consult.bureau.roles import Role
from zhoushan_consult.outbox.models import Channel, Notice

from .desk import follow_up as made_follow_up
from .factories import DAY, NOW, appointment, assignment, officer, seated

pytestmark = pytest.mark.django_db
JANUARY = date(2027, 1, 10)
HANDLER, HEAD = "处室经办·水处", "处室负责人·水处"
COORDINATOR, WATCHER, LEADER = "综合处经办", "办公室督办", "局领导"


@pytest.fixture(autouse=True)
def crew():
    """One of each role, named after it; of the divisions, two; and one of each who has left."""
    number = 0
    for role, of in (
        (Role.COORDINATOR, "综合处"),
        (Role.WATCH, "办公室"),
        (Role.LEADER, None),
        (Role.SYSTEM, "科监处"),
        (Role.COUNTY, None),
        *((role, of) for of in ("水处", "大气处") for role in (Role.HANDLER, Role.HEAD)),
    ):
        name = f"{role}·{of}" if of in ("水处", "大气处") else str(role)
        for at_work in (True, False):
            number += 1
            left = {} if at_work else {"name": f"离岗{number}", "is_active": False}
            officer(role, of, phone=f"138000000{number:02}", **({"name": name} | left))


def at(day: date, clock: str = "08:30") -> datetime:
    return datetime.fromisoformat(f"{day}T{clock}:00+08:00")


def told(kind: str) -> list[tuple[str, str]]:
    """Who was told by SMS, and about which row, in order."""
    rows = Notice.objects.filter(kind=kind, channel=Channel.SMS)
    return sorted(rows.values_list("to_name", "about_id"))


def names(kind: str) -> list[str]:
    return sorted(name for name, _ in told(kind))


def told_by_day(kind: str, days: list[date], make_round) -> dict[date, list[str]]:
    """Who is newly told on each day, with two rounds a day; days on which no one is told are left out."""
    found, before = {}, []
    for day in days:
        for _ in range(2):
            make_round(day)
        now = names(kind)
        new = list(now)
        for name in before:
            new.remove(name)
        if new:
            found[day] = new
        before = now
    return found


# --- 督办 past its term -----------------------------------------------------------------------------------------------
TERM = date(2026, 12, 14)
LATE = {
    -2: [],
    -1: [HANDLER],
    0: [HANDLER],
    1: [HEAD],
    3: [HEAD],
    4: [COORDINATOR, WATCHER],
    7: [COORDINATOR, WATCHER],
    8: [LEADER],
    9: [LEADER],
    40: [LEADER],
}
"""Days past the term, and who a first round tells on that day."""


@pytest.mark.parametrize("days", LATE)
def test_a_late_follow_up_is_told_to_its_step_alone(days):
    matter = made_follow_up(appointment(1), due_on=TERM)
    made_follow_up(appointment(2), due_on=TERM + timedelta(days=60))
    made_follow_up(appointment(3), due_on=TERM, closed_at=NOW)
    now = at(TERM + timedelta(days=days))
    assert follow_up.remind(at=now) == bool(LATE[days])
    assert told("follow_up_late") == sorted((name, str(matter.pk)) for name in LATE[days])


def test_a_late_follow_up_climbs_step_by_step_and_each_is_told_once():
    made_follow_up(appointment(1), due_on=TERM)
    days = [TERM + timedelta(days=days) for days in range(-3, 15)]
    climbed = told_by_day("follow_up_late", days, lambda day: follow_up.remind(at=at(day)))
    assert {(day - TERM).days: people for day, people in climbed.items()} == {
        -1: [HANDLER],
        1: [HEAD],
        4: sorted([COORDINATOR, WATCHER]),
        8: [LEADER],
    }


def holding(name: str, roles: list[Role], of: str) -> None:
    """One person who holds several roles, as in a small office."""
    person = officer(roles[0], of, name=name, phone="13800000090")
    person.groups.set(Group.objects.filter(name__in=roles))


def test_a_person_of_several_roles_is_told_at_each_step():
    holding("一人多岗", [Role.HANDLER, Role.HEAD, Role.COORDINATOR, Role.LEADER], "水处")
    made_follow_up(appointment(1), due_on=TERM)
    days = [TERM + timedelta(days=days) for days in range(-2, 10)]
    climbed = told_by_day("follow_up_late", days, lambda day: follow_up.remind(at=at(day)))
    assert [(day - TERM).days for day, people in climbed.items() if "一人多岗" in people] == [-1, 1, 4, 8]


def test_a_person_of_several_roles_is_told_of_thirty_and_of_sixty_days():
    holding("一人多岗", [Role.WATCH, Role.LEADER], "办公室")
    made_follow_up(appointment(1), opened_at=at(OPENED), due_on=date(2027, 12, 1))
    days = [OPENED + timedelta(days=days) for days in range(29, 62)]
    climbed = told_by_day("follow_up_old", days, lambda day: follow_up.alert_long_open(at=at(day)))
    assert [(day - OPENED).days for day, people in climbed.items() if "一人多岗" in people] == [30, 60]


def test_each_late_follow_up_goes_to_its_own_division():
    water, air = (
        made_follow_up(appointment(1), due_on=TERM),
        made_follow_up(appointment(2), "大气处", due_on=TERM),
    )
    assert follow_up.remind(at=at(TERM)) == 2
    assert told("follow_up_late") == sorted([(HANDLER, str(water.pk)), ("处室经办·大气处", str(air.pk))])


def test_a_term_counts_from_midnight_in_zhoushan():
    made_follow_up(appointment(1), due_on=TERM)
    follow_up.remind(at=at(TERM - timedelta(days=2), "23:59"))
    assert not told("follow_up_late")
    follow_up.remind(at=at(TERM - timedelta(days=1), "00:00"))
    assert names("follow_up_late") == [HANDLER]


# --- 督办 open for long -----------------------------------------------------------------------------------------------
OPENED = date(2026, 11, 20)
OPEN_FOR = {
    29: {},
    30: {"30": [COORDINATOR, WATCHER]},
    31: {"30": [COORDINATOR, WATCHER]},
    59: {"30": [COORDINATOR, WATCHER]},
    60: {"30": [COORDINATOR, WATCHER], "60": [LEADER]},
    61: {"30": [COORDINATOR, WATCHER], "60": [LEADER]},
}
"""Days since a matter was opened, and who is told in a first round, with the number of days."""


@pytest.mark.parametrize("days", OPEN_FOR)
@pytest.mark.parametrize("clock", ["00:00", "23:59"])
def test_a_follow_up_open_for_long_is_told_even_before_its_term(days, clock):
    matter = made_follow_up(appointment(1), opened_at=at(OPENED, clock), due_on=date(2027, 12, 1))
    made_follow_up(appointment(2), opened_at=at(OPENED), due_on=date(2027, 12, 1), closed_at=NOW)
    made_follow_up(appointment(3), opened_at=at(OPENED + timedelta(days=50)), due_on=date(2027, 12, 1))
    wanted = OPEN_FOR[days]
    assert follow_up.alert_long_open(at=at(OPENED + timedelta(days=days))) == len(wanted)
    letters = Notice.objects.filter(kind="follow_up_old", channel=Channel.SMS)
    assert {note.about_id for note in letters} <= {str(matter.pk)}
    assert sorted((note.to_name, note.text.partition("已满")[2][:3]) for note in letters) == sorted(
        (name, f"{number}天") for number, people in wanted.items() for name in people
    )


def test_a_follow_up_open_for_long_is_told_once_at_each_step():
    made_follow_up(appointment(1), opened_at=at(OPENED), due_on=date(2027, 12, 1))
    days = [OPENED + timedelta(days=days) for days in range(28, 66)]
    climbed = told_by_day("follow_up_old", days, lambda day: follow_up.alert_long_open(at=at(day)))
    assert {(day - OPENED).days: people for day, people in climbed.items()} == {
        30: sorted([COORDINATOR, WATCHER]),
        60: [LEADER],
    }


def test_the_duty_takes_up_reminds_and_alarms_in_one_round():
    matter = made_follow_up(appointment(1), opened_at=at(date(2026, 10, 1)), due_on=TERM)
    said = appointment(2, stage=Stage.ANSWERED)
    said.move_to(Stage.FOLLOWING, "企业反馈未解决：还差材料", by=None, at=NOW)
    assert follow_up.LADDER.run("", at(TERM), at(TERM)) == 1 + 1 + 2
    assert FollowUp.objects.exclude(pk=matter.pk).get().appointment == said
    assert names("follow_up_late") == [HANDLER]
    assert names("follow_up_old") == sorted([COORDINATOR, WATCHER, LEADER])


# --- 答复 before and after its term -----------------------------------------------------------------------------------
FRIDAY, MONDAY = date(2026, 11, 27), date(2026, 11, 30)
REPLIES = [
    (FRIDAY, date(2026, 11, 24), {}),
    (FRIDAY, date(2026, 11, 25), {"reply_soon": [HANDLER]}),
    (FRIDAY, date(2026, 11, 26), {"reply_soon": [HANDLER]}),
    (FRIDAY, FRIDAY, {"reply_soon": [HANDLER]}),
    (FRIDAY, date(2026, 11, 28), {"reply_late": [HANDLER, HEAD]}),
    (FRIDAY, date(2026, 12, 24), {"reply_late": [HANDLER, HEAD]}),
    (MONDAY, date(2026, 11, 25), {}),
    (MONDAY, date(2026, 11, 26), {"reply_soon": [HANDLER]}),  # two working days before
    (MONDAY, MONDAY, {"reply_soon": [HANDLER]}),
    (MONDAY, date(2026, 12, 1), {"reply_late": [HANDLER, HEAD]}),
]
"""The term of a reply, the day of a first round, and who is told which."""


@pytest.mark.parametrize(("due_on", "today", "wanted"), REPLIES)
def test_a_division_is_told_before_and_its_head_after_the_term(due_on, today, wanted, coordinator):
    given = assignment(appointment(1), "水处", by=coordinator, due_on=due_on)
    assignment(appointment(2), "大气处", by=coordinator, due_on=date(2027, 3, 1))
    moment = at(today, "08:40")
    for _ in range(2):
        assert reminders.remind_divisions("", moment, moment) == len(wanted)
    for kind in ("reply_soon", "reply_late"):
        assert told(kind) == sorted((name, str(given.pk)) for name in wanted.get(kind, []))


@pytest.mark.parametrize(
    ("state", "reminded"),
    [
        (AssignmentState.OPEN, True),
        (AssignmentState.DRAFTED, True),
        (AssignmentState.RELEASED, False),
        (AssignmentState.RETURNED, False),
        (AssignmentState.CANCELLED, False),
    ],
)
def test_only_replies_that_are_not_released_are_reminded_of(state, reminded, coordinator):
    assignment(appointment(1), "水处", by=coordinator, due_on=FRIDAY, state=state)
    assert reminders.remind_divisions("", at(MONDAY), at(MONDAY)) == reminded
    assert names("reply_late") == [HANDLER, HEAD] * reminded


def test_every_late_reply_is_reminded_of_in_its_own_division(coordinator):
    firm = appointment(1)
    given = {name: assignment(firm, name, by=coordinator, due_on=FRIDAY) for name in ("水处", "大气处")}
    assert reminders.remind_divisions("", at(MONDAY), at(MONDAY)) == 2
    assert told("reply_late") == sorted(
        (f"{role}·{name}", str(row.pk)) for name, row in given.items() for role in (Role.HANDLER, Role.HEAD)
    )


def test_the_day_of_a_reminder_is_the_day_on_which_it_fell_due(coordinator):
    """A round that is made late, after a night of silence, still tells what it would have told."""
    assignment(appointment(1), "水处", by=coordinator, due_on=FRIDAY)
    reminders.remind_divisions("", at(FRIDAY), at(date(2026, 11, 28)))
    assert (names("reply_soon"), names("reply_late")) == ([HANDLER], [])


# --- Seated firms -----------------------------------------------------------------------------------------------------
NEAR = {4: 0, 3: 1, 2: 0, 1: 1, 0: 0, -1: 0}
"""Days before the 咨询日, and how many reminders a round of that day sends to a seated firm."""


@pytest.mark.parametrize("days", NEAR)
def test_a_seated_firm_is_reminded_three_days_and_one_day_before(days):
    firm, other_day = seated(1, confirmed=True), seated(2, on=JANUARY)
    today = at(DAY - timedelta(days=days), "09:00")
    for _ in range(2):
        assert reminders.remind_firms("", today, today) == NEAR[days]
    rows = Notice.objects.filter(kind="day_near", channel=Channel.PAGE)
    assert list(rows.values_list("about_id", flat=True)) == [str(firm.pk)] * NEAR[days]
    assert other_day.stage == Stage.SEATED


def test_only_seated_firms_are_reminded_and_each_of_them():
    firms = [seated(number, confirmed=True) for number in (1, 2)]
    # The offer has reached it only now: its time to confirm runs.
    firms.append(seated(3, at=at(DAY - timedelta(days=1), "08:00")))
    heard = seated(4, confirmed=True)
    Appointment.objects.filter(pk=heard.pk).update(stage=Stage.ABSENT)
    for number, stage in enumerate((Stage.ACCEPTED, Stage.DEFERRED, Stage.SUBMITTED), 5):
        appointment(number, stage=stage)
    moment = at(DAY - timedelta(days=1), "09:00")
    assert reminders.remind_firms("", moment, moment) == 3
    rows = Notice.objects.filter(kind="day_near", channel=Channel.PAGE).values_list("about_id", flat=True)
    assert sorted(rows) == sorted(str(firm.pk) for firm in firms)


def test_a_firm_gets_both_reminders_and_neither_twice():
    seated(1, confirmed=True)
    for days in (3, 3, 1, 1):
        moment = at(DAY - timedelta(days=days), "09:00")
        reminders.remind_firms("", moment, moment)
    assert Notice.objects.filter(kind="day_near", channel=Channel.PAGE).count() == 2


# --- The list of the month --------------------------------------------------------------------------------------------
SETTLE = [
    (1, {}, []),
    (2, {}, [COORDINATOR]),
    (5, {}, [COORDINATOR]),
    (6, {}, [COORDINATOR, LEADER]),
    (10, {}, [COORDINATOR, LEADER]),
    (11, {}, [COORDINATOR, LEADER]),  # firms still wait to hear whether they come
    (11, {"settled_at": NOW}, []),
    (31, {}, [COORDINATOR, LEADER]),
    (6, {"settled_at": NOW}, []),
    (6, {"plan": Plan.CANCELLED}, []),
]
"""The day of December, what is different about the 咨询日, and who is asked for the list."""


@pytest.mark.parametrize(("today", "changes", "people"), SETTLE)
@pytest.mark.parametrize("stage", [Stage.SUBMITTED, Stage.ACCEPTED])
def test_an_open_list_is_asked_for_from_the_second_and_of_the_leader_after_the_fifth(
    today, changes, people, stage
):
    firm = appointment(1, stage=stage)
    appointment(2, on=JANUARY)
    ConsultDay.objects.filter(pk=firm.day_id).update(**changes)
    moment = at(date(2026, 12, today), "09:10")
    for _ in range(2):
        assert reminders.remind_to_settle("", moment, moment) == bool(people)
    assert told("settle_wanted") == sorted((name, str(firm.day_id)) for name in people)


@pytest.mark.parametrize(
    ("stage", "wants_onsite"),
    [(Stage.ACCEPTED, False), (Stage.DECLINED, True), (Stage.WITHDRAWN, True), (Stage.CLOSED, True)],
)
def test_a_list_on_which_no_firm_waits_is_not_asked_for(stage, wants_onsite):
    appointment(1, stage=stage, wants_onsite=wants_onsite)
    moment = at(date(2026, 12, 6), "09:10")
    assert reminders.remind_to_settle("", moment, moment) == 0
    assert not told("settle_wanted")


def test_the_list_is_asked_for_again_each_day_with_its_numbers():
    for number, stage in enumerate([Stage.SUBMITTED] * 2 + [Stage.ACCEPTED, Stage.DEFERRED], 1):
        appointment(number, stage=stage)
    appointment(5, stage=Stage.ACCEPTED, wants_onsite=False)
    days = [date(2026, 12, number) for number in (2, 3, 6)]

    def make_round(day):
        assert reminders.remind_to_settle("", at(day, "09:10"), at(day, "09:10")) == 3

    assert told_by_day("settle_wanted", days, make_round) == {
        days[0]: [COORDINATOR],
        days[1]: [COORDINATOR],
        days[2]: sorted([COORDINATOR, LEADER]),
    }
    assert "待初审2条，等待名额2家" in Notice.objects.filter(kind="settle_wanted").first().text


def test_the_month_end_counts_the_registrations_of_its_own_day():
    for number, stage in enumerate([Stage.SUBMITTED] * 3 + [Stage.ACCEPTED] * 2, 1):
        appointment(number, stage=stage)
    appointment(6, stage=Stage.ACCEPTED, priority_since=NOW)
    appointment(7, stage=Stage.WITHDRAWN, priority_since=NOW)
    appointment(8, stage=Stage.DECLINED)
    appointment(9, on=JANUARY, priority_since=NOW)
    due_at = at(date(2026, 12, 1), "00:05")
    for _ in range(2):
        assert cutoff_summary.summarize("2026-12", due_at, due_at) == 6
    assert told("cutoff_summary") == [(COORDINATOR, str(day_on(DAY).pk))]
    assert "待初审3条，已通过3条，其中优先1条" in Notice.objects.get(kind="cutoff_summary").text


# --- The run sheet ----------------------------------------------------------------------------------------------------


@pytest.fixture
def listed(coordinator) -> ConsultDay:
    """A settled day with three firms: two asked 水处, one of these 大气处 too; the assignment of the third was cancelled."""
    firms = [seated(number, confirmed=True) for number in (1, 2, 3)]
    for firm in firms[:2]:
        assignment(firm, "水处", by=coordinator)
    assignment(firms[1], "大气处", by=coordinator)
    assignment(firms[2], "水处", by=coordinator, state=AssignmentState.CANCELLED)
    ConsultDay.objects.filter(pk=firms[0].day_id).update(settled_at=NOW)
    return ConsultDay.objects.get(pk=firms[0].day_id)


SHEETS = {4: (0, 0), 3: (2, 0), 2: (0, 0), 1: (2, 3), 0: (0, 0)}
"""Days before the 咨询日; how many divisions are told then, and how many places are written down."""


@pytest.mark.parametrize("days", SHEETS)
def test_divisions_get_the_sheet_on_the_days_of_the_reminders(days, listed):
    divisions, places = SHEETS[days]
    moment = at(DAY - timedelta(days=days), "09:10")
    for _ in range(2):
        assert reminders.send_run_sheets("", moment, moment) == divisions
    assert told("run_sheet_ready") == sorted(
        (f"处室经办·{name}", str(listed.pk)) for name in ("水处", "大气处")[:divisions]
    )
    assert Sitting.objects.count() == places


def test_each_division_reads_how_many_firms_want_it_and_from_when(listed):
    moment = at(DAY - timedelta(days=3), "09:10")
    reminders.send_run_sheets("", moment, moment)
    texts = {note.to_name: note.text for note in Notice.objects.filter(kind="run_sheet_ready")}
    assert "水处需到场答复2家企业，最早08:30开始" in texts[HANDLER]
    assert "大气处需到场答复1家企业" in texts["处室经办·大气处"]


@pytest.mark.parametrize("changes", [{"settled_at": None}, {"plan": Plan.CANCELLED}])
def test_no_sheet_goes_out_for_a_day_without_a_list(changes, listed):
    ConsultDay.objects.filter(pk=listed.pk).update(**changes)
    moment = at(DAY - timedelta(days=1), "09:10")
    assert reminders.send_run_sheets("", moment, moment) == 0
    assert not told("run_sheet_ready") and not Sitting.objects.exists()
