"""The 登记表 that a firm prints from its browser (附件2)."""

import os
from pathlib import Path

import pytest

from triage.tests import factories
from zhoushan_consult.tests.papers import Paper, badly_broken

# 2,000 characters with marks at every place of a line.
LONG = ("我公司（定海厂区）污水站COD₂、氨氮超标，“三同时”验收怎么办？面积±120㎡，温度≥35℃；编号№3。" * 50)[
    :1999
] + "完"
# Points: where the column of the answers begins.
ANSWERS = 190


@pytest.fixture
def printed(visit):
    """The registration form with this question, as the browser prints it. SHOTS=folder keeps the file."""

    def show(summary: str) -> Paper:
        firm = factories.appointment(contact_name="王䶮", summary=summary)
        page = visit()
        page.goto(f"/receipt/{firm.receipt_token}/form/")
        paper = page.pdf(prefer_css_page_size=True)
        if shots := os.environ.get("SHOTS"):
            Path(shots, f"form-{len(summary)}.pdf").write_bytes(paper)
        return Paper(paper)

    return show


def test_form_with_a_short_question_prints_on_one_page(printed):
    assert printed("我公司拟新增一台燃气锅炉，是否需要重新报批环评？").pages == 1


def test_long_question_goes_on_on_a_second_page_in_readable_type(printed):
    paper = printed(LONG)
    assert paper.pages == 2
    assert paper.smallest >= 9
    assert paper.text.count("№") == LONG.count("№")
    lines = [line for page in (1, 2) for line in paper.lines(page, ANSWERS)]
    assert len(lines) > 60
    assert badly_broken(lines) == []


def test_word_that_is_longer_than_the_line_stays_on_the_paper(printed):
    # A small letter: a 受理编号 and a credit code have capitals only.
    paper = printed("w" * 400)
    assert paper.text.count("w") == 400
    assert max(drawn.right for drawn in paper.drawn) < paper.width
