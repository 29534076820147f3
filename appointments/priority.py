"""优先资格 (六（五）：如企业确有现场咨询需要，可在下次活动时予以优先安排): where it would be used, and whether it is used already."""

from dataclasses import dataclass
from datetime import date, datetime

from sessions_app import calendar
from sessions_app.days import next_open_date

from .lifecycle import Stage
from .models import Appointment


@dataclass(frozen=True)
class NextChance:
    """The 咨询日 for which a firm that still wants to come would be carried over.

    `own` is its own registration for that day, which then gets the priority.
    """

    date: date
    own: Appointment | None = None


def next_chance(firm: Appointment, *, at: datetime) -> NextChance:
    """The first day after that of `firm` for which it can be seated. One on which it is registered but does not wait is passed over."""
    day = next_open_date(calendar.following(firm.day.date), at=at)
    while own := own_registration(firm, day):
        if can_take_priority(own):
            return NextChance(day, own)
        day = next_open_date(calendar.following(day), at=at)
    return NextChance(day)


def own_registration(firm: Appointment, day: date) -> Appointment | None:
    """The live registration that the firm itself made for `day`."""
    return Appointment.objects.live_of(firm.uscc, day)


def can_take_priority(registration: Appointment) -> bool:
    """Whether the registration still waits for a list, and the firm wants to come."""
    return registration.wants_onsite and registration.stage in (Stage.SUBMITTED, Stage.ACCEPTED)


def is_used(firm: Appointment) -> bool:
    """Whether the firm had a seat of a later 咨询日 than that of this registration."""
    later = Appointment.objects.filter(uscc=firm.uscc, day__date__gt=firm.day.date)
    return later.filter(moves__new=Stage.SEATED).exists()


def comes_back_to(ended: Appointment) -> list[Appointment]:
    """The earlier registrations of the firm whose priority `ended` had taken over and has not used.

    Not one that the firm has withdrawn, whose matter is in 督办, or whose day it has registered for again.
    """
    stages = (Stage.SUBMITTED, Stage.ACCEPTED, Stage.ANSWERED, Stage.CLOSED)
    earlier = Appointment.objects.filter(handed_to=ended, stage__in=stages).select_related("day")
    return [each for each in earlier.order_by("day__date") if not (is_used(each) or _registered_again(each))]


def _registered_again(firm: Appointment) -> bool:
    own = own_registration(firm, firm.day.date)
    return own is not None and own != firm
