"""六（四） at the desk: a reply is drafted, sent back, drafted again and signed; and the firm reads it."""

from datetime import date, timedelta

import pytest

from appointments.lifecycle import Stage
from triage import assignment
from triage.models import Assignment, AssignmentState, ReplyVersion
from zhoushan_consult.bureau.roles import Role
from zhoushan_consult.outbox.models import Channel, Notice
from zhoushan_consult.outbox.posting import letters_to_page

from . import factories
from .desk import page_of, read, step

pytestmark = pytest.mark.django_db
DRAFT = "可以接入。先到定海区住建局办理排水许可，\n再按许可的位置接管。"
LAW = "《城镇污水排入排水管网许可管理办法》第四条"


@pytest.fixture(autouse=True)
def the_twentieth(time_machine):
    time_machine.move_to(factories.NOW, tick=False)


@pytest.fixture
def row(coordinator):
    """A question that 水处 must answer by 27 November, of a firm that wants a written reply."""
    firm = factories.appointment(1, stage=Stage.ACCEPTED, wants_onsite=False, phone="13857200001")
    return factories.assignment(firm, "水处", by=coordinator, clause="五（一）", topic="涉水污染防治")


@pytest.fixture
def drafter(signed_in, handler):
    return signed_in(handler)


@pytest.fixture
def signer(signed_in, head):
    return signed_in(head)


def write(browser, row, body=DRAFT, *, version=0, name="submit", law=LAW):
    return browser.post(step(row, name), {"body": body, "law": law, "version": version}, follow=True)


def state(row) -> AssignmentState:
    return AssignmentState(Assignment.objects.get(pk=row.pk).state)


# --- From draft to firm -----------------------------------------------------------------------------------


def test_reply_goes_from_draft_to_signature_to_the_firm(drafter, signer, row):
    saved = write(drafter, row, "先答一句。", name="save")
    assert "已保存，还没有送审签" in read(saved) and state(row) == AssignmentState.OPEN
    assert "已送审签" in read(write(drafter, row, version=1)) and state(row) == AssignmentState.DRAFTED

    back = signer.post(step(row, "send-back"), {"remark": "请写明办理地点"}, follow=True)
    assert "已退回修改" in read(back) and state(row) == AssignmentState.OPEN
    assert "请写明办理地点" in read(drafter.get(page_of(row)))
    write(drafter, row, DRAFT + "地点在新城行政服务中心。", version=2)

    read_by_head = signer.get(page_of(row))
    assert "地点在新城行政服务中心" in read(read_by_head)
    signed = signer.post(step(row, "sign"), {"version": 3}, follow=True)
    assert "已审签" in read(signed) and state(row) == AssignmentState.RELEASED
    assert row.appointment.moves.last().new == Stage.ANSWERED

    letter = letters_to_page(row.appointment).get(kind="reply_released")
    assert "地点在新城行政服务中心" in letter.body.open() and LAW in letter.body.open()
    sms = Notice.objects.get(kind="reply_released", channel=Channel.SMS)
    assert "排水许可" not in sms.body.open() and "新城" not in sms.body.open()
    assert row.appointment.reference in sms.body.open()


def test_every_round_of_a_reply_sends_notices_to_head_and_handler(
    drafter, signer, head, handler, row, time_machine
):
    for number, who in enumerate((head, handler)):
        who.phone = f"1385720100{number}"
        who.save()
    for version in (0, 1):
        time_machine.move_to(factories.NOW + timedelta(minutes=version), tick=False)
        write(drafter, row, version=version)
        signer.post(step(row, "send-back"), {"remark": "请补充"})
    told = Notice.objects.filter(channel=Channel.SMS).values_list("kind", "to_name")
    assert sorted(told) == [("reply_sent_back", handler.name)] * 2 + [("reply_to_sign", head.name)] * 2


def test_every_version_of_a_reply_is_kept_and_shown(drafter, row):
    write(drafter, row, "第一种写法", name="save")
    page = write(drafter, row, "第二种写法", version=1, name="save")
    assert "历次稿（2）" in read(page) and "第一种写法" in read(page)
    assert [v.number for v in ReplyVersion.objects.all()] == [2, 1]


