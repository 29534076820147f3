"""六（六） at the desk: follow-ups of one division and of all, what is late, and a county's own firms."""

from datetime import date, timedelta

import pytest

from appointments.lifecycle import Stage
from appointments.models import StageMove
from sessions_app.days import day_on
from sessions_app.models import Plan
from triage import follow_up as ladder
from triage.models import AssignmentState, FollowUp, FollowUpPost
from zhoushan_consult.bureau.models import Area
from zhoushan_consult.bureau.roles import Role
from zhoushan_consult.outbox.models import Channel, Notice
from zhoushan_consult.outbox.posting import letters_to_page

from . import factories
from .desk import follow_up, page_of, read, step

pytestmark = pytest.mark.django_db
PROGRESS = "11月19日到现场查看，排放口已改到市政管网。"


@pytest.fixture(autouse=True)
def the_twentieth(time_machine):
    time_machine.move_to(factories.NOW, tick=False)


@pytest.fixture
def firm(db):
    return factories.appointment(1, stage=Stage.FOLLOWING)


@pytest.fixture
def matter(firm):
    return follow_up(firm)


@pytest.fixture
def desk(signed_in, handler):
    return signed_in(handler)


# --- One matter -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("ticked", [True, False])
def test_progress_sends_the_firm_a_notice_only_when_ticked(ticked, desk, matter):
    page = desk.post(
        step(matter, "progress"), {"text": PROGRESS, **({"to_firm": "on"} if ticked else {})}, follow=True
    )
    assert "已记录进展" in read(page) and PROGRESS in read(page)
    assert letters_to_page(matter.appointment).filter(kind="progress_to_firm").exists() is ticked
    assert ("已告知企业" in read(page)) is ticked
    messages = Notice.objects.filter(channel=Channel.SMS)
    assert messages.count() == ticked
    assert not any("排放口" in sms.body.open() for sms in messages)


def test_progress_sends_a_notice_to_coordinator_and_watcher(desk, coordinator, watcher, matter):
    for number, who in enumerate((coordinator, watcher)):
        who.phone = f"1385720000{number}"
        who.save()
    desk.post(step(matter, "progress"), {"text": PROGRESS})
    told = Notice.objects.filter(kind="follow_up_progress", channel=Channel.SMS)
    assert set(told.values_list("to_name", flat=True)) == {coordinator.name, watcher.name}


def test_closing_the_last_follow_up_closes_the_registration(desk, matter):
    page = desk.post(step(matter, "close"), {"result": "已接入市政管网。"}, follow=True)
    assert "已办结" in read(page) and "已接入市政管网。" in read(page)
    matter.appointment.refresh_from_db()
    assert matter.appointment.stage == Stage.CLOSED


def test_second_click_on_progress_or_close_is_recorded_once(desk, matter):
    for _ in range(2):
        assert desk.post(step(matter, "progress"), {"text": PROGRESS}, follow=True).status_code == 200
    for _ in range(2):
        page = desk.post(step(matter, "close"), {"result": "已接入。"}, follow=True)
        assert page.status_code == 200 and "已办结" in read(page)
    assert (
        FollowUpPost.objects.count() == 1 and matter.appointment.moves.filter(new=Stage.CLOSED).count() == 1
    )


def test_progress_on_a_closed_follow_up_is_refused_and_keeps_the_text(desk, signed_in, head, matter):
    signed_in(head).post(step(matter, "close"), {"result": "已接入。"})
    page = desk.post(step(matter, "progress"), {"text": PROGRESS})
    assert page.status_code == 409 and "已经办结" in read(page) and PROGRESS in read(page)
    assert not FollowUpPost.objects.exists()


@pytest.mark.parametrize(
    "name, data, says",
    [("progress", {"text": ""}, "请写明进展"), ("close", {"result": ""}, "请写明办理结果")],
)
def test_progress_and_close_need_a_text(name, data, says, desk, matter):
    page = desk.post(step(matter, name), data)
    assert page.status_code == 422 and says in read(page)
    assert not FollowUp.objects.get().closed_at


