"""What waits for whom: each list holds exactly its rows, in its order, up to its day and not a day further."""

from datetime import date, datetime, timedelta

import pytest

from appointments import facts
from appointments.lifecycle import Stage
from appointments.models import Appointment
from appointments.situation import FirmAct, StaffAct
from sessions_app.days import day_on
from sessions_app.models import ConsultDay, Plan
from triage import worklists
from triage.models import AssignmentState
from zhoushan_consult.outbox import posting
from zhoushan_consult.outbox.models import Channel, Notice, State

from .desk import follow_up
from .factories import DAY, NOW, appointment, assignment, seated

pytestmark = pytest.mark.django_db
TODAY = NOW.date()
NOVEMBER, JANUARY, FEBRUARY = date(2026, 11, 10), date(2027, 1, 10), date(2027, 2, 10)


def at(text: str) -> datetime:
    """ "12-10 08:30" of 2026, in Zhoushan."""
    return datetime.fromisoformat(f"2026-{text}+08:00")


def keys(rows) -> list[int]:
    return [row.pk for row in rows]


# --- Piles ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("there", "limit", "shown"), [(0, 6, 0), (2, 6, 2), (6, 6, 6), (7, 6, 6), (3, 2, 2), (3, None, 3)]
)
def test_a_pile_shows_the_first_rows_and_counts_all(there, limit, shown):
    firms = [appointment(number) for number in range(1, there + 1)]
    waiting = worklists.to_review()
    pile = worklists.preview(waiting, limit) if limit else worklists.preview(waiting)
    assert (keys(pile.rows), pile.count) == (keys(firms[:shown]), there)


def test_a_pile_shows_six_rows_unless_told_otherwise():
    for number in range(1, 9):
        appointment(number)
    pile = worklists.preview(worklists.to_review())
    assert (len(pile.rows), pile.count) == (6, 8)


# --- 初审 and 交办 ---------------------------------------------------------------------------------------------------


def test_only_what_is_submitted_waits_for_review_the_longest_waiting_first():
    late = appointment(1, submitted_at=NOW)
    early = appointment(2, submitted_at=NOW - timedelta(days=3), on=JANUARY)
    for number, stage in enumerate(set(Stage) - {Stage.SUBMITTED, Stage.SEATED}, 3):
        appointment(number, stage=stage)
    seated(20)
    assert keys(worklists.to_review()) == keys([early, late])


def given_in_every_state(by, **columns) -> dict[str, int]:
    """A 交办 of another firm in each state, and its key."""
    return {
        state: assignment(appointment(number, stage=Stage.ACCEPTED), "水处", by=by, state=state, **columns).pk
        for number, state in enumerate(AssignmentState, 1)
    }


def test_only_what_was_given_back_is_returned_the_oldest_first(coordinator):
    given = given_in_every_state(coordinator)
    older = assignment(
        appointment(9),
        "大气处",
        by=coordinator,
        state=AssignmentState.RETURNED,
        assigned_at=NOW - timedelta(days=1),
    )
    assert keys(worklists.returned()) == [older.pk, given[AssignmentState.RETURNED]]


def test_a_reply_is_overdue_while_it_is_open_or_drafted(coordinator):
    given = given_in_every_state(coordinator, due_on=TODAY - timedelta(days=1))
    assert keys(worklists.overdue_replies(TODAY)) == [
        given[AssignmentState.OPEN],
        given[AssignmentState.DRAFTED],
    ]


@pytest.mark.parametrize(("late", "overdue"), [(-1, False), (0, False), (1, True)])
def test_a_reply_is_overdue_from_the_day_after_its_term(late, overdue, coordinator):
    assignment(appointment(1), "水处", by=coordinator, due_on=TODAY - timedelta(days=late))
    assert worklists.overdue_replies(TODAY).exists() is overdue


