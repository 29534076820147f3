"""The screen of one registration: every act of 综合处 in the admin (六（三）—（六）)."""

import re
from contextlib import contextmanager
from datetime import date, timedelta

import pytest
import time_machine
from django.urls import reverse

from appointments import answers, booking, letters
from appointments.lifecycle import Stage
from appointments.models import Appointment, Objection, Supplement
from sessions_app.models import ConsultDay
from triage.admin.registration_actions import ACTIONS
from triage.models import (
    Assignment,
    AssignmentState,
    CallRecord,
    DeclineReason,
    FollowUp,
    Part,
    Review,
    RoutingTrace,
)
from triage.tests import factories as made
from triage.tests.desk import follow_up
from zhoushan_consult.audit.models import Entry
from zhoushan_consult.audit.verbs import Verb
from zhoushan_consult.bureau.roles import Role
from zhoushan_consult.outbox.models import Notice

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def at_now():
    with time_machine.travel(made.NOW, tick=False):
        yield


@pytest.fixture
def browser(coordinator, signed_in):
    return signed_in(coordinator)


def address(appointment, act="change") -> str:
    return reverse(f"admin:appointments_appointment_{act}", args=[appointment.pk])


def show(browser, appointment) -> str:
    return browser.get(address(appointment)).content.decode()


def rows(*filled: dict, spare: int = 3) -> dict:
    """Rows as the browser sends them."""
    every = [*filled, *[{} for _ in range(spare)]]
    sent = {"row-TOTAL_FORMS": len(every), "row-INITIAL_FORMS": 0}
    for number, row in enumerate(every):
        values = {"question": "", "division": "", "part": "lead", "reason": ""} | row
        sent |= {f"row-{number}-{name}": value for name, value in values.items()}
    return sent


def press(browser, appointment, act, **typed):
    return browser.post(address(appointment, act), typed)


def accept(browser, appointment, *filled, trace=None):
    typed = {"trace": (trace or made.trace(appointment)).pk} | rows(*filled)
    return press(browser, appointment, "accept", **typed)


WATER = {"question": made.WATER, "division": "water"}
DECLINED = {
    "reason": "complaint",
    "explanation": "属于投诉，请拨打12345。",
    "outcome": "reached",
    "gist": "已告知",
    "version": 1,
}


# --- What the screen shows --------------------------------------------------------------------
def test_question_is_escaped_and_marks_the_words_that_decided_the_routing(browser):
    page = show(browser, made.appointment(summary="<script>alert(1)</script>水产加工废水如何接管？"))
    assert "<script>alert" not in page
    assert "&lt;script&gt;" in page
    assert re.search(r"<mark>[^<]*废水", page)
    assert "水处" in page


def test_registration_screen_masks_the_id_number(browser):
    appointment = made.appointment()
    page = show(browser, appointment)
    assert appointment.masked_id in page
    assert appointment.id_number.open() not in page


def test_phone_is_grouped_for_reading_and_links_to_the_whole_number(browser):
    page = show(browser, made.appointment(phone="+865802000123;ext=8001"))
    assert "0580-2000123 转 8001" in page
    assert 'href="tel:+86-580-200-0123;ext=8001"' in page


def test_screen_shows_earlier_registrations_of_the_firm_and_of_the_person(browser):
    now = made.appointment(1)
    made.appointment(1, on=date(2026, 10, 10), stage=Stage.CLOSED, summary="十月问过的事")
    made.appointment(2, id_number=now.id_number.open(), stage=Stage.CLOSED, summary="为别家问的事")
    made.appointment(3, summary="不相干的事")
    page = show(browser, now)
    assert "十月问过的事" in page
    assert "为别家问的事" in page
    assert "同一人代其他企业" in page
    assert "不相干的事" not in page


def test_assignment_form_starts_with_the_suggested_division(browser):
    page = show(browser, made.appointment())
    assert re.search(r'<option value="water" selected\s*>水处</option>', page)
    assert page.count("调整理由") >= 4  # one suggested row and three to spare


