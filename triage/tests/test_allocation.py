"""Which firm gets a seat, keeps it, loses it or comes next time (六（五）), at the limits; and the page that explains it."""

import re
from datetime import date, datetime, timedelta

import pytest
import time_machine
from django.test import Client
from django.urls import reverse

from appointments import booking, facts, letters
from appointments.facts import NotOpen
from appointments.lifecycle import Stage
from appointments.models import Appointment
from appointments.waiting_list import waiting
from sessions_app import calendar, policy, seats
from sessions_app.days import day_on
from sessions_app.models import Seat
from triage import assignment, closing, deferral, plan_changes, reminders, replies, seating
from triage.assignment import AssignmentItem
from triage.models import Assignment, AssignmentState, Reply
from triage.tests import factories as made
from triage.tests.desk import read
from zhoushan_consult.audit import trail
from zhoushan_consult.audit.verbs import Verb
from zhoushan_consult.bureau.models import Division
from zhoushan_consult.bureau.roles import Role
from zhoushan_consult.outbox.models import Notice

pytestmark = pytest.mark.django_db

DAY, JANUARY = made.DAY, date(2027, 1, 10)


def at(text: str) -> datetime:
    """The moment "12-02 10:00": December is in 2026, January in 2027."""
    year = 2027 if text.startswith("0") else 2026
    return datetime.fromisoformat(f"{year}-{text}+08:00")


SECOND = at("12-02 10:00")


def accepted(*numbers, **columns) -> list[Appointment]:
    return [made.appointment(n, **{"stage": Stage.ACCEPTED, "handled_by": "水处"} | columns) for n in numbers]


def fresh(firm: Appointment) -> Appointment:
    return Appointment.objects.select_related("day", "seat").get(pk=firm.pk)


def stages(*firms) -> list[str]:
    return [fresh(firm).stage for firm in firms]


def run(duty, moment: datetime) -> int:
    return duty.run("", moment, moment)


# --- Offers: how long they last ---------------------------------------------------------------------------------------
def test_freed_seat_is_offered_until_the_eve_and_not_a_second_longer(coordinator):
    firms = accepted(*range(1, 13))
    day = firms[0].day
    seating.settle(day, by=coordinator, at=SECOND)
    for firm in map(fresh, firms[:10]):
        booking.confirm_seat(firm, at=SECOND)
    last = calendar.offers_end(day.date)
    booking.give_up_seat(fresh(firms[0]), at=last)
    assert seating.fill(day, at=last) == 1
    booking.give_up_seat(fresh(firms[1]), at=last)
    assert seating.fill(day, at=last + timedelta(seconds=1)) == 0
    assert stages(firms[10], firms[11]) == [Stage.SEATED, Stage.DEFERRED]


def test_offer_lapses_one_second_after_its_end_and_not_at_it(coordinator):
    firms = accepted(*range(1, 12))
    day = firms[0].day
    seating.settle(day, by=coordinator, at=SECOND)
    made.deliver(SECOND)
    until = SECOND + policy.CONFIRM_WITHIN
    assert seating.let_lapse(day, at=until) == 0
    booking.confirm_seat(fresh(firms[0]), at=until)
    assert seating.let_lapse(day, at=until + timedelta(seconds=1)) == 9


def test_seat_confirmed_in_the_meantime_does_not_lapse():
    late = made.seated(1)
    booking.confirm_seat(fresh(late), at=SECOND)
    with pytest.raises(seats.SeatGone):
        seats.release(late.seat, late.uscc, unconfirmed_at=at("12-09 10:00"))
    assert fresh(late).seat.confirmed_at == SECOND


def test_confirmation_of_a_lapsed_seat_is_refused():
    opened = made.seated(1)
    assert seating.let_lapse(opened.day, at=SECOND) == 1
    with pytest.raises(seats.SeatGone):  # from a page that was opened before
        booking.confirm_seat(opened, at=SECOND)
    with pytest.raises(NotOpen):
        booking.confirm_seat(fresh(opened), at=SECOND)
    assert not Notice.objects.filter(kind="seat_confirmed").exists()
    assert not Seat.objects.exclude(confirmed_at=None).exists()


