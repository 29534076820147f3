"""The 登记表 of 附件2, field by field, on the page and as PDF."""

import pytest

from appointments.models import Appointment
from appointments.pdf import sheet
from triage.tests.factories import appointment
from zhoushan_consult.paper import typesetting
from zhoushan_consult.tests.papers import Paper, badly_broken

pytestmark = pytest.mark.django_db

FIELDS = [
    "企业名称*", "统一社会信用代码*", "通信地址", "邮政编码", "姓名*", "身份证号码*", "联系电话*", "电子邮箱",
    "咨询事项或问题需求概述*", "现场咨询时间",
]  # fmt: skip
# Points: where the column of the answers begins.
ANSWERS = 215
# 2,000 characters with marks at every place of a line.
LONG = ("我公司（定海厂区）污水站COD₂、氨氮超标，“三同时”验收怎么办？面积±120㎡，温度≥35℃；编号№3。" * 50)[
    :2000
]


@pytest.fixture
def made():
    return appointment(address="舟山市定海区测试路1号", postcode="316000", email="a@example.com")


@pytest.fixture
def pdf_of(client, made):
    """The PDF that a visitor gets, for a registration with these columns."""

    def download(**columns) -> Paper:
        Appointment.objects.filter(pk=made.pk).update(**columns)
        answer = client.get(f"/receipt/{made.receipt_token}/form.pdf")
        assert answer["Content-Type"] == "application/pdf"
        return Paper(answer.content)

    return download


def test_registration_form_has_the_fields_of_the_annex_in_order(made):
    assert [row.label for row in sheet.rows(made)] == FIELDS


def test_registration_form_shows_every_field_but_no_id_number(client, made):
    page = client.get(f"/receipt/{made.receipt_token}/form/").content.decode()
    for row in sheet.rows(made):
        assert row.label in page
        assert row.value in page
    assert made.id_number.open() not in page
    assert "2026年12月10日上午08:30～11:30" in page


def test_pdf_shows_every_field_but_no_id_number(made, pdf_of):
    paper = pdf_of()
    for row in sheet.rows(made):
        assert row.label in paper.text
        assert row.value in paper.text
    assert "舟山市生态环境局“企业环保咨询日”登记表" in paper.text
    assert f"受理编号：{made.reference}" in paper.text
    assert made.id_number.open() not in paper.text
    assert paper.not_drawn() == set()


def test_pdf_without_the_optional_fields_is_one_page(pdf_of):
    paper = pdf_of(address="", postcode="", email="", summary="短")
    assert paper.pages == 1
    assert "第1页" not in paper.text


def test_pdf_with_long_names_and_a_short_question_is_one_page(pdf_of):
    assert pdf_of(enterprise_name="舟山长名" * 25, address="定海区临城街道" * 21, summary="短").pages == 1


def test_pdf_of_a_long_question_goes_on_on_a_second_page(made, pdf_of):
    paper = pdf_of(summary=LONG)
    assert paper.pages == 2
    assert paper.smallest >= 9
    first, second = ("".join(paper.lines(page, ANSWERS)).replace(" ", "") for page in (1, 2))
    assert LONG[:500] in first
    assert LONG[-500:] in second
    assert paper.text.count("№") == LONG.count("№")
    assert f"受理编号：{made.reference}第2页，共2页" in paper.text.replace(" ", "")


@pytest.mark.parametrize("shift", range(0, 30, 3))
def test_pdf_line_neither_begins_with_a_closing_mark_nor_ends_with_an_opening_one(pdf_of, shift):
    """Each shift moves the marks to another place of the line."""
    paper = pdf_of(summary="问" * shift + LONG[:600] + "完")
    lines = paper.lines(1, ANSWERS)
    assert len(lines) > 20
    assert badly_broken(lines) == []


def test_pdf_shows_what_looks_like_markup_as_it_was_typed(pdf_of):
    typed = "<b>&amp; #strong[x] *a* $x$ \\ @b // c"
    assert typed in pdf_of(summary=typed).text


def test_pdf_keeps_the_lines_that_were_typed(pdf_of):
    lines = pdf_of(summary="一、废水\n二、废气\n\n三、噪声").lines(1, ANSWERS)
    assert [line for line in lines if "、" in line] == ["一、废水", "二、废气", "三、噪声"]


def test_pdf_shows_a_rare_name(made, pdf_of):
    made.contact_name = "王䶮𪚥"
    made.save()
    paper = pdf_of()
    assert "姓名*王䶮𪚥" in paper.text
    assert paper.not_drawn() == set()


def test_pdf_boxes_what_no_font_draws_and_says_so(pdf_of):
    paper = pdf_of(summary="油漆\U0001fae0废气")
    assert "油漆□废气" in paper.text
    assert "标“□”处的字符（U+1FAE0）" in paper.text


def test_failed_pdf_leads_to_the_page_that_a_browser_prints(client, made, monkeypatch, tmp_path):
    monkeypatch.setattr(typesetting, "PRESS", tmp_path / "missing.py")
    answer = client.get(f"/receipt/{made.receipt_token}/form.pdf")
    assert answer.status_code == 503
    page = answer.content.decode()
    assert "PDF 暂时没有生成" in page and made.summary in page
    monkeypatch.undo()
    assert "PDF 暂时没有生成" not in client.get(f"/receipt/{made.receipt_token}/form/").content.decode()


def test_registration_form_needs_the_receipt_token(client, made):
    for tail in ("", "form/", "form.pdf"):
        assert client.get(f"/receipt/{made.reference}/{tail}").status_code == 404
