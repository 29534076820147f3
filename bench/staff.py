"""What 综合处 opens every day, at 100 registrations and at 2,000: the first page of the admin, and the list."""

from functools import partial

from zhoushan_consult.wsgi import application

from .client import Request, ask
from .environment import Ground
from .figures import Figure, Table, beside
from .registrations import BUREAUS, FEW, on_the_second, signed_in
from .timing import in_turns, statements

TIMES = 30  # each page is opened
QUERIES = 12  # whatever the size of the data (the design, 13)
LIST = "/admin/appointments/appointment/"
PAGES = {"first page": "/admin/", "list": LIST, "list of all days": f"{LIST}?stage=all&day=all"}


def measure(ground: Ground) -> Table:
    with on_the_second():
        figures = [figure for name, path in PAGES.items() for figure in _of_page(ground, name, path)]
    title = f"Staff pages: medians of {TIMES}, and the ratio to {FEW.in_all} registrations"
    return Table(title, tuple(figures))


def _of_page(ground: Ground, name: str, path: str) -> list[Figure]:
    """Time and statements, in the one bureau and in the other."""
    deeds = {bureau: partial(_open, cookie) for bureau, cookie in signed_in(ground).items()}
    medians = in_turns(deeds, [path] * (TIMES + 1), before=ground.lead_to)
    titles = {bureau.name: f"{name} at {bureau.in_all:,}" for bureau in BUREAUS}
    figures = [*beside(titles[FEW.name], {titles[bureau]: seconds for bureau, seconds in medians.items()})]
    for bureau, deed in deeds.items():
        ground.lead_to(bureau)
        sent = statements(partial(deed, path)).in_all
        figures.append(Figure(titles[bureau], sent, "SQL", at_most=QUERIES))
    return figures


def _open(cookie: str, path: str) -> None:
    ask(application, Request(path, cookie=cookie))
