"""How a term reads at the desk: a word and a shape, never a colour alone."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sessions_app import policy
from sessions_app.calendar import SHANGHAI, short
from zhoushan_consult.workdays import overrides
from zhoushan_consult.workdays.calendar import is_workday, published


@dataclass(frozen=True)
class Term:
    """A term: its last day (`on`), what is left in `words`, the `shape` that marks it, a `note` of doubt."""

    on: str
    words: str
    shape: str
    note: str = ""


@dataclass(frozen=True)
class Today:
    """The day on which a page is read, with the bureau's working days read once for all of its rows."""

    day: date
    overrides: Mapping[date, bool]

    @classmethod
    def at(cls, now: datetime) -> "Today":
        return cls(now.astimezone(SHANGHAI).date(), overrides.in_force())

    def term(self, due_on: date) -> Term:
        """Working days left until the end of `due_on`, or days gone by since."""
        on, days = short(due_on), (due_on - self.day).days
        if days < 0:
            return Term(on, f"已逾期 {-days} 天", "late")
        if days == 0:
            return Term(on, "今天到期", "act")
        left = self._workdays_until(due_on)
        words = f"还剩 {left} 个工作日" if left else f"{days} 天后到期"
        return Term(on, words, "act" if left <= policy.REPLY_REMIND_WORKDAYS else "wait", self._doubt(due_on))

    def _doubt(self, due_on: date) -> str:
        return "" if published(due_on.year, self.overrides) else "节假日安排未公布，先按周一至周五计算。"

    def _workdays_until(self, due_on: date) -> int:
        """Working days after today, `due_on` counted."""
        days = (due_on - self.day).days
        return sum(is_workday(self.day + timedelta(days=n), self.overrides) for n in range(1, days + 1))

    def mark(self, rows: Iterable) -> list:
        """The rows, each with the `term` of its `due_on`."""
        marked = list(rows)
        for row in marked:
            row.term = self.term(row.due_on)
        return marked
