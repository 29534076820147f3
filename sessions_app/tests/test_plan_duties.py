"""The duties about a plan (六（一）, 二): which day, on which dates, and the exact notices; others get none."""

from datetime import date, datetime, timedelta

import pytest
from django.db import transaction

from sessions_app import notifications, planning, preparing, receiving
from sessions_app.days import day_on
from sessions_app.models import ConsultDay, Plan, Reception, Seat
from sessions_app.preparing import PREPARE
from sessions_app.receiving import RECEPTION
from sessions_app.reminders import PLAN_WANTED
from zhoushan_consult.audit.verbs import Verb
from zhoushan_consult.bureau.models import Area, Division
from zhoushan_consult.bureau.roles import Role
from zhoushan_consult.outbox.models import Channel, Notice
from zhoushan_consult.tests.evidence import LETTERS, TRAIL, entries, letters, name, refused, rows

pytestmark = pytest.mark.django_db

OCTOBER, NOVEMBER, DECEMBER, JANUARY, FEBRUARY = (
    date(2026, 10, 10),
    date(2026, 11, 10),
    date(2026, 12, 10),
    date(2027, 1, 10),
    date(2027, 2, 10),
)
LAST = {"theme": "雨污分流", "partners": "市水务局", "place": "三楼会议室", "note": "请从东门进"}
DRAFTS, DECIDES, WATCHES = Role.COORDINATOR, Role.LEADER, Role.WATCH


@pytest.fixture(autouse=True)
def crew(officer):
    """Two of each who hold a plan or watch it, all by SMS alone; one has left, and 科监处 is told nothing."""
    for number, role in enumerate((DRAFTS, DECIDES, WATCHES, DRAFTS, DECIDES, WATCHES, Role.SYSTEM)):
        officer(role, "综合处", name=f"{role}{number}", phone=f"1380000000{number}")
    officer(DRAFTS, "综合处", name="已离任", phone="13800000009", is_active=False)


def readers(role: Role) -> set[str]:
    return {
        f"{role}{n}" for n, r in enumerate((DRAFTS, DECIDES, WATCHES, DRAFTS, DECIDES, WATCHES)) if r == role
    }


def told(**kinds) -> set:
    """`told(plan_wanted=Role.LEADER)`: that kind to everyone who holds the role, and nothing else."""
    return {(kind, "sms", reader) for kind, role in kinds.items() for reader in readers(role)}


def moment(text: str) -> datetime:
    return datetime.fromisoformat(f"{text}:00+08:00")


def run(kind, text: str) -> int:
    """As the rounds do it, at its moment and an hour late."""
    due_at = moment(text)
    return kind.run("", due_at, due_at + timedelta(hours=1))


def plan(day: date, state: Plan, **texts) -> ConsultDay:
    made = day_on(day)
    ConsultDay.objects.filter(pk=made.pk).update(plan=state, **(LAST | texts))
    made.refresh_from_db()
    return made


# --- The plan is wanted ----------------------------------------------------------------------------------------------
ON_TIME, HELD = Plan.PUBLISHED, Plan.CANCELLED


@pytest.mark.parametrize(
    ("when", "states", "expected"),
    [
        ("2026-11-19 09:00", {NOVEMBER: ON_TIME}, {}),
        ("2026-11-20 09:00", {NOVEMBER: ON_TIME}, {"plan_wanted": DRAFTS}),
        ("2026-11-20 09:00", {DECEMBER: Plan.DRAFT}, {"plan_wanted": DRAFTS}),
        ("2026-11-20 09:00", {DECEMBER: Plan.RETURNED}, {"plan_wanted": DRAFTS}),
        ("2026-11-20 09:00", {DECEMBER: Plan.SUBMITTED}, {"plan_wanted": DECIDES}),
        ("2026-11-20 09:00", {DECEMBER: ON_TIME}, {}),
        ("2026-11-20 09:00", {DECEMBER: HELD}, {}),
        ("2026-11-30 09:00", {DECEMBER: Plan.SUBMITTED}, {"plan_wanted": DECIDES}),
        ("2026-12-01 09:00", {DECEMBER: Plan.DRAFT}, {"plan_wanted": DRAFTS, "plan_late": DECIDES}),
        ("2026-12-09 09:00", {DECEMBER: Plan.SUBMITTED}, {"plan_wanted": DECIDES, "plan_late": DECIDES}),
        ("2026-12-09 09:00", {DECEMBER: ON_TIME}, {}),
        ("2026-12-10 09:00", {DECEMBER: Plan.DRAFT}, {}),
        ("2026-12-15 09:00", {DECEMBER: Plan.DRAFT}, {}),
    ],
)
def test_plan_is_asked_of_the_one_who_holds_it(when, states, expected):
    for day, state in states.items():
        plan(day, state)
    for day in (OCTOBER, FEBRUARY):  # long over, and too early to ask for
        plan(day, Plan.DRAFT)
    expected = told(**expected)
    assert run(PLAN_WANTED, when) == len(expected)
    assert letters() == expected


