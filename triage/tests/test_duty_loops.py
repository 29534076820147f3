"""A round goes on: one row that refuses is left as it was, the others are done, and a second run repeats nothing."""

from datetime import date, datetime, timedelta

import pytest

from appointments import letters
from appointments.lifecycle import Stage
from appointments.models import Appointment, Grade, IllegalMove, Rating
from sessions_app import policy, seats
from sessions_app.days import day_on
from sessions_app.models import ConsultDay, Plan, Seat
from triage import closing, deferral, follow_up, plan_changes, replies, seating
from triage.models import Assignment, AssignmentState, FollowUp, Part, Reply
from zhoushan_consult.audit.models import Entry
from zhoushan_consult.audit.verbs import Verb
from zhoushan_consult.bureau.roles import Role
from zhoushan_consult.outbox.models import Notice, State

from .desk import follow_up as made_follow_up
from .factories import DAY, NOW, appointment, assignment, officer, seated

pytestmark = pytest.mark.django_db
NOVEMBER, JANUARY, FEBRUARY = date(2026, 11, 10), date(2027, 1, 10), date(2027, 2, 10)


def at(text: str) -> datetime:
    """ "12-02 10:00" of the season in which the tests play."""
    return datetime.fromisoformat(f"{2027 if text.startswith('0') else 2026}-{text}+08:00")


SECOND = at("12-02 10:00")
LATE = SECOND + policy.CONFIRM_WITHIN + timedelta(seconds=1)


def fresh(firm: Appointment) -> Appointment:
    return Appointment.objects.select_related("day", "seat").get(pk=firm.pk)


def stages(firms) -> list[str]:
    return [fresh(firm).stage for firm in firms]


def told(kind: str) -> list[str]:
    """The registrations (or other matters) that the letters of `kind` are about, once each."""
    return sorted(set(Notice.objects.filter(kind=kind).values_list("about_id", flat=True)), key=int)


def keys(firms) -> list[str]:
    return sorted((str(firm.pk) for firm in firms), key=int)


def written() -> tuple[int, int]:
    """How many letters and entries of the trail there are."""
    return Notice.objects.count(), Entry.objects.count()


@pytest.fixture
def refuses(monkeypatch):
    """`refuses(firm)`: another person moves that registration at the very instant, so that it will not be moved."""
    move_to = Appointment.move_to

    def make(firm: Appointment) -> Appointment:
        def move(self, *args, **kwargs):
            if self.pk == firm.pk:
                raise IllegalMove
            return move_to(self, *args, **kwargs)

        monkeypatch.setattr(Appointment, "move_to", move)
        return firm

    return make


def settled(date_: date = DAY) -> ConsultDay:
    day = day_on(date_)
    ConsultDay.objects.filter(pk=day.pk).update(settled_at=NOW)
    day.refresh_from_db()
    return day


# --- Seats ----------------------------------------------------------------------------------------------------------


def test_offering_passes_a_firm_that_refuses_and_gives_its_seat_to_the_next(refuses):
    firms = [appointment(number, stage=Stage.ACCEPTED) for number in range(1, 13)]
    day = settled()
    refuses(firms[3])
    assert seating.offer_free_seats(day, by=None, at=SECOND) == 10
    seated_firms = firms[:3] + firms[4:11]
    assert stages(firms) == [Stage.SEATED] * 3 + [Stage.ACCEPTED] + [Stage.SEATED] * 7 + [Stage.ACCEPTED]
    assert sorted(Seat.objects.values_list("uscc", flat=True)) == sorted(firm.uscc for firm in seated_firms)
    assert told("seat_offered") == keys(seated_firms)


def test_offering_names_the_place_in_line_of_each_firm(refuses):
    firms = [appointment(number, stage=Stage.ACCEPTED) for number in (1, 2, 3)]
    refuses(firms[1])
    seating.offer_free_seats(settled(), by=None, at=SECOND)
    places = Entry.objects.filter(facts__has_key="place").order_by("pk").values_list("about_id", "facts")
    assert [(pk, facts["place"]) for pk, facts in places] == [(str(firms[0].pk), 1), (str(firms[2].pk), 3)]