def test_registration_screen_has_no_inline_style_or_script(browser):
    page = show(browser, made.appointment())
    assert " style=" not in page
    assert "<script" not in page
    assert "<style" not in page


def test_screen_query_count_stays_bounded_with_many_assignments_and_calls(
    browser, coordinator, django_assert_max_num_queries
):
    appointment = made.appointment(stage=Stage.ACCEPTED)
    for number in range(20):
        made.assignment(appointment, "水处", by=coordinator, question=f"问题{number}")
        CallRecord.objects.create(
            appointment=appointment, by=coordinator, at=made.NOW, outcome="reached", gist="谈过"
        )
    browser.get(address(appointment))
    with django_assert_max_num_queries(24):
        page = show(browser, appointment)
    assert page.count("谈过") == 20 and "问题0" in page and "问题19" in page


# --- 初审 ---------------------------------------------------------------------------------------
def test_acceptance_assigns_the_division_in_the_same_act(browser, coordinator):
    appointment = made.appointment()
    answer = accept(browser, appointment, WATER)
    assert answer.status_code == 302
    appointment.refresh_from_db()
    given = Assignment.objects.get()
    assert appointment.stage == Stage.ACCEPTED
    assert (given.division.name, given.part, given.assigned_by) == ("水处", Part.LEAD, coordinator)
    assert "已通过初审" in show(browser, appointment)


def test_acceptance_assigns_two_questions_to_two_divisions(browser):
    appointment = made.appointment(summary="废水如何接管？另外排污许可证怎么变更？")
    accept(
        browser,
        appointment,
        {"question": "废水如何接管？", "division": "water"},
        {"question": "排污许可证怎么变更？", "division": "eia"},
        {"question": "请配合", "division": "general", "part": "support", "reason": "由综合处配合"},
    )
    given = Assignment.objects.values_list("division__name", "part")
    assert set(given) == {("水处", "lead"), ("环评处", "lead"), ("综合处", "support")}


def test_acceptance_ignores_deleted_and_empty_rows(browser):
    accept(browser, made.appointment(), WATER, {"question": "多余的", "division": "air", "DELETE": "on"})
    assert Assignment.objects.get().division.name == "水处"


def test_division_other_than_suggested_needs_a_reason_and_keeps_the_text(browser):
    appointment = made.appointment()
    answer = accept(browser, appointment, {"question": "请大气处研究这一句", "division": "air"})
    assert answer.status_code == 409
    assert "请在该事项下写明调整理由" in answer.content.decode()
    assert "请大气处研究这一句" in answer.content.decode()
    assert Appointment.objects.get().stage == Stage.SUBMITTED
    assert not Assignment.objects.exists()


def test_missing_division_is_reported_and_the_text_is_kept(browser):
    answer = accept(browser, made.appointment(), {"question": "没有选处室的一句", "division": ""})
    assert answer.status_code == 200
    assert "请选择处室。" in answer.content.decode()
    assert "没有选处室的一句" in answer.content.decode()


def test_acceptance_without_any_row_is_refused(browser):
    answer = accept(browser, made.appointment(), WATER | {"DELETE": "on"})
    assert answer.status_code == 409
    assert "请至少选定一个主办处室" in answer.content.decode()


def test_acceptance_with_two_identical_rows_is_refused(browser):
    answer = accept(browser, made.appointment(), WATER, WATER)
    assert "有两项内容完全相同" in answer.content.decode()
    assert not Assignment.objects.exists()


def test_acceptance_is_refused_when_the_firm_has_just_edited_the_registration(browser):
    appointment = made.appointment()
    read = made.trace(appointment)
    Appointment.objects.update(summary="企业刚刚改成了这样", version=2)
    answer = accept(browser, appointment, WATER, trace=read)
    page = answer.content.decode()
    assert answer.status_code == 409
    assert "企业刚刚修改了登记内容" in page
    assert "企业刚刚改成了这样" in page
    # Having read it, the officer may decide.
    shown = RoutingTrace.objects.get(appointment_version=2)
    assert f'<input type="hidden" name="trace" value="{shown.pk}">' in page


