"""工作日调整: 科监处 enters what 国务院办公厅 announced for a year that the calendar does not know yet.

An entry moves the terms that begin after it. A term that was stored keeps its day, because a division and a firm were told
that day: it is neither shortened nor put off.
"""

from datetime import date, datetime, timedelta

from django.core.exceptions import ValidationError
from django.db import transaction

from zhoushan_consult.audit.trail import record
from zhoushan_consult.audit.verbs import Verb
from zhoushan_consult.bureau.models import Officer
from zhoushan_consult.bureau.roles import Act
from zhoushan_consult.clock import local_date

from . import overrides
from .models import WorkdayOverride

# Days of one entry. The longest holiday so far had ten.
LONGEST = 15


@transaction.atomic
def set_days(
    first: date, last: date, *, works: bool, note: str = "", by: Officer, at: datetime
) -> list[WorkdayOverride]:
    """Enter the days from `first` to `last` as worked, or as off. Returns the new rows.

    A day that was entered before with the same meaning stays as it is, so a second click enters nothing. Raises
    ValidationError for a period that cannot be meant, and where a day was entered with the other meaning.
    """
    by.must(Act.WORKDAYS)
    _refuse_period(first, last, local_date(at))
    days = [first + timedelta(days=number) for number in range((last - first).days + 1)]
    made = [row for day in days if (row := _unless_entered(day, works, note))]
    for row in made:
        record(Verb.WORKDAY_SET, row, by=by, at=at, date=row.date, works=works)
    transaction.on_commit(overrides.cache.invalidate)
    return made


def _refuse_period(first: date, last: date, today: date) -> None:
    if last < first:
        raise ValidationError({"last": "最后一天不能早于第一天，请核对。"})
    if (last - first).days >= LONGEST:
        raise ValidationError({"last": f"一次最多录入{LONGEST}天，请核对日期，或分几次录入。"})
    years = (today.year, today.year + 1)
    for name, day in (("first", first), ("last", last)):
        if day.year not in years:
            raise ValidationError({name: f"只能录入{years[0]}年和{years[1]}年的日期，请核对年份。"})


def _unless_entered(day: date, works: bool, note: str) -> WorkdayOverride | None:
    row, is_new = WorkdayOverride.objects.get_or_create(date=day, defaults={"works": works, "note": note})
    if row.works != works:
        raise ValidationError({"first": f"{row}，已经录入过。要改的话，请在列表里打开那一天修改。"})
    return row if is_new else None


@transaction.atomic
def change(row: WorkdayOverride, *, works: bool, note: str = "", by: Officer, at: datetime) -> None:
    """Let the day be worked, or be off. Nothing is recorded where nothing changes."""
    by.must(Act.WORKDAYS)
    changed = WorkdayOverride.objects.filter(pk=row.pk).exclude(works=works, note=note)
    if changed.update(works=works, note=note):
        record(Verb.WORKDAY_CHANGED, row, by=by, at=at, date=row.date, works=works)
    transaction.on_commit(overrides.cache.invalidate)


@transaction.atomic
def remove(row: WorkdayOverride, *, by: Officer, at: datetime) -> None:
    """The day is again what the calendar says. Removing it twice records it once."""
    by.must(Act.WORKDAYS)
    deleted, _ = WorkdayOverride.objects.filter(pk=row.pk).delete()
    if deleted:
        record(Verb.WORKDAY_REMOVED, row, by=by, at=at, date=row.date, works=row.works)
    transaction.on_commit(overrides.cache.invalidate)