def test_watcher_reads_a_follow_up_without_any_button(signed_in, watcher, matter):
    page = signed_in(watcher).get(page_of(matter))
    assert matter.promise in read(page) and f'action="{page_of(matter)}' not in page.content.decode()


# --- Lists ------------------------------------------------------------------------------------------------


def test_division_sees_only_its_own_follow_ups_with_late_ones_first(desk, firm):
    soon = follow_up(firm)
    late = follow_up(firm, due_on=date(2026, 11, 2), promise="答复危废转移手续")
    follow_up(firm, "大气处", promise="大气处的事项")
    for path in ("/desk/follow-ups/", "/desk/assignments/"):
        words = read(desk.get(path))
        assert words.index(late.promise) < words.index(soon.promise) and "大气处的事项" not in words
    assert "已逾期 18 天" in words


def test_watcher_filters_all_follow_ups_by_division_and_state(signed_in, watcher, firm):
    follow_up(firm, promise="水处的事项")
    follow_up(firm, "大气处", promise="大气处逾期的事项", due_on=date(2026, 11, 2))
    follow_up(firm, "大气处", promise="大气处办结的事项", closed_at=factories.NOW)
    browser = signed_in(watcher)
    every, late, air, closed = (
        read(browser.get(f"/desk/follow-ups/{query}"))
        for query in ("", "?state=late", "?division=air&page=7", "?division=air&state=closed")
    )
    assert "水处的事项" in every and "大气处逾期的事项" in every and "办结的事项" not in every
    assert "水处的事项" not in late and "大气处逾期的事项" in late
    assert "水处的事项" not in air and "大气处逾期的事项" in air
    assert "大气处办结的事项" in closed and "逾期的事项" not in closed


def test_division_filter_shows_a_handler_no_other_division(desk, firm):
    follow_up(firm, "大气处", promise="大气处的事项")
    follow_up(firm, "水处", promise="水处的事项")
    page = desk.get("/desk/follow-ups/?division=air")
    assert not page.context["divisions"] and "大气处的事项" not in read(page)
    assert "水处的事项" in read(page)


@pytest.mark.parametrize("tab", ["open", "late", "closed"])
def test_empty_tab_says_what_will_appear_there(tab, signed_in, watcher):
    page = signed_in(watcher).get("/desk/follow-ups/", {"state": tab})
    assert page.context["tab"].empty in read(page)


def test_overview_shows_the_leader_late_work_of_every_division(signed_in, leader, coordinator, firm):
    factories.assignment(firm, "水处", by=coordinator, due_on=date(2026, 11, 17), question="逾期的答复")
    factories.assignment(firm, "土壤处", by=coordinator, due_on=date(2026, 11, 20), question="未到期的答复")
    factories.assignment(
        firm,
        "环评处",
        by=coordinator,
        due_on=date(2026, 11, 2),
        question="答过的",
        state=AssignmentState.RELEASED,
    )
    follow_up(firm, "大气处", promise="逾期的督办", due_on=date(2026, 11, 19))
    follow_up(firm, "大气处", promise="未到期的督办")
    browser = signed_in(leader)
    words = read(browser.get("/desk/overview/"))
    assert (
        "逾期的答复" in words and "已逾期 3 天" in words and "逾期的督办" in words and "已逾期 1 天" in words
    )
    assert not any(text in words for text in ("未到期的答复", "答过的", "未到期的督办"))
    assert "合计 2 1 2 1" in words
    assert "逾期的答复" not in read(browser.get("/desk/overview/?division=soil"))


def test_overview_shows_a_plan_awaiting_approval_to_the_leader_only(signed_in, leader, coordinator):
    day = day_on(factories.DAY)
    day.plan, day.theme, day.place = Plan.SUBMITTED, "涉水企业专题", "三楼会议室"
    day.save()
    assert "待审核方案（1）" in read(signed_in(leader).get("/desk/overview/"))
    assert "待审核方案" not in read(signed_in(coordinator).get("/desk/overview/"))