@pytest.mark.parametrize("key", ["", "0", "-1", "abc", "²", "9" * 26, "9" * 5000])
def test_acceptance_on_a_trace_that_never_was_is_refused_and_keeps_what_was_typed(browser, key):
    appointment = made.appointment()
    answer = press(browser, appointment, "accept", trace=key, **rows(WATER))
    page = answer.content.decode()
    assert answer.status_code == 200
    assert "分办建议已更新" in page and made.WATER in page
    shown = RoutingTrace.objects.get()
    assert f'<input type="hidden" name="trace" value="{shown.pk}">' in page
    assert not Review.objects.exists()


def test_second_acceptance_is_told_that_the_registration_is_already_handled(browser):
    appointment = made.appointment()
    accept(browser, appointment, WATER)
    answer = accept(browser, appointment, WATER)
    assert answer.status_code == 409
    assert "已被他人处理" in answer.content.decode()
    assert Assignment.objects.count() == 1


def test_decline_records_the_reason_and_the_call(browser):
    appointment = made.appointment()
    press(browser, appointment, "decline", **DECLINED)
    review = Review.objects.select_related("call").get()
    appointment.refresh_from_db()
    assert appointment.stage == Stage.DECLINED
    assert (review.reason, review.call.gist) == (DeclineReason.COMPLAINT, "已告知")


@pytest.mark.parametrize("outcome", ["no_answer", "wrong_number"])
def test_decline_needs_a_reached_call_and_keeps_the_text(browser, outcome):
    appointment = made.appointment()
    answer = press(
        browser, appointment, "decline", **(DECLINED | {"outcome": outcome, "gist": "打了两次电话"})
    )
    page = answer.content.decode()
    assert answer.status_code == 409
    assert "请先电话沟通" in page
    assert "打了两次电话" in page
    assert "属于投诉，请拨打12345。" in page
    assert Appointment.objects.get().stage == Stage.SUBMITTED


def test_decline_needs_a_reason_from_the_closed_list(browser):
    answer = press(browser, made.appointment(), "decline", **(DECLINED | {"reason": "not listed"}))
    assert answer.status_code == 200
    assert Appointment.objects.get().stage == Stage.SUBMITTED


def test_call_without_a_decision_is_recorded(browser, coordinator):
    appointment = made.appointment()
    press(browser, appointment, "call", outcome="no_answer", gist="无人接听，下午再打")
    assert CallRecord.objects.get().by == coordinator
    assert "无人接听，下午再打" in show(browser, appointment)


def test_declined_registration_can_be_reconsidered(browser):
    appointment = made.appointment()
    press(browser, appointment, "decline", **DECLINED)
    press(browser, appointment, "reconsider", reason="企业补充了材料")
    assert Appointment.objects.get().stage == Stage.SUBMITTED


# --- 交办 returned, added -----------------------------------------------------------------------
@pytest.fixture
def returned(coordinator):
    appointment = made.appointment(stage=Stage.ACCEPTED)
    return made.assignment(
        appointment, "水处", by=coordinator, state=AssignmentState.RETURNED, return_reason="不属于我处"
    )


def test_returned_assignment_is_reassigned_to_another_division(browser, returned):
    page = show(browser, returned.appointment)
    assert "不属于我处" in page
    typed = rows({"question": "请总量岗位研究", "division": "general", "reason": "总量由综合处答复"}, spare=0)
    press(browser, returned.appointment, "reassign", assignment=returned.pk, **typed)
    returned.refresh_from_db()
    assert returned.state == AssignmentState.CANCELLED
    assert Assignment.objects.get(state=AssignmentState.OPEN).division.name == "综合处"


def test_assignment_to_one_more_division_can_be_added(browser, returned):
    typed = rows({"question": "排污许可证怎么变更", "division": "eia", "reason": "另有许可问题"}, spare=0)
    press(browser, returned.appointment, "add", **typed)
    assert Assignment.objects.filter(division__name="环评处").exists()


