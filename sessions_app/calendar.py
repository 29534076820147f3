"""Which 10th is which: pure dates of the 实施方案 三 and 六(二). Never shifted for holidays: 节假日照常进行.

All instants are aware. All months are months of Asia/Shanghai, also on a server whose clock is set to another zone.
"""

from datetime import date, datetime, timedelta

from zhoushan_consult.clock import SHANGHAI, local_date, local_datetime

from . import policy

WEEKDAYS = "一二三四五六日"


def consult_date(year: int, month: int) -> date:
    """The 咨询日 of a month (三：每月10日)."""
    return date(year, month, policy.DAY_OF_MONTH)


def booking_day(now: datetime) -> date:
    """The 咨询日 that a registration made at `now` joins: the 10th of the next month (六（二）)."""
    today = local_date(now)
    first = (today.replace(day=1) + timedelta(days=32)).replace(day=1)
    return consult_date(first.year, first.month)


def following(day: date) -> date:
    """The 咨询日 after `day`."""
    first = (day.replace(day=1) + timedelta(days=32)).replace(day=1)
    return consult_date(first.year, first.month)


def current_day(now: datetime) -> date:
    """The nearest 咨询日 that is not yet over at `now`: the one the portal announces."""
    today = local_date(now)
    this = consult_date(today.year, today.month)
    return this if now < ends_at(this) else following(this)


def booking_opens(day: date) -> datetime:
    """The first instant whose registrations join `day`: the start of the month before it."""
    return local_datetime((day.replace(day=1) - timedelta(days=1)).replace(day=1))


def booking_closes(day: date) -> datetime:
    """The first instant that is too late for `day`: the first midnight of its month (六（二）：前月月底停止).

    Computed from the clock, never from a flag that a task sets: a dead worker cannot keep booking open.
    """
    return local_datetime(day.replace(day=1))


def last_booking_date(day: date) -> date:
    """The last date on which one can register for `day`: the end of the month before (前月月底)."""
    return day.replace(day=1) - timedelta(days=1)


def days_left(now: datetime, day: date) -> int:
    """Whole days, today included, in which one can still register for `day`."""
    closes = local_date(booking_closes(day))
    return (closes - local_date(now)).days


def starts_at(day: date) -> datetime:
    return local_datetime(day, policy.OPENS_AT)


def ends_at(day: date) -> datetime:
    return local_datetime(day, policy.ENDS_AT)


def eve(day: date) -> datetime:
    """The last instant at which a firm can still be asked about `day`: in the evening before it."""
    return local_datetime(day - timedelta(days=1), policy.CONFIRMATIONS_END_AT)


def offers_end(day: date) -> datetime:
    """The last instant at which a seat of `day` is offered to the next firm. Later it could not answer in time."""
    return eve(day) - policy.LAST_OFFER_BEFORE


def settle_by(day: date) -> datetime:
    """Until when the list of `day` should be settled (六（五）)."""
    return local_datetime(day.replace(day=policy.SETTLE_BY) + timedelta(days=1))


def deadline_after(start: datetime, term: timedelta) -> datetime:
    """The end of a term that a person must keep: never shorter, moved to a whole hour at which people are awake."""
    end = (start + term).astimezone(SHANGHAI)
    hour = end.replace(minute=0, second=0, microsecond=0)
    if hour != end:
        hour += timedelta(hours=1)
    if hour.time() < policy.DEADLINES_FROM:
        return local_datetime(hour.date(), policy.DEADLINES_FROM)
    if hour.time() > policy.DEADLINES_UNTIL:
        return local_datetime(hour.date() + timedelta(days=1), policy.DEADLINES_FROM)
    return hour


def moment(at: datetime) -> str:
    """12月7日（周一）14:00, as every deadline is said."""
    local = at.astimezone(SHANGHAI)
    return f"{short(local.date())}{local:%-H:%M}"


def label(day: date) -> str:
    """12月10日（周四）上午8:30—11:30, as letters and pages say it."""
    return f"{short(day)}上午{policy.OPENS_AT:%-H:%M}—{policy.ENDS_AT:%-H:%M}"


def short(day: date) -> str:
    """12月10日（周四）."""
    return f"{day.month}月{day.day}日（周{WEEKDAYS[day.weekday()]}）"


def slug(day: date) -> str:
    """2026-12, as in the address of a plan."""
    return f"{day:%Y-%m}"


def parse_slug(text: str) -> date | None:
    """The 咨询日 that an address names, or None where there never was one."""
    try:
        year, month = (int(part) for part in text.split("-"))
        day = consult_date(year, month)
    except ValueError:
        return None
    return day if (year, month) >= policy.FIRST_MONTH and slug(day) == text else None