def test_an_offer_that_refuses_to_lapse_stays_and_the_others_lapse(refuses):
    firms = [seated(number, at=SECOND) for number in (1, 2, 3)]
    refuses(firms[1])
    assert seating.let_lapse(firms[0].day, at=LATE) == 2
    assert stages(firms) == [Stage.ACCEPTED, Stage.SEATED, Stage.ACCEPTED]
    assert list(Seat.objects.exclude(uscc=None).values_list("uscc", flat=True)) == [firms[1].uscc]
    assert fresh(firms[1]).seat.offered_at == SECOND
    assert told("seat_lapsed") == keys([firms[0], firms[2]])


def test_an_offer_confirmed_at_the_same_instant_stays_and_the_others_lapse(monkeypatch):
    firms = [seated(number, at=SECOND) for number in (1, 2, 3)]
    release = seats.release

    def confirmed_first(seat, uscc, *, unconfirmed_at):
        if uscc == firms[1].uscc:
            Seat.objects.filter(pk=seat.pk).update(confirmed_at=unconfirmed_at)
        return release(seat, uscc, unconfirmed_at=unconfirmed_at)

    monkeypatch.setattr(seats, "release", confirmed_first)
    assert seating.let_lapse(firms[0].day, at=LATE) == 2
    assert stages(firms) == [Stage.ACCEPTED, Stage.SEATED, Stage.ACCEPTED]
    assert told("seat_lapsed") == keys([firms[0], firms[2]])


def test_only_unanswered_offers_of_that_day_lapse():
    confirmed, other_day = seated(1, confirmed=True, at=SECOND), seated(2, on=JANUARY, at=SECOND)
    newer = seated(3, at=LATE - timedelta(hours=1))
    lapsing = seated(4, at=SECOND)
    assert seating.let_lapse(lapsing.day, at=LATE) == 1
    assert stages([confirmed, other_day, newer]) == [Stage.SEATED] * 3
    left = fresh(lapsing)
    assert (left.stage, left.seat, left.wants_onsite, left.priority_since) == (
        Stage.ACCEPTED,
        None,
        False,
        None,
    )


FILLED = {
    "settled": (DAY, {"settled_at": NOW}, Stage.SEATED),
    "settled, the month after": (JANUARY, {"settled_at": NOW}, Stage.SEATED),
    "settled and over": (NOVEMBER, {"settled_at": NOW}, Stage.DEFERRED),  # accepted late: told as the others
    "not settled": (DAY, {}, Stage.ACCEPTED),
    "settled and cancelled": (DAY, {"settled_at": NOW, "plan": Plan.CANCELLED}, Stage.ACCEPTED),
}


@pytest.mark.parametrize("case", FILLED)
def test_the_round_fills_the_settled_days_that_are_not_over(case):
    date_, changes, stage = FILLED[case]
    firm = appointment(1, stage=Stage.ACCEPTED, on=date_)
    ConsultDay.objects.filter(pk=firm.day_id).update(**changes)
    seating.FILL.run("", SECOND, SECOND)
    assert stages([firm]) == [stage]


def test_the_round_attends_to_every_settled_day_and_repeats_nothing(coordinator):
    days = {date_: settled(date_) for date_ in (DAY, JANUARY)}
    firms = {
        date_: [appointment(number + offset, stage=Stage.ACCEPTED, on=date_) for number in range(1, 13)]
        for offset, date_ in ((0, DAY), (20, JANUARY))
    }
    written_only = appointment(50, stage=Stage.ACCEPTED, wants_onsite=False)
    assignment(written_only, "水处", by=coordinator, state=AssignmentState.RELEASED, released_at=NOW)
    assert seating.FILL.run("", SECOND, SECOND) == 2 * (10 + 2) + 1
    for date_ in days:
        assert stages(firms[date_]) == [Stage.SEATED] * 10 + [Stage.DEFERRED] * 2
    assert stages([written_only]) == [Stage.ANSWERED]
    before = written()
    assert seating.FILL.run("", SECOND + timedelta(minutes=1), SECOND + timedelta(minutes=1)) == 0
    assert written() == before


