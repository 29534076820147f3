"""One month of the service, in a browser, with the clock moved: from a blank form to the rating (实施方案 六（一）—（六）)."""

import random
from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from appointments import booking
from appointments.lifecycle import Stage
from appointments.models import Appointment
from triage import review
from triage.assignment import AssignmentItem
from triage.rulebook.routing_traces import shown_trace
from zhoushan_consult.bureau.models import Division
from zhoushan_consult.identity import samples
from zhoushan_consult.outbox.models import Notice

QUESTION = "船坞除锈改用超高压水后，冲洗废水含油，能否委托有资质的单位用槽车运走处理？"
REPLY = "可以委托。请与具备船舶污染物接收能力的单位签订协议，保存接收凭证，并建立台账备查。"
LAW = "《中华人民共和国水污染防治法》"
WRONG_CODE = "91330902MA28K00158"
VISITORS = [
    pytest.param({"width": 1280, "scripts": True}, id="desktop"),
    pytest.param({"width": 375, "scripts": True}, id="phone"),
    pytest.param({"width": 375, "scripts": False}, id="phone-without-javascript"),
]


@pytest.fixture
def enter(visit):
    """Signs an officer in, in a browser of their own, and opens the page where their work waits."""

    def sign_in(who, path: str) -> Page:
        page = visit()
        page.goto(path)
        page.get_by_label("用户名").fill(who.username)
        page.get_by_label("密码").fill("Correct-horse-7")
        page.get_by_role("button", name="登录").click()
        return page

    return sign_in


class Firm:
    """A firm at its own browser, knowing only what a firm knows."""

    def __init__(self, page: Page, number: int):
        rng = random.Random(number)
        self.page, self.name = page, f"舟山海试{number}号船舶修造有限公司"
        self.code, self.id_number, self.mobile = (
            samples.uscc(rng),
            samples.resident_id(rng),
            samples.mobile(rng),
        )
        self.reference = ""

    def register(self) -> None:
        page = self.page
        page.goto("/")
        page.get_by_role("link", name="我要预约登记").first.click()
        self._fill(code=WRONG_CODE)
        page.get_by_role("button", name="下一步").click()
        summary = page.locator("#error-summary")
        expect(summary).to_contain_text("统一社会信用代码")
        expect(page.get_by_label("咨询事项或问题需求概述")).to_have_value(QUESTION)  # nothing typed is lost
        page.get_by_label("统一社会信用代码").fill(self.code)
        page.get_by_role("button", name="下一步").click()
        expect(page.get_by_role("heading", level=1)).to_contain_text("请核对")
        expect(page.locator("main")).to_contain_text(self.id_number[:4] + "**********" + self.id_number[-4:])
        page.get_by_role("button", name="确认提交").click()
        self.reference = page.locator("h1 strong").inner_text()

    def _fill(self, code: str) -> None:
        page = self.page
        page.get_by_label("企业名称").fill(self.name)
        page.get_by_label("统一社会信用代码").fill(code)
        page.get_by_label("姓名").fill("林海生")
        page.get_by_label("身份证号码").first.fill(self.id_number)
        page.get_by_label("联系电话").fill(self.mobile)
        page.get_by_label("咨询事项或问题需求概述").fill(QUESTION)
        page.get_by_label("我已阅读并同意").check()
        page.get_by_label("我单独同意").check()

    def look_up(self) -> Page:
        page = self.page
        page.goto("/status/")
        if page.get_by_label("受理编号").count():
            page.get_by_label("受理编号").fill(self.reference)
            page.get_by_label("联系电话").fill(self.mobile)
            page.get_by_role("button", name="查询").click()
        expect(page.get_by_role("heading", level=1)).to_contain_text(self.name)
        return page


def eleven_others(coordinator) -> list[Appointment]:
    """Firms that registered in the days after, accepted and assigned by the same acts, without a browser."""
    return [_other(number, coordinator) for number in range(1, 12)]


def _other(number: int, coordinator) -> Appointment:
    rng, at = random.Random(1000 + number), timezone.now() + timedelta(minutes=number)
    form = booking.Registration(
        f"舟山海试{100 + number}号有限公司", samples.uscc(rng), "测试人", "resident", samples.resident_id(rng),
        samples.mobile(rng), QUESTION,
    )  # fmt: skip
    made = booking.submit(form, key=f"other-{number}", at=at)
    portion = AssignmentItem(Division.objects.get(code="water"), QUESTION)
    review.accept(made, [portion], trace=shown_trace(made, at), by=coordinator, at=at)
    return made


def of(appointment: Appointment, page: Page) -> Firm:
    """The firm of a registration, at its own browser."""
    firm = Firm(page, 0)
    firm.name, firm.reference = appointment.enterprise_name, appointment.reference
    firm.mobile = appointment.phone_number
    return firm


