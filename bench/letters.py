"""What a letter costs the worker that sends it: checked, rendered, given to a gateway that takes it at once, written down.

By the processor time of the worker, which is what limits it; PostgreSQL works on processors of its own. Three workers must
send 300 letters in a second (the design, 13), so one letter may take one worker ten milliseconds. With an offer, a term of
the firm begins: it costs two statements more, and some dozens are sent in a month.
"""

from collections.abc import Callable
from time import process_time

from django.conf import settings
from django.db import transaction

from appointments import letters
from appointments.models import Appointment
from sessions_app import calendar
from sessions_app.policy import SEATS
from triage.tests.factories import assignment, officer, seated
from zhoushan_consult.bureau.roles import Role
from zhoushan_consult.outbox.adapters import Adapter
from zhoushan_consult.outbox.delivery import deliver_due
from zhoushan_consult.outbox.models import Notice, State
from zhoushan_consult.outbox.posting import Recipient, post

from .client import UnexpectedResponse
from .environment import BenchEnvironment
from .figures import Figure, Table
from .registrations import NOW, frozen_clock
from .timing import count_statements

DATABASE = "letters"
# Letters of each kind, after as many to warm up. Firms hold a seat each, on days of ten.
LETTERS = 150
WORKERS = 3
AT_MOST_MS = WORKERS * 1000 / 300

OFFER = "an offer of a seat"

Write = Callable[[int], object]


class TakesAll(Adapter):
    """A gateway that takes every letter at once."""

    def send(self, notice: Notice) -> str:
        return "bench" if notice.text and notice.to.open() else ""


def measure(environment: BenchEnvironment) -> Table:
    settings.OUTBOX_ADAPTERS = dict.fromkeys(settings.OUTBOX_ADAPTERS, f"{__name__}.TakesAll")
    with frozen_clock():
        environment.create_database(DATABASE)
        figures = [figure for name, write in _letters().items() for figure in _figures(name, write)]
    return Table(f"Sending a letter: means of {LETTERS}; {WORKERS} workers", tuple(figures))


def _letters() -> dict[str, Write]:
    """For each kind of letter, how its n-th is written."""
    with transaction.atomic():
        firms, by = _firms(), officer(Role.COORDINATOR, "综合处")
        handler = officer(Role.HANDLER, "水处")
        given = [assignment(firm, "水处", by=by) for firm in firms]
    return {
        "a receipt": lambda n: letters.write("booking_received", firms[n], at=NOW, flooded=False),
        OFFER: lambda n: letters.write("seat_offered", firms[n], at=NOW, **letters.seat_params(firms[n])),
        "a note to an officer": lambda n: post(
            "assignment_new", about=given[n], to=_reader(n), key="1", at=NOW, officer=handler.pk
        ),
    }


def _reader(number: int) -> Recipient:
    """A reader of its own for each letter, because of the cap per day."""
    return Recipient("测试员", f"+86139{number:08}", f"officer{number}@example.com")


def _firms() -> list[Appointment]:
    day, firms = calendar.booking_day(NOW), []
    for number in range(2 * LETTERS):
        if number % SEATS == 0:
            day = calendar.following(day)
        firms.append(seated(number, told=False, on=day, email=f"firm{number}@example.com"))
    return firms


def _figures(name: str, write: Write) -> list[Figure]:
    for first in (0, LETTERS):  # the first half warms up
        Notice.objects.exclude(state=State.SENT).delete()
        with transaction.atomic():
            for number in range(first, first + LETTERS):
                write(number)
        one = count_statements(lambda: deliver_due(NOW, limit=1)).in_all
        count, seconds = _deliver()
    each, at_most = seconds / count, None if name == OFFER else AT_MOST_MS
    return [
        Figure(name, each * 1000, "ms CPU", at_most=at_most),
        Figure(f"{name}, by {WORKERS} workers", WORKERS / each, "letters/s"),
        Figure(f"{name} by SMS and by e-mail", one, "SQL"),
    ]


def _deliver() -> tuple[int, float]:
    """Send all that is due. Returns how many letters, and the seconds of processor time that they took."""
    started, count = process_time(), 0
    while sent := deliver_due(NOW):
        count += sent
    if not count or Notice.objects.exclude(state=State.SENT).exists():
        raise UnexpectedResponse(f"{count} letters sent, others left")
    return count, process_time() - started
