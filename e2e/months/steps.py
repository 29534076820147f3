"""A step of a run: who does what, when and where. A run is a list of them, written one a line.

    2026-12-02 10:30:07 | firm 7 | status F7/1 | confirm | pick=311
    2026-12-02 11:00:00 | gateway | - | down | minutes=2880

`page` names a page by its kind and the record that it is about; records are named by their owner and order, because keys change when
a step is left out. `act` is the name of a button, or look (nothing is pressed), or keep (the page is kept, to be used when it is old).
"""

from dataclasses import dataclass, field, replace
from datetime import datetime

from zhoushan_consult.clock import SHANGHAI

FORMAT = "%Y-%m-%d %H:%M:%S"
LOOK, KEEP = "look", "keep"


@dataclass(frozen=True)
class Step:
    """`pick` decides what is typed and chosen. `kept` is when the page was loaded, for one that is old by now."""

    at: datetime
    who: str
    page: str
    act: str
    pick: int = 0
    wrong: bool = False
    kept: datetime | None = None
    minutes: int = 0
    note: str = field(default="", compare=False)

    def __str__(self) -> str:
        options = [f"pick={self.pick}"] * bool(self.pick) + ["wrong"] * self.wrong
        options += [f"kept={self.kept:%Y-%m-%dT%H:%M:%S}"] if self.kept else []
        options += [f"minutes={self.minutes}"] if self.minutes else []
        line = " | ".join([f"{self.at:{FORMAT}}", self.who, self.page, self.act, " ".join(options)])
        return line.rstrip(" |") + (f"   # {self.note}" if self.note else "")

    def changed(self, **changes) -> "Step":
        return replace(self, **changes)


def parse(line: str) -> Step | None:
    """The step of a line; None for an empty line or a comment. Raises ValueError."""
    line = line.partition("   #")[0].strip()
    if not line or line.startswith("#"):
        return None
    at, who, page, act, *rest = (part.strip() for part in line.split("|"))
    options = dict(word.partition("=")[::2] for word in "".join(rest).split())
    return Step(
        _instant(at),
        who,
        page,
        act,
        pick=int(options.get("pick", 0)),
        wrong="wrong" in options,
        kept=_instant(options["kept"].replace("T", " ")) if "kept" in options else None,
        minutes=int(options.get("minutes", 0)),
    )


def _instant(text: str) -> datetime:
    return datetime.strptime(text, FORMAT).replace(tzinfo=SHANGHAI)
