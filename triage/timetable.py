"""现场安排表 (六（五）): when and at which table each firm on the list is heard, and by which divisions.

Until the day before, the sheet follows the list. Then it is written down: what is printed stays true, and a seat that
changes hands keeps its time and table.
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
from .models import Assignment, AssignmentState, Part, Sitting
from .timetable_solver import Clash, Party, Place


@dataclass(frozen=True)
class Slot:
    """One line of the sheet. `divisions` are those that were given a question of the firm, the lead first."""

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
class Sheet:
    """The morning, in the order of time and table."""

    day: ConsultDay
    talks: list[Slot]
    minutes: int
    clashes: list[str]
    fixed: bool

    @property
    def divisions(self) -> list[Division]:
        """Everyone who must be there, once each."""
        found = {division.pk: division for talk in self.talks for division in talk.divisions}
        return sorted(found.values(), key=lambda division: division.order)


def sheet(day: ConsultDay) -> Sheet:
    """The sheet of a day as it stands: written down, or as it would be written down now."""
    firms = {_guest(firm): firm for firm in seated(day)}
    kept = {guest: firm.seat.sitting for guest, firm in firms.items() if hasattr(firm.seat, "sitting")}
    placed, minutes = _kept_places(list(firms), kept) if kept else _new_places(day, list(firms))
    found = timetable_solver.clashes(placed)
    talks = [
        _talk(firms[guest], place, minutes, _about(found, place.turn, guest))
        for guest, place in placed.items()
    ]
    talks.sort(key=lambda talk: talk.place)
    return Sheet(day, talks, minutes, [_in_words(day, clash, minutes) for clash in found], bool(kept))


def seated(day: ConsultDay) -> QuerySet[Appointment]:
    """Everyone who holds a seat of the day, heard or not, with what was given to the divisions."""
    given = Assignment.objects.exclude(
        state__in=[AssignmentState.CANCELLED, AssignmentState.RETURNED]
    ).select_related("division")
    firms = Appointment.objects.filter(day=day, seat__day=day).order_by("seat__number")
    firms = firms.select_related("day", "seat__sitting", "hearing").defer("id_number", "id_index", "email")
    return firms.prefetch_related(Prefetch("assignments", given, to_attr="given"))


def _guest(firm: Appointment) -> Party:
    return Party(firm.seat.number, frozenset(division.name for division in _divisions(firm)))


def _divisions(firm: Appointment) -> list[Division]:
    given = sorted(firm.given, key=lambda each: (each.part != Part.LEAD, each.division.order))
    return list({each.division_id: each.division for each in given}.values())


def _new_places(day: ConsultDay, guests: list[Party]) -> tuple[dict[Party, Place], int]:
    """Everyone's place, and the minutes of each talk: the fewer turns, the longer each."""
    morning = (calendar.ends_at(day.date) - calendar.starts_at(day.date)) // timedelta(minutes=1)
    least, most = policy.TALK_AT_LEAST, policy.TALK_AT_MOST
    placed = timetable_solver.arrange(guests, tables=policy.TABLES, most_turns=max(1, morning // least))
    turns = len({place.turn for place in placed.values()})
    return placed, timetable_solver.minutes_each(turns, morning=morning, least=least, most=most)


def _kept_places(guests: list[Party], kept: dict[Party, Sitting]) -> tuple[dict[Party, Place], int]:
    """The same where it is written down: those who have no place yet join those who keep theirs."""
    placed = {guest: Place(sitting.turn, sitting.table) for guest, sitting in kept.items()}
    for guest in guests:
        if guest not in placed:
            placed[guest] = timetable_solver.join(guest, placed, tables=policy.TABLES)
    return placed, next(iter(kept.values())).minutes


def _talk(firm: Appointment, place: Place, minutes: int, clashes: list[str]) -> Slot:
    starts_at = _starts_at(firm.day, place.turn, minutes)
    return Slot(firm, place, starts_at, starts_at + timedelta(minutes=minutes), _divisions(firm), clashes)


def _starts_at(day: ConsultDay, turn: int, minutes: int) -> datetime:
    return calendar.starts_at(day.date) + turn * timedelta(minutes=minutes)


def _about(clashes: list[Clash], turn: int, guest: Party) -> list[str]:
    return [clash.division for clash in clashes if clash.turn == turn and guest.number in clash.numbers]


def _in_words(day: ConsultDay, clash: Clash, minutes: int) -> str:
    firms = "、".join(f"{number}号" for number in clash.numbers)
    time = _starts_at(day, clash.turn, minutes)
    return f"{time:%-H:%M} {firms}都需要{clash.division}，没有能错开的场次。请{clash.division}派两人到场，或请其中一桌稍候。"


@transaction.atomic
def fix(day: ConsultDay, *, by: Officer | None = None, at: datetime) -> int:
    """Write the places down where that has not been done; returns how many. Done again, it adds those who joined."""
    lock_day(day)
    found = sheet(day)
    new = [
        _sitting(talk, found.minutes) for talk in found.talks if not hasattr(talk.appointment.seat, "sitting")
    ]
    if new and not found.fixed:
        record(Verb.TIMETABLE_FIXED, day, by=by, at=at, minutes=found.minutes, firms=len(new))
    return len(Sitting.objects.bulk_create(new))


def _sitting(talk: Slot, minutes: int) -> Sitting:
    seat, place = talk.appointment.seat, talk.place
    return Sitting(seat=seat, turn=place.turn, table=place.table, minutes=minutes)


@transaction.atomic
def rearrange(day: ConsultDay, *, by: Officer, at: datetime) -> int:
    """重新编排: seats changed hands, and what was written down no longer fits. Returns how many have a place."""
    by.must(Act.RUN_DAY)
    Sitting.objects.filter(seat__in=Seat.objects.filter(day=lock_day(day))).delete()
    return fix(day, by=by, at=at)
