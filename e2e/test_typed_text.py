"""Nothing that was typed is lost in a real browser, with scripts and without: Back, links, 长辈版, closed sessions, cookies."""

import json
import os
import shutil
import time
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, expect

from appointments.lifecycle import Stage
from appointments.models import Appointment
from e2e.processes import wait_until
from triage.tests.factories import appointment
from zhoushan_consult.web import drafts
from zhoushan_consult.web.models import Draft

QUESTION = "船坞除锈改用超高压水后，冲洗废水能否委托有资质的单位运走处理？"
WRONG_CODE = "91330902MA28K00158"
both = pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no-scripts"])


@pytest.fixture(autouse=True)
def the_twentieth(clock):
    clock("2026-11-20 10:00")


def fill(page: Page, typed: dict[str, str], **changes: str) -> None:
    """Type into the registration form as the firm `typed` does."""
    for name, text in (typed | {"summary": QUESTION} | changes).items():
        field = page.locator(f"[name={name}]").last
        if name.startswith("agree"):
            field.check()
        elif name == "id_type":
            field.select_option(text)
        elif name != "wants_onsite":
            field.fill(text)


def expect_typed(page: Page, typed: dict[str, str], id_number: bool = True) -> None:
    expect(page.locator("[name=summary]")).to_have_value(QUESTION)
    expect(page.locator("[name=uscc]")).to_have_value(typed["uscc"])
    expect(page.locator("[name=agree_id_use]")).to_be_checked()
    if id_number:
        expect(page.locator("[name=id_number]")).to_have_value(typed["id_number"])


def next_step(page: Page) -> None:
    page.get_by_role("button", name="下一步").click()


@both
def test_back_finds_every_page_of_a_registration(visit, firm, scripts):
    page = visit(scripts=scripts)
    page.goto("/")
    page.get_by_role("link", name="我要预约登记").first.click()
    fill(page, firm(1), uscc=WRONG_CODE)
    next_step(page)
    expect(page).to_have_title("错误：预约登记 - 企业环保咨询日 - 舟山市生态环境局")
    expect(page.locator("#error-summary")).to_be_focused()
    wrong = firm(1, uscc=WRONG_CODE)
    page.go_back()
    expect_typed(page, wrong)
    page.go_forward()
    expect_typed(page, wrong)
    page.locator("[name=uscc]").fill(firm(1)["uscc"])
    next_step(page)
    expect(page.get_by_role("heading", level=1)).to_contain_text("请核对")
    page.go_back()
    expect_typed(page, firm(1))
    page.go_forward()
    page.get_by_role("button", name="返回修改").click()
    expect_typed(page, firm(1))
    next_step(page)
    page.get_by_role("button", name="确认提交").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("受理编号")
    steps = 0
    while urlsplit(page.url).path != "/":
        page.go_back()
        expect(page.locator("main h1")).to_be_visible()
        steps += 1
    assert steps > 5
    for _ in range(steps):
        page.go_forward()
        expect(page.locator("main h1")).to_be_visible()
    expect(page.get_by_role("heading", level=1)).to_contain_text("受理编号")
    assert Appointment.objects.count() == 1 and not Draft.objects.exists()


@both
def test_text_is_there_after_a_link_in_the_same_tab_and_back(visit, firm, scripts):
    page = visit(scripts=scripts, width=375)
    page.goto("/register/")
    fill(page, firm(1))
    for name in ("帮助", "公开答复", "进度查询"):
        page.get_by_role("link", name=name, exact=True).first.click()
        expect(page.get_by_role("heading", level=1)).to_contain_text(name)
        page.go_back()
        # Without scripts only the browser can remember it, and of this number we ask it not to.
        expect_typed(page, firm(1), id_number=scripts)


@pytest.fixture
def slow_save(monkeypatch):
    """Makes each save take so many seconds: `slow_save(2)`. Returns the list of those that are done."""
    keep, done = drafts.keep, []

    def delay(seconds: int) -> list[str]:
        def keep_slowly(*told) -> str:
            time.sleep(seconds)
            done.append(keep(*told))
            return done[-1]

        monkeypatch.setattr(drafts, "keep", keep_slowly)
        return done

    return delay