@pytest.mark.parametrize(
    ("now", "lapses", "offers"),
    [
        ("12-09 16:00", True, True),
        ("12-09 16:01", True, False),
        ("12-09 18:01", True, False),
        ("12-10 08:29", True, False),
        ("12-10 08:30", False, False),
    ],
)
def test_offers_end_on_the_eve_and_lapsing_when_the_day_begins(now, lapses, offers):
    late, waiting = seated(1, at=SECOND), appointment(2, stage=Stage.DEFERRED)
    assert seating.fill(late.day, at=at(now)) == lapses + offers
    assert stages([late, waiting]) == [
        Stage.ACCEPTED if lapses else Stage.SEATED,
        Stage.SEATED if offers else Stage.DEFERRED,
    ]


# --- 顺延 ------------------------------------------------------------------------------------------------------------


def test_deferring_passes_a_firm_that_refuses(refuses):
    firms = [appointment(number, stage=Stage.ACCEPTED) for number in (1, 2, 3)]
    refuses(firms[1])
    assert deferral.defer_remaining(firms[0].day, after=10, by=None, at=SECOND) == 2
    assert stages(firms) == [Stage.DEFERRED, Stage.ACCEPTED, Stage.DEFERRED]
    assert told("deferred") == keys([firms[0], firms[2]])
    facts = Entry.objects.filter(facts__has_key="place").order_by("pk").values_list("facts", flat=True)
    assert [kept["place"] for kept in facts] == [11, 13]


def test_only_accepted_firms_of_that_day_that_want_to_come_are_deferred():
    waits = appointment(1, stage=Stage.ACCEPTED)
    others = [
        appointment(2, stage=Stage.ACCEPTED, on=JANUARY),
        appointment(3, stage=Stage.ACCEPTED, wants_onsite=False),
        appointment(4, stage=Stage.SUBMITTED),
        seated(5),
    ]
    before = stages(others)
    assert deferral.defer_remaining(waits.day, by=None, at=SECOND) == 1
    assert stages([waits]) == [Stage.DEFERRED] and stages(others) == before
    assert deferral.defer_remaining(waits.day, by=None, at=SECOND) == 0
    assert told("deferred") == keys([waits])


@pytest.mark.parametrize(("priority_since", "place"), [(None, 3), (NOW, 1)])
def test_a_firm_accepted_after_the_list_stands_behind_those_deferred_before_it(priority_since, place):
    firms = [appointment(number, stage=Stage.DEFERRED) for number in (1, 2)]
    late = appointment(3, stage=Stage.ACCEPTED, priority_since=priority_since)
    appointment(4, stage=Stage.ACCEPTED, on=JANUARY)
    assert deferral.defer_remaining(late.day, by=None, at=SECOND) == 1
    kept = Entry.objects.get(facts__has_key="place")
    assert (kept.about_id, kept.facts["place"]) == (str(late.pk), place)
    assert told("deferred") == keys([late]) and stages(firms) == [Stage.DEFERRED] * 2


EVE = date(2026, 12, 9)  # the last working day before DAY
HASTENED = [
    ("open", Stage.DEFERRED, DAY, AssignmentState.OPEN, date(2026, 12, 18), EVE),
    ("drafted", Stage.DEFERRED, DAY, AssignmentState.DRAFTED, date(2026, 12, 10), EVE),
    ("due then anyway", Stage.DEFERRED, DAY, AssignmentState.OPEN, EVE, EVE),
    ("due before", Stage.DEFERRED, DAY, AssignmentState.OPEN, date(2026, 12, 8), date(2026, 12, 8)),
    ("answered", Stage.DEFERRED, DAY, AssignmentState.RELEASED, date(2026, 12, 18), date(2026, 12, 18)),
    ("given back", Stage.DEFERRED, DAY, AssignmentState.RETURNED, date(2026, 12, 18), date(2026, 12, 18)),
    ("called off", Stage.DEFERRED, DAY, AssignmentState.CANCELLED, date(2026, 12, 18), date(2026, 12, 18)),
    ("accepted", Stage.ACCEPTED, DAY, AssignmentState.OPEN, date(2026, 12, 18), date(2026, 12, 18)),
    (
        "of the next day",
        Stage.DEFERRED,
        JANUARY,
        AssignmentState.OPEN,
        date(2026, 12, 18),
        date(2026, 12, 18),
    ),
]
"""What is asked, the firm's stage and day, the 交办's state and term; and its term once the list is settled."""


