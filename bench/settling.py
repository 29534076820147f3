"""确定名单 (六（五）): one click settles a month of 50 registrations, and one of 500; and the page with that button."""

from django.db import transaction
from django.urls import reverse

from sessions_app.models import ConsultDay
from triage import seating
from triage.tests.factories import DAY
from zhoushan_consult.bureau.models import Officer
from zhoushan_consult.wsgi import application

from .client import Request, UnexpectedResponse, send
from .environment import BenchEnvironment
from .figures import Figure, Table
from .registrations import DATASETS, FEW, NOW, Dataset, frozen_clock, session_cookies
from .timing import count_statements, interleaved_medians

TURNS = 3
# For a staff page with any amount of data (the design, 13).
MAX_QUERIES = 12


def measure(environment: BenchEnvironment) -> Table:
    with frozen_clock():
        cookies = session_cookies(environment)
        tasks = {dataset.name: lambda turn, dataset=dataset: _settle(dataset) for dataset in DATASETS}
        medians = interleaved_medians(tasks, range(TURNS + 1), at_a_time=1, before=environment.use_database)
        figures = [_time_per_registration(dataset, medians) for dataset in DATASETS]
        for dataset in DATASETS:
            environment.use_database(dataset.name)
            figures += [
                _statements_per_registration(dataset),
                _statements_of_page(dataset, cookies[dataset.name]),
            ]
    return Table(f"Settling the list: medians of {TURNS} turns, and the ratio to {FEW.month}", tuple(figures))


def _settle(dataset: Dataset) -> None:
    """Settle, and roll back for the next turn. Only the commit is not measured, which is the same for any size."""
    with transaction.atomic():
        seated, deferred = seating.settle(_day(), by=Officer.objects.get(), at=NOW)
        transaction.set_rollback(True)
    if seated + deferred != dataset.month:
        raise UnexpectedResponse(f"{seated} seated and {deferred} deferred of {dataset.month}")


def _day() -> ConsultDay:
    return ConsultDay.objects.get(date=DAY)


def _time_per_registration(dataset: Dataset, medians: dict[str, float]) -> Figure:
    """The time for each registration must not grow with their number."""
    seconds, among_few = medians[dataset.name] / dataset.month, medians[FEW.name] / FEW.month
    times = None if dataset is FEW else seconds / among_few
    return Figure(f"each of {dataset.month}", seconds * 1000, "ms", times)


def _statements_per_registration(dataset: Dataset) -> Figure:
    sent = count_statements(lambda: _settle(dataset)).in_all
    return Figure(f"each of {dataset.month}", sent / dataset.month, "SQL")


def _statements_of_page(dataset: Dataset, cookie: str) -> Figure:
    page = Request(reverse("admin:sessions_app_consultday_change", args=[_day().pk]), cookie=cookie)
    send(application, page)
    sent = count_statements(lambda: send(application, page)).in_all
    return Figure(f"the page with {dataset.month} waiting", sent, "SQL", at_most=MAX_QUERIES)