def test_unconfirmed_firm_keeps_its_seat_once_the_day_has_begun(coordinator):
    firm = made.seated(1, at=at("12-09 12:00"))
    assert seating.fill(firm.day, at=calendar.starts_at(DAY)) == 0
    assert stages(firm) == [Stage.SEATED]


def test_list_settled_on_the_day_itself_defers_every_firm(coordinator):
    firms = accepted(1, 2)
    assert seating.settle(firms[0].day, by=coordinator, at=calendar.starts_at(DAY)) == (0, 2)
    assert not Seat.objects.exclude(uscc=None).exists()


def test_firm_that_gave_up_its_seat_is_offered_no_other(coordinator):
    firms = accepted(*range(1, 11))
    day = firms[0].day
    seating.settle(day, by=coordinator, at=SECOND)
    booking.give_up_seat(fresh(firms[0]), at=SECOND)
    assert [seating.fill(day, at=SECOND + timedelta(minutes=n)) for n in (1, 2)] == [0, 0]
    assert stages(firms[0]) == [Stage.ACCEPTED]
    assert Seat.objects.filter(day=day, uscc=None).count() == 1


def test_second_confirmation_adds_no_audit_entry_and_no_notice():
    firm = made.seated(1)
    for _ in range(2):
        booking.confirm_seat(fresh(firm), at=SECOND)
    assert trail.about(firm).filter(verb=Verb.SEAT_CONFIRMED).count() == 1
    assert Notice.objects.filter(kind="seat_confirmed", channel="sms").count() == 1


def test_firm_accepted_after_a_full_list_is_deferred_with_a_notice(coordinator):
    firms = accepted(*range(1, 11))
    seating.settle(firms[0].day, by=coordinator, at=SECOND)
    late = accepted(11)[0]
    run(seating.FILL, SECOND + timedelta(minutes=1))
    assert stages(late) == [Stage.DEFERRED]
    assert Notice.objects.filter(kind="deferred", about_id=str(late.pk), channel="sms").exists()


def test_firm_that_gave_up_its_seat_is_answered_once_its_reply_is_released(coordinator):
    firm = made.seated(1)
    made.assignment(firm, "水处", by=coordinator, state=AssignmentState.RELEASED, released_at=made.NOW)
    booking.give_up_seat(firm, at=SECOND)
    assert replies.mark_answered(at=SECOND) == 1
    assert replies.mark_answered(at=SECOND) == 0
    assert stages(firm) == [Stage.ANSWERED]


# --- An 11th seat ----------------------------------------------------------------------------------------------------
@pytest.fixture
def full(coordinator):
    """A settled list of ten, and an 11th firm that waits."""
    firms = accepted(*range(1, 12))
    seating.settle(firms[0].day, by=coordinator, at=SECOND)
    return firms


def add_seat(browser, firm, reason="停产整改，急需当面指导"):
    return browser.post(
        reverse("admin:appointments_appointment_extra_seat", args=[firm.pk]), {"reason": reason}
    )


@pytest.fixture
def on_the_second():
    with time_machine.travel(SECOND, tick=False):
        yield


def test_leader_adds_an_eleventh_seat_with_a_reason(full, leader, signed_in, on_the_second):
    assert add_seat(signed_in(leader), full[10]).status_code == 302
    seat = fresh(full[10]).seat
    assert (seat.number, seat.uscc, seat.extra_reason) == (11, full[10].uscc, "停产整改，急需当面指导")
    assert seat.reply_by is None
    made.deliver(SECOND)
    assert fresh(full[10]).seat.reply_by == SECOND + policy.CONFIRM_WITHIN
    assert trail.about(seat).get(verb=Verb.SEAT_ADDED).actor == leader


def test_extra_seat_without_a_reason_is_refused(full, leader, signed_in, on_the_second):
    assert add_seat(signed_in(leader), full[10], reason=" ").status_code == 200
    assert Seat.objects.filter(day=full[0].day).count() == 10


@pytest.mark.parametrize("role", sorted(set(Role) - {Role.LEADER}))
def test_extra_seat_is_refused_to_every_role_but_the_leader(full, role, officer, signed_in, on_the_second):
    assert add_seat(signed_in(officer(role, "水处", area="定海区")), full[10]).status_code == 403
    assert Seat.objects.filter(day=full[0].day).count() == 10


