"""The first page of the admin: what waits for which role, and links to the screens for it."""

import re
from datetime import date, timedelta

import pytest
import time_machine
from django.urls import reverse

from appointments import answers, letters
from appointments.answers import Wording
from appointments.lifecycle import Stage
from sessions_app.days import day_on
from sessions_app.models import ConsultDay, Plan
from triage.models import AssignmentState, FollowUp
from triage.rulebook import routing_traces
from triage.tests import factories as made
from zhoushan_consult.bureau.roles import Role
from zhoushan_consult.duties.models import Duty
from zhoushan_consult.outbox.models import Notice

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def at_now():
    with time_machine.travel(made.NOW, tick=False):
        yield


@pytest.fixture
def browser(coordinator, signed_in):
    return signed_in(coordinator)


def worklist(answer, code: str) -> str:
    """What stands in one work list."""
    found = re.search(rf'<(section|div)[^>]*id="worklist-{code}".*?</\1>', answer.content.decode(), re.DOTALL)
    return found[0] if found else ""


def titles(answer) -> list[str]:
    return re.findall(r'href="#worklist-(\w+)"', answer.content.decode())


def follow_up(appointment, **columns) -> FollowUp:
    return FollowUp.objects.create(
        appointment=appointment,
        division=made.division("水处"),
        origin="day",
        promise="协调接管",
        opened_at=made.NOW,
        **columns,
    )


def test_review_worklist_lists_the_oldest_first_with_days_and_division(browser):
    made.appointment(1)
    made.appointment(2, submitted_at=made.NOW - timedelta(days=5))
    shown = worklist(browser.get("/admin/"), "review")
    assert shown.index("测试2号") < shown.index("测试1号")
    assert "已等 5 天" in shown
    assert "建议水处" in shown


def test_worklist_counts_all_rows_and_shows_the_first_six(browser):
    for number in range(1, 10):
        made.appointment(number)
    shown = worklist(browser.get("/admin/"), "review")
    assert "查看全部 9 件" in shown
    assert shown.count("<li>") == 6


def test_each_row_links_to_the_screen_for_its_next_act(browser, coordinator):
    new, accepted = made.appointment(1), made.appointment(2, stage=Stage.ACCEPTED)
    assignment = made.assignment(
        accepted, "水处", by=coordinator, state=AssignmentState.RETURNED, return_reason="不属于我处"
    )
    answer = browser.get("/admin/")
    screen = reverse("admin:appointments_appointment_change", args=[new.pk])
    assert f'href="{screen}"' in worklist(answer, "review")
    screen = reverse("admin:appointments_appointment_change", args=[accepted.pk])
    assert f'href="{screen}#panel-reassign"' in worklist(answer, "returned")
    assert 'id="panel-reassign"' in browser.get(screen).content.decode()
    assert assignment.return_reason in worklist(answer, "returned")


def test_late_worklists_hold_only_late_replies_and_late_follow_ups(browser, coordinator):
    first, second = made.appointment(1, stage=Stage.ACCEPTED), made.appointment(2, stage=Stage.FOLLOWING)
    made.assignment(first, "水处", by=coordinator, due_on=date(2026, 11, 18))
    made.assignment(first, "大气处", by=coordinator, due_on=date(2026, 11, 20))
    made.assignment(first, "土壤处", by=coordinator, due_on=date(2026, 11, 1), state=AssignmentState.RELEASED)
    follow_up(second, due_on=date(2026, 11, 19))
    follow_up(second, due_on=date(2026, 11, 20))
    answer = browser.get("/admin/")
    assert worklist(answer, "late_replies").count("<li>") == 1
    assert "逾期 2 天" in worklist(answer, "late_replies")
    assert worklist(answer, "late_follow_ups").count("<li>") == 1


def test_settle_worklist_lists_a_day_from_the_first_of_its_month(browser, coordinator, signed_in):
    made.appointment(1, stage=Stage.ACCEPTED)
    assert "没有待确定的名单" in worklist(browser.get("/admin/"), "settle")
    with time_machine.travel(made.NOW.replace(month=12, day=1), tick=False):
        shown = worklist(signed_in(coordinator).get("/admin/"), "settle")
    assert "12月10日（周四）" in shown
    assert "要求现场的 1 家" in shown


def test_plan_worklist_says_what_a_plan_lacks_or_that_none_exists(browser):
    begun = worklist(browser.get("/admin/"), "plan")
    assert reverse("admin:sessions_app_consultday_add") in begun
    day = day_on(made.DAY)
    day.theme = "雨污分流"
    day.save()
    assert "还缺服务地点" in worklist(browser.get("/admin/"), "plan")
    ConsultDay.objects.update(plan=Plan.PUBLISHED, place="大厅")
    assert "没有待拟的方案" in worklist(browser.get("/admin/"), "plan")


def test_call_worklist_lists_firms_to_telephone(browser):
    appointment = made.appointment(1, phone="+865802000123")
    letters.write("booking_received", appointment, at=made.NOW)
    shown = worklist(browser.get("/admin/"), "call")
    assert f"/{appointment.pk}/change/#panel-notified" in shown


def test_result_worklist_lists_seated_firms_from_the_day_on(browser, coordinator, signed_in):
    made.seated(1)
    assert "没有待录的现场结果" in worklist(browser.get("/admin/"), "conclude")
    with time_machine.travel(made.NOW.replace(month=12, day=10, hour=9), tick=False):
        assert "测试1号" in worklist(signed_in(coordinator).get("/admin/"), "conclude")