# --- 督办 ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("due_on", "opened_at", "closed", "listed"),
    [
        ("2026-11-19", "2026-11-10 10:00", False, True),
        ("2026-11-20", "2026-11-10 10:00", False, False),
        ("2026-11-21", "2026-11-10 10:00", False, False),
        ("2026-11-19", "2026-11-10 10:00", True, False),
        ("2026-12-31", "2026-10-22 00:00", False, False),
        ("2026-12-31", "2026-10-21 23:59", False, True),  # open for thirty days, long before its term
        ("2026-12-31", "2026-10-21 23:59", True, False),
        ("2026-11-19", "2026-10-20 10:00", False, True),
    ],
)
def test_a_follow_up_is_listed_after_its_term_or_when_open_for_thirty_days(due_on, opened_at, closed, listed):
    made = follow_up(
        appointment(1, stage=Stage.FOLLOWING),
        due_on=date.fromisoformat(due_on),
        opened_at=datetime.fromisoformat(f"{opened_at}+08:00"),
        closed_at=NOW if closed else None,
    )
    assert keys(worklists.overdue_follow_ups(TODAY)) == [made.pk] * listed


# --- 咨询日 ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("day", "moment", "waits"),
    [
        (DAY, "12-09 23:00", False),
        (DAY, "12-10 08:29", False),
        (DAY, "12-10 08:30", True),
        (DAY, "12-11 07:00", True),
        (DAY, "12-11 09:00", True),
        (JANUARY, "12-11 09:00", False),
        (NOVEMBER, "12-10 08:29", True),
    ],
)
def test_a_result_is_wanted_once_the_day_has_begun(day, moment, waits):
    firm = seated(1, on=day)
    assert keys(worklists.to_conclude(at(moment))) == [firm.pk] * waits


def test_only_seated_firms_wait_for_their_result_by_day_and_number():
    first, second = seated(1), seated(2)
    earlier = seated(3, on=NOVEMBER)
    heard = seated(4)
    Appointment.objects.filter(pk=heard.pk).update(stage=Stage.HEARD)
    for number, stage in enumerate([Stage.SUBMITTED, Stage.ACCEPTED, Stage.DEFERRED, Stage.ABSENT], 5):
        appointment(number, stage=stage)
    first.seat.number, second.seat.number = second.seat.number + 20, first.seat.number
    first.seat.save()
    assert keys(worklists.to_conclude(at("12-10 09:00"))) == keys([earlier, second, first])


@pytest.mark.parametrize(
    ("now", "dates"),
    [
        ("11-10 23:59", [NOVEMBER, DAY, JANUARY]),
        ("11-11 00:00", [DAY, JANUARY]),
        ("12-10 23:59", [DAY, JANUARY]),
        ("12-11 00:00", [JANUARY]),
    ],
)
def test_the_days_ahead_are_those_from_today_on(now, dates):
    for day in (JANUARY, DAY, NOVEMBER):
        day_on(day)
    assert [day.date for day in worklists.days_ahead(at(now))] == dates


def test_each_list_to_settle_counts_its_own_registrations():
    for number in (1, 2, 3):
        appointment(number)
    appointment(4, stage=Stage.ACCEPTED)
    appointment(5, stage=Stage.ACCEPTED, wants_onsite=False)
    appointment(6, stage=Stage.DEFERRED)
    appointment(7, wants_onsite=False)
    appointment(8, on=NOVEMBER)
    appointment(9, on=NOVEMBER, stage=Stage.ACCEPTED)
    appointment(10, on=NOVEMBER, stage=Stage.ACCEPTED)
    appointment(12, on=JANUARY)
    seated(11)
    counted = [(day.date, day.pending, day.wanting) for day in worklists.to_settle(at("12-02 10:00"))]
    assert counted == [(NOVEMBER, 1, 2), (DAY, 4, 1)]


@pytest.mark.parametrize(
    ("now", "changes", "waits"),
    [
        ("11-30 23:59", {}, False),
        ("12-01 00:00", {}, True),
        ("12-10 12:00", {}, True),
        ("12-01 00:00", {"settled_at": NOW}, False),
        ("12-01 00:00", {"plan": Plan.CANCELLED}, False),
        ("12-01 00:00", {"plan": Plan.SUBMITTED}, True),
    ],
)
def test_a_list_is_to_be_settled_from_the_cutoff_until_it_is(now, changes, waits):
    day = day_on(DAY)
    day_on(JANUARY)
    ConsultDay.objects.filter(pk=day.pk).update(**changes)
    assert [each.date for each in worklists.to_settle(at(now))] == [DAY] * waits


