"""After publication (六（一）): a change reaches every seated firm; a cancelled day's firms come first on the next day."""

from datetime import date, datetime, timedelta

import pytest
import time_machine
from django.urls import reverse

from appointments import booking
from appointments.facts import NotOpen
from appointments.lifecycle import Stage
from appointments.models import Appointment
from appointments.waiting_list import waiting
from sessions_app import calendar
from sessions_app.days import day_on
from sessions_app.models import ConsultDay, Plan, PlanChange, Reception, Seat
from triage import hearing, plan_changes, review, seating
from triage.tests import factories as made
from zhoushan_consult.bureau.roles import Role
from zhoushan_consult.clock import SHANGHAI
from zhoushan_consult.duties import runner
from zhoushan_consult.outbox.models import Channel, Notice, State

pytestmark = pytest.mark.django_db

FOURTH = datetime(2026, 12, 4, 9, tzinfo=SHANGHAI)
NEXT = date(2027, 1, 10)
PLAN = {"theme": "雨污分流", "partners": "市水务局", "place": "三楼会议室", "note": ""}
NO_RECEPTIONS = {"row-TOTAL_FORMS": 0, "row-INITIAL_FORMS": 0}
STORM = "台风红色预警"


@pytest.fixture(autouse=True)
def on_the_fourth():
    with time_machine.travel(FOURTH, tick=False):
        yield


@pytest.fixture
def day(db):
    day = day_on(made.DAY)
    ConsultDay.objects.filter(pk=day.pk).update(
        plan=Plan.PUBLISHED, published_at=made.NOW, settled_at=made.NOW, **PLAN
    )
    day.refresh_from_db()
    return day


@pytest.fixture
def office(coordinator, signed_in):
    return signed_in(coordinator)


@pytest.fixture
def chief(leader, signed_in):
    return signed_in(leader)


def press(browser, day, act, **typed):
    """A button of the day's screen, by someone who reads the plan as it is saved now (or as `version` says)."""
    typed.setdefault("version", ConsultDay.objects.get(pk=day.pk).version)
    answer = browser.post(reverse(f"admin:sessions_app_consultday_{act}", args=[day.pk]), typed)
    day.refresh_from_db()
    return answer


def move(browser, day, place="五楼会议室", **typed):
    return press(
        browser, day, "amend", **(PLAN | {"place": place, "reason": "三楼停电"} | NO_RECEPTIONS | typed)
    )


def cancel_day(browser, day, reason=STORM):
    return press(browser, day, "cancel", reason=reason)


def fresh(firm) -> Appointment:
    return Appointment.objects.get(pk=firm.pk)


def page_letters(kind, firm=None) -> list[str]:
    found = Notice.objects.filter(kind=kind, channel=Channel.PAGE)
    return [notice.text for notice in (found.filter(about_id=str(firm.pk)) if firm else found)]


# --- A change --------------------------------------------------------------------------------------------------------
def test_change_of_place_is_announced_to_every_seated_firm_at_once(office, day, client):
    offered, confirmed = made.seated(1), made.seated(2, confirmed=True)
    waiting = made.appointment(3, stage=Stage.DEFERRED)
    assert move(office, day).status_code == 302
    for firm in (offered, confirmed):
        assert "服务地点由“三楼会议室”改为“五楼会议室”" in page_letters("plan_changed", firm)[0]
        assert "三楼停电" in page_letters("plan_changed", firm)[0]
    assert page_letters("plan_changed", waiting) == []
    sms = Notice.objects.filter(kind="plan_changed", channel=Channel.SMS)
    assert sms.count() == 2
    assert all("五楼会议室" in notice.text for notice in sms)
    assert "五楼会议室" in client.get("/").content.decode()
    page = client.get(day.get_absolute_url()).content.decode()
    assert "服务地点由“三楼会议室”改为“五楼会议室”。原因：三楼停电" in page


def test_change_keeps_the_seats(office, day):
    firm = made.seated(1, confirmed=True)
    move(office, day)
    assert fresh(firm).stage == Stage.SEATED
    assert fresh(firm).seat.confirmed_at


