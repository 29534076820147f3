"""Next month's plan, started from the last one (六（一）): blanks are filled, what was typed stays."""

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F

from zhoushan_consult.audit.trail import record
from zhoushan_consult.audit.verbs import Verb
from zhoushan_consult.bureau.models import Officer
from zhoushan_consult.bureau.refusals import Refused
from zhoushan_consult.bureau.roles import Act, Role
from zhoushan_consult.duties.kinds import Kind, monthly

from . import calendar, notifications, policy
from .days import day_on, first_not_cancelled
from .models import ConsultDay, Plan, Reception
from .planning import EDITABLE, TEXTS, DayOver, PlanStateChanged, is_ahead

UNTOUCHED = {"plan": Plan.DRAFT, "version": 1} | dict.fromkeys(TEXTS, "")


class NothingBefore(Refused):
    def __init__(self):
        super().__init__("没有可以照抄的上期方案，请直接填写。")


def last_published(day: ConsultDay) -> ConsultDay | None:
    """The latest published plan before `day`."""
    return ConsultDay.objects.filter(plan=Plan.PUBLISHED, date__lt=day.date).order_by("-date").first()


def has_blanks(day: ConsultDay) -> bool:
    """Whether the plan can still be edited and lacks theme, place or people."""
    return day.plan in EDITABLE and not (day.theme and day.place and day.receptions.all())


@transaction.atomic
def copy_last(day: ConsultDay, *, by: Officer, at: datetime) -> None:
    """Fill the blanks from the last published plan, for 综合处. Raises NothingBefore, PlanStateChanged, DayOver."""
    by.must(Act.PLAN)
    if not is_ahead(day, at):
        raise DayOver
    _fill(day, by=by, at=at)


def _fill(day: ConsultDay, *, by: Officer | None, at: datetime) -> None:
    earlier = last_published(day)
    if earlier is None:
        raise NothingBefore
    people = _people_wanted(day, earlier)
    read = ConsultDay.objects.filter(pk=day.pk, plan__in=EDITABLE, version=day.version)
    if not read.update(version=F("version") + 1, **_missing(day, earlier)):
        raise PlanStateChanged
    Reception.objects.bulk_create(
        Reception(day=day, name=p.name, title=p.title, division=p.division, area=p.area, order=p.order)
        for p in people
    )
    record(Verb.PLAN_COPIED, day, by=by, at=at, earlier=calendar.slug(earlier.date))
    day.refresh_from_db()


def _missing(day: ConsultDay, earlier: ConsultDay) -> dict[str, str]:
    """The texts that `day` lacks and `earlier` has."""
    return {
        name: getattr(earlier, name) for name in TEXTS if not getattr(day, name) and getattr(earlier, name)
    }


def _people_wanted(day: ConsultDay, earlier: ConsultDay) -> list[Reception]:
    """The people of the earlier plan, where `day` has none yet."""
    return [] if day.receptions.all() else list(earlier.receptions.select_related("division", "area"))


def _prepare(about: str, due_at: datetime, now: datetime) -> int:
    """Draft the plan of the next 咨询日 where it is still untouched; 综合处 is asked to check it. Returns how many are told."""
    day = day_on(first_not_cancelled(calendar.booking_day(due_at)))
    untouched = ConsultDay.objects.filter(pk=day.pk, receptions=None, **UNTOUCHED).exists()
    if not untouched or last_published(day) is None:
        return 0
    _fill(day, by=None, at=now)
    return notifications.to_role(Role.COORDINATOR, "plan_prepared", day, at=now, key=calendar.slug(day.date))


PREPARE = Kind(
    name="prepare_plan",
    label="备好下月方案底稿",
    schedule=monthly(policy.PLAN_PREPARED_ON, "09:00"),
    run=_prepare,
    useful_for=timedelta(days=10),
)