def test_assignment_page_shows_what_is_needed_to_answer(drafter, row, coordinator):
    factories.assignment(row.appointment, "大气处", by=coordinator, part="support")
    words = read(drafter.get(page_of(row)))
    for needed in (
        "水产加工废水",
        "涉水污染防治",
        "实施方案五（一）",
        "大气处协办",
        "11月27日",
        "还剩 5 个工作日",
        "138 5720 0001",
    ):
        assert needed in words


def test_sign_button_is_shown_to_the_head_and_not_to_the_handler(drafter, signer, row):
    write(drafter, row)
    assert "审签并答复企业" not in read(drafter.get(page_of(row)))
    assert "审签并答复企业" in read(signer.get(page_of(row)))


def test_leader_reads_the_draft_without_any_button(signed_in, leader, drafter, head, row):
    write(drafter, row)
    page = signed_in(leader).get(page_of(row))
    assert "可以接入" in read(page) and f'action="{page_of(row)}' not in page.content.decode()


def test_assignment_is_returned_to_the_coordinators_with_a_reason(drafter, row):
    page = drafter.post(step(row, "hand-back"), {"reason": "涉及海洋项目环评，建议环评处"}, follow=True)
    assert state(row) == AssignmentState.RETURNED and "建议环评处" in read(page)
    row.appointment.refresh_from_db()
    assert row.appointment.handled_by == ""
    listed = drafter.get("/desk/assignments/?basket=returned")
    assert row.appointment.enterprise_name in read(listed)


# --- Refusals ---------------------------------------------------------------------------------------------


def test_conflicting_drafts_of_two_officers_are_both_shown(drafter, signed_in, officer, row):
    other = signed_in(officer(Role.HANDLER, "水处", name="水流"))
    write(other, row, "水流先写的一稿", name="save")
    page = write(drafter, row, "我后写的一稿", name="save")
    words = read(page)
    assert page.status_code == 409 and "水流刚刚保存了另一稿" in words
    assert "水流先写的一稿" in words and "我后写的一稿" in words
    merged = write(
        drafter, row, "两稿合一", version=page.context["forms"]["draft"]["version"].value(), name="save"
    )
    assert merged.status_code == 200
    assert [v.body for v in ReplyVersion.objects.all()] == ["两稿合一", "水流先写的一稿"]


def test_signature_applies_only_to_the_version_the_head_has_read(drafter, signer, row):
    write(drafter, row)
    signer.post(step(row, "send-back"), {"remark": "再改"})
    write(drafter, row, "改过的一稿", version=1)
    page = signer.post(step(row, "sign"), {"version": 1})
    assert page.status_code == 409 and state(row) == AssignmentState.DRAFTED
    assert "请重新阅读后再审签" in read(page) and "改过的一稿" in read(page)
    signer.post(step(row, "sign"), {"version": page.context["forms"]["sign"]["version"].value()})
    assert state(row) == AssignmentState.RELEASED


@pytest.mark.parametrize(
    "name, data, says",
    [
        ("save", {"body": "", "law": LAW, "version": 0}, "请写明答复内容"),
        ("submit", {"body": "字" * 5001, "law": LAW, "version": 0}, "已写 5,001 字，最多 5,000 字"),
        ("hand-back", {"reason": "  "}, "请写明退回的理由"),
    ],
)
def test_invalid_input_is_explained_and_kept(name, data, says, drafter, row):
    page = drafter.post(step(row, name), data)
    assert page.status_code == 422 and says in read(page) and state(row) == AssignmentState.OPEN
    for typed in data.values():
        assert str(typed).strip() in page.content.decode()


def test_reply_text_area_has_no_maxlength(drafter, row):
    page = drafter.get(page_of(row)).content.decode()
    assert '<textarea name="body"' in page and "maxlength" not in page


def test_line_break_counts_as_one_character(drafter, row):
    write(drafter, row, ("字" * 49 + "\r\n") * 100, name="save")
    assert ReplyVersion.objects.get().body == "\n".join(["字" * 49] * 100)