@pytest.mark.parametrize("seconds", [0, 2], ids=["fast", "slow"])
def test_text_is_there_at_the_next_visit_of_the_form(visit, firm, slow_save, seconds):
    slow_save(seconds)
    page = visit()
    page.goto("/register/")
    fill(page, firm(1))
    page.get_by_role("link", name="帮助", exact=True).first.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("帮助")
    page.get_by_role("link", name="预约登记", exact=True).first.click()
    expect_typed(page, firm(1))
    page.locator("[name=contact_name]").fill("改过的人")
    with page.expect_navigation():
        page.get_by_role("link", name="预约登记", exact=True).first.click()
    expect(page.locator("[name=contact_name]")).to_have_value("改过的人")
    page.get_by_role("button", name="清空重填").click()
    expect(page.locator("[name=summary]")).to_have_value("")
    assert not Draft.objects.exists()


def test_text_typed_before_the_page_is_complete_is_there_at_the_next_visit(visit, firm):
    page, pictures = visit(), []
    page.route("**/horizon.svg", lambda route: pictures.append(route))
    page.goto("/register/", wait_until="domcontentloaded")
    fill(page, firm(1))
    wait_until("the browser asks for the picture", lambda: page.wait_for_timeout(50) or pictures)
    pictures[0].continue_()
    page.unroute("**/horizon.svg")
    page.wait_for_load_state("load")
    page.get_by_role("link", name="帮助", exact=True).first.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("帮助")
    page.get_by_role("link", name="预约登记", exact=True).first.click()
    expect_typed(page, firm(1))


def test_form_that_is_cleared_while_it_is_being_saved_stays_cleared(visit, firm, slow_save):
    saved = slow_save(2)
    page = visit()
    page.goto("/register/")
    fill(page, firm(1))
    page.get_by_role("link", name="帮助", exact=True).first.click()
    page.get_by_role("button", name="清空重填").click()
    expect(page.locator("[name=summary]")).to_have_value("")
    wait_until("the form is saved", lambda: len(saved), 1)
    assert not Draft.objects.exists()


@both
def test_large_type_keeps_the_text(visit, firm, scripts):
    page = visit(scripts=scripts)
    page.goto("/register/")
    fill(page, firm(1))
    page.get_by_role("button", name="长辈版").click()
    expect(page.locator("html")).to_have_class("elder")
    expect_typed(page, firm(1))
    page.get_by_role("button", name="返回标准版").click()
    expect(page.locator("html")).not_to_have_class("elder")
    expect_typed(page, firm(1))


@both
def test_enter_key_sends_the_form_and_switches_nothing(visit, firm, scripts):
    page = visit(scripts=scripts)
    page.goto("/register/")
    fill(page, firm(1))
    page.locator("[name=contact_name]").press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("请核对")
    expect(page.locator("html")).not_to_have_class("elder")
    page.goto("/status/")
    page.get_by_label("受理编号").fill("K7M2")
    page.get_by_label("受理编号").press("Enter")
    expect(page.locator("#error-summary")).to_be_focused()


@both
def test_form_survives_the_loss_of_its_cookies(visit, firm, scripts):
    page = visit(scripts=scripts)
    page.goto("/register/")
    fill(page, firm(1))
    page.context.clear_cookies()
    next_step(page)
    expect(page.locator("main")).to_contain_text("页面放得太久")
    expect_typed(page, firm(1))
    next_step(page)
    page.get_by_role("button", name="确认提交").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("受理编号")
    page.go_back()
    expect(page.locator("main h1")).to_be_visible()


@pytest.fixture
def without_cookies(chromium, live_server, tmp_path):
    """A page of a browser that keeps no cookies, as its owner has set it."""
    preferences = {"profile": {"default_content_setting_values": {"cookies": 2}}}
    Path(tmp_path, "Default").mkdir()
    Path(tmp_path, "Default", "Preferences").write_text(json.dumps(preferences))
    context = chromium.browser_type.launch_persistent_context(
        str(tmp_path),
        executable_path=os.environ.get("CHROMIUM")
        or shutil.which("chromium")
        or shutil.which("google-chrome"),
        args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
        base_url=live_server.url,
        locale="zh-CN",
    )
    yield context.new_page()
    context.close()