def test_only_open_terms_of_deferred_firms_of_that_day_are_shortened(coordinator):
    given = {
        name: assignment(
            appointment(number, stage=stage, on=day), "水处", by=coordinator, state=state, due_on=due_on
        )
        for number, (name, stage, day, state, due_on, _) in enumerate(HASTENED, 1)
    }
    assert deferral.shorten_terms(day_on(DAY), by=coordinator, at=SECOND) == 2
    due = dict(Assignment.objects.values_list("pk", "due_on"))
    assert {name: due[made.pk] for name, made in given.items()} == {row[0]: row[5] for row in HASTENED}
    entries = Entry.objects.filter(verb=Verb.TERM_SHORTENED).values_list("about_id", "actor")
    assert set(entries) == {(str(given[name].pk), coordinator.pk) for name in ("open", "drafted")}


def test_hastening_tells_each_division_its_own_number_and_twice_nothing(coordinator):
    crew = {
        name: officer(Role.HANDLER, name, phone=f"1380000000{n}") for n, name in enumerate(("水处", "大气处"))
    }
    officer(Role.HANDLER, "土壤处", phone="13800000008")
    officer(Role.HEAD, "水处", phone="13800000009")
    firms = [appointment(number, stage=Stage.DEFERRED) for number in (1, 2)]
    for firm in firms:
        assignment(firm, "水处", by=coordinator, due_on=date(2026, 12, 18))
    assignment(firms[0], "大气处", by=coordinator, due_on=date(2026, 12, 18))
    assert deferral.shorten_terms(firms[0].day, by=None, at=SECOND) == 3
    notes = {note.to_name: note.text for note in Notice.objects.filter(kind="replies_hastened")}
    assert set(notes) == {person.name for person in crew.values()}
    assert "2件" in notes[crew["水处"].name] and "1件" in notes[crew["大气处"].name]
    assert [fresh(firm).reply_due_on for firm in firms] == [EVE, EVE]
    before = written()
    assert deferral.shorten_terms(firms[0].day, by=None, at=SECOND + timedelta(minutes=1)) == 0
    assert written() == before


# --- 顺延企业逾期未选择的办结 -------------------------------------------------------------------------------------------
ANSWERED_AT = at("12-05 10:00")
OVER = ANSWERED_AT + timedelta(days=policy.DEFERRAL_ANSWER_DAYS, seconds=1)


def deferred(number: int, by, *states: tuple, asked_at: datetime = SECOND, **columns) -> Appointment:
    """A deferred firm that was asked at `asked_at`; `states` are (part, state, released_at) of its 交办.

    Every letter reached it at the instant at which it was written.
    """
    firm = appointment(number, **{"stage": Stage.DEFERRED} | columns)
    reached("deferred", firm, asked_at)
    for name, (part, state, released_at) in zip(("水处", "大气处", "土壤处"), states, strict=False):
        given = assignment(firm, name, by=by, part=part, state=state, released_at=released_at)
        if released_at:
            Reply.objects.create(assignment=given, body="可以。", drafted_by=by, drafted_at=NOW)
            reached("reply_released", firm, released_at, assignment=given.pk)
    return firm


def reached(kind: str, firm: Appointment, moment: datetime, **params) -> None:
    """A letter that the firm read when it was written."""
    letters.write(kind, firm, at=moment, key=f"{moment}{params}", **params)
    theirs = Notice.objects.filter(about_id=str(firm.pk), about_kind="appointments.appointment")
    theirs.filter(sent_at=None).update(state=State.SENT, sent_at=moment, next_try_at=None)


LEAD = (Part.LEAD, AssignmentState.RELEASED, ANSWERED_AT)


def test_closing_the_unanswered_passes_a_firm_that_refuses(refuses, coordinator):
    firms = [deferred(number, coordinator, LEAD) for number in (1, 2, 3)]
    refuses(firms[1])
    assert closing.close_unanswered("", OVER, OVER) == 2
    assert stages(firms) == [Stage.CLOSED, Stage.DEFERRED, Stage.CLOSED]
    assert told("deferral_closed") == keys([firms[0], firms[2]])


def test_closing_the_unanswered_again_closes_and_writes_nothing(coordinator):
    firm = deferred(1, coordinator, LEAD)
    assert closing.close_unanswered("", OVER, OVER) == 1
    assert fresh(firm).closed_at == OVER
    before = written()
    assert closing.close_unanswered("", OVER, OVER + timedelta(days=1)) == 0
    assert written() == before


