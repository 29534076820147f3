"""现场安排表 (六（五）): time, table and divisions of each firm on the list.

Until the day before, the schedule is computed from the list. Then it is frozen: the printed paper must stay true, so a seat that
goes to another firm keeps its time and table.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Prefetch, QuerySet

from appointments.models import Appointment
from sessions_app import calendar, policy
from sessions_app.days import lock_day
from sessions_app.models import ConsultDay, Seat
from zhoushan_consult.audit.trail import record
from zhoushan_consult.audit.verbs import Verb
from zhoushan_consult.bureau.models import Division, Officer
from zhoushan_consult.bureau.roles import Act

from . import timetable_solver
from .models import Assignment, Part, Sitting
from .timetable_solver import Clash, Party, Place
from .work import NOT_IN_FORCE


@dataclass(frozen=True)
class Slot:
    """One firm on the schedule. `divisions`: those with a 交办 of the firm, the lead first."""

    appointment: Appointment
    place: Place
    starts_at: datetime
    ends_at: datetime
    divisions: list[Division]
    clashes: list[str] = field(default_factory=list)

    @property
    def number(self) -> int:
        return self.appointment.seat.number

    def needs(self, division: Division) -> bool:
        return any(each.pk == division.pk for each in self.divisions)


@dataclass(frozen=True)
class Schedule:
    """The morning: slots by time and table. `frozen`: stored, no longer computed."""

    day: ConsultDay
    slots: list[Slot]
    minutes: int
    clashes: list[str]
    frozen: bool

    @property
    def divisions(self) -> list[Division]:
        """The divisions needed, each once, in the bureau's order."""
        found = {division.pk: division for slot in self.slots for division in slot.divisions}
        return sorted(found.values(), key=lambda division: division.order)


def schedule_of(day: ConsultDay) -> Schedule:
    """The schedule of a day: the frozen one, or the one computed from the list as it is now."""
    firms = {_party(firm): firm for firm in seated(day)}
    kept = {party: firm.seat.sitting for party, firm in firms.items() if hasattr(firm.seat, "sitting")}
    placed, minutes = _kept_places(list(firms), kept) if kept else _new_places(day, list(firms))
    found = timetable_solver.clashes(placed)
    slots = [
        _slot(firms[party], place, minutes, _about(found, place.turn, party))
        for party, place in placed.items()
    ]
    slots.sort(key=lambda slot: slot.place)
    return Schedule(day, slots, minutes, [_describe(day, clash, minutes) for clash in found], bool(kept))


def seated(day: ConsultDay) -> QuerySet[Appointment]:
    """Every firm that holds a seat of the day, with its 交办 as `given`."""
    given = Assignment.objects.exclude(state__in=NOT_IN_FORCE).select_related("division")
    firms = Appointment.objects.filter(day=day, seat__day=day).order_by("seat__number")
    firms = firms.select_related("day", "seat__sitting", "hearing").defer("id_number", "id_index", "email")
    return firms.prefetch_related(Prefetch("assignments", given, to_attr="given"))


def _party(firm: Appointment) -> Party:
    return Party(firm.seat.number, frozenset(division.name for division in _divisions(firm)))


def _divisions(firm: Appointment) -> list[Division]:
    given = sorted(firm.given, key=lambda each: (each.part != Part.LEAD, each.division.order))
    return list({each.division_id: each.division for each in given}.values())


def _new_places(day: ConsultDay, parties: list[Party]) -> tuple[dict[Party, Place], int]:
    """The place of each firm and the minutes of a slot. Fewer turns leave more minutes for each."""
    morning = (calendar.ends_at(day.date) - calendar.starts_at(day.date)) // timedelta(minutes=1)
    least, most = policy.TALK_AT_LEAST, policy.TALK_AT_MOST
    placed = timetable_solver.arrange(parties, tables=policy.TABLES, most_turns=max(1, morning // least))
    turns = len({place.turn for place in placed.values()})
    return placed, timetable_solver.minutes_each(turns, morning=morning, least=least, most=most)


def _kept_places(parties: list[Party], kept: dict[Party, Sitting]) -> tuple[dict[Party, Place], int]:
    """The same for a frozen schedule: firms without a place join those that keep theirs."""
    placed = {party: Place(sitting.turn, sitting.table) for party, sitting in kept.items()}
    for party in parties:
        if party not in placed:
            placed[party] = timetable_solver.join(party, placed, tables=policy.TABLES)
    return placed, next(iter(kept.values())).minutes


def _slot(firm: Appointment, place: Place, minutes: int, clashes: list[str]) -> Slot:
    starts_at = _starts_at(firm.day, place.turn, minutes)
    return Slot(firm, place, starts_at, starts_at + timedelta(minutes=minutes), _divisions(firm), clashes)


def _starts_at(day: ConsultDay, turn: int, minutes: int) -> datetime:
    return calendar.starts_at(day.date) + turn * timedelta(minutes=minutes)


def _about(clashes: list[Clash], turn: int, party: Party) -> list[str]:
    return [clash.division for clash in clashes if clash.turn == turn and party.number in clash.numbers]


def _describe(day: ConsultDay, clash: Clash, minutes: int) -> str:
    firms = "、".join(f"{number}号" for number in clash.numbers)
    time = _starts_at(day, clash.turn, minutes)
    return f"{time:%-H:%M} {firms}都需要{clash.division}，没有能错开的场次。请{clash.division}派两人到场，或请其中一桌稍候。"


@transaction.atomic
def freeze(day: ConsultDay, *, by: Officer | None = None, at: datetime) -> int:
    """Store the places that are not stored yet. Returns how many. Run again, it adds the firms that joined since."""
    lock_day(day)
    found = schedule_of(day)
    new = [
        _sitting(slot, found.minutes) for slot in found.slots if not hasattr(slot.appointment.seat, "sitting")
    ]
    if new and not found.frozen:
        record(Verb.TIMETABLE_FIXED, day, by=by, at=at, minutes=found.minutes, firms=len(new))
    return len(Sitting.objects.bulk_create(new))


def _sitting(slot: Slot, minutes: int) -> Sitting:
    seat, place = slot.appointment.seat, slot.place
    return Sitting(seat=seat, turn=place.turn, table=place.table, minutes=minutes)


@transaction.atomic
def rearrange(day: ConsultDay, *, by: Officer, at: datetime) -> int:
    """重新编排: compute the frozen schedule again after seats went to other firms. Returns how many have a place."""
    by.must(Act.RUN_DAY)
    Sitting.objects.filter(seat__in=Seat.objects.filter(day=lock_day(day))).delete()
    return freeze(day, by=by, at=at)