def test_browser_without_cookies_is_told_once_and_keeps_the_text(without_cookies, firm):
    page = without_cookies
    page.goto("/register/")
    fill(page, firm(1))
    next_step(page)
    expect(page.locator("#error-summary")).to_be_focused()
    expect(page.locator("h1")).to_contain_text("不保存本站的数据")
    expect(page.locator("main")).to_contain_text(QUESTION)
    expect(page.locator("main")).to_contain_text("允许本站保存数据")
    page.go_back()
    expect(page.locator("[name=summary]")).to_have_value(QUESTION)
    expect(page.locator("main")).not_to_contain_text("不保存本站的数据")
    page.go_forward()
    expect(page.locator("main")).to_contain_text(QUESTION)


@both
@pytest.mark.parametrize("form", ["amend", "supplement", "unsolved", "rate"])
def test_text_typed_while_the_registration_closed_is_there_after_the_next_look_up(
    visit, clock, form, scripts
):
    stages = (Stage.SUBMITTED, Stage.ACCEPTED, Stage.ANSWERED, Stage.CLOSED)
    stage = dict(zip(("amend", "supplement", "unsolved", "rate"), stages, strict=True))[form]
    now = clock("2026-11-20 10:00")
    made = appointment(1, stage=stage, **({"closed_at": now - timedelta(days=40)} if form == "rate" else {}))
    page = visit(scripts=scripts)
    look_up(page, made)
    field, button = {
        "amend": ("[name=summary]", "保存修改"),
        "supplement": ("[name=text]", "提交补充的问题"),
        "unsolved": ("[name=reason]", "未解决，请继续办理"),
        "rate": ("[name=remark]", "提交评价"),
    }[form]
    if form == "amend":
        page.get_by_role("link", name="修改登记").click()
    page.locator(field).fill(QUESTION)
    if form == "rate":
        page.get_by_label("基本满意").check()
    clock("2026-11-20 10:40")
    page.get_by_role("button", name=button).click()
    expect(page.locator("main")).to_contain_text("刚才填写的内容都还在")
    look_up(page, made)
    expect(page.locator(field)).to_have_value(QUESTION)
    page.get_by_role("button", name=button).click()
    expect(page.locator(".notice-success")).to_be_visible()
    page.go_back()
    expect(page.locator("main h1")).to_be_visible()


@both
def test_large_type_keeps_the_text_about_a_registration(visit, scripts):
    made = appointment(1, stage=Stage.ANSWERED)
    page = visit(scripts=scripts)
    look_up(page, made)
    page.locator("[name=reason]").fill(QUESTION)
    page.get_by_role("button", name="长辈版").click()
    expect(page.locator("html")).to_have_class("elder")
    expect(page.locator("[name=reason]")).to_have_value(QUESTION)


@both
def test_refused_act_is_announced_with_the_focus_on_it(visit, scripts):
    made = appointment(1)
    page = visit(scripts=scripts)
    look_up(page, made)
    page.get_by_role("link", name="撤回登记").click()
    Appointment.objects.update(stage=Stage.DECLINED)
    page.get_by_role("button", name="确认撤回登记").click()
    expect(page).to_have_title("错误：办理进度 - 企业环保咨询日 - 舟山市生态环境局")
    expect(page.locator(".notice-error")).to_be_focused()


@both
def test_look_up_keeps_what_was_typed(visit, scripts):
    page = visit(scripts=scripts)
    page.goto("/status/")
    page.get_by_label("受理编号").fill("受理编号：K7M2-9QRT-4WXP-2H")
    page.get_by_label("联系电话").fill("13800138000")
    page.get_by_role("link", name="帮助", exact=True).first.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("帮助")
    page.go_back()
    expect(page.get_by_label("联系电话")).to_have_value("13800138000")
    page.get_by_label("受理编号").fill("受理编号：K7M2-9QRT-4WXP-2H")
    page.get_by_role("button", name="查询").click()
    expect(page.locator("#error-summary")).to_be_focused()
    page.go_back()
    expect(page.get_by_label("联系电话")).to_have_value("13800138000")


def look_up(page: Page, of: Appointment) -> None:
    page.goto("/status/")
    page.get_by_label("受理编号").fill(of.reference)
    page.get_by_label("联系电话").fill(of.phone_number)
    page.get_by_role("button", name="查询").click()
    expect(page.locator("main")).to_contain_text(of.reference if "amend" not in page.url else "修改登记")