DAYS = timedelta(days=policy.DEFERRAL_ANSWER_DAYS)
SUPPORT_OPEN = (Part.SUPPORT, AssignmentState.OPEN, None)
SUPPORT_LATER = (Part.SUPPORT, AssignmentState.RELEASED, ANSWERED_AT + timedelta(days=9))
UNANSWERED = {
    "answered long ago": ([LEAD], {}, OVER, True),
    "answered just so long ago": ([LEAD], {}, ANSWERED_AT + DAYS, False),
    "a support open": ([LEAD, SUPPORT_OPEN], {}, OVER, True),
    "a support released later": ([LEAD, SUPPORT_LATER], {}, OVER, False),  # it has more to read
    "a lead open": ([LEAD, (Part.LEAD, AssignmentState.OPEN, None)], {}, OVER, False),
    "a lead drafted": ([LEAD, (Part.LEAD, AssignmentState.DRAFTED, None)], {}, OVER, False),
    "a lead given back": ([LEAD, (Part.LEAD, AssignmentState.RETURNED, None)], {}, OVER, False),
    "a lead called off": ([LEAD, (Part.LEAD, AssignmentState.CANCELLED, None)], {}, OVER, True),
    "a lead released later": ([LEAD, (Part.LEAD, AssignmentState.RELEASED, OVER - DAYS)], {}, OVER, False),
    "only a support released": ([(Part.SUPPORT, AssignmentState.RELEASED, ANSWERED_AT)], {}, OVER, False),
    "nothing given": ([], {}, OVER, False),
    "asked just so long ago": ([LEAD], {"asked_at": OVER - DAYS}, OVER, False),
    "asked a second before": ([LEAD], {"asked_at": OVER - DAYS - timedelta(seconds=1)}, OVER, True),
    "accepted": ([LEAD], {"stage": Stage.ACCEPTED}, OVER, False),
    "closed": ([LEAD], {"stage": Stage.CLOSED}, OVER, False),
    "its day not over": ([LEAD], {"on": JANUARY}, OVER, False),
    "its day is today": ([LEAD], {"on": JANUARY}, at("01-10 23:59"), False),
    "its day was yesterday": ([LEAD], {"on": JANUARY}, at("01-11 00:00"), True),
}
"""The 交办 of a deferred firm, what else is different about it, the instant; and whether its question closes then."""


@pytest.mark.parametrize("case", UNANSWERED)
def test_the_question_closes_only_after_the_term_with_every_lead_answered(case, coordinator):
    states, columns, now, closes = UNANSWERED[case]
    firm = deferred(1, coordinator, *states, **columns)
    deferred(2, coordinator, (Part.LEAD, AssignmentState.OPEN, None))
    assert [found.pk for found in closing.unanswered(now)] == [firm.pk] * closes


def test_only_letters_that_reached_the_firm_ask_it(coordinator):
    firm = deferred(1, coordinator, LEAD)
    assert list(closing.unanswered(OVER))
    Notice.objects.filter(kind="deferred").exclude(channel="page").update(state=State.WAITING, sent_at=None)
    assert not list(closing.unanswered(OVER))
    assert fresh(firm).stage == Stage.DEFERRED


def test_a_firm_deferred_again_is_asked_from_the_last_time_on(coordinator):
    firm = deferred(1, coordinator, LEAD, asked_at=at("11-02 10:00"), on=NOVEMBER)
    assert list(closing.unanswered(OVER))
    reached("deferred", firm, ANSWERED_AT + timedelta(hours=1))
    assert not list(closing.unanswered(OVER + timedelta(minutes=59)))
    assert list(closing.unanswered(OVER + timedelta(hours=1)))


# --- 已书面答复 -------------------------------------------------------------------------------------------------------


def written_only(number: int, by, *states: tuple, **columns) -> Appointment:
    firm = appointment(number, **{"stage": Stage.ACCEPTED, "wants_onsite": False} | columns)
    for name, (part, state) in zip(("水处", "大气处"), states, strict=False):
        assignment(firm, name, by=by, part=part, state=state)
    return firm


RELEASED = (Part.LEAD, AssignmentState.RELEASED)


