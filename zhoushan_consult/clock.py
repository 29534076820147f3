"""The time zone of Zhoushan, and the conversions between an instant and a date there."""

from datetime import date, datetime, time
from zoneinfo import ZoneInfo

SHANGHAI = ZoneInfo("Asia/Shanghai")


def local_date(now: datetime) -> date:
    """The date in Zhoushan at the aware instant `now`.

    Never use `now.date()`: an instant from the database is in UTC, where the date is yesterday until 8:00.
    """
    return now.astimezone(SHANGHAI).date()


def local_datetime(day: date, time_of_day: time = time.min) -> datetime:
    """The instant of `time_of_day`, by default midnight, on `day` in Zhoushan."""
    return datetime.combine(day, time_of_day, SHANGHAI)