def test_leader_sees_plans_to_approve_and_late_work(signed_in, leader):
    day_on(made.DAY)
    ConsultDay.objects.update(plan=Plan.SUBMITTED, theme="雨污分流", place="一楼大厅")
    answer = signed_in(leader).get("/admin/")
    checks = ["approve", "check_answers", "answers_back"]
    assert titles(answer) == [*checks, "late_replies", "late_follow_ups", "limbo"]
    assert "雨污分流" in worklist(answer, "approve")


def test_plan_of_any_day_ahead_waits_for_the_leader_and_comes_back_to_the_coordinator(
    signed_in, leader, coordinator
):
    far, past = day_on(date(2027, 3, 10)), day_on(date(2026, 10, 10))
    for day in (far, past):
        day.theme, day.place, day.plan = "雨污分流", "一楼大厅", Plan.SUBMITTED
        day.save()
    shown = worklist(signed_in(leader).get("/admin/"), "approve")
    assert "3月10日（周三）活动方案" in shown and "10月10日" not in shown
    ConsultDay.objects.filter(pk__in=[far.pk, past.pk]).update(plan=Plan.RETURNED, remark="地点再核实")
    shown = worklist(signed_in(coordinator).get("/admin/"), "plan")
    assert "3月10日（周三）活动方案" in shown and "退回意见：地点再核实" in shown and "10月10日" not in shown
    assert "没有待审核的方案" in worklist(signed_in(leader).get("/admin/"), "approve")


def test_public_answers_stand_on_the_home_pages_of_those_whose_turn_it_is(signed_in, leader, coordinator):
    soil = made.division("土壤处")
    wording = Wording("废油漆桶怎么处置？", "委托有资质的单位处置。", "《国家危险废物名录》", soil, "soil")
    draft = answers.propose(wording, by=coordinator, at=made.NOW)
    address = reverse("admin:appointments_publishedanswer_change", args=[draft.pk])
    assert address in worklist(signed_in(leader).get("/admin/"), "check_answers")
    assert address in signed_in(leader).get("/desk/overview/").content.decode()
    assert address not in signed_in(coordinator).get("/admin/").content.decode()
    answers.send_back(draft, "请写明依据", version=draft.version, by=leader, at=made.NOW)
    shown = worklist(signed_in(coordinator).get("/admin/"), "answers_back")
    assert address in shown and "退回意见：请写明依据" in shown
    assert address in signed_in(coordinator).get("/desk/overview/").content.decode()
    assert address not in signed_in(leader).get("/admin/").content.decode()


def test_system_keeper_sees_failed_notices_and_missed_duties(signed_in, keeper):
    letters.write("booking_received", made.appointment(1), at=made.NOW)
    Notice.objects.filter(channel="sms").update(state="failed", last_error="号码不存在")
    Duty.objects.create(kind="cutoff", due_at=made.NOW, state="missed")
    answer = signed_in(keeper).get("/admin/")
    assert titles(answer) == ["workdays", "failed", "duties"]
    assert "号码不存在" in worklist(answer, "failed")
    assert "错过未执行" in worklist(answer, "duties")


def test_every_empty_worklist_says_that_nothing_is_waiting(browser):
    ConsultDay.objects.filter(date=made.DAY).delete()
    answer = browser.get("/admin/")
    codes = {
        "review",
        "returned",
        "settle",
        "call",
        "unreachable",
        "late_replies",
        "late_follow_ups",
        "conclude",
    }
    codes |= {"check_answers", "answers_back", "supplements", "objections", "undelivered", "limbo"}
    assert set(titles(answer)) == codes | {"plan"}
    for code in codes:
        assert "没有" in worklist(answer, code)


def test_division_officer_is_sent_to_the_desk(signed_in, handler):
    made.appointment(1)
    page = signed_in(handler).get("/admin/").content.decode()
    assert "办理台" in page
    assert "测试1号" not in page


def test_first_page_query_count_is_the_same_for_one_row_and_for_sixty(
    browser, coordinator, django_assert_max_num_queries
):
    def grow(numbers):
        for number in numbers:
            appointment = made.appointment(number)
            for state in (AssignmentState.OPEN, AssignmentState.RETURNED):
                due_on = date(2026, 11, 1)
                made.assignment(
                    appointment,
                    "水处",
                    by=coordinator,
                    state=state,
                    due_on=due_on,
                    question=f"{state}{number}",
                )
            follow_up(appointment, due_on=date(2026, 11, 1))
            letters.write(
                "booking_received", made.appointment(100 + number, phone="+865802000123"), at=made.NOW
            )

        routing_traces.store_missing(made.NOW)

    grow([1])
    browser.get("/admin/")
    with django_assert_max_num_queries(21) as few:
        browser.get("/admin/")
    grow(range(2, 61))
    with django_assert_max_num_queries(21) as many:
        browser.get("/admin/")
    assert len(few) == len(many)


@pytest.mark.parametrize("role", Role)
def test_no_linked_page_shows_english_words_to_any_role(role, officer, signed_in):
    browser = signed_in(officer(role, "水处", area="定海区"))
    page = browser.get("/admin/").content.decode()
    for link in {"/admin/", "/admin/password_change/", *re.findall(r'href="(/admin/[^"#?]*)"', page)}:
        text = re.sub(r"<head>.*?</head>|<[^>]*>", " ", browser.get(link).content.decode(), flags=re.DOTALL)
        words = set(re.findall(r"[A-Za-z]{3,}", re.sub(r"officer\d+|&\w+;", " ", text)))
        assert words <= {"VOCs"}, link