def test_extra_seat_given_up_is_offered_to_no_other_firm(full, leader, coordinator):
    seating.add_seat(full[0].day, fresh(full[10]), "急需", by=leader, at=SECOND)
    other = accepted(12, stage=Stage.DEFERRED)[0]
    booking.give_up_seat(fresh(full[10]), at=SECOND)
    assert seating.fill(full[0].day, at=SECOND) == 0
    assert stages(other) == [Stage.DEFERRED]


# --- Written reply first -----------------------------------------------------------------------------------------------
def test_deferral_shortens_reply_terms_and_sends_the_division_one_notice(coordinator, handler):
    firms = accepted(*range(1, 14))
    day = firms[0].day
    late, soon = date(2026, 12, 18), date(2026, 12, 3)
    given = [made.assignment(firm, "水处", by=coordinator, due_on=late) for firm in firms]
    early = made.assignment(firms[12], "大气处", by=coordinator, due_on=soon)
    seating.settle(day, by=coordinator, at=SECOND)
    due = dict(Assignment.objects.values_list("pk", "due_on"))
    eve = date(2026, 12, 9)
    assert [due[a.pk] for a in given] == [late] * 10 + [eve] * 3
    assert due[early.pk] == soon
    assert fresh(firms[12]).reply_due_on == eve
    note = Notice.objects.get(kind="replies_hastened", channel="email")
    assert "3件" in note.text
    assert trail.about(given[12]).get(verb=Verb.TERM_SHORTENED).facts == {
        "was": "2026-12-18",
        "due_on": "2026-12-09",
    }


@pytest.fixture(autouse=True)
def officers_have_mailboxes(request):
    if "handler" in request.fixturenames:
        officer = request.getfixturevalue("handler")
        officer.email = "handler@example.com"
        officer.save()


def test_assignment_added_to_a_deferred_firm_gets_the_shortened_term(full, coordinator):
    for firm in full[:10]:
        booking.confirm_seat(fresh(firm), at=SECOND)
    water = Division.objects.get(name="水处")
    assignment.add(
        full[10], AssignmentItem(water, "又一个问题", reason="企业补充"), by=coordinator, at=at("12-07 09:00")
    )
    assert Assignment.objects.get().due_on > date(2026, 12, 9)
    run(seating.FILL, at("12-07 09:01"))
    assert Assignment.objects.get().due_on == date(2026, 12, 9)


def test_shortened_term_is_never_in_the_past(full, coordinator):
    given = made.assignment(full[10], "水处", by=coordinator, due_on=date(2026, 12, 18))
    deferral.shorten_terms(full[0].day, by=None, at=at("12-10 07:00"))
    given.refresh_from_db()
    assert given.due_on == date(2026, 12, 10)


# --- 仍需现场: the priority, once ------------------------------------------------------------------------------------------
@pytest.fixture
def deferred(full):
    return fresh(full[10])


def page_of(firm) -> str:
    browser = Client()
    browser.post("/status/", {"reference": firm.reference, "phone": firm.phone_number})
    return read(browser.get("/status/"))


def test_firm_with_priority_reads_its_place_and_the_reason(deferred):
    others = [accepted(n, on=JANUARY, priority_since=at(f"12-0{n - 17} 08:00"))[0] for n in (20, 21)]
    accepted(30, on=JANUARY)
    booking.ask_for_seat_again(deferred, at=at("12-03 12:00"))
    with time_machine.travel(at("12-11 12:00"), tick=False):
        page = page_of(deferred)
    assert "您在优先名单第 2 位：12月3日（周四）取得优先资格，先于新登记的企业安排。" in page
    assert "1月10日" in page
    assert Notice.objects.filter(kind="priority_granted", body__isnull=False, channel="page").count() == 1
    assert facts.read(others[1], SECOND).standing.startswith("您在优先名单第 3 位")
    booking.withdraw(others[0], at=at("12-12 12:00"))
    assert facts.read(fresh(deferred), SECOND).standing.startswith("您在优先名单第 1 位")