def test_change_submitted_twice_is_made_once(office, day):
    made.seated(1)
    version = day.version
    for _ in range(2):
        assert move(office, day, version=version).status_code == 302
    assert PlanChange.objects.count() == 1
    assert len(page_letters("plan_changed")) == 1


def test_each_change_is_announced_separately(office, day):
    firm = made.seated(1)
    move(office, day)
    move(office, day, place="一楼大厅")
    assert len(page_letters("plan_changed", firm)) == 2


def test_change_of_receptions_alone_sends_firms_no_notice(office, day):
    made.seated(1)
    people = {
        "row-TOTAL_FORMS": 1,
        "row-INITIAL_FORMS": 0,
        "row-0-name": "王海",
        "row-0-title": "副局长",
    }
    assert move(office, day, place=PLAN["place"], **people).status_code == 302
    assert day.receptions.get().name == "王海"
    assert PlanChange.objects.get().what == "接待人员已调整"
    assert page_letters("plan_changed") == []


def test_change_needs_a_difference_and_a_reason(office, day):
    assert "没有需要变更的内容" in move(office, day, place=PLAN["place"]).content.decode()
    assert "请写明变更理由" in move(office, day, reason="").content.decode()
    assert not PlanChange.objects.exists()


def test_stale_change_shows_the_saved_and_the_typed_text(office, day):
    version = day.version
    move(office, day)
    answer = move(office, day, place="六楼展厅", version=version)
    page = answer.content.decode()
    assert answer.status_code == 409
    assert "钟和保存了另一份" in page
    assert page.index("已保存的</span> 五楼会议室") < page.index("您填写的</span> 六楼展厅")
    assert day.place == "五楼会议室"


# --- A cancelled day -------------------------------------------------------------------------------------------------
def test_cancelling_asks_with_the_number_of_firms_and_what_they_will_be_told(chief, day):
    made.seated(1, confirmed=True)
    made.seated(2)
    # Not one that the firm has asked for in writing; a seat of it counts in any case.
    for number, columns in enumerate(({}, {"wants_onsite": False}, {"stage": Stage.ACCEPTED}), 3):
        made.appointment(number, **columns)
    page = chief.get(reverse("admin:sessions_app_consultday_change", args=[day.pk])).content.decode()
    assert "将通知 4 家企业" in page
    assert "已确认参加 1 家，待确认 1 家，还没有名额 2 家。" in page
    assert "12月10日（周四）的咨询日活动取消，请勿前往；登记转到1月10日（周日），优先安排" in page
    cancel_day(chief, day)
    told = Notice.objects.filter(kind="day_cancelled", channel=Channel.SMS)
    assert told.values("about_id").distinct().count() == 4


def test_cancelling_a_day_that_no_firm_expects_says_so(chief, day):
    page = chief.get(reverse("admin:sessions_app_consultday_change", args=[day.pk])).content.decode()
    assert "没有要通知的企业" in page


def test_cancellation_carries_onsite_firms_to_the_next_day_with_priority(chief, day):
    offered, confirmed = made.seated(1), made.seated(2, confirmed=True)
    accepted, pending = made.appointment(3, stage=Stage.ACCEPTED), made.appointment(4)
    assert cancel_day(chief, day).status_code == 302
    assert day.plan == Plan.CANCELLED
    firms = [fresh(firm) for firm in (offered, confirmed, accepted, pending)]
    assert [firm.stage for firm in firms] == [Stage.ACCEPTED] * 3 + [Stage.SUBMITTED]
    assert {firm.day.date for firm in firms} == {NEXT}
    assert all(firm.priority_since for firm in firms)
    assert not Seat.objects.exclude(uscc=None).exists()
    for firm in firms:
        assert STORM in page_letters("day_cancelled", firm)[0]
        assert "1月10日（周日）" in page_letters("day_cancelled", firm)[0]


