"""The 登记表 of 附件2: its rows for the page, and the PDF. The ID number is masked in both."""

from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path

from appointments.models import Appointment
from zhoushan_consult.identity.phone import format_phone
from zhoushan_consult.paper.typesetting import typeset

TEMPLATE = Path(__file__).parent / "sheet.typ"


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


def as_pdf(appointment: Appointment) -> bytes:
    """The 登记表 as a PDF. A long question goes on on the next page. Raises PaperError."""
    table = [{**asdict(row), "long": row.label.startswith("咨询事项")} for row in rows(appointment)]
    return typeset(TEMPLATE, {"reference": appointment.reference, "rows": table})