def test_answering_the_givers_passes_a_firm_that_refuses(refuses, coordinator):
    firms = [written_only(number, coordinator, RELEASED) for number in (1, 2, 3)]
    refuses(firms[1])
    assert replies.mark_answered(at=SECOND) == 2
    assert stages(firms) == [Stage.ANSWERED, Stage.ACCEPTED, Stage.ANSWERED]
    moved = fresh(firms[0]).moves.get(new=Stage.ANSWERED)
    assert (moved.by, moved.at) == (None, SECOND)


GIVERS = {
    "every lead released": ([RELEASED, RELEASED], {}, True),
    "one lead called off": ([RELEASED, (Part.LEAD, AssignmentState.CANCELLED)], {}, True),
    "a support open": ([RELEASED, (Part.SUPPORT, AssignmentState.OPEN)], {}, True),
    "one lead open": ([RELEASED, (Part.LEAD, AssignmentState.OPEN)], {}, False),
    "one lead drafted": ([RELEASED, (Part.LEAD, AssignmentState.DRAFTED)], {}, False),
    "one lead given back": ([RELEASED, (Part.LEAD, AssignmentState.RETURNED)], {}, False),
    "only a support released": ([(Part.SUPPORT, AssignmentState.RELEASED)], {}, False),
    "all called off": ([(Part.LEAD, AssignmentState.CANCELLED)], {}, False),
    "nothing given": ([], {}, False),
    "it wants to come": ([RELEASED], {"wants_onsite": True}, False),
    "not yet reviewed": ([RELEASED], {"stage": Stage.SUBMITTED}, False),
    "deferred": ([RELEASED], {"stage": Stage.DEFERRED}, False),
}


def test_a_firm_that_holds_a_seat_is_not_yet_answered(coordinator):
    firm = seated(1)
    Appointment.objects.filter(pk=firm.pk).update(stage=Stage.ACCEPTED, wants_onsite=False)
    assignment(firm, "水处", by=coordinator, state=AssignmentState.RELEASED)
    assert replies.mark_answered(at=SECOND) == 0


@pytest.mark.parametrize("case", GIVERS)
def test_a_firm_is_answered_once_every_lead_is(case, coordinator):
    states, columns, answered = GIVERS[case]
    firm = written_only(1, coordinator, *states, **columns)
    before = firm.stage
    assert replies.mark_answered(at=SECOND) == answered
    assert stages([firm]) == [Stage.ANSWERED if answered else before]


# --- What the firms say ---------------------------------------------------------------------------------------------


def says(firm: Appointment, stage: Stage, moment: datetime, note: str = "", by=None) -> None:
    """The firm's own word on its page, or an officer's act."""
    firm.move_to(stage, note, by=by, at=moment)


def ends() -> list[tuple]:
    return list(FollowUp.objects.order_by("pk").values_list("result", "closed_at", "closed_by"))


@pytest.fixture
def followed() -> list[Appointment]:
    """Three firms in 督办, each with one matter."""
    firms = [appointment(number, stage=Stage.FOLLOWING) for number in (1, 2, 3)]
    for firm in firms:
        made_follow_up(firm)
    return firms


def test_a_matter_closed_at_the_same_instant_keeps_its_result(followed, handler, monkeypatch):
    """While the firm says 已解决, the division closes its matter."""
    end = follow_up.end_work

    def division_closes(appointment, **who):
        theirs = FollowUp.objects.filter(appointment=appointment, closed_at=None)
        theirs.update(closed_at=LATE, closed_by=handler, result="已接入市政管网。")
        return end(appointment, **who)

    monkeypatch.setattr(follow_up, "end_work", division_closes)
    says(followed[1], Stage.CLOSED, SECOND)
    assert ends() == [("", None, None), ("已接入市政管网。", LATE, handler.pk), ("", None, None)]


def test_only_matters_of_the_firm_that_said_solved_end_and_at_once(followed, coordinator):
    """The second is closed by 综合处, the third still followed; a poor rating's matter is not the firm's to end."""
    made_follow_up(followed[0], "大气处")
    rating = made_follow_up(followed[0], "综合处", origin=FollowUp.Origin.RATING)
    says(followed[0], Stage.CLOSED, SECOND)
    says(followed[1], Stage.CLOSED, SECOND, by=coordinator)
    by_firm, by_office = ("企业反馈已解决", SECOND, None), ("登记办结", SECOND, coordinator.pk)
    assert ends() == [by_firm, by_office, ("", None, None), by_firm, ("", None, None)]
    rating.refresh_from_db()
    assert rating.closed_at is None
    assert follow_up.process_feedback(at=LATE) == 0


