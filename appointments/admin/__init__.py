"""预约登记 and 公开答复 in the admin. `triage.admin` adds the actions of 初审 and 交办, and registers both."""

from .answers import AnswerAdmin
from .registrations import AppointmentAdmin, ListForm

__all__ = ["AnswerAdmin", "AppointmentAdmin", "ListForm"]
