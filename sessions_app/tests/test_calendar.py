"""Which 10th is which (三, 六（二）): a table, and its edges to the microsecond."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from sessions_app import calendar

SHANGHAI = ZoneInfo("Asia/Shanghai")
MONTHS = [(year, month) for year in (2024, 2027, 2028, 2100) for month in range(1, 13)]


@pytest.mark.parametrize(("year", "month"), MONTHS)
def test_booking_day_changes_at_midnight_of_the_first(year, month):
    first = date(year, month, 1)
    midnight = datetime(year, month, 1, tzinfo=SHANGHAI)
    assert calendar.booking_day(midnight - timedelta(microseconds=1)) == first.replace(day=10)
    joins = calendar.booking_day(midnight)
    assert (joins.day, joins.month) == (10, month % 12 + 1)
    assert joins.year == year + (month == 12)


@pytest.mark.parametrize(("year", "month"), MONTHS)
def test_booking_day_does_not_depend_on_the_time_zone_of_the_instant(year, month):
    midnight = datetime(year, month, 1, tzinfo=SHANGHAI)
    for zone in (UTC, ZoneInfo("America/New_York"), ZoneInfo("Pacific/Kiritimati")):
        assert calendar.booking_day(midnight.astimezone(zone)) == calendar.booking_day(midnight)


def test_booking_closes_at_four_in_the_afternoon_utc_of_the_last_day():
    assert calendar.booking_closes(date(2026, 12, 10)).astimezone(UTC) == datetime(
        2026, 11, 30, 16, tzinfo=UTC
    )
    assert calendar.last_booking_date(date(2027, 3, 10)) == date(2027, 2, 28)
    assert calendar.last_booking_date(date(2028, 3, 10)) == date(2028, 2, 29)


def test_day_is_not_moved_for_a_holiday():
    assert calendar.consult_date(2026, 10) == date(2026, 10, 10)  # a Saturday in the week of 国庆
    assert calendar.consult_date(2027, 2).strftime("%w") == "3"


@pytest.mark.parametrize(
    ("now", "left"),
    [("2026-11-30T23:59:59+08:00", 1), ("2026-11-30T00:00:00+08:00", 1), ("2026-12-01T00:00:00+08:00", 31)],
)
def test_days_left_include_today(now, left):
    moment = datetime.fromisoformat(now)
    assert calendar.days_left(moment, calendar.booking_day(moment)) == left


def test_day_is_announced_until_it_is_over():
    over = calendar.ends_at(date(2026, 12, 10))
    assert calendar.current_day(over - timedelta(seconds=1)) == date(2026, 12, 10)
    assert calendar.current_day(over) == date(2027, 1, 10)


def test_day_label_reads_as_people_say_it():
    assert calendar.label(date(2026, 12, 10)) == "12月10日（周四）上午8:30—11:30"


@pytest.mark.parametrize(
    "slug", ["2026-13", "2026-1", "2019-09", "2026-12-10", "latest", "-", "99999-01", "２０２６-12"]
)
def test_wrong_slug_names_no_day(slug):
    assert calendar.parse_slug(slug) is None


def test_slug_of_the_first_day_is_read():
    assert calendar.parse_slug("2019-10") == date(2019, 10, 10)