def test_carried_firms_are_seated_first_on_the_next_day(chief, coordinator, day):
    seated = [made.seated(number) for number in range(1, 5)]
    early = made.appointment(30, on=NEXT, stage=Stage.ACCEPTED, submitted_at=made.NOW - timedelta(days=9))
    cancel_day(chief, day)
    rivals = [made.appointment(number, on=NEXT, stage=Stage.ACCEPTED) for number in range(31, 40)]
    seating.settle(day_on(NEXT), by=coordinator, at=datetime(2027, 1, 2, 9, tzinfo=SHANGHAI))
    assert [fresh(firm).seat.number for firm in seated] == [1, 2, 3, 4]
    assert fresh(early).seat.number == 5
    assert sum(fresh(firm).stage == Stage.DEFERRED for firm in rivals) == 4


def test_carried_firm_ranks_before_a_deferred_firm_that_asked_again(chief, day):
    made.seated(1, at=made.NOW)
    asked = made.appointment(2, on=NEXT, stage=Stage.ACCEPTED, priority_since=made.NOW + timedelta(days=1))
    cancel_day(chief, day)
    assert [firm.pk for firm in waiting(day_on(NEXT))][1] == asked.pk


def test_cancellation_leaves_written_reply_registrations_unchanged(chief, day):
    written = made.appointment(1, stage=Stage.ACCEPTED, wants_onsite=False)
    cancel_day(chief, day)
    assert (fresh(written).day, fresh(written).stage) == (day, Stage.ACCEPTED)
    assert page_letters("day_cancelled") == []


def test_priority_passes_to_the_registration_already_on_the_next_day(chief, day):
    firm = made.seated(1)
    newer = made.appointment(2, on=NEXT, uscc=firm.uscc)
    cancel_day(chief, day)
    assert fresh(newer).priority_since == made.NOW
    assert (fresh(firm).stage, fresh(firm).wants_onsite, fresh(firm).day) == (Stage.ACCEPTED, False, day)
    assert newer.reference in page_letters("day_cancelled", firm)[0]
    assert not Seat.objects.exclude(uscc=None).exists()


def test_carrying_skips_a_day_with_an_answered_registration_of_the_firm(chief, day):
    firm = made.seated(1)
    made.appointment(2, on=NEXT, uscc=firm.uscc, wants_onsite=False, stage=Stage.ANSWERED)
    cancel_day(chief, day)
    assert fresh(firm).day.date == date(2027, 2, 10)


def test_carrying_skips_a_next_day_that_is_cancelled_too(chief, day):
    firm = made.seated(1)
    cancel_day(chief, day_on(NEXT), "场馆维修")
    cancel_day(chief, day)
    assert fresh(firm).day.date == date(2027, 2, 10)


def test_cancellation_submitted_twice_is_made_once(chief, day):
    firm = made.seated(1)
    for _ in range(2):
        assert cancel_day(chief, day).status_code == 302
    assert len(page_letters("day_cancelled", firm)) == 1
    assert fresh(firm).moves.count() == 2  # submitted, and carried over


def test_seat_offer_that_has_not_left_before_the_cancellation_never_leaves(chief, coordinator, day):
    ConsultDay.objects.update(settled_at=None)
    firm = made.appointment(1, stage=Stage.ACCEPTED)
    seating.settle(ConsultDay.objects.get(pk=day.pk), by=coordinator, at=FOURTH)
    cancel_day(chief, day)
    made.deliver(FOURTH)
    invited = Notice.objects.get(kind="seat_offered", channel=Channel.SMS, about_id=str(firm.pk))
    assert invited.state == State.CANCELLED


def test_seat_of_a_cancelled_day_cannot_be_confirmed_or_given_up(chief, day):
    firm = made.seated(1)
    cancel_day(chief, day)
    with pytest.raises(Exception, match="名额已不在"):
        booking.confirm_seat(firm, at=FOURTH)
    with pytest.raises(Exception, match="名额已不在"):
        booking.give_up_seat(firm, at=FOURTH)


def test_portal_shows_the_cancelled_day_with_reason_and_next_day(chief, day, client):
    cancel_day(chief, day)
    for address in ("/", day.get_absolute_url()):
        page = client.get(address).content.decode()
        assert "已取消" in page
        assert STORM in page
        assert "1月10日（周日）" in page
    assert "已取消" in client.get("/days/").content.decode()


