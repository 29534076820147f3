"""The numbers of the first pages, and what they should be: recounted from the rows, and from the lists that the page itself shows."""

import re
from collections.abc import Callable, Iterator

from .facts import REGISTRATION, UNANSWERED, Registration, World, calls_to_make, local
from .pages import Page, squeeze

Count = tuple[str, int, int]


def counts(page: Page, world: World, division: str) -> Iterator[Count]:
    """Name, the number that the page says, and the number that it should say."""
    yield from _work_lists(page, world)
    yield from _baskets(page, world, division)
    yield from _board(page, world)


# --- the home page of the admin --------------------------------------------------------------------------------------
def _work_lists(page: Page, world: World) -> Iterator[Count]:
    for link in page.main.xpath(".//nav[contains(@class, 'stats')]//a"):
        code, said = link.get("href").removeprefix("#worklist-"), int(link.xpath("string(b)"))
        yield from _as_listed(page, code, said)
        if code in RECOUNTED:
            yield code, said, RECOUNTED[code](world)


def _as_listed(page: Page, code: str, said: int) -> Iterator[Count]:
    """The rows of the list, and those that it says are left over."""
    for section in page.main.xpath(f".//section[@id='worklist-{code}']"):
        rows = len(section.xpath(".//ul/li"))
        more = squeeze(section.xpath("string(.//p[@class='more'])"))
        if found := re.search(r"还有(\d+)件", more):
            yield f"{code}, listed", said, rows + int(found[1])
        elif found := re.search(r"全部(\d+)件", more):
            yield f"{code}, all", said, int(found[1])
        else:
            yield f"{code}, listed", said, rows


def _all(world: World, holds: Callable[[Registration], bool]) -> int:
    return sum(map(holds, world.registrations.values()))


def _works(world: World, holds: Callable) -> int:
    return sum(holds(work) for one in world.registrations.values() for work in one.works)


def _late_replies(world: World) -> int:
    today = local(world.now).date()
    return _works(world, lambda work: work.state in UNANSWERED and work.due_on < today)


def _to_conclude(world: World) -> int:
    return _all(world, lambda one: one.stage == "seated" and world.now >= one.day.starts_at)


def _calls_to_make(world: World) -> int:
    """One call tells a firm, at one number, all that waits for it."""
    return len({_call_of(call, world) for call in calls_to_make() if call.due_at <= world.now})


def _call_of(call, world: World) -> tuple:
    one = world.registration(call.about_id) if call.about_kind == REGISTRATION else None
    return (one.uscc, call.to_index) if one else (call.pk,)


RECOUNTED: dict[str, Callable[[World], int]] = {
    "review": lambda world: _all(world, lambda one: one.stage == "submitted"),
    "returned": lambda world: _works(world, lambda work: work.state == "returned"),
    "late_replies": _late_replies,
    "conclude": _to_conclude,
    "call": _calls_to_make,
}


# --- the first pages of the desk -----------------------------------------------------------------------------------------
# A page of the desk lists no more.
_ROWS = 20
BASKETS = {"open": "open", "to-sign": "drafted", "answered": "released", "returned": "returned"}


def _baskets(page: Page, world: World, division: str) -> Iterator[Count]:
    for link in page.main.xpath(".//nav[@class='tabs']//a[contains(@href, 'basket=')]"):
        slug = link.get("href").partition("basket=")[2]
        said = int(link.xpath("string(b)") or 0)
        real = _works(world, lambda w, slug=slug: w.division_name == division and w.state == BASKETS[slug])
        yield f"basket {slug}", said, real
        if link.get("aria-current"):
            yield (
                f"basket {slug}, listed",
                min(said, _ROWS),
                min(len(page.main.xpath(".//table//tbody/tr")), _ROWS),
            )


def _board(page: Page, world: World) -> Iterator[Count]:
    """全局情况: open and late replies of each division."""
    today = local(world.now).date()
    for row in page.main.xpath(".//table[contains(@class, 'stats-table')]/tbody/tr"):
        name = squeeze(row.xpath("string(th)"))
        cells = [int(re.match(r"\d+", squeeze(cell.text_content()))[0]) for cell in row.xpath("td")]
        replies = [w for one in world.registrations.values() for w in one.works if w.division_name == name]
        open_ = [work for work in replies if work.state in UNANSWERED]
        matters = [
            m for one in world.registrations.values() for m in one.open_matters if m.division_name == name
        ]
        yield f"board {name} replies", cells[0], len(open_)
        yield f"board {name} late replies", cells[1], sum(work.due_on < today for work in open_)
        yield f"board {name} 督办", cells[2], len(matters)
        yield f"board {name} late 督办", cells[3], sum(matter.due_on < today for matter in matters)