def test_plan_that_is_asked_for_is_the_next_one_and_is_made_where_there_is_none():
    run(PLAN_WANTED, "2026-12-20 09:00")
    about = {(n.about_kind, n.about_id) for n in Notice.objects.all()}
    assert about == {("sessions_app.consultday", str(ConsultDay.objects.get(date=JANUARY).pk))}
    assert Seat.objects.filter(day__date=JANUARY).count() == 10


def test_plan_is_asked_for_daily_and_once_a_day():
    for _ in range(2):
        run(PLAN_WANTED, "2026-11-20 09:00")
    assert Notice.objects.count() == 2
    run(PLAN_WANTED, "2026-11-21 09:00")
    assert Notice.objects.filter(kind="plan_wanted").count() == 4


def test_late_plan_is_told_once_a_month():
    for when in ("2026-12-01 09:00", "2026-12-02 09:00", "2027-01-01 09:00", "2027-01-02 09:00"):
        run(PLAN_WANTED, when)
    late = Notice.objects.filter(kind="plan_late")
    assert late.count() == 4
    assert {n.about_id for n in late} == {str(day_on(d).pk) for d in (DECEMBER, JANUARY)}


@pytest.mark.parametrize(
    ("state", "wanted", "late"),
    [
        (Plan.DRAFT, "尚未送审，请尽快拟订", "综合处尚未送审，请督促"),
        (Plan.SUBMITTED, "待您审核", "正待您审核"),
    ],
)
def test_words_of_a_wanted_plan_name_its_day_and_what_it_waits_for(state, wanted, late):
    plan(DECEMBER, state)
    run(PLAN_WANTED, "2026-12-01 09:00")
    texts = {
        kind: {n.text for n in Notice.objects.filter(kind=kind)} for kind in ("plan_wanted", "plan_late")
    }
    (text_wanted,), (text_late,) = texts["plan_wanted"], texts["plan_late"]
    assert text_wanted.startswith(f"12月10日咨询日的活动方案{wanted}")
    assert text_late.startswith(f"12月10日咨询日的活动方案到月初仍未公布，{late}")


def test_letters_about_a_plan_are_written_at_the_moment_of_the_run():
    run(PLAN_WANTED, "2026-12-01 09:00")
    assert set(Notice.objects.values_list("created_at", flat=True)) == {moment("2026-12-01 10:00")}


def test_date_of_a_reminder_is_that_of_zhoushan():
    run(PLAN_WANTED, "2026-11-20 00:30")  # still the 19th in UTC
    assert letters() == told(plan_wanted=DRAFTS)


def test_note_goes_to_those_of_the_division_where_one_is_given(officer, handler, other_handler):
    officer(Role.HEAD, "水处", name="水长")
    type(handler).objects.update(phone="13800000001", email="x@example.com")
    day, at = plan(DECEMBER, Plan.DRAFT), moment("2026-12-01 09:00")
    water = Division.objects.get(name="水处")
    count = notifications.to_role(Role.HANDLER, "plan_wanted", day, at=at, division=water)
    assert (count, letters()) == (1, {("plan_wanted", channel, "水清") for channel in ("sms", "email")})
    assert notifications.to_role(Role.HANDLER, "plan_late", day, at=at) == 2
    assert {reader for kind, _, reader in letters() if kind == "plan_late"} == {"水清", "云天"}


def test_note_with_another_key_is_another_letter(handler):
    type(handler).objects.update(phone="13800000001", email="")
    day = plan(DECEMBER, Plan.DRAFT)
    for key in ("a", "a", "b"):
        notifications.to_role(Role.HANDLER, "plan_wanted", day, at=moment("2026-12-01 09:00"), key=key)
    assert Notice.objects.count() == 2


# --- The draft is prepared -------------------------------------------------------------------------------------------
def receive(day: ConsultDay, person: str, **fields) -> Reception:
    return Reception.objects.create(day=day, name=person, title="处长", **fields)