LEADS = {
    "the one lead": ([("水处", Part.LEAD, AssignmentState.OPEN, 18)], "水处"),
    "released": ([("水处", Part.LEAD, AssignmentState.RELEASED, 18)], "水处"),
    "not the support": (
        [("大气处", Part.LEAD, AssignmentState.OPEN, 10), ("水处", Part.SUPPORT, AssignmentState.OPEN, 18)],
        "大气处",
    ),
    "called off": ([("水处", Part.LEAD, AssignmentState.CANCELLED, 18)], "综合处"),
    "given back": ([("水处", Part.LEAD, AssignmentState.RETURNED, 18)], "综合处"),
    "moved, and due earlier": (
        [("水处", Part.LEAD, AssignmentState.CANCELLED, 18), ("大气处", Part.LEAD, AssignmentState.OPEN, 10)],
        "大气处",
    ),
    "two leads": (
        [("水处", Part.LEAD, AssignmentState.OPEN, 18), ("大气处", Part.LEAD, AssignmentState.OPEN, 10)],
        "水处",
    ),
    "support only": ([("水处", Part.SUPPORT, AssignmentState.OPEN, 18)], "综合处"),
    "nothing given": ([], "综合处"),
}
"""The 交办 of a firm (division, part, state, day of December on which it is due); and who answers for the firm."""


@pytest.mark.parametrize("case", LEADS)
def test_the_division_of_a_standing_lead_answers_for_a_firm(case, coordinator):
    given, name = LEADS[case]
    firm, other = appointment(1), appointment(2)
    assignment(other, "土壤处", by=coordinator, due_on=date(2026, 12, 30))
    for to, part, state, day in given:
        assignment(firm, to, by=coordinator, part=part, state=state, due_on=date(2026, 12, day))
    assert follow_up.lead_division(firm).name == name


def opened() -> list[tuple]:
    """The matters opened at SECOND."""
    rows = FollowUp.objects.filter(opened_at=SECOND).order_by("pk").select_related("division")
    return [(row.appointment_id, row.division.name, row.origin, row.promise, row.due_on) for row in rows]


def test_every_firm_that_said_unsolved_is_taken_up_once_by_its_lead(coordinator):
    """One was taken up before, and that matter is over; another firm has been taken up already."""
    firms = [appointment(number, stage=Stage.ANSWERED) for number in (1, 2, 3, 4, 5)]
    made_follow_up(firms[0], origin=FollowUp.Origin.FIRM, closed_at=NOW)
    says(firms[4], Stage.FOLLOWING, NOW, "企业反馈未解决：早已立项")
    made_follow_up(firms[4], origin=FollowUp.Origin.FIRM)
    assignment(firms[0], "水处", by=coordinator, part=Part.SUPPORT, state=AssignmentState.RELEASED)
    assignment(firms[0], "大气处", by=coordinator, state=AssignmentState.RELEASED)
    assignment(firms[1], "土壤处", by=coordinator, state=AssignmentState.CANCELLED)
    says(firms[0], Stage.FOLLOWING, SECOND, "企业反馈未解决：还差材料")
    says(firms[1], Stage.FOLLOWING, SECOND)
    says(firms[2], Stage.FOLLOWING, SECOND, "综合处立项", by=coordinator)
    says(firms[3], Stage.FOLLOWING, SECOND - timedelta(days=1), "企业反馈未解决：不清楚")
    says(firms[3], Stage.CLOSED, SECOND, by=coordinator)
    assert follow_up.process_feedback(at=SECOND) == 2
    due_on = date(2026, 12, 16)
    assert opened() == [
        (firms[0].pk, "大气处", FollowUp.Origin.FIRM, "企业反馈未解决：还差材料", due_on),
        (firms[1].pk, "综合处", FollowUp.Origin.FIRM, "企业反馈未解决", due_on),
    ]
    before = written()
    assert follow_up.process_feedback(at=SECOND + timedelta(days=1)) == 0
    assert written() == before