def test_adding_an_assignment_the_division_already_has_is_refused(browser, returned):
    row = {"question": returned.question, "division": "water"}
    press(browser, returned.appointment, "add", **rows(row, spare=0))
    answer = press(browser, returned.appointment, "add", **rows(row, spare=0))
    assert answer.status_code == 409
    assert "已有内容相同的交办" in answer.content.decode()


def test_registration_screen_shows_the_released_reply(browser, returned, handler, head):
    from triage.models import Reply

    Assignment.objects.update(state=AssignmentState.RELEASED)
    Reply.objects.create(
        assignment=returned,
        body="可以接管。",
        drafted_by=handler,
        drafted_at=made.NOW,
        signed_by=head,
        signed_at=made.NOW,
    )
    assert "可以接管。" in show(browser, returned.appointment)


# --- The day ----------------------------------------------------------------------------------
@pytest.fixture
def on_the_tenth(coordinator, signed_in):
    """The admin on the morning of 10 December, at a given hour."""

    @contextmanager
    def go(hour):
        with time_machine.travel(made.NOW.replace(month=12, day=10, hour=hour), tick=False):
            yield signed_in(coordinator)

    return go


def test_check_in_and_result_are_recorded_with_a_follow_up(on_the_tenth):
    appointment = made.seated()
    with on_the_tenth(9) as browser:
        press(browser, appointment, "check_in")
        promise = {"row-0-text": "协调接管", "row-0-division": "water", "row-0-due_on": "2026-12-25"}
        typed = {"row-TOTAL_FORMS": 1, "row-INITIAL_FORMS": 0} | promise
        press(browser, appointment, "conclude", outcome="follow", gist="谈得很清楚", **typed)
    appointment.refresh_from_db()
    assert appointment.stage == Stage.FOLLOWING
    assert appointment.hearing.checked_in_at
    assert FollowUp.objects.get().due_on == date(2026, 12, 25)


def test_result_with_follow_up_needs_at_least_one_follow_up(on_the_tenth):
    appointment = made.seated()
    typed = {"row-TOTAL_FORMS": 0, "row-INITIAL_FORMS": 0}
    with on_the_tenth(9) as browser:
        answer = press(browser, appointment, "conclude", outcome="follow", gist="谈得很清楚", **typed)
    assert answer.status_code == 409
    assert "请写明督办事项和责任处室" in answer.content.decode()
    assert "谈得很清楚" in answer.content.decode()


def test_result_form_is_offered_from_the_morning_of_the_day(browser, on_the_tenth):
    appointment = made.seated()
    assert "panel-conclude" not in show(browser, appointment)
    with on_the_tenth(8) as browser:
        assert "panel-conclude" in show(browser, appointment)


def test_giving_up_a_seat_by_telephone_records_the_officer(browser, coordinator):
    appointment = made.seated()
    press(browser, appointment, "give_up", outcome="reached", gist="王经理说不来了")
    appointment.refresh_from_db()
    assert (appointment.stage, appointment.seat) == (Stage.ACCEPTED, None)
    assert appointment.moves.last().by == coordinator


def test_confirming_a_seat_already_given_up_is_refused(browser):
    appointment = made.seated()
    booking.give_up_seat(Appointment.objects.get(pk=appointment.pk), at=made.NOW)
    answer = press(browser, appointment, "confirm_seat", outcome="reached", gist="王经理说参加")
    assert answer.status_code == 409
    assert "已进入下一办理阶段" in answer.content.decode()


def test_extra_seat_from_the_leader_needs_a_reason(signed_in, leader):
    for number in range(1, 11):
        made.seated(number)
    appointment = made.appointment(11, stage=Stage.ACCEPTED)
    appointment.day.settled_at = made.NOW
    appointment.day.save()
    assert press(signed_in(leader), appointment, "extra_seat", reason="").status_code == 200
    press(signed_in(leader), appointment, "extra_seat", reason="省级督办项目")
    appointment.refresh_from_db()
    assert appointment.seat.number == 11
    assert appointment.seat.extra_reason == "省级督办项目"


