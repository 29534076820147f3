"""Work lists: what an officer has to do, as the home page of the admin shows it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """One piece of work. `url` is the screen where it is done, `lead` is shown in bold, `age` in a tag.

    `also` is a second way to deal with it, at `also_url`.
    """

    title: str
    url: str
    detail: str = ""
    lead: str = ""
    age: str = ""
    late: bool = False
    also: str = ""
    also_url: str = ""


@dataclass(frozen=True)
class WorkList:
    """One kind of work. `rows` are the first few of `count`; `more` is the URL of all of them.

    `empty` is shown if there is none, so that an officer knows what will appear here.
    """

    code: str
    title: str
    rows: list[Row]
    count: int
    empty: str
    more: str = ""

    @property
    def left_over(self) -> int:
        return self.count - len(self.rows)
