"""Fills the database before a worker does its duty: `python -m e2e.scenarios month_end`."""

import sys
from datetime import date, datetime

import django

django.setup()

from appointments import booking  # noqa: E402  needs the models
from appointments.lifecycle import Stage  # noqa: E402
from triage import seating  # noqa: E402
from triage.tests.factories import NOW, appointment, assignment, officer  # noqa: E402
from zhoushan_consult.bureau.models import Officer  # noqa: E402
from zhoushan_consult.bureau.roles import Role  # noqa: E402
from zhoushan_consult.clock import SHANGHAI  # noqa: E402
from zhoushan_consult.outbox.delivery import deliver_due  # noqa: E402

SETTLED_AT = datetime(2026, 12, 2, 10, tzinfo=SHANGHAI)


def month_end() -> None:
    """Registrations that wait for 初审, accepted ones, and one that was carried over. Two officers get letters."""
    for number in (1, 2):
        _coordinator(number)
    for number in range(1, 4):
        appointment(number)
    for number in range(4, 9):
        appointment(number, stage=Stage.ACCEPTED, priority_since=NOW if number == 8 else None)


def seats_freed() -> None:
    """A settled list, and every firm was told. Of ten firms five have confirmed, two have given up and three have let the
    time to answer pass.

    Seven firms have no seat. Three of them were accepted after the list was settled.
    """
    by = _coordinator(1)
    officer(Role.HANDLER, "水处", phone="13800000009", email="handler@example.com")
    firms = [_accepted(number, by) for number in range(1, 15)]
    seating.settle(firms[0].day, by=by, at=SETTLED_AT)
    _send_letters()  # otherwise no time to answer begins, and a firm confirms what it was not told
    for firm in firms:
        firm.refresh_from_db()
    for firm in firms[:5]:
        booking.confirm_seat(firm, at=SETTLED_AT)
    for firm in firms[5:7]:
        booking.give_up_seat(firm, at=SETTLED_AT)
    _send_letters()
    for number in range(15, 18):
        _accepted(number, by)


def _send_letters() -> None:
    while deliver_due(SETTLED_AT):
        pass


def _coordinator(number: int) -> Officer:
    phone, email = f"1380000000{number}", f"officer{number}@example.com"
    return officer(Role.COORDINATOR, "综合处", phone=phone, email=email)


def _accepted(number: int, by: Officer):
    firm = appointment(number, stage=Stage.ACCEPTED, email=f"firm{number}@example.com")
    assignment(firm, "水处", by=by, due_on=date(2026, 12, 18))
    return firm


if __name__ == "__main__":
    {"month_end": month_end, "seats_freed": seats_freed}[sys.argv[1]]()