def test_draft_saved_after_the_assignment_was_returned_keeps_its_text(drafter, signer, row):
    signer.post(step(row, "hand-back"), {"reason": "不属本处"})
    page = write(drafter, row, "写了一半的答复", name="save")
    assert page.status_code == 409 and "现在是“已退回综合处”，答复稿不能再修改" in read(page)
    assert "您填写的“答复内容”没有保存" in read(page) and "写了一半的答复" in read(page)
    assert state(row) == AssignmentState.RETURNED and not ReplyVersion.objects.exists()


def test_draft_saved_after_reassignment_keeps_its_text_and_hides_the_question(drafter, row, coordinator):
    air = assignment.AssignmentItem(factories.division("大气处"), "废气问题", reason="实为废气")
    assignment.reassign(row, air, by=coordinator, at=factories.NOW)
    page = write(drafter, row, "写了一半的答复", name="save")
    assert page.status_code == 404 and "写了一半的答复" in read(page) and row.question not in read(page)


def test_sending_a_draft_back_needs_a_remark(drafter, signer, row):
    write(drafter, row)
    page = signer.post(step(row, "send-back"), {"remark": ""})
    assert (
        page.status_code == 422
        and "请写明需要修改什么" in read(page)
        and state(row) == AssignmentState.DRAFTED
    )
    assert "<details open>" in page.content.decode()


def test_head_does_not_send_back_a_wording_that_they_have_not_read(drafter, signer, row):
    write(drafter, row)
    first = {"remark": "写明期限", "version": 1}
    signer.post(step(row, "send-back"), first)
    write(drafter, row, "十个工作日内办理。", version=1)
    # The page of the first wording is still open in another tab.
    page = signer.post(step(row, "send-back"), first | {"remark": "还是没有期限"})
    assert page.status_code == 409 and state(row) == AssignmentState.DRAFTED
    assert "送来了新的一稿，这次没有退回" in read(page)
    assert "还是没有期限" in read(page) and "十个工作日内办理。" in read(page)
    assert 'name="version" value="2"' in page.content.decode()
    signer.post(step(row, "send-back"), first | {"version": 2})
    assert state(row) == AssignmentState.OPEN


# --- Second clicks ----------------------------------------------------------------------------------------


def test_second_clicks_on_a_reply_change_nothing_more(drafter, signer, row):
    for name in ("save", "save", "submit", "submit"):
        assert write(drafter, row, name=name).status_code == 200
    assert ReplyVersion.objects.count() == 1 and state(row) == AssignmentState.DRAFTED
    for _ in range(2):
        assert "已退回修改" in read(signer.post(step(row, "send-back"), {"remark": "请补充"}, follow=True))
    write(drafter, row, "补充后的一稿", version=1)
    for _ in range(2):
        assert "已审签" in read(signer.post(step(row, "sign"), {"version": 2}, follow=True))
    assert letters_to_page(row.appointment).filter(kind="reply_released").count() == 1


def test_second_return_of_an_assignment_sends_no_second_notice(drafter, row, coordinator):
    coordinator.phone = "13857201009"
    coordinator.save()
    for _ in range(2):
        page = drafter.post(step(row, "hand-back"), {"reason": "不属本处"}, follow=True)
        assert page.status_code == 200 and "已退回综合处" in read(page)
    assert Notice.objects.filter(kind="assignment_returned", channel=Channel.SMS).count() == 1


def test_second_head_is_told_that_the_reply_is_already_signed(drafter, signer, signed_in, officer, row):
    deputy = signed_in(officer(Role.HEAD, "水处", name="水副"))
    write(drafter, row)
    signer.post(step(row, "sign"), {"version": 1})
    page = deputy.post(step(row, "send-back"), {"remark": "我有不同意见"})
    assert page.status_code == 409 and "已被他人处理" in read(page) and "我有不同意见" in read(page)
    assert state(row) == AssignmentState.RELEASED


def test_reload_after_an_error_redirects_to_the_assignment_page(drafter, row):
    assert drafter.get(step(row, "save")).url == page_of(row)


# --- The baskets ------------------------------------------------------------------------------------------


