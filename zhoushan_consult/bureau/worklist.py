"""What waits for an officer, as the first page shows it: work lists with a count and first rows."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """One piece of work that waits. `url` is the screen that does the job; `lead` the word to catch the eye."""

    title: str
    url: str
    detail: str = ""
    lead: str = ""
    age: str = ""
    late: bool = False


@dataclass(frozen=True)
class WorkList:
    """One kind of work. `count` is all of it, `rows` the first few; `empty` says what will be here."""

    code: str
    title: str
    rows: list[Row]
    count: int
    empty: str
    more: str = ""

    @property
    def left_over(self) -> int:
        return self.count - len(self.rows)