def test_cancelled_draft_is_not_published(chief, day, client):
    draft = day_on(NEXT)
    ConsultDay.objects.filter(pk=draft.pk).update(theme="未定主题", place="未定地点", note="未定说明")
    Reception.objects.create(day=draft, name="王海", title="副局长")
    cancel_day(chief, draft)
    for address in ("/", "/days/", draft.get_absolute_url()):
        page = client.get(address).content.decode()
        assert "已取消" in page
        assert "未定" not in page
        assert "王海" not in page


def test_cancellation_needs_a_reason(chief, day):
    cancel_day(chief, day, "")
    assert day.plan == Plan.PUBLISHED


def test_day_that_is_over_or_has_check_ins_cannot_be_cancelled(leader, signed_in, coordinator, day):
    firm = made.seated(1, confirmed=True)
    with time_machine.travel(calendar.ends_at(day.date), tick=False):
        assert "已经结束" in cancel_day(signed_in(leader), day).content.decode()
    with time_machine.travel(calendar.starts_at(day.date), tick=False):
        hearing.check_in(firm, by=coordinator, at=calendar.starts_at(day.date))
        assert "已有企业签到" in cancel_day(signed_in(leader), day).content.decode()
    assert day.plan == Plan.PUBLISHED
    assert fresh(firm).stage == Stage.SEATED