def test_of_two_words_before_the_round_the_last_one_is_taken_up():
    firm = appointment(1, stage=Stage.ANSWERED)
    says(firm, Stage.FOLLOWING, SECOND - timedelta(hours=3), "企业反馈未解决：先前的话")
    says(firm, Stage.CLOSED, SECOND - timedelta(hours=2))
    says(firm, Stage.FOLLOWING, SECOND - timedelta(hours=1), "企业反馈未解决：最后的话")
    assert follow_up.process_feedback(at=SECOND) == 1
    assert [promise for _, _, _, promise, _ in opened()] == ["企业反馈未解决：最后的话"]


@pytest.mark.parametrize(
    ("grade", "taken_up"), [(Grade.FAIR, False), (Grade.POOR, True), (Grade.VERY_POOR, True)]
)
def test_each_poor_rating_is_followed_up_once_whatever_else_is_open(grade, taken_up):
    firms = [appointment(number, stage=Stage.CLOSED, closed_at=NOW) for number in (1, 2)]
    made_follow_up(firms[0], closed_at=NOW)
    for firm in firms:
        Rating.objects.create(appointment=firm, grade=grade, at=NOW)
    assert follow_up.process_feedback(at=SECOND) == 2 * taken_up
    found = FollowUp.objects.filter(origin=FollowUp.Origin.RATING).order_by("pk")
    assert [row.appointment_id for row in found] == [firm.pk for firm in firms] * taken_up
    assert {row.due_on for row in found} == ({date(2026, 11, 27)} if taken_up else set())
    assert follow_up.process_feedback(at=LATE) == 0


# --- Cancelled days -------------------------------------------------------------------------------------------------


def cancelled(date_: date) -> ConsultDay:
    day = day_on(date_)
    ConsultDay.objects.filter(pk=day.pk).update(plan=Plan.CANCELLED, remark="台风")
    return day


def test_latecomers_of_every_cancelled_day_are_carried_and_the_others_stay():
    for date_ in (NOVEMBER, DAY):
        cancelled(date_)
    late = [appointment(1, on=NOVEMBER, stage=Stage.ACCEPTED), appointment(2), seated(3)]
    others = [
        appointment(4, on=JANUARY),
        appointment(5, wants_onsite=False),
        appointment(6, stage=Stage.DEFERRED),
        appointment(7, stage=Stage.DECLINED),
        appointment(8, stage=Stage.WITHDRAWN),
    ]
    stood = [(firm.pk, firm.day_id, firm.stage) for firm in map(fresh, others)]
    assert plan_changes.carry_latecomers(at=SECOND) == 3
    assert [fresh(firm).day.date for firm in late] == [JANUARY] * 3
    assert stages(late) == [Stage.ACCEPTED, Stage.SUBMITTED, Stage.ACCEPTED]
    assert [(firm.pk, firm.day_id, firm.stage) for firm in map(fresh, others)] == stood
    assert told("day_cancelled") == keys(late)
    assert not Seat.objects.exclude(uscc=None).exists()
    before = written()
    assert plan_changes.carry_latecomers(at=SECOND) == 0
    assert written() == before


@pytest.mark.parametrize(
    ("now", "joins"), [("12-02 10:00", JANUARY), ("01-10 11:29", JANUARY), ("01-10 11:30", FEBRUARY)]
)
def test_a_latecomer_joins_the_first_day_that_still_takes_firms(now, joins):
    cancelled(DAY)
    firm = appointment(1)
    plan_changes.carry_latecomers(at=at(now))
    assert fresh(firm).day.date == joins


def test_a_firm_that_cannot_be_carried_leaves_none_half_carried_and_the_next_round_carries_all(
    refuses, monkeypatch
):
    cancelled(DAY)
    firms = [appointment(1), seated(2), appointment(3)]
    with monkeypatch.context():
        refuses(firms[1])
        with pytest.raises(IllegalMove):
            plan_changes.carry_latecomers(at=SECOND)
    assert {fresh(firm).day.date for firm in firms} == {DAY} and not told("day_cancelled")
    monkeypatch.undo()
    assert plan_changes.carry_latecomers(at=SECOND) == 3
    assert {fresh(firm).day.date for firm in firms} == {JANUARY}
