"""六（二）：前月月底停止, to the millisecond, at every month's end, in any time zone of the machine and its database."""

import time
from datetime import UTC, date, datetime, timedelta
from itertools import count

import pytest
from django.db import connection

from appointments import booking
from appointments.models import Appointment
from sessions_app import calendar
from zhoushan_consult.clock import SHANGHAI
from zhoushan_consult.tests import people

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)

MONTHS = [(year, month) for year in (2024, 2026, 2027, 2028, 2100) for month in range(1, 13)]
LAST = timedelta(milliseconds=1)
LAST_DATES = {(2024, 2): 29, (2026, 2): 28, (2027, 2): 28, (2028, 2): 29, (2100, 2): 28}


@pytest.fixture(params=["UTC", "America/New_York", "Pacific/Kiritimati"])
def elsewhere(request, monkeypatch):
    """The machine's zone, and that of every connection to PostgreSQL, as if the server were set to it."""
    options = connection.settings_dict["OPTIONS"]
    if connection.vendor == "postgresql":
        monkeypatch.setitem(options, "options", f"{options.get('options', '')} -c timezone={request.param}")
    monkeypatch.setenv("TZ", request.param)
    time.tzset()
    connection.close()
    assert believed_zone() in (None, request.param)
    yield
    connection.close()
    monkeypatch.undo()
    time.tzset()


def believed_zone() -> str | None:
    """The time zone with which the server began this connection; None on SQLite."""
    if connection.vendor != "postgresql":
        return None
    with connection.cursor() as cursor:
        cursor.execute("SELECT reset_val FROM pg_settings WHERE name = 'TimeZone'")
        return cursor.fetchone()[0]


@pytest.fixture
def submit():
    """A new firm registers at that instant, told in UTC as the clock tells it; its 咨询日 and its instant as the database gives them back."""
    numbers = count(1)

    def send(at: datetime) -> tuple[date, datetime]:
        n = next(numbers)
        form = booking.Registration(
            f"舟山测试{n}号水产有限公司",
            people.uscc(n),
            "测试人",
            "resident",
            people.resident_id(n),
            people.mobile(n),
            "问",
        )
        made = booking.submit(form, key=f"key-{n}", at=at.astimezone(UTC))
        return Appointment.objects.values_list("day__date", "submitted_at").get(pk=made.pk)

    return send


@pytest.mark.usefixtures("elsewhere")
def test_registration_joins_the_next_month_from_midnight_in_zhoushan(submit):
    for year, month in MONTHS:
        midnight = datetime(year, month, 1, tzinfo=SHANGHAI)
        this = date(year, month, 10)
        following = date(year + month // 12, month % 12 + 1, 10)
        assert submit(midnight - LAST) == (this, midnight - LAST)
        assert submit(midnight) == (following, midnight)
        assert calendar.booking_closes(this) == midnight


@pytest.mark.parametrize(("year", "month"), LAST_DATES)
def test_last_booking_date_is_right_in_every_february(year, month):
    assert calendar.last_booking_date(date(year, 3, 10)) == date(year, month, LAST_DATES[year, month])