@pytest.fixture
def many(coordinator):
    """Makes `count` 交办 of 水处 with different due dates."""

    def make(count, first=100, **columns):
        for number in range(first, first + count):
            firm = factories.appointment(number, stage=Stage.ACCEPTED)
            due_on = date(2026, 11, 16) + timedelta(days=number % 20)
            factories.assignment(firm, "水处", by=coordinator, **{"due_on": due_on, **columns})

    return make


@pytest.mark.parametrize(
    "due_on, words, shape",
    [
        (date(2026, 11, 13), "已逾期 7 天", "late"),
        (date(2026, 11, 19), "已逾期 1 天", "late"),
        (date(2026, 11, 20), "今天到期", "act"),
        (date(2026, 11, 22), "2 天后到期", "act"),
        (date(2026, 11, 24), "还剩 2 个工作日", "act"),
        (date(2026, 11, 25), "还剩 3 个工作日", "wait"),
    ],
)
def test_time_left_is_shown_in_words_and_with_a_tag(due_on, words, shape, drafter, many):
    many(1, due_on=due_on)
    page = drafter.get("/desk/assignments/")
    assert words in read(page) and f'<span class="tag tag-{shape}">{words}</span>' in page.content.decode()


def test_due_date_says_when_its_holidays_are_not_published_yet(drafter, row):
    Assignment.objects.filter(pk=row.pk).update(due_on=date(2027, 1, 8))
    assert "节假日安排未公布" in read(drafter.get(page_of(row)))


def test_assignments_are_listed_soonest_first_in_pages(drafter, many):
    many(45)
    pages = [drafter.get("/desk/assignments/", {"page": number}).context["page"] for number in (1, 2, 3)]
    dues = [row.due_on for page in pages for row in page]
    assert len(dues) == 45 and dues == sorted(dues)
    assert drafter.get("/desk/assignments/?page=x&basket=nothing").context["page"].number == 1


def test_list_opens_at_replies_to_sign_for_the_head_only(drafter, signer, row):
    assert signer.get("/desk/assignments/").context["tab"].slug == "open"
    write(drafter, row)
    assert signer.get("/desk/assignments/").context["tab"].slug == "to-sign"
    assert drafter.get("/desk/assignments/").context["tab"].slug == "open"


def test_each_tab_shows_its_count_and_how_many_are_late(drafter, many):
    many(3, due_on=date(2026, 11, 19))
    many(1, first=150, due_on=date(2026, 11, 20))
    many(2, first=200, state=AssignmentState.RELEASED, released_at=factories.NOW)
    words = read(drafter.get("/desk/assignments/"))
    assert "待答复 4 逾期 3" in words and "已答复 2 已退回 0" in words


def test_empty_tab_says_what_will_appear_there(drafter):
    for basket in ("open", "to-sign", "answered", "returned"):
        page = drafter.get("/desk/assignments/", {"basket": basket})
        assert page.context["tab"].empty in read(page)


@pytest.mark.parametrize("basket", ["open", "to-sign", "answered", "returned"])
def test_list_query_count_does_not_grow_with_assignments(
    basket, drafter, many, django_assert_max_num_queries, django_assert_num_queries
):
    states = {
        "open": AssignmentState.OPEN,
        "to-sign": AssignmentState.DRAFTED,
        "answered": AssignmentState.RELEASED,
        "returned": AssignmentState.RETURNED,
    }
    many(1, state=states[basket])
    path = f"/desk/assignments/?basket={basket}"
    with django_assert_max_num_queries(12) as few:
        drafter.get(path)
    many(60, first=300, state=states[basket])
    with django_assert_num_queries(len(few)):
        page = drafter.get(path)
    assert page.status_code == 200 and len(page.context["page"].object_list) > 1


def test_assignment_page_query_count_stays_bounded_with_many_versions(
    drafter, signer, row, django_assert_max_num_queries
):
    for version in range(12):
        write(drafter, row, f"第{version}种写法", version=version, name="save")
    with django_assert_max_num_queries(12):
        page = drafter.get(page_of(row))
    assert "历次稿（10）" in read(page) and "第11种写法" in read(page)