def test_closing_the_last_follow_up_closes_the_registration(browser):
    appointment = made.appointment(stage=Stage.FOLLOWING)
    matter = FollowUp.objects.create(
        appointment=appointment,
        division=made.division("水处"),
        origin="day",
        promise="协调接管",
        due_on=date(2026, 12, 1),
        opened_at=made.NOW,
    )
    press(browser, appointment, "progress", matter=matter.pk, text="已与水务公司沟通", to_firm="on")
    assert "已与水务公司沟通" in show(browser, appointment)
    press(browser, appointment, "close_matter", matter=matter.pk, result="已接管")
    assert Appointment.objects.get().stage == Stage.CLOSED


def test_telephone_notice_is_recorded_on_the_registration_screen(browser):
    appointment = to_telephone()
    call = Notice.objects.get(channel="call")
    assert "记录电话通知" in show(browser, appointment)
    press(browser, appointment, "notified", letters=[call.pk], outcome="reached", gist="已告知受理编号")
    call.refresh_from_db()
    assert call.state == "sent"


# --- The ID number ----------------------------------------------------------------------------
def test_id_number_is_revealed_once_with_a_reason_and_an_audit_entry(browser, coordinator):
    appointment = made.appointment()
    answer = press(browser, appointment, "reveal_id", reason="核对入场名单")
    assert appointment.id_number.open() in answer.content.decode()
    assert "no-store" in answer["Cache-Control"]
    entry = Entry.objects.get(verb=Verb.ID_REVEALED)
    assert (entry.actor, entry.facts) == (coordinator, {"reason": "核对入场名单"})
    assert appointment.id_number.open() not in show(browser, appointment)


def test_every_reveal_of_an_id_number_writes_an_audit_entry(browser):
    appointment = made.appointment()
    for _ in range(3):
        press(browser, appointment, "reveal_id", reason="核对")
    assert Entry.objects.filter(verb=Verb.ID_REVEALED).count() == 3


@pytest.mark.parametrize("reason", ["", "   "])
def test_id_number_is_not_revealed_without_a_reason(browser, reason):
    appointment = made.appointment()
    answer = press(browser, appointment, "reveal_id", reason=reason)
    assert appointment.id_number.open() not in answer.content.decode()
    assert not Entry.objects.filter(verb=Verb.ID_REVEALED).exists()


def test_id_number_is_not_revealed_by_a_get_request(browser):
    appointment = made.appointment()
    answer = browser.get(address(appointment, "reveal_id"), follow=True)
    assert appointment.id_number.open() not in answer.content.decode()
    assert not Entry.objects.filter(verb=Verb.ID_REVEALED).exists()


# --- Permissions ------------------------------------------------------------------------------
def at_stage(stage: Stage):
    return lambda **columns: made.appointment(stage=stage, **columns)


def given_back(**columns) -> Appointment:
    appointment = made.appointment(stage=Stage.ACCEPTED, **columns)
    by = made.officer(Role.COORDINATOR, "综合处")
    made.assignment(appointment, "水处", by=by, state=AssignmentState.RETURNED, return_reason="不属于我处")
    return appointment


def followed(**columns) -> Appointment:
    appointment = made.appointment(stage=Stage.FOLLOWING, **columns)
    follow_up(appointment)
    return appointment


def to_telephone(**columns) -> Appointment:
    appointment = made.appointment(phone="+865802000123", **columns)
    letters.write("booking_received", appointment, at=made.NOW)
    return appointment


def at_a_wrong_number(**columns) -> Appointment:
    appointment = made.appointment(**columns)
    by = made.officer(Role.COORDINATOR, "综合处")
    CallRecord.objects.create(
        appointment=appointment, by=by, at=made.NOW, outcome="wrong_number", gist="打错了"
    )
    return appointment


def corrected(of: Appointment) -> dict:
    return {"contact_name": of.contact_name, "phone": "13900000009", "reason": "换了号码"}