@pytest.fixture
def last():
    """November's plan, published, with two who receive; October's, another; December's is not begun."""
    plan(OCTOBER, Plan.PUBLISHED, theme="上上期", place="旧址")
    made = plan(NOVEMBER, Plan.PUBLISHED)
    receive(
        made,
        "李江",
        division=Division.objects.get(name="水处"),
        order=1,
        confirmed_at=moment("2026-11-09 09:00"),
    )
    receive(made, "陈岛", area=Area.objects.get(name="六横管委会"), order=2, declined="出差")
    return made


def texts_of(day: date) -> dict:
    return ConsultDay.objects.filter(date=day).values(*LAST).get()


def test_draft_is_prepared_from_the_latest_published_plan(last):
    day = day_on(DECEMBER)
    plan(JANUARY, Plan.PUBLISHED, theme="已经公布的下一期")
    before = rows(ConsultDay, Reception, Seat, but=(day,))
    assert run(PREPARE, "2026-11-15 09:00") == 2
    assert texts_of(DECEMBER) == LAST
    day.refresh_from_db()
    assert (day.plan, day.version) == (Plan.DRAFT, 2)
    people = [
        (p.name, p.title, p.division, p.area, p.order, p.confirmed_at, p.declined)
        for p in day.receptions.all()
    ]
    assert people == [
        ("李江", "处长", Division.objects.get(name="水处"), None, 1, None, ""),
        ("陈岛", "处长", None, Area.objects.get(name="六横管委会"), 2, None, ""),
    ]
    assert rows(ConsultDay, Reception, Seat, but=(day, *day.receptions.all())) == before
    facts = {"earlier": "2026-11"}
    assert entries() == [(Verb.PLAN_COPIED, name(day), None, moment("2026-11-15 10:00"), "", facts)]
    assert letters() == told(plan_prepared=DRAFTS)


@pytest.mark.parametrize("table", [TRAIL, LETTERS])
def test_draft_is_not_prepared_without_its_entry_or_its_letter(last, table):
    day_on(DECEMBER)
    before = rows()
    with refused(table), transaction.atomic():  # as the rounds run it
        run(PREPARE, "2026-11-15 09:00")
    assert rows() == before


TOUCHED = [
    {"theme": "审批"},
    {"partners": "海事局"},
    {"place": "一楼"},
    {"note": "说明"},
    {"version": 2},
    {"plan": Plan.RETURNED},
    {"plan": Plan.SUBMITTED},
]


@pytest.mark.parametrize("typed", TOUCHED, ids=str)
def test_draft_that_someone_edited_is_not_prepared(last, typed):
    day, _ = day_on(DECEMBER), day_on(FEBRUARY)  # the other is untouched
    ConsultDay.objects.filter(pk=day.pk).update(**typed)
    before = rows()
    assert run(PREPARE, "2026-11-15 09:00") == 0
    assert rows() == before


def test_draft_with_someone_named_is_not_prepared(last):
    receive(day_on(DECEMBER), "新人")
    before = rows()
    assert run(PREPARE, "2026-11-15 09:00") == 0
    assert rows() == before


def test_draft_is_prepared_once(last):
    run(PREPARE, "2026-11-15 09:00")
    before = rows()
    assert run(PREPARE, "2026-11-15 09:00") == 0
    assert rows() == before


def test_draft_of_the_day_after_a_cancelled_one_is_prepared(last):
    ConsultDay.objects.filter(pk=day_on(DECEMBER).pk).update(plan=Plan.CANCELLED)
    run(PREPARE, "2026-11-15 09:00")
    assert (texts_of(DECEMBER)["theme"], texts_of(JANUARY)) == ("", LAST)


@pytest.mark.parametrize("state", sorted(set(Plan) - {Plan.PUBLISHED}))
def test_only_a_published_plan_is_copied(state, coordinator):
    plan(NOVEMBER, state)
    day = day_on(DECEMBER)
    assert preparing.last_published(day) is None
    assert run(PREPARE, "2026-11-15 09:00") == 0
    with pytest.raises(preparing.NothingBefore):
        preparing.copy_last(day, by=coordinator, at=moment("2026-11-16 10:00"))


def test_plan_is_not_copied_from_itself_or_from_a_later_one(last):
    plan(DECEMBER, Plan.PUBLISHED)
    plan(JANUARY, Plan.PUBLISHED)
    assert preparing.last_published(day_on(DECEMBER)) == last
    assert preparing.last_published(day_on(FEBRUARY)).date == JANUARY