def test_deferred_firm_reads_its_place_on_the_waiting_list(deferred):
    with time_machine.travel(SECOND, tick=False):
        assert "您在本期候补第 1 位" in page_of(deferred)
    assert facts.read(deferred, at("12-09 16:00")).standing != ""
    assert facts.read(deferred, at("12-09 16:01")).standing == ""


def test_firm_deferred_again_keeps_its_first_priority_time(deferred, coordinator):
    booking.ask_for_seat_again(deferred, at=at("12-03 12:00"))
    Appointment.objects.filter(pk=deferred.pk).update(stage=Stage.DEFERRED)
    day_on(JANUARY)
    again = booking.ask_for_seat_again(fresh(deferred), at=at("01-05 12:00"))
    assert (again.day.date, again.priority_since) == (date(2027, 2, 10), at("12-03 12:00"))


@pytest.mark.parametrize(
    ("asked", "settled", "joins"),
    [
        ("12-20 12:00", False, JANUARY),
        ("01-04 12:00", False, JANUARY),  # late in the month, and the list is open
        ("01-04 12:00", True, date(2027, 2, 10)),
        ("01-10 11:30", False, date(2027, 2, 10)),
    ],
)
def test_deferred_firm_joins_the_first_day_whose_list_is_open(deferred, asked, settled, joins):
    january = day_on(JANUARY)
    january.settled_at = at("01-02 09:00") if settled else None
    january.save()
    assert booking.ask_for_seat_again(deferred, at=at(asked)).day.date == joins


@pytest.mark.parametrize("used", ["seated", "given_up", "absent", "lapsed"])
def test_priority_is_granted_only_once(deferred, coordinator, used):
    newer = made.seated(40, on=JANUARY, uscc=deferred.uscc, at=at("01-02 10:00"), priority_since=SECOND)
    newer.moves.create(new=Stage.SEATED, at=at("01-02 10:00"))
    if used == "given_up":
        booking.give_up_seat(fresh(newer), at=at("01-03 10:00"))
    if used == "lapsed":
        seating.let_lapse(newer.day, at=at("01-09 10:00"))
    if used == "absent":
        Appointment.objects.filter(pk=newer.pk).update(stage=Stage.ABSENT)
    if used in ("given_up", "lapsed"):
        assert fresh(newer).priority_since is None
        assert fresh(newer) not in waiting(newer.day)
    with pytest.raises(NotOpen, match="优先资格已经使用"):
        booking.ask_for_seat_again(deferred, at=at("01-12 10:00"))
    assert stages(deferred) == [Stage.DEFERRED]


def test_priority_passes_to_the_registration_the_firm_already_has(deferred):
    newer = made.appointment(41, on=JANUARY, uscc=deferred.uscc)
    assert booking.ask_for_seat_again(deferred, at=at("12-03 12:00")).pk == newer.pk
    assert fresh(newer).priority_since == at("12-03 12:00")
    earlier = fresh(deferred)
    assert (earlier.stage, earlier.wants_onsite, earlier.handed_to) == (Stage.ACCEPTED, False, newer)


# --- A deferral left unanswered --------------------------------------------------------------------------------------------
def answered(firm, coordinator, when: str) -> None:
    """The reply, and the letter before it that tells of the deferral, have reached the firm."""
    given = made.assignment(
        firm, "水处", by=coordinator, state=AssignmentState.RELEASED, released_at=at(when)
    )
    Reply.objects.create(assignment=given, body="可以。", drafted_by=coordinator, drafted_at=at(when))
    letters.write("reply_released", firm, at=at(when), assignment=given.pk)
    made.deliver(at(when))


def test_deferral_left_unanswered_closes_after_its_days_with_a_notice(deferred, coordinator):
    answered(deferred, coordinator, "12-04 10:00")
    days = timedelta(days=policy.DEFERRAL_ANSWER_DAYS)
    assert run(closing.CLOSE_UNANSWERED, at("12-04 10:00") + days) == 0
    assert run(closing.CLOSE_UNANSWERED, at("12-04 10:01") + days) == 1
    assert run(closing.CLOSE_UNANSWERED, at("12-04 10:02") + days) == 0
    assert stages(deferred) == [Stage.CLOSED]
    assert Notice.objects.filter(kind="deferral_closed", channel="sms").count() == 1
    assert "unsolved" in facts.read(fresh(deferred), at("12-20 10:00")).firm_acts