def asked_more(**columns) -> Appointment:
    appointment = made.appointment(stage=Stage.ACCEPTED, **columns)
    Supplement.objects.create(appointment=appointment, text="污泥呢？", at=made.NOW)
    return appointment


def objected(**columns) -> Appointment:
    appointment = made.appointment(**columns)
    caller = {"contact_name": "李四", "phone": "+8613900001111"}
    Objection.objects.create(appointment=appointment, at=made.NOW, **caller)
    return appointment


def supplement_of(appointment: Appointment) -> dict:
    return {"supplement": appointment.supplements.get().pk}


def beyond_ten(**columns) -> Appointment:
    for number in range(1, 11):
        day = made.seated(number).day
    ConsultDay.objects.filter(pk=day.pk).update(settled_at=made.NOW)
    return made.appointment(11, stage=Stage.ACCEPTED, **columns)


def one_row(**fields) -> dict:
    return rows(fields, spare=0)


def matter_of(appointment: Appointment) -> dict:
    return {"matter": appointment.follow_ups.get().pk}


TENTH = made.NOW.replace(month=12, day=10, hour=9)
CALLED = {"outcome": "reached", "gist": "谈过"}
ACTS = {
    "accept": (
        made.appointment,
        lambda of: {"trace": made.trace(of).pk} | one_row(**WATER),
        Verb.STAGE_ACCEPTED,
    ),
    "decline": (made.appointment, lambda of: DECLINED, Verb.STAGE_DECLINED),
    "call": (made.appointment, lambda of: CALLED, Verb.CALLED),
    "reassign": (
        given_back,
        lambda of: (
            {"assignment": of.assignments.get().pk}
            | one_row(question="请研究", division="general", reason="由综合处答复")
        ),
        Verb.ASSIGNED,
    ),
    "add": (
        at_stage(Stage.ACCEPTED),
        lambda of: one_row(question="许可证怎么变更", division="eia", reason="另有许可问题"),
        Verb.ASSIGNED,
    ),
    "supplement": (
        asked_more,
        lambda of: supplement_of(of) | one_row(division="soil", reason="按职责"),
        Verb.SUPPLEMENT_HANDLED,
    ),
    "supplement_noted": (asked_more, supplement_of, Verb.SUPPLEMENT_HANDLED),
    "objection": (objected, lambda of: {"verdict": "void", "gist": "已电话核实"}, Verb.OBJECTION_DECIDED),
    "reconsider": (at_stage(Stage.DECLINED), lambda of: {"reason": "企业补充了材料"}, Verb.RECONSIDERED),
    "reveal_id": (made.appointment, lambda of: {"reason": "核对入场名单"}, Verb.ID_REVEALED),
    "check_in": (made.seated, lambda of: {}, Verb.CHECKED_IN),
    "conclude": (made.seated, lambda of: {"outcome": "solved"} | rows(spare=0), Verb.HEARING_CONCLUDED),
    "contact": (made.appointment, corrected, Verb.CONTACT_CORRECTED),
    "unreachable": (at_a_wrong_number, lambda of: {"reason": "查不到别的号码"}, Verb.UNREACHABLE_DISMISSED),
    "confirm_seat": (made.seated, lambda of: CALLED, Verb.SEAT_CONFIRMED),
    "give_up": (made.seated, lambda of: CALLED, Verb.STAGE_ACCEPTED),
    "extra_seat": (beyond_ten, lambda of: {"reason": "省级督办项目"}, Verb.SEAT_ADDED),
    "notified": (
        to_telephone,
        lambda of: CALLED | {"letters": [Notice.objects.get(channel="call").pk]},
        Verb.NOTICE_CALLED,
    ),
    "progress": (followed, lambda of: matter_of(of) | {"text": "已与水务公司沟通"}, Verb.FOLLOW_UP_POSTED),
    "close_matter": (followed, lambda of: matter_of(of) | {"result": "已接管"}, Verb.FOLLOW_UP_CLOSED),
    "close": (at_stage(Stage.HEARD), lambda of: {}, Verb.STAGE_CLOSED),
}
"""Each button: a registration ready for it, what is typed, and the verb of its audit entry."""
ALLOWED = {
    Role.COORDINATOR: set(ACTS) - {"extra_seat"},
    Role.LEADER: {"extra_seat"},
    Role.HANDLER: set(),
    Role.HEAD: set(),
    Role.WATCH: set(),
    Role.SYSTEM: set(),
    Role.COUNTY: set(),
}


