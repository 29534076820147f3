"""确定名单 (六（五）): a month of 50 registrations and one of 500, settled in one act; and the page on which that is done."""

from django.db import transaction
from django.urls import reverse

from sessions_app.models import ConsultDay
from triage import seating
from triage.tests.factories import DAY
from zhoushan_consult.bureau.models import Officer
from zhoushan_consult.wsgi import application

from .client import Request, Unexpected, ask
from .environment import Ground
from .figures import Figure, Table
from .registrations import BUREAUS, FEW, SECOND, Bureau, on_the_second, signed_in
from .timing import in_turns, statements

TURNS = 3
QUERIES = 12  # of a staff page, whatever the size of the data (the design, 13)


def measure(ground: Ground) -> Table:
    with on_the_second():
        cookies = signed_in(ground)
        deeds = {bureau.name: lambda turn, bureau=bureau: _settle(bureau) for bureau in BUREAUS}
        medians = in_turns(deeds, range(TURNS + 1), at_a_time=1, before=ground.lead_to)
        figures = [_each(bureau, medians) for bureau in BUREAUS]
        for bureau in BUREAUS:
            ground.lead_to(bureau.name)
            figures += [_sent_for_each(bureau), _sent_for_page(bureau, cookies[bureau.name])]
    return Table(f"Settling the list: medians of {TURNS} turns, and the ratio to {FEW.month}", tuple(figures))


def _settle(bureau: Bureau) -> None:
    """Settle, and take it back for the next turn: all but the one commit at the end, the same for any size."""
    with transaction.atomic():
        seated, deferred = seating.settle(_day(), by=Officer.objects.get(), at=SECOND)
        transaction.set_rollback(True)
    if seated + deferred != bureau.month:
        raise Unexpected(f"{seated} seated and {deferred} deferred of {bureau.month}")


def _day() -> ConsultDay:
    return ConsultDay.objects.get(date=DAY)


def _each(bureau: Bureau, medians: dict[str, float]) -> Figure:
    """The time per registration: what must not grow with their number."""
    seconds, among_few = medians[bureau.name] / bureau.month, medians[FEW.name] / FEW.month
    times = None if bureau is FEW else seconds / among_few
    return Figure(f"each of {bureau.month}", seconds * 1000, "ms", times)


def _sent_for_each(bureau: Bureau) -> Figure:
    sent = statements(lambda: _settle(bureau)).in_all
    return Figure(f"each of {bureau.month}", sent / bureau.month, "SQL")


def _sent_for_page(bureau: Bureau, cookie: str) -> Figure:
    page = Request(reverse("admin:sessions_app_consultday_change", args=[_day().pk]), cookie=cookie)
    ask(application, page)
    sent = statements(lambda: ask(application, page)).in_all
    return Figure(f"the page with {bureau.month} waiting", sent, "SQL", at_most=QUERIES)