def test_failed_cancellation_is_rolled_back_completely(day, leader, monkeypatch):
    for number in (1, 2):
        made.seated(number)
    monkeypatch.setattr(plan_changes, "to_bureau", lambda *args, **kwargs: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        plan_changes.cancel(day, STORM, by=leader, at=FOURTH)
    day.refresh_from_db()
    assert day.plan == Plan.PUBLISHED
    assert Appointment.objects.filter(stage=Stage.SEATED, day=day).count() == 2
    assert page_letters("day_cancelled") == []


def test_list_of_a_cancelled_day_cannot_be_settled(chief, office, day):
    ConsultDay.objects.update(settled_at=None)
    cancel_day(chief, day)
    assert press(office, day, "settle").status_code == 409
    assert (
        "一键确定名单"
        not in office.get(reverse("admin:sessions_app_consultday_change", args=[day.pk])).content.decode()
    )
    assert "没有待确定的名单" in office.get("/admin/").content.decode()


def test_cancelled_day_offers_no_seats(chief, day, leader):
    made.seated(1)
    deferred = made.appointment(2, stage=Stage.DEFERRED)
    cancel_day(chief, day)
    runner.run_due(FOURTH + timedelta(minutes=2))
    assert fresh(deferred).stage == Stage.DEFERRED
    with pytest.raises(NotOpen, match="已经取消"):
        seating.add_seat(day, fresh(deferred), "急需", by=leader, at=FOURTH)


def test_deferred_firm_of_a_cancelled_day_can_ask_for_the_next_day(chief, day):
    deferred = made.appointment(1, stage=Stage.DEFERRED)
    cancel_day(chief, day_on(NEXT), "场馆维修")
    cancel_day(chief, day)
    booking.ask_for_seat_again(fresh(deferred), at=FOURTH)
    assert fresh(deferred).day.date == date(2027, 2, 10)


def test_firm_reconsidered_after_the_cancellation_joins_the_next_day(chief, coordinator, day):
    firm = made.appointment(1, stage=Stage.DECLINED)
    cancel_day(chief, day)
    review.reconsider(fresh(firm), "企业补充了材料", by=coordinator, at=FOURTH)
    for _ in range(2):
        runner.run_due(FOURTH + timedelta(minutes=6))
    assert fresh(firm).day.date == NEXT
    assert page_letters("day_cancelled", firm) == []
    assert "登记到1月10日（周日）这一期" in page_letters("review_reopened", firm)[0]


def test_registration_skips_a_cancelled_day(chief, client, firm):
    cancel_day(chief, day_on(NEXT), "场馆维修")
    page = client.post("/register/", firm(1) | {"step": "check"}, follow=True).content.decode()
    assert "2月10日" in page
    client.post("/register/", firm(1) | {"step": "submit"})
    assert Appointment.objects.get().day.date == date(2027, 2, 10)


def test_cancellation_is_announced_to_the_affected_officers(chief, day, officer):
    for number, role in enumerate((Role.COORDINATOR, Role.WATCH, Role.HEAD)):
        officer(role, "水处", phone=f"1380000000{number}")
    made.seated(1)
    cancel_day(chief, day)
    told = Notice.objects.filter(kind="day_cancelled_bureau", channel=Channel.SMS)
    assert told.count() == 3
    assert "1家要求现场咨询的企业已转到1月10日（周日）" in told[0].text


MAY = {"amend": {Role.COORDINATOR}, "cancel": {Role.LEADER}}


@pytest.mark.parametrize("act", MAY)
@pytest.mark.parametrize("role", sorted(Role))
def test_only_综合处_changes_and_only_局领导_cancels(role, act, day, officer, signed_in):
    browser = signed_in(officer(role, "水处", area="定海区"))
    answer = move(browser, day) if act == "amend" else cancel_day(browser, day)
    assert (answer.status_code != 403) == (role in MAY[act])
    changed = day.place != PLAN["place"] or day.is_cancelled
    assert changed == (role in MAY[act])


# --- Who receives ----------------------------------------------------------------------------------------------------
@pytest.fixture
def person(day):
    return Reception.objects.create(day=day, name="王海", title="副局长")


def answer(browser, person, **typed):
    reply = browser.post(reverse("desk:reception", args=[person.pk]), typed)
    person.refresh_from_db()
    return reply


def test_办公室_records_who_will_attend(watcher, signed_in, person, office, day):
    browser = signed_in(watcher)
    assert "待确认" in browser.get(reverse("desk:receptions")).content.decode()
    assert answer(browser, person, answer="comes").status_code == 302
    assert (person.confirmed_at, person.recorded_by) == (FOURTH, watcher)
    assert "12月4日确认参加" in browser.get(reverse("desk:receptions")).content.decode()
    screen = office.get(reverse("admin:sessions_app_consultday_change", args=[day.pk])).content.decode()
    assert "12月4日确认参加" in screen


def test_综合处_is_told_who_cannot_attend_and_why(watcher, signed_in, person, officer):
    officer(Role.COORDINATOR, "综合处", phone="13800000001")
    browser = signed_in(watcher)
    for _ in range(2):
        answer(browser, person, answer="absent", why="出差，改由李江接待")
    assert person.declined == "出差，改由李江接待"
    assert Notice.objects.filter(kind="reception_declined", channel=Channel.SMS).count() == 1
    answer(browser, person, answer="comes")
    assert (person.declined, person.confirmed_at) == ("", FOURTH)


@pytest.mark.parametrize("why", ["", "长" * 201])
def test_absence_needs_a_reason_that_fits_and_keeps_the_typed_text(watcher, signed_in, person, why):
    reply = answer(signed_in(watcher), person, answer="absent", why=why)
    assert reply.status_code == 422
    assert f">{why}</textarea>" in reply.content.decode()
    assert person.declined == ""


def test_change_of_receptions_keeps_confirmations(office, day, person):
    Reception.objects.filter(pk=person.pk).update(confirmed_at=FOURTH)
    people = {
        "row-TOTAL_FORMS": 2,
        "row-INITIAL_FORMS": 0,
        "row-0-name": "李江",
        "row-0-title": "处长",
        "row-1-name": "王海",
        "row-1-title": "副局长",
    }
    move(office, day, **people)
    assert [(p.name, p.confirmed_at) for p in day.receptions.all()] == [("李江", None), ("王海", FOURTH)]


@pytest.mark.parametrize("role", sorted(set(Role) - {Role.WATCH, Role.COORDINATOR}))
def test_other_roles_cannot_open_or_answer_the_reception_list(role, officer, signed_in, person):
    browser = signed_in(officer(role, "水处", area="定海区"))
    assert browser.get(reverse("desk:receptions")).status_code == 403
    assert answer(browser, person, answer="comes").status_code == 403
    assert person.confirmed_at is None


def test_reception_answers_close_when_the_day_is_over(watcher, signed_in, person):
    with time_machine.travel(calendar.ends_at(made.DAY), tick=False):
        assert answer(signed_in(watcher), person, answer="comes").status_code == 404
    assert person.confirmed_at is None
