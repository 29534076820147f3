"""The pages that 综合处 opens every day, with 100 and with 2,000 registrations: the first page, and the list."""

from functools import partial

from zhoushan_consult.wsgi import application

from .client import Request, send
from .environment import BenchEnvironment
from .figures import Figure, Table, with_ratios
from .registrations import DATASETS, FEW, frozen_clock, session_cookies
from .timing import count_statements, interleaved_medians

# How often each page is opened.
TIMES = 30
# With any amount of data (the design, 13).
MAX_QUERIES = 12
LIST = "/admin/appointments/appointment/"
PAGES = {"first page": "/admin/", "list": LIST, "list of all days": f"{LIST}?stage=all&day=all"}


def measure(environment: BenchEnvironment) -> Table:
    with frozen_clock():
        figures = [
            figure for name, path in PAGES.items() for figure in _figures_of_page(environment, name, path)
        ]
    title = f"Staff pages: medians of {TIMES}, and the ratio to {FEW.in_all} registrations"
    return Table(title, tuple(figures))


def _figures_of_page(environment: BenchEnvironment, name: str, path: str) -> list[Figure]:
    """Time and statements with both datasets."""
    tasks = {dataset: partial(_open, cookie) for dataset, cookie in session_cookies(environment).items()}
    medians = interleaved_medians(tasks, [path] * (TIMES + 1), before=environment.use_database)
    titles = {dataset.name: f"{name} at {dataset.in_all:,}" for dataset in DATASETS}
    figures = [
        *with_ratios(titles[FEW.name], {titles[dataset]: seconds for dataset, seconds in medians.items()})
    ]
    for dataset, task in tasks.items():
        environment.use_database(dataset)
        sent = count_statements(partial(task, path)).in_all
        figures.append(Figure(titles[dataset], sent, "SQL", at_most=MAX_QUERIES))
    return figures


def _open(cookie: str, path: str) -> None:
    send(application, Request(path, cookie=cookie))
