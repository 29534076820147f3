"""What waits for whom, derived from the rows: a flag could be forgotten."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db.models import Count, Model, OuterRef, Q, QuerySet, Subquery, Value, Window
from django.db.models.functions import Coalesce

from appointments.lifecycle import ENDED, Stage
from appointments.models import Appointment, Objection, Supplement
from sessions_app import calendar, policy
from sessions_app.models import ConsultDay, Plan
from zhoushan_consult.clock import local_date
from zhoushan_consult.outbox import delivery
from zhoushan_consult.outbox.models import Channel, Notice, State

from . import calls
from .models import Assignment, AssignmentState, FollowUp
from .work import UNANSWERED, revisions_in_hand, waiting_supplements

PREVIEW_ROWS = 6
"""Rows of a work list on the home page; the rest is one click away."""


@dataclass(frozen=True)
class Preview:
    """The first rows of a work list, and how many it has in all."""

    rows: list[Model]
    count: int


def preview(waiting: QuerySet, limit: int = PREVIEW_ROWS) -> Preview:
    """The first rows of a queryset and its size, in one query."""
    rows = list(waiting.annotate(in_all=Window(Count("*")))[:limit])
    return Preview(rows, rows[0].in_all if rows else 0)


def to_review() -> QuerySet[Appointment]:
    """待初审, longest waiting first."""
    return Appointment.objects.filter(stage=Stage.SUBMITTED).select_related("day").order_by("submitted_at")


def supplements_to_assign() -> QuerySet[Supplement]:
    """补充问题 that no division has yet, the oldest first. Of a registration that went back to 初审, they come after it."""
    waiting = waiting_supplements().exclude(appointment__stage__in=[*ENDED, Stage.SUBMITTED])
    return waiting.select_related("appointment").order_by("at")


def objections_to_decide() -> QuerySet[Objection]:
    """登记异议 that 综合处 has to look into, the oldest first."""
    return Objection.objects.filter(verdict="").select_related("appointment").order_by("at")


def returned() -> QuerySet[Assignment]:
    """交办 that a division has given back to 综合处."""
    return _with_firm(Assignment.objects.filter(state=AssignmentState.RETURNED).order_by("assigned_at"))


def overdue_replies(today: date) -> QuerySet[Assignment]:
    """交办 without a released reply after their term, and those with a late 更正 or 补充.

    `wanted_on` is the term, `revision` the kind of what is late; "" for the first reply.
    """
    late = revisions_in_hand().filter(due_on__lt=today)
    own = late.filter(assignment=OuterRef("pk"))
    unanswered = Q(state__in=UNANSWERED, due_on__lt=today)
    rows = Assignment.objects.filter(unanswered | Q(pk__in=late.order_by().values("assignment")))
    rows = rows.annotate(
        wanted_on=Coalesce(Subquery(own.values("due_on")[:1]), "due_on"),
        revision=Coalesce(Subquery(own.values("kind")[:1]), Value("")),
    )
    return _with_firm(rows.order_by("wanted_on", "pk"))


def overdue_follow_ups(today: date) -> QuerySet[FollowUp]:
    """督办 still open after their term, or for long."""
    long_ago = calendar.local_datetime(today - timedelta(days=policy.FOLLOW_UP_ALARM_DAYS - 1))
    late = Q(due_on__lt=today) | Q(opened_at__lt=long_ago)
    return _with_firm(FollowUp.objects.filter(late, closed_at=None))


def to_conclude(now: datetime) -> QuerySet[Appointment]:
    """Seated firms whose 咨询日 has begun and whose 现场结果 is missing."""
    today = local_date(now)
    last = today if now >= calendar.starts_at(today) else today - timedelta(days=1)
    seated = Appointment.objects.filter(stage=Stage.SEATED, day__date__lte=last)
    return seated.select_related("day", "seat").order_by("day__date", "seat__number")


@dataclass(frozen=True)
class CallToMake:
    """One telephone call: to a firm, about all letters that wait for its telephone; to another person, about one letter."""

    letters: list[Notice]
    firm: Appointment | None = None

    @property
    def tried(self) -> int:
        """How often a person has telephoned already."""
        return max(letter.attempts for letter in self.letters)


def to_call(now: datetime) -> list[CallToMake]:
    """The calls that a person has to make, the longest waiting first."""
    letters = list(delivery.calls_to_make().filter(due_at__lte=now).defer("body", "calendar", "gist"))
    about_firms = [letter.about_id for letter in letters if letter.about_kind == calls.ABOUT_FIRM]
    firms = Appointment.objects.only("uscc", "enterprise_name").in_bulk({int(pk) for pk in about_firms})
    found: dict[object, CallToMake] = {}
    for letter in letters:
        firm = firms.get(int(letter.about_id)) if letter.about_kind == calls.ABOUT_FIRM else None
        key = (firm.uscc, letter.to_index) if firm else letter.pk
        found.setdefault(key, CallToMake([], firm)).letters.append(letter)
    return list(found.values())


def undelivered_numbers(to_make: Iterable[CallToMake]) -> set[str]:
    """Of the numbers to call, those to which an SMS could not be delivered: they may be wrong. As `Notice.to_index`."""
    numbers = {letter.to_index for call in to_make for letter in call.letters}
    failed = Notice.objects.filter(channel=Channel.SMS, state=State.FAILED, to_index__in=numbers - {""})
    return set(failed.values_list("to_index", flat=True))


def unreachable() -> QuerySet[Appointment]:
    """联系不上的企业, the oldest registration first."""
    return calls.unreachable().order_by("submitted_at")


def days_ahead(now: datetime) -> list[ConsultDay]:
    """The 咨询日 from today on."""
    return list(ConsultDay.objects.filter(date__gte=local_date(now)).order_by("date"))


def plans_to_approve(now: datetime) -> QuerySet[ConsultDay]:
    """Plans that 综合处 has submitted, of every 咨询日 that is not over."""
    ahead = ConsultDay.objects.filter(date__gte=calendar.current_day(now))
    return ahead.filter(plan=Plan.SUBMITTED).order_by("date")


def to_settle(now: datetime) -> list[ConsultDay]:
    """The 咨询日 for which booking is over and no list is settled (六（五）), with the number of firms that wait on each.

    A day that is over stays as long as firms wait: they have been told neither that they come nor that they do not.
    """
    today = local_date(now)
    closed = ConsultDay.objects.filter(
        settled_at=None, date__lte=calendar.consult_date(today.year, today.month)
    )
    days = (
        closed.exclude(plan=Plan.CANCELLED)
        .order_by("date")
        .annotate(
            pending=Count("appointments", filter=Q(appointments__stage=Stage.SUBMITTED)),
            wanting=Count(
                "appointments", filter=Q(appointments__stage=Stage.ACCEPTED, appointments__wants_onsite=True)
            ),
        )
    )
    return list(days.filter(Q(date__gte=today) | Q(pending__gt=0) | Q(wanting__gt=0)))


def undelivered_offers(now: datetime) -> QuerySet[Appointment]:
    """Firms to which a seat is offered, and which the offer has not reached yet: their time to answer does not run.

    Once the day has begun, they are among those whose result is missing.
    """
    today = local_date(now)
    ahead = today if now < calendar.starts_at(today) else today + timedelta(days=1)
    offered = Appointment.objects.filter(stage=Stage.SEATED, seat__confirmed_at=None, seat__reply_by=None)
    offered = offered.filter(day__date__gte=ahead)
    return offered.select_related("day", "seat").order_by("day__date", "seat__number")


def _with_firm(rows: QuerySet) -> QuerySet:
    return rows.select_related("appointment", "division")
