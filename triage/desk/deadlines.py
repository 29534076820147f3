"""How a deadline is shown at the desk: by words and a shape, so that nothing depends on colour alone."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sessions_app import policy
from sessions_app.calendar import short
from zhoushan_consult.clock import local_date
from zhoushan_consult.workdays import overrides
from zhoushan_consult.workdays.calendar import is_workday, published


@dataclass(frozen=True)
class Deadline:
    """`on` is the last day, `words` the time left, `shape` names the tag, `note` tells a doubt."""

    on: str
    words: str
    shape: str
    note: str = ""


@dataclass(frozen=True)
class Today:
    """The day on which a page is read, with the bureau's working days: one query serves all rows of a page."""

    day: date
    overrides: Mapping[date, bool]

    @classmethod
    def at(cls, now: datetime) -> "Today":
        return cls(local_date(now), overrides.in_force())

    def deadline(self, due_on: date) -> Deadline:
        """Working days left until the end of `due_on`, or calendar days since then."""
        on, days = short(due_on), (due_on - self.day).days
        if days < 0:
            return Deadline(on, f"已逾期 {-days} 天", "late")
        if days == 0:
            return Deadline(on, "今天到期", "act")
        left = self._workdays_until(due_on)
        # A deadline on a weekend can be days away with no working day left: then calendar days are shown.
        words = f"还剩 {left} 个工作日" if left else f"{days} 天后到期"
        shape = "act" if left <= policy.REPLY_REMIND_WORKDAYS else "wait"
        return Deadline(on, words, shape, self._note(due_on))

    def _note(self, due_on: date) -> str:
        # The State Council publishes the holidays of a year in the November before it.
        if not published(due_on.year, self.overrides):
            return "节假日安排未公布，先按法律规定的节日推算。"
        # A term that was given keeps its day, also if that day turns out to be a holiday.
        return "" if is_workday(due_on, self.overrides) else "当天放假，请在放假前办结。"

    def _workdays_until(self, due_on: date) -> int:
        """Working days after today, including `due_on`."""
        days = (due_on - self.day).days
        return sum(is_workday(self.day + timedelta(days=n), self.overrides) for n in range(1, days + 1))

    def add_deadlines(self, rows: Iterable, by: str = "due_on") -> list:
        """The rows as a list; each has a `deadline` for its last day, the attribute `by`, which the templates show."""
        marked = list(rows)
        for row in marked:
            row.deadline = self.deadline(getattr(row, by))
        return marked