def test_deferral_stays_open_until_every_reply_is_out_and_the_day_is_over(deferred, coordinator, monkeypatch):
    assert run(closing.CLOSE_UNANSWERED, at("01-31 10:00")) == 0
    answered(deferred, coordinator, "12-02 12:00")
    late = made.assignment(deferred, "大气处", by=coordinator)
    assert run(closing.CLOSE_UNANSWERED, at("01-31 10:00")) == 0
    Assignment.objects.filter(pk=late.pk).update(state=AssignmentState.CANCELLED)
    monkeypatch.setattr(policy, "DEFERRAL_ANSWER_DAYS", 1)
    assert run(closing.CLOSE_UNANSWERED, at("12-10 23:00")) == 0
    assert run(closing.CLOSE_UNANSWERED, at("12-11 00:00")) == 1


def test_deferral_answered_by_the_firm_is_not_closed(deferred, coordinator):
    answered(deferred, coordinator, "12-02 12:00")
    booking.ask_for_seat_again(deferred, at=at("12-03 12:00"))
    assert run(closing.CLOSE_UNANSWERED, at("01-31 10:00")) == 0


# --- A list that is not settled ----------------------------------------------------------------------------------------------
@pytest.fixture
def mailboxes(coordinator, leader):
    for officer in (coordinator, leader):
        officer.email = f"{officer.username}@example.com"
        officer.save()
    return {coordinator.email: "coordinator", leader.email: "leader"}


def urged(mailboxes, day: int) -> set[str]:
    moment = at(f"12-{day:02d} 09:10")
    run(reminders.SETTLE_WANTED, moment)
    told = Notice.objects.filter(kind="settle_wanted", channel="email", created_at=moment)
    return {mailboxes[notice.to.open()] for notice in told}


def test_coordinator_is_reminded_from_the_second_and_leader_from_the_sixth(mailboxes):
    accepted(1)
    made.appointment(2)
    both = {"coordinator", "leader"}
    assert [urged(mailboxes, day) for day in (1, 2, 3, 5, 6, 9)] == [
        set(), {"coordinator"}, {"coordinator"}, {"coordinator"}, both, both
    ]  # fmt: skip
    urged(mailboxes, 9)
    assert Notice.objects.filter(kind="settle_wanted").count() == 7


@pytest.mark.parametrize("why", ["settled", "empty"])
@pytest.mark.parametrize("day", [6, 12])
def test_no_reminder_for_a_list_that_is_settled_or_empty(mailboxes, why, day, coordinator):
    firms = accepted(1) if why != "empty" else []
    if why == "settled":
        seating.settle(firms[0].day, by=coordinator, at=SECOND)
    assert urged(mailboxes, day) == set()


def test_list_never_settled_is_urged_after_its_day_until_the_firms_are_told(mailboxes, coordinator):
    firms = accepted(1, 2)
    assert urged(mailboxes, 12) == {"coordinator", "leader"}
    assert seating.settle(firms[0].day, by=coordinator, at=at("12-12 10:00")) == (0, 2)
    assert urged(mailboxes, 13) == set()
    assert stages(*firms) == [Stage.DEFERRED] * 2
    told = Notice.objects.get(kind="deferred", about_id=str(firms[0].pk), channel="sms")
    assert "12月10日（周四）的活动已结束，没有排上现场" in told.text
    assert "名额已满" not in told.text


# --- 名额分配说明 -----------------------------------------------------------------------------------------------------------
@pytest.fixture
def story(full, leader, coordinator):
    """A month with every kind of seat decision."""
    day = full[0].day
    late = accepted(12, stage=Stage.DEFERRED, priority_since=at("11-15 08:00"))[0]
    booking.confirm_seat(fresh(full[0]), by=coordinator, at=at("12-02 11:00"))
    booking.give_up_seat(fresh(full[1]), at=at("12-02 12:00"))
    seating.fill(day, at=at("12-02 12:01"))
    booking.withdraw(fresh(full[2]), at=at("12-02 13:00"))
    seating.fill(day, at=at("12-02 13:01"))
    extra = accepted(13)[0]
    made.deliver(at("12-02 14:00"))
    seating.add_seat(day, extra, "省级督办项目", by=leader, at=at("12-03 09:00"))
    seating.let_lapse(day, at=at("12-04 14:01"))
    return day, late