def test_county_sees_only_registrations_of_its_own_firms(signed_in, county_reader):
    areas = {name: Area.objects.get(name=name) for name in ("定海区", "普陀区")}
    own = factories.appointment(1, area=areas["定海区"])
    others = [factories.appointment(2, area=areas["普陀区"]), factories.appointment(3)]
    words = read(signed_in(county_reader).get("/desk/registrations/"))
    assert own.enterprise_name in words and not any(other.enterprise_name in words for other in others)


def test_empty_county_list_says_what_will_appear_there(signed_in, county_reader):
    assert "定海区的企业登记时选了所在县区或功能区的，会列在这里" in read(
        signed_in(county_reader).get("/desk/registrations/")
    )


def fill(count: int, first: int, coordinator) -> None:
    area = Area.objects.get(name="定海区")
    for number in range(first, first + count):
        firm = factories.appointment(number, stage=Stage.FOLLOWING, area=area)
        for name in ("水处", "大气处"):
            due_on = date(2026, 10, 1) + timedelta(days=number % 30)
            factories.assignment(firm, name, by=coordinator, due_on=due_on)
            follow_up(firm, name, due_on=due_on)


@pytest.mark.parametrize(
    "role, path",
    [
        ("watcher", "/desk/follow-ups/?state=late"),
        ("handler", "/desk/follow-ups/"),
        ("leader", "/desk/overview/"),
        ("leader", "/desk/overview/?division=water"),
        ("county_reader", "/desk/registrations/"),
    ],
)
def test_desk_list_query_count_does_not_grow_with_rows(
    role, path, request, signed_in, coordinator, django_assert_max_num_queries, django_assert_num_queries
):
    browser = signed_in(request.getfixturevalue(role))
    fill(1, 1, coordinator)
    with django_assert_max_num_queries(12) as few:
        browser.get(path)
    fill(30, 100, coordinator)
    with django_assert_num_queries(len(few)):
        page = browser.get(path)
    assert page.status_code == 200 and len(page.context["page"].object_list) > 1


def test_firm_reads_the_result_of_every_matter_when_the_last_one_is_closed(matter):
    """Each division was told that the firm will read what it wrote."""
    firm = matter.appointment
    StageMove.objects.create(appointment=firm, old=Stage.CLOSED, new=Stage.FOLLOWING, at=factories.NOW)
    other = follow_up(firm, "大气处", promise="废气")
    poor = follow_up(firm, "综合处", origin=FollowUp.Origin.RATING)
    coordinator = factories.officer(Role.COORDINATOR, "综合处")
    for each, result in ((matter, "已接管"), (poor, "已电话致歉"), (other, "已改造")):
        ladder.close(each, result, by=coordinator, at=factories.NOW)
    letter = Notice.objects.get(kind="closed", channel="page").text
    assert "已接管" in letter and "废气（大气处）：已改造" in letter and "致歉" not in letter


def test_call_after_a_poor_rating_does_not_end_what_the_firm_reported(matter):
    """The firm said 未解决 this evening; the duty opens the matter tomorrow morning."""
    firm = matter.appointment
    FollowUp.objects.filter(pk=matter.pk).update(origin=FollowUp.Origin.RATING)
    matter.refresh_from_db()
    ladder.close(matter, "已电话致歉", by=factories.officer(Role.COORDINATOR, "综合处"), at=factories.NOW)
    firm.refresh_from_db()
    assert firm.stage == Stage.FOLLOWING
    assert not Notice.objects.filter(kind="closed").exists()


def test_open_call_after_a_poor_rating_does_not_keep_the_registration_open(matter):
    follow_up(matter.appointment, "综合处", origin=FollowUp.Origin.RATING)
    ladder.close(matter, "已接管", by=factories.officer(Role.COORDINATOR, "综合处"), at=factories.NOW)
    matter.appointment.refresh_from_db()
    assert matter.appointment.stage == Stage.CLOSED
