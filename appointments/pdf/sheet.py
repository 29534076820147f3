"""The 登记表 of 附件2 on one A4 page: its rows for the page, and the PDF. The ID number is masked in both."""

from dataclasses import dataclass
from datetime import date
from functools import cache
from io import BytesIO
from pathlib import Path
from xml.sax.saxutils import escape

from reportlab.lib.enums import TA_CENTER
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Paragraph

from appointments.models import Appointment
from zhoushan_consult.identity.phone import format_phone

# A TrueType font: reportlab reads no CFF outlines, which most Chinese fonts have. It is embedded in the file, because
# a reader without a Chinese font would show empty boxes.
FONT = "MicroHei"
FONT_FILE = Path(__file__).parent / "fonts" / "wqy-microhei.ttc"
TITLE = "舟山市生态环境局“企业环保咨询日”登记表"
FOOTNOTE = "备注：上述带*为必填项"


@dataclass(frozen=True)
class Row:
    """One line of the table. Lines of one `group` share a cell at the left; without a group the label takes its place."""

    group: str
    label: str
    value: str


def rows(appointment: Appointment) -> list[Row]:
    """附件2 in its order: nine fields and the session line."""
    firm, contact = "企业基本信息", "联系人信息"
    day = appointment.day.date
    return [
        Row(firm, "企业名称*", appointment.enterprise_name),
        Row(firm, "统一社会信用代码*", appointment.uscc),
        Row(firm, "通信地址", appointment.address),
        Row(firm, "邮政编码", appointment.postcode),
        Row(contact, "姓名*", appointment.contact_name),
        Row(contact, "身份证号码*", appointment.masked_id),
        Row(contact, "联系电话*", format_phone(appointment.phone_number)),
        Row(contact, "电子邮箱", appointment.email),
        Row("", "咨询事项或问题需求概述*", appointment.summary),
        Row("", "现场咨询时间", _session(appointment, day)),
    ]


def _session(appointment: Appointment, day: date) -> str:
    if not appointment.wants_onsite:
        return f"书面答复（{day.year}年{day.month}月{day.day}日期）"
    return f"{day.year}年{day.month}月{day.day}日上午08:30～11:30"


# --- PDF -----------------------------------------------------------------------------------------------------------
# Lengths in points, from the lower left corner of the page.
MARGIN = 20 * mm
WIDTH = A4[0] - 2 * MARGIN
GROUP_WIDTH, LABEL_WIDTH = 14 * mm, 50 * mm
VALUE_X, VALUE_WIDTH = MARGIN + GROUP_WIDTH + LABEL_WIDTH, WIDTH - GROUP_WIDTH - LABEL_WIDTH
LINE = 12 * mm
# So high that nine other lines, the title and the footnote still fit on the page.
SUMMARY_HEIGHT = 95 * mm
PADDING = 2 * mm
# Points. 2,000 characters, the longest question, fit at 5 pt. Below MIN_SIZE a print cannot be read.
SIZE, MIN_SIZE, SIZE_STEP = 11, 4, 0.5


def as_pdf(appointment: Appointment) -> bytes:
    """The 登记表 as a PDF of one A4 page. A long question is set in smaller type, until it fits."""
    _load_font()
    out = BytesIO()
    page = Canvas(out, pagesize=A4, pageCompression=1)
    page.setTitle("企业环保咨询日登记表")
    top = A4[1] - MARGIN
    _text(page, TITLE, MARGIN, top - 14 * mm, WIDTH, 14 * mm, size=18, centred=True)
    _text(page, f"受理编号：{appointment.reference}", MARGIN, top - 22 * mm, WIDTH, 7 * mm, size=10)
    bottom = _table(page, rows(appointment), top - 24 * mm)
    _text(page, FOOTNOTE, MARGIN, bottom - 8 * mm, WIDTH, 7 * mm, size=10)
    page.save()
    return out.getvalue()


@cache
def _load_font() -> None:
    """Register the font, once in a process: the file has 5 MB."""
    pdfmetrics.registerFont(TTFont(FONT, str(FONT_FILE), subfontIndex=0))


def _table(page: Canvas, lines: list[Row], y: float) -> float:
    """Draw the rows from `y` downwards. Returns the y of their lower edge."""
    for group in dict.fromkeys(line.group for line in lines if line.group):
        members = [line for line in lines if line.group == group]
        height = LINE * len(members)
        # One character on each line: the group column is too narrow for more.
        _cell(page, "<br/>".join(group), MARGIN, y - height, GROUP_WIDTH, height, centred=True, markup=True)
        for line in members:
            y -= LINE
            _cell(page, line.label, MARGIN + GROUP_WIDTH, y, LABEL_WIDTH, LINE, centred=True)
            _cell(page, line.value, VALUE_X, y, VALUE_WIDTH, LINE)
    for line in (line for line in lines if not line.group):
        height = SUMMARY_HEIGHT if line.label.startswith("咨询事项") else LINE
        y -= height
        _cell(page, line.label, MARGIN, y, GROUP_WIDTH + LABEL_WIDTH, height, centred=True)
        _cell(page, line.value, VALUE_X, y, VALUE_WIDTH, height, top=height > LINE)
    return y


def _cell(page: Canvas, text: str, x: float, y: float, width: float, height: float, **style) -> None:
    page.rect(x, y, width, height)
    _text(page, text, x + PADDING, y, width - 2 * PADDING, height, **style)


def _text(
    page, text, x, y, width, height, *, size: float = SIZE, centred=False, markup=False, top=False
) -> None:
    """Draw text in the middle of a box, or at its top, in smaller type until it fits. `markup`: the text has tags."""
    # Paragraph reads its text as XML: a firm's name with & would raise.
    words = text if markup else escape(text).replace("\n", "<br/>")
    while True:
        paragraph = Paragraph(words, _style(size, centred))
        _, needed = paragraph.wrap(width, height)
        if needed <= height - PADDING or size <= MIN_SIZE:
            break
        size -= SIZE_STEP
    paragraph.drawOn(page, x, y + (height - needed - PADDING if top else (height - needed) / 2))


def _style(size: float, centred: bool) -> ParagraphStyle:
    extra = {"alignment": TA_CENTER} if centred else {}
    # CJK: a line may break between any two characters, because Chinese has no blanks.
    return ParagraphStyle(
        f"s{size}", fontName=FONT, fontSize=size, leading=size * 1.4, wordWrap="CJK", **extra
    )