@pytest.mark.parametrize("act", ACTS)
@pytest.mark.parametrize("role", ALLOWED)
def test_each_role_may_perform_only_its_own_acts(role, act, officer, signed_in):
    scene, typed, verb = ACTS[act]
    who = officer(role, "水处", area="定海区")
    appointment = scene(area=who.area)
    sent, before = typed(appointment), Entry.objects.count()
    with time_machine.travel(TENTH if act in ("check_in", "conclude") else made.NOW, tick=False):
        answer = press(signed_in(who), appointment, act, **sent)
    done = Entry.objects.order_by("pk")[before:]
    if act in ALLOWED[role]:
        assert answer.status_code == (200 if act == "reveal_id" else 302)
        assert (verb, who) in [(entry.verb, entry.actor) for entry in done]
    else:
        assert answer.status_code == 403
        assert not done


def test_every_act_of_the_screen_is_in_the_table():
    assert set(ACTS) == {action.name for action in ACTIONS}


@pytest.mark.parametrize("act", ACTS)
def test_act_from_a_page_that_is_behind_is_answered_with_a_sentence(act, browser, leader, signed_in):
    scene, typed, _ = ACTS[act]
    appointment = scene()
    sent = typed(appointment)
    browser = signed_in(leader) if act == "extra_seat" else browser
    with time_machine.travel(TENTH if act in ("check_in", "conclude") else made.NOW, tick=False):
        press(browser, appointment, act, **sent)
        answer = press(browser, appointment, act, **sent)
    # A call or progress may be recorded again, and an ID number is shown for each reason that is given.
    assert answer.status_code == 302 or act == "reveal_id" or "notice-title" in answer.content.decode()
    assert answer.status_code < 500


@pytest.mark.parametrize("role", sorted(set(Role) - {Role.COORDINATOR, Role.LEADER}))
def test_registration_screen_is_refused_to_roles_that_work_elsewhere(role, officer, signed_in):
    appointment = made.appointment()
    browser = signed_in(officer(role, "水处", area="定海区"))
    assert browser.get(address(appointment)).status_code == 403
    assert appointment.enterprise_name not in browser.get("/admin/").content.decode()


def test_leader_is_offered_no_act_of_the_coordinator(signed_in, leader):
    page = show(signed_in(leader), made.appointment())
    assert "panel-accept" not in page
    assert "panel-reveal_id" not in page


@pytest.mark.parametrize(("way", "status"), [("{pk}/delete/", 403), ("{pk}/history/", 404)])
def test_delete_and_history_addresses_do_not_work(browser, way, status):
    appointment = made.appointment()
    url = reverse("admin:appointments_appointment_changelist") + way.format(pk=appointment.pk)
    assert browser.get(url).status_code == status
    assert browser.post(url, {"post": "yes"}).status_code == status
    assert Appointment.objects.exists()


def test_fields_posted_to_the_change_address_change_nothing(browser):
    appointment = made.appointment()
    answer = browser.post(address(appointment), {"stage": "accepted", "enterprise_name": "改名"})
    assert answer.status_code == 405
    assert Appointment.objects.get().enterprise_name == appointment.enterprise_name


def test_extra_columns_sent_with_an_act_are_ignored(browser):
    appointment = made.appointment()
    press(
        browser, appointment, "call", outcome="reached", gist="谈过", stage="closed", enterprise_name="改名"
    )
    assert Appointment.objects.get().stage == Stage.SUBMITTED