def told(browser, day) -> str:
    return read(browser.get(reverse("admin:sessions_app_consultday_allocation", args=[day.pk])))


def test_allocation_page_explains_every_seat_decision_in_order(story, coordinator, signed_in):
    with time_machine.travel(at("12-05 09:00"), tick=False):
        page = told(signed_in(coordinator), story[0])
    order = [
        "12月2日 10:00 确定名单 — 名额 10 个，要求现场咨询的 11 家，以下按当时的次序 钟和",
        "给出1号名额 舟山测试1号水产有限公司 排在第 1 位，按登记时间（11月18日 09:01） 钟和",
        "给出10号名额 舟山测试10号",
        "没有名额，先行书面答复 舟山测试11号水产有限公司 排在第 11 位，按登记时间（11月18日 09:11） 钟和",
        "12月2日 11:00 确认参加，1号名额 舟山测试1号水产有限公司 — 钟和",
        "12月2日 12:00 放弃2号名额，改为书面答复 舟山测试2号水产有限公司 — 企业或系统",
        "12月2日 12:01 递补2号名额 舟山测试12号水产有限公司 排在第 1 位，上期顺延，优先（11月15日取得）",
        "12月2日 13:00 撤回登记，空出3号名额 舟山测试3号",
        "12月2日 13:01 递补3号名额 舟山测试11号",
        "12月3日 09:00 增加名额，给出11号 舟山测试13号水产有限公司 理由：省级督办项目",
        "12月4日 14:01 逾期未确认，收回4号名额",
    ]
    places = [page.find(line) for line in order]
    assert -1 not in places, order[places.index(-1)]
    assert places == sorted(places)


def test_allocation_page_explains_the_seats_of_a_cancelled_day(full, leader, coordinator, signed_in):
    waiting = accepted(12)[0]
    day = full[0].day
    plan_changes.cancel(day_on(day.date), "台风", by=leader, at=at("12-05 09:00"))
    page = told(signed_in(coordinator), day)
    order = [
        "12月5日 09:00 取消活动 — 理由：台风",
        "1号名额作废，顺延到1月10日（周日） 舟山测试1号水产有限公司 活动取消，下次优先安排（六（五））",
        f"顺延到1月10日（周日） {waiting.enterprise_name} 活动取消",
    ]
    places = [page.find(line) for line in order]
    assert -1 not in places, order[places.index(-1)]
    assert places == sorted(places)
    assert "放弃" not in page


def test_allocation_page_looks_up_names_that_the_audit_trail_does_not_keep(
    story, coordinator, signed_in, django_assert_max_num_queries
):
    from zhoushan_consult.audit.models import Entry

    assert "测试" not in "".join(str(entry.facts) for entry in Entry.objects.all())
    Appointment.objects.filter(pk=story[1].pk).update(enterprise_name="改过名的企业")
    browser = signed_in(coordinator)
    browser.get("/admin/")
    with django_assert_max_num_queries(8):
        assert "改过名的企业" in told(browser, story[0])


def test_allocation_page_covers_only_its_own_day(story, coordinator, signed_in):
    page = told(signed_in(coordinator), day_on(JANUARY))
    assert "名单还没有确定" in page


@pytest.mark.parametrize("role", sorted(Role))
def test_allocation_page_opens_only_for_coordinator_and_leader(story, role, officer, signed_in):
    address = reverse("admin:sessions_app_consultday_allocation", args=[story[0].pk])
    answer = signed_in(officer(role, "水处", area="定海区")).get(address)
    reads = role in {Role.COORDINATOR, Role.LEADER}
    assert answer.status_code == (200 if reads else 403)
    assert ("给出1号名额" in read(answer)) is reads


def test_settled_list_links_to_the_allocation_page(full, coordinator, signed_in, on_the_second):
    screen = reverse("admin:sessions_app_consultday_change", args=[full[0].day.pk])
    assert re.search(
        r'href="[^"]+/allocation/">名额分配说明', signed_in(coordinator).get(screen).content.decode()
    )