@pytest.mark.parametrize("visitor", VISITORS)
def test_question_goes_from_the_blank_form_to_the_rating(
    visitor, visit, enter, clock, worker, coordinator, handler, head, watcher
):
    clock("2026-11-20 10:00")
    firm = Firm(visit(**visitor), 1)
    firm.register()
    record = Appointment.objects.get()
    assert record.day.date.isoformat() == "2026-12-10"

    # 综合处 finds it on the first page, and accepts what the rules suggest.
    desk = enter(coordinator, "/admin/")
    desk.get_by_role("link", name=firm.name).first.click()
    accept = desk.locator("#panel-accept")
    expect(accept.locator("select").first).to_have_value("water")
    accept.get_by_role("button", name="通过初审并交办").click()
    expect(desk.locator(".messages, .messagelist").first).to_contain_text("已通过初审")

    # 水处 drafts, its head signs.
    desk = enter(handler, "/desk/")
    desk.get_by_role("link", name=firm.name).first.click()
    desk.get_by_label("答复内容").fill(REPLY)
    desk.get_by_label("政策依据").fill(LAW)
    desk.get_by_role("button", name="送审签").click()
    desk = enter(head, "/desk/")
    desk.get_by_role("link", name=firm.name).first.click()
    desk.get_by_role("button", name="审签并答复企业").click()

    # The firm is told without the content, and reads the reply on its own page.
    worker()
    told = Notice.objects.get(kind="reply_released", channel="sms")
    assert told.state == "sent"
    assert REPLY not in told.text
    page = firm.look_up()
    expect(page.locator("main")).to_contain_text(REPLY)
    expect(page.locator("main")).to_contain_text("水处")

    # Eleven more firms register; the month ends, and 综合处 hears what stands on the list.
    clock("2026-11-25 09:00")
    others = eleven_others(coordinator)
    coordinator.phone = "13857209001"
    coordinator.save()
    clock("2026-12-01 00:06")
    worker()
    assert Notice.objects.filter(kind="cutoff_summary", channel="sms").count() == 1

    # One click: ten are seated, two deferred.
    clock("2026-12-02 10:00")
    desk = enter(coordinator, f"/admin/sessions_app/consultday/{record.day_id}/change/")
    desk.get_by_role("button", name="一键确定名单").click()
    expect(desk.locator(".messages, .messagelist").first).to_contain_text("名单已确定")
    assert Appointment.objects.filter(stage=Stage.SEATED).count() == 10
    assert Appointment.objects.filter(stage=Stage.DEFERRED).count() == 2

    # The firm confirms; another gives up, and the next in line is offered its seat.
    page = firm.look_up()
    page.get_by_role("button", name="确认参加").click()
    expect(page.locator(".messages")).to_contain_text("已确认参加")
    leaver = of(others[0], visit(**visitor)).look_up()
    leaver.get_by_role("link", name="放弃名额").click()
    expect(leaver.locator("main")).to_contain_text("现场名额递补给下一家")
    leaver.get_by_role("button", name="确认放弃名额").click()
    expect(leaver.locator(".messages")).to_contain_text("已放弃名额")
    clock("2026-12-02 10:05")
    worker()
    risen = of(others[9], visit(**visitor)).look_up()
    expect(risen.get_by_role("button", name="确认参加")).to_be_visible()
    waiting = of(others[10], visit(**visitor)).look_up()
    expect(waiting.get_by_role("link", name="仍需现场咨询")).to_be_visible()

    # Those who confirmed are reminded three days and one day before; the rounds repeat nothing.
    for day, count in (("07", 1), ("09", 2)):
        clock(f"2026-12-{day} 09:05")
        worker()
        worker()
        assert Notice.objects.filter(kind="day_near", channel="sms", about_id=str(record.pk)).count() == count

    # The 10th: the firm comes; what is not solved on the spot is promised.
    clock("2026-12-10 08:20")
    desk = enter(coordinator, f"/admin/appointments/appointment/{record.pk}/change/")
    desk.locator("#panel-check_in").get_by_role("button", name="签到").click()
    conclude = desk.locator("#panel-conclude")
    conclude.get_by_label("需跟踪督办").check()
    conclude.get_by_label("现场答复要点").fill("需到厂核对接收凭证。")
    if not conclude.get_by_label("督办事项").first.is_visible():
        conclude.locator("details.subform-extra summary").click()
    conclude.get_by_label("督办事项").first.fill("一周内到厂核对")
    conclude.get_by_label("责任处室").first.select_option("water")
    conclude.get_by_role("button", name="保存现场结果").click()
    expect(desk.locator(".messages, .messagelist").first).to_contain_text("现场结果已保存")

    # 水处 follows up until done, and the firm reads on.
    clock("2026-12-14 09:00")
    desk = enter(handler, "/desk/follow-ups/")
    desk.get_by_role("link", name="一周内到厂核对").click()
    desk.get_by_label("进展情况").fill("已约定周三到厂。")
    desk.get_by_label("同时告知企业").check()
    desk.get_by_role("button", name="记录进展").click()
    desk.get_by_text("事项已经解决，办结").click()
    desk.get_by_label("办理结果").fill("已到厂核对，凭证齐全。")
    desk.get_by_role("button", name="办结", exact=True).click()
    page = firm.look_up()
    expect(page.locator("main")).to_contain_text("已约定周三到厂。")
    expect(page.locator("main")).to_contain_text("已办结")

    # 好差评: five grades, none chosen beforehand.
    assert page.locator("input[name=grade]:checked").count() == 0
    page.get_by_label("非常满意", exact=True).check()
    page.get_by_role("button", name="提交评价").click()
    expect(page.locator("main")).to_contain_text("您的评价：非常满意")