@pytest.mark.parametrize("kept", list(LAST))
def test_copying_fills_only_the_blank_texts(last, coordinator, kept):
    day = day_on(DECEMBER)
    ConsultDay.objects.filter(pk=day.pk).update(**{kept: "我写的"})
    day.refresh_from_db()
    preparing.copy_last(day, by=coordinator, at=moment("2026-11-16 10:00"))
    assert texts_of(DECEMBER) == LAST | {kept: "我写的"}
    assert (day.version, getattr(day, kept)) == (2, "我写的")


def test_copying_leaves_a_list_of_receptions_unchanged(last, coordinator):
    day = day_on(DECEMBER)
    receive(day, "新人")
    preparing.copy_last(day, by=coordinator, at=moment("2026-11-16 10:00"))
    assert [person.name for person in day.receptions.all()] == ["新人"]


def test_copying_onto_another_wording_than_the_read_one_is_refused(last, coordinator):
    day = day_on(DECEMBER)
    ConsultDay.objects.filter(pk=day.pk).update(version=2)
    before = rows()
    with pytest.raises(planning.PlanStateChanged):
        preparing.copy_last(day, by=coordinator, at=moment("2026-11-16 10:00"))
    assert rows() == before


FULL = {"theme": "一", "place": "二"}


@pytest.mark.parametrize(
    ("changes", "receptions", "blank"),
    [
        (FULL, True, False),
        (FULL, False, True),
        (FULL | {"theme": ""}, True, True),
        (FULL | {"place": ""}, True, True),
        ({"plan": Plan.RETURNED}, False, True),
        ({"plan": Plan.SUBMITTED}, False, False),
        ({"plan": Plan.CANCELLED}, False, False),
    ],
)
def test_copying_is_offered_while_something_is_blank(changes, receptions, blank):
    day = day_on(DECEMBER)
    if receptions:
        receive(day, "新人")
    ConsultDay.objects.filter(pk=day.pk).update(**changes)
    day.refresh_from_db()
    assert preparing.has_blanks(day) is blank


# --- Who receives ----------------------------------------------------------------------------------------------------
@pytest.fixture
def list_of_december():
    """Of three, one will come and one will not; November's and January's lists are all open."""
    for date_ in (NOVEMBER, DECEMBER, JANUARY):
        day = plan(date_, Plan.PUBLISHED)
        for person in ("李江", "王海", "陈岛"):
            receive(day, person)
    december = Reception.objects.filter(day__date=DECEMBER)
    december.filter(name="李江").update(confirmed_at=moment("2026-12-01 09:00"))
    december.filter(name="陈岛").update(declined="出差")
    return ConsultDay.objects.get(date=DECEMBER)


def test_unanswered_are_those_of_the_published_list_of_that_day(list_of_december):
    assert [(p.name, p.day) for p in receiving.unanswered(DECEMBER)] == [("王海", list_of_december)]
    ConsultDay.objects.filter(date=DECEMBER).update(plan=Plan.SUBMITTED)
    assert not receiving.unanswered(DECEMBER)


@pytest.mark.parametrize(
    ("when", "waiting"),
    [
        ("2026-12-04 09:10", 0),
        ("2026-12-05 09:10", 1),
        ("2026-12-09 09:10", 1),
        ("2026-12-10 09:10", 1),
        ("2026-12-11 09:10", 0),
    ],
)
def test_office_is_told_from_five_days_before_how_many_have_not_answered(list_of_december, when, waiting):
    assert run(RECEPTION, when) == waiting
    assert letters() == (told(reception_open=WATCHES) if waiting else set())
    assert {n.about_id for n in Notice.objects.all()} <= {str(list_of_december.pk)}


def test_office_is_told_daily_and_once_a_day(list_of_december):
    for when in ("2026-12-05 09:10", "2026-12-05 09:10", "2026-12-06 09:10"):
        run(RECEPTION, when)
    assert Notice.objects.count() == 4
    assert all("12月10日咨询日还有1位接待人员" in notice.text for notice in Notice.objects.all())


def test_office_is_told_nothing_where_everyone_has_answered(list_of_december):
    Reception.objects.filter(day__date=DECEMBER, name="王海").update(declined="出差")
    assert run(RECEPTION, "2026-12-05 09:10") == 0
    assert letters() == set()


