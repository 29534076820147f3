"""The 登记表 of 附件2 on one A4 page, field by field, for the screen, the printer and as PDF. The ID number is masked."""

from dataclasses import dataclass
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

FONT = "MicroHei"
FONT_FILE = Path(__file__).parent / "fonts" / "wqy-microhei.ttc"
TITLE = "舟山市生态环境局“企业环保咨询日”登记表"
FOOTNOTE = "备注：上述带*为必填项"


@dataclass(frozen=True)
class Row:
    """One line of the table. `group` stands at the left, over as many lines as share it; "" spans both columns."""

    group: str
    label: str
    value: str


def rows(appointment: Appointment) -> list[Row]:
    """附件2 in its own order: ten fields and the session line."""
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
        Row("", "现场咨询时间", _when(appointment, day)),
    ]


def _when(appointment: Appointment, day) -> str:
    if not appointment.wants_onsite:
        return f"书面答复（{day.year}年{day.month}月{day.day}日期）"
    return f"{day.year}年{day.month}月{day.day}日上午08:30～11:30"


# --- PDF -----------------------------------------------------------------------------------------------------------
MARGIN = 20 * mm
WIDTH = A4[0] - 2 * MARGIN
GROUP_WIDTH, LABEL_WIDTH = 14 * mm, 50 * mm
LINE = 12 * mm
SUMMARY_HEIGHT = 95 * mm
PAD = 2 * mm


def as_pdf(appointment: Appointment) -> bytes:
    """The 登记表 as a PDF of one A4 page, its font embedded; a long question is set smaller until it fits."""
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
    pdfmetrics.registerFont(TTFont(FONT, str(FONT_FILE), subfontIndex=0))


def _table(page: Canvas, lines: list[Row], y: float) -> float:
    """Draws the rows downward from `y`; returns where they end."""
    for group in dict.fromkeys(line.group for line in lines if line.group):
        share = [line for line in lines if line.group == group]
        _cell(
            page,
            "<br/>".join(group),
            MARGIN,
            y - LINE * len(share),
            GROUP_WIDTH,
            LINE * len(share),
            centred=True,
            markup=True,
        )
        for line in share:
            y -= LINE
            _cell(page, line.label, MARGIN + GROUP_WIDTH, y, LABEL_WIDTH, LINE, centred=True)
            _cell(
                page,
                line.value,
                MARGIN + GROUP_WIDTH + LABEL_WIDTH,
                y,
                WIDTH - GROUP_WIDTH - LABEL_WIDTH,
                LINE,
            )
    for line in (line for line in lines if not line.group):
        height = SUMMARY_HEIGHT if line.label.startswith("咨询事项") else LINE
        y -= height
        _cell(page, line.label, MARGIN, y, GROUP_WIDTH + LABEL_WIDTH, height, centred=True)
        _cell(
            page,
            line.value,
            MARGIN + GROUP_WIDTH + LABEL_WIDTH,
            y,
            WIDTH - GROUP_WIDTH - LABEL_WIDTH,
            height,
            top=height > LINE,
        )
    return y


def _cell(page: Canvas, text: str, x: float, y: float, width: float, height: float, **how) -> None:
    page.rect(x, y, width, height)
    _text(page, text, x + PAD, y, width - 2 * PAD, height, **how)


def _text(
    page, text, x, y, width, height, *, size: float = 11, centred=False, markup=False, top=False
) -> None:
    """Text in the middle of a box, or at its top, set smaller until it fits."""
    words = text if markup else escape(text).replace("\n", "<br/>")
    while True:
        paragraph = Paragraph(words, _style(size, centred))
        _, needed = paragraph.wrap(width, height)
        if needed <= height - PAD or size <= 4:
            break
        size -= 0.5
    paragraph.drawOn(page, x, y + (height - needed - PAD if top else (height - needed) / 2))


def _style(size: float, centred: bool) -> ParagraphStyle:
    extra = {"alignment": TA_CENTER} if centred else {}
    return ParagraphStyle(
        f"s{size}", fontName=FONT, fontSize=size, leading=size * 1.4, wordWrap="CJK", **extra
    )
