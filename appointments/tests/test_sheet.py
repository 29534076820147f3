"""The 登记表 of 附件2, field by field."""

import pytest
from reportlab.pdfbase import pdfmetrics

from appointments.pdf import sheet
from triage.tests.factories import appointment

pytestmark = pytest.mark.django_db

FIELDS = [
    "企业名称*", "统一社会信用代码*", "通信地址", "邮政编码", "姓名*", "身份证号码*", "联系电话*", "电子邮箱",
    "咨询事项或问题需求概述*", "现场咨询时间",
]  # fmt: skip


@pytest.fixture
def made():
    return appointment(address="舟山市定海区测试路1号", postcode="316000", email="a@example.com")


def test_registration_form_has_the_fields_of_the_annex_in_order(made):
    assert [row.label for row in sheet.rows(made)] == FIELDS


def test_registration_form_shows_every_field_but_no_id_number(client, made):
    page = client.get(f"/receipt/{made.receipt_token}/form/").content.decode()
    for row in sheet.rows(made):
        assert row.label in page
        assert row.value in page
    assert made.id_number.open() not in page
    assert "2026年12月10日上午08:30～11:30" in page


def test_pdf_is_one_page_however_long_the_question(client, made):
    for text in ("短", "问" * 2000, "\n".join("行" * 20 for _ in range(90)), "<b>&amp;" * 200):
        type(made).objects.filter(pk=made.pk).update(summary=text)
        answer = client.get(f"/receipt/{made.receipt_token}/form.pdf")
        assert answer["Content-Type"] == "application/pdf"
        assert answer.content.count(b"/Type /Page\n") == 1


def test_pdf_font_has_a_glyph_for_every_character(made):
    sheet.as_pdf(made)
    shapes = pdfmetrics.getFont(sheet.FONT).face.charToGlyph
    printed = (
        sheet.TITLE + sheet.FOOTNOTE + made.reference + "".join(r.label + r.value for r in sheet.rows(made))
    )
    assert {sign for sign in printed if ord(sign) not in shapes} == set()


def test_registration_form_needs_the_receipt_token(client, made):
    for tail in ("", "form/", "form.pdf"):
        assert client.get(f"/receipt/{made.reference}/{tail}").status_code == 404
