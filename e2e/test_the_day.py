"""The morning of the 10th on 综合处's tablet, and what was printed the evening before (实施方案 六（五）)."""

import os
import re
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from appointments.lifecycle import Stage
from appointments.models import Appointment
from sessions_app.models import ConsultDay
from triage import timetable
from triage.tests import factories

PAGE = re.compile(rb"/Type\s*/Page\b")
LONG = "舟山市普陀区六横沈家门船舶修造与海洋工程装备制造{}号有限责任公司"
QUESTION = "我公司船坞除锈改用超高压水后，冲洗废水含油和漆渣，能否委托有资质的单位用槽车运走处理？" * 4


@pytest.fixture
def ten(coordinator, clock):
    """Ten firms with long names and long questions, and three that wait."""
    clock("2026-12-10 08:10")
    for number in range(1, 14):
        names = {"enterprise_name": LONG.format(number), "summary": QUESTION}
        if number > 10:
            factories.appointment(number, stage=Stage.DEFERRED, **names)
            continue
        firm = factories.seated(number, confirmed=True, **names)
        for division in ("水处", "大气处", "土壤处")[number % 3 :]:
            factories.assignment(firm, division, by=coordinator)
    day = Appointment.objects.first().day
    ConsultDay.objects.filter(pk=day.pk).update(settled_at=factories.NOW, place="舟山市生态环境局三楼会议室")
    return day


@pytest.fixture
def door(visit, coordinator):
    """综合处, signed in: `door(width=768)`."""

    def enter(width: int, scripts: bool = True) -> Page:
        page = visit(width=width, scripts=scripts)
        page.goto("/admin/")
        page.get_by_label("用户名").fill(coordinator.username)
        page.get_by_label("密码").fill("Correct-horse-7")
        page.get_by_role("button", name="登录").click()
        return page

    return enter


def judge(page: Page, name: str) -> None:
    """Fits the screen, no text runs out of its cell, and it is accessible. SHOTS=folder keeps a picture."""
    assert (
        page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0
    ), name
    squeezed = (
        "cells => cells.filter(cell => cell.scrollWidth > cell.clientWidth).map(cell => cell.innerText)"
    )
    assert page.eval_on_selector_all("td, th", squeezed) == [], name
    assert [violation["id"] for violation in Axe().run(page).response["violations"]] == [], name
    if shots := os.environ.get("SHOTS"):
        page.screenshot(path=f"{shots}/{name}-{page.viewport_size['width']}.png", full_page=True)


def test_papers_print_on_the_expected_number_of_pages(door, ten):
    page, screen = door(width=1280), f"/admin/sessions_app/consultday/{ten.pk}"
    for paper, pages in {"run-sheet": 1, "sign-in": 1, "name-cards": 10}.items():
        page.goto(f"{screen}/{paper}/")
        printed = page.pdf(format="A4", prefer_css_page_size=True)
        if shots := os.environ.get("SHOTS"):
            Path(shots, f"{paper}.pdf").write_bytes(printed)
        assert len(PAGE.findall(printed)) == pages, paper


@pytest.mark.parametrize("width", [1280, 768, 375])
def test_pages_of_the_day_fit_any_screen(door, ten, width):
    page, screen = door(width=width), f"/admin/sessions_app/consultday/{ten.pk}"
    firm = Appointment.objects.filter(stage=Stage.SEATED).first()
    for path in ("change", "run-sheet", "sign-in", "name-cards", "floor", f"floor/{firm.pk}"):
        page.goto(f"{screen}/{path}/")
        judge(page, path.replace("/", "-"))


def test_morning_can_be_run_without_javascript(door, ten):
    page = door(width=768, scripts=False)
    timetable.freeze(ten, at=factories.NOW)
    page.goto(f"/admin/sessions_app/consultday/{ten.pk}/")
    page.get_by_role("link", name="现场签到和结果").click()
    page.get_by_role("button", name=f"签到 {LONG.format(1)}", exact=True).click()
    expect(page.get_by_text("已签到 1 家")).to_be_visible()
    page.get_by_role("link", name=LONG.format(1), exact=True).click()
    page.get_by_role("button", name="现场解决").click()
    page.get_by_label("受理编号、企业名称或电话后四位").fill("制造2号")
    page.get_by_role("button", name="查找").click()
    page.get_by_role("button", name="未到场").click()
    page.get_by_role("button", name="请候补企业入场").click()
    expect(page.get_by_text("已列入名单，请引导到空出的一桌")).to_be_visible()
    page.get_by_role("link", name=LONG.format(3), exact=True).click()
    page.get_by_role("button", name="需跟踪").click()
    expect(page.get_by_text("已有结果 2 家")).to_be_visible()
    called = Appointment.objects.get(enterprise_name=LONG.format(11))
    assert (called.stage, called.seat.number) == (Stage.SEATED, 2)