@pytest.mark.parametrize("pk", ["0", "999999", "9" * 26, "9" * 5000, "abc", "1%27"])
def test_unknown_registration_number_is_not_found(browser, pk):
    assert browser.get(f"/admin/appointments/appointment/{pk}/change/").status_code == 404


def test_act_without_a_csrf_token_is_refused(coordinator):
    from django.test import Client

    strict = Client(enforce_csrf_checks=True)
    strict.force_login(coordinator, backend="django.contrib.auth.backends.ModelBackend")
    appointment = made.appointment()
    assert press(strict, appointment, "give_up").status_code == 403


def test_acceptance_without_a_management_form_changes_nothing(browser):
    appointment = made.appointment()
    answer = press(browser, appointment, "accept", trace=made.trace(appointment).pk)
    assert answer.status_code == 200
    assert Appointment.objects.get().stage == Stage.SUBMITTED


def test_old_registration_with_a_long_text_still_opens(browser):
    """An old registration opens: it is over a year old and its text is long."""
    appointment = made.appointment(summary="长" * 2000, submitted_at=made.NOW - timedelta(days=400))
    assert "长" * 100 in show(browser, appointment)


# --- 五（二）：之前已明确予以解答的重复事项 ------------------------------------------------------------------------------
@pytest.fixture
def answered_before(coordinator, leader):
    """A published answer to the question of every test registration."""
    wording = answers.Wording(
        "水产加工废水接入市政污水管网要办哪些手续？",
        "先向排水主管部门申请接管，再变更排污许可证。",
        "《水污染防治法》",
        made.division("水处"),
        "water",
    )
    draft = answers.propose(wording, by=coordinator, at=made.NOW)
    answers.publish(draft, version=draft.version, by=leader, at=made.NOW)
    return draft


def test_published_answer_to_a_similar_question_is_shown(browser, answered_before):
    page = show(browser, made.appointment())
    assert "以前答复过的相近问题" in page and "再变更排污许可证" in page
    assert "以前答复过的相近问题" not in show(
        browser, made.appointment(2, summary="牙片机要办辐射安全许可证吗？")
    )


def test_released_reply_to_a_similar_question_is_shown(browser, coordinator):
    earlier = made.released(made.appointment(), "水处", "请先申请接管。", by=coordinator)
    page = show(browser, made.appointment(2))
    assert "请先申请接管。" in page and f"#assignment-{earlier.pk}" in page
    own = show(browser, earlier.appointment)
    assert "以前答复过的相近问题" not in own  # a registration is not earlier than itself


def test_decline_explanation_ends_with_the_address_of_the_cited_answer(browser, answered_before):
    appointment = made.appointment()
    press(
        browser,
        appointment,
        "decline",
        version=appointment.version,
        reason=DeclineReason.ANSWERED,
        cited=answered_before.pk,
        explanation="这个问题已经公开答复过。",
        outcome="reached",
        gist="已告知",
    )
    review = Review.objects.get()
    assert review.explanation.endswith(answered_before.get_absolute_url())


@pytest.mark.parametrize("reply", ["0", "abc", "9" * 26, "9" * 5000])
def test_answer_started_from_no_released_reply_is_an_empty_form(browser, reply):
    answer = browser.get(reverse("admin:appointments_publishedanswer_add"), {"reply": reply})
    assert answer.status_code == 200


def test_published_answer_can_be_started_from_a_released_reply(browser, coordinator):
    given = made.released(made.appointment(), "水处", "请先申请接管。", by=coordinator)
    link = f"{reverse('admin:appointments_publishedanswer_add')}?reply={given.pk}"
    assert link in show(browser, given.appointment)
    form = browser.get(link).content.decode()
    assert "请先申请接管。" in form and given.appointment.reference in form
    typed = {"question": "接管要办什么手续？", "answer": "先申请接管。", "law": "《水污染防治法》", "division": given.division_id, "topic": "water"}  # fmt: skip
    browser.post(link, typed)
    assert given.appointment.published.get().question == "接管要办什么手续？"