@pytest.mark.parametrize(
    ("there", "waits"),
    [
        ({}, True),
        ({"stage": Stage.ACCEPTED}, True),
        ({"stage": Stage.ACCEPTED, "wants_onsite": False}, False),
        ({"stage": Stage.DEFERRED}, False),
        ({"stage": Stage.WITHDRAWN}, False),
    ],
)
def test_a_list_never_settled_stays_after_its_day_while_firms_wait(there, waits):
    appointment(1, **there)
    appointment(2, on=NOVEMBER, stage=Stage.CLOSED)
    for now in ("12-11 09:00", "12-31 09:00"):
        assert [each.date for each in worklists.to_settle(at(now))] == [DAY] * waits


# --- Offers ---------------------------------------------------------------------------------------------------------


def test_offers_that_did_not_arrive_are_those_without_a_term_by_day_and_number():
    late, early = seated(1, told=False, on=JANUARY), seated(2, told=False)
    seated(3)
    seated(4, told=False, confirmed=True)
    seated(5, told=False, on=NOVEMBER)
    assert keys(worklists.undelivered_offers(at("12-02 10:00"))) == keys([early, late])


# --- The situation --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("now", ["12-02 10:00", "12-10 08:29", "12-10 08:30", "12-11 09:00"])
def test_lists_and_the_situation_say_the_same_of_each_registration(coordinator, now):
    """Lists are read by SQL, so that one query holds them; what they say is what the page of the firm says."""
    moment = at(now)
    firms = {
        f"{stage}": appointment(n, stage=stage, closed_at=NOW)
        for n, stage in enumerate(set(Stage) - {Stage.SEATED}, 1)
    }
    firms |= {"untold": seated(30, told=False), "told": seated(31), "confirmed": seated(32, confirmed=True)}
    situations = {name: facts.read(firm, moment) for name, firm in firms.items()}

    def where(open_to) -> set[int]:
        return {firms[name].pk for name, known in situations.items() if open_to(name, known)}

    reviewed = where(lambda name, known: StaffAct.ACCEPT in known.staff_acts)
    assert set(keys(worklists.to_review())) == reviewed
    untold = where(lambda name, known: name == "untold" and StaffAct.CONFIRM in known.staff_acts)
    assert set(keys(worklists.undelivered_offers(moment))) == untold
    # The day has begun: the firm cannot give its seat back any more.
    begun = where(
        lambda name, known: StaffAct.CONCLUDE in known.staff_acts and FirmAct.GIVE_UP not in known.firm_acts
    )
    assert set(keys(worklists.to_conclude(moment))) == begun


@pytest.mark.parametrize(
    ("now", "waiting"),
    [("12-10 11:29", [DAY, FEBRUARY]), ("12-10 11:30", [FEBRUARY])],
)
def test_a_submitted_plan_waits_for_its_approval_until_its_day_is_over(now, waiting):
    for day, plan in (
        (NOVEMBER, Plan.SUBMITTED),
        (DAY, Plan.SUBMITTED),
        (JANUARY, Plan.RETURNED),
        (FEBRUARY, Plan.SUBMITTED),
    ):
        ConsultDay.objects.filter(pk=day_on(day).pk).update(plan=plan)
    assert [day.date for day in worklists.plans_to_approve(at(now))] == waiting


# --- Calls ----------------------------------------------------------------------------------------------------------


def letter(firm: Appointment, key: str, channel: Channel, state: State, due_at: datetime) -> Notice:
    (made,) = posting.store(
        [
            Notice(
                kind="deferred",
                channel=channel,
                state=state,
                dedupe_key=key,
                about_kind="appointments.appointment",
                about_id=str(firm.pk),
                to="0580-2021234",
                to_name="测试人",
                body="请来电。",
                created_at=NOW,
                due_at=due_at,
            )
        ]
    )
    return made


def test_only_calls_that_are_due_and_wait_are_to_be_made_the_oldest_first():
    firm = appointment(1)
    now = letter(firm, "now", Channel.CALL, State.WAITING, NOW)
    early = letter(firm, "early", Channel.CALL, State.WAITING, NOW - timedelta(hours=1))
    letter(firm, "later", Channel.CALL, State.WAITING, NOW + timedelta(seconds=1))
    letter(firm, "sms", Channel.SMS, State.WAITING, NOW)
    for state in set(State) - {State.WAITING}:
        letter(firm, f"call-{state}", Channel.CALL, state, NOW)
    (call,) = worklists.to_call(NOW)
    assert (call.firm, call.letters) == (firm, [early, now])