@pytest.mark.parametrize(
    ("states", "when", "expected"),
    [
        ({}, "2026-12-01 09:00", [DECEMBER, JANUARY]),
        ({}, "2026-12-10 11:29", [DECEMBER, JANUARY]),
        ({}, "2026-12-10 11:30", [JANUARY]),
        ({DECEMBER: Plan.SUBMITTED, JANUARY: Plan.DRAFT}, "2026-12-01 09:00", [DECEMBER]),
        ({DECEMBER: Plan.RETURNED, JANUARY: Plan.CANCELLED}, "2026-12-01 09:00", []),
    ],
)
def test_people_ahead_are_those_of_a_plan_submitted_or_published(list_of_december, states, when, expected):
    for day, state in states.items():
        ConsultDay.objects.filter(date=day).update(plan=state)
    found = [(person.day.date, person.name) for person in receiving.upcoming_receptions(moment(when))]
    assert found == [(day, person) for day in expected for person in ("李江", "王海", "陈岛")]


def test_people_ahead_stand_by_day_then_in_the_order_of_the_list():
    for date_ in (JANUARY, DECEMBER):  # the later day is written down first
        day = plan(date_, Plan.PUBLISHED)
        for person, order in (("丙", 2), ("甲", 0), ("乙", 1), ("乙二", 1)):
            receive(day, person, order=order)
    # A database may hand rows out as they were last written.
    Reception.objects.filter(name="乙").update(title="改过")
    found = [
        (person.day.date, person.name) for person in receiving.upcoming_receptions(moment("2026-12-01 09:00"))
    ]
    assert found == [(day, person) for day in (DECEMBER, JANUARY) for person in ("甲", "乙", "乙二", "丙")]


AT = moment("2026-12-05 10:00")


@pytest.fixture
def person(list_of_december):
    return list_of_december.receptions.get(name="王海")


def answer(person) -> tuple:
    person.refresh_from_db()
    return person.confirmed_at, person.declined, person.recorded_by


def test_answer_is_seen_on_the_person_that_was_given(person, watcher):
    receiving.confirm(person, by=watcher, at=AT)
    assert (person.confirmed_at, person.recorded_by) == (AT, watcher)
    receiving.decline(person, "出差", by=watcher, at=AT)
    assert (person.confirmed_at, person.declined) == (None, "出差")


def test_second_confirmation_keeps_the_first(person, coordinator, watcher):
    receiving.confirm(person, by=watcher, at=AT)
    receiving.confirm(person, by=coordinator, at=AT + timedelta(hours=1))
    assert answer(person) == (AT, "", watcher)
    assert len(entries()) == 1


def test_confirmation_takes_a_refusal_back_and_a_refusal_a_confirmation(person, watcher):
    receiving.decline(person, " 出差 ", by=watcher, at=AT)
    assert answer(person) == (None, "出差", watcher)
    receiving.confirm(person, by=watcher, at=AT)
    assert answer(person) == (AT, "", watcher)
    receiving.decline(person, "生病", by=watcher, at=AT)
    assert answer(person) == (None, "生病", watcher)


@pytest.mark.parametrize("why", ["", "  "])
def test_refusal_without_a_reason_is_not_taken(person, watcher, why):
    before = rows()
    with pytest.raises(receiving.ReasonMissing, match="请写明"):
        receiving.decline(person, why, by=watcher, at=AT)
    assert rows() == before


def test_refusal_is_told_once_for_each_reason(person, watcher):
    for why, seconds in (("出差", 0), ("出差", 1), ("改由副处长", 2)):
        receiving.decline(person, why, by=watcher, at=AT + timedelta(seconds=seconds))
    assert len(entries()) == 2
    assert Notice.objects.filter(kind="reception_declined", channel=Channel.SMS).count() == 2 * 2


def test_refusals_of_two_people_at_one_moment_are_told_each(person, list_of_december, watcher):
    other = list_of_december.receptions.get(name="李江")
    for who in (person, other):
        receiving.decline(who, "出差", by=watcher, at=AT)
    assert {n.about_id for n in Notice.objects.all()} == {str(person.pk), str(other.pk)}
    assert Notice.objects.filter(kind="reception_declined").count() == 2 * 2


def test_answer_for_a_cancelled_day_is_not_taken(person, watcher):
    ConsultDay.objects.filter(date=DECEMBER).update(plan=Plan.CANCELLED)
    before = rows()
    for act in (
        lambda: receiving.confirm(fresh(person), by=watcher, at=AT),
        lambda: receiving.decline(fresh(person), "出差", by=watcher, at=AT),
    ):
        with pytest.raises(receiving.DayPast, match="已经结束或取消"):
            act()
    assert rows() == before


def fresh(person) -> Reception:
    return Reception.objects.get(pk=person.pk)


def test_date_of_the_reception_reminder_is_that_of_zhoushan(list_of_december):
    assert run(RECEPTION, "2026-12-05 00:30") == 1  # still the 4th in UTC
