"""The rows as the judge reads them. The one module of the player that knows tables: where a column moves, it is mended here.

A `World` is read in a dozen queries. Personal columns are not among them.
"""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from typing import NamedTuple

from django.db import DEFAULT_DB_ALIAS, connection
from django.db.models import DateTimeField, Q

from appointments.models import Appointment, Rating, StageMove, Supplement
from sessions_app import policy
from sessions_app.models import ConsultDay, Seat
from triage.models import Assignment, FollowUp, Hearing
from zhoushan_consult.audit.models import Entry
from zhoushan_consult.clock import SHANGHAI, local_date, local_datetime
from zhoushan_consult.duties.models import Heartbeat
from zhoushan_consult.outbox import calls
from zhoushan_consult.outbox.models import Notice

ENDED = {"withdrawn", "declined", "closed"}
BEFORE_THE_DAY = {"submitted", "accepted", "seated", "deferred"}
UNANSWERED = {"open", "drafted"}
UNFINISHED = UNANSWERED | {"returned"}
WAITING_LETTER = {"waiting", "retry", "inflight"}
SEATS, LONG = policy.SEATS, timedelta(hours=48)
REGISTRATION, DAY = Appointment._meta.label_lower, ConsultDay._meta.label_lower


class Day(NamedTuple):
    pk: int
    date: date
    plan: str
    place: str
    settled_at: datetime | None
    published_at: datetime | None
    theme: str

    @property
    def starts_at(self) -> datetime:
        return local_datetime(self.date, policy.OPENS_AT)

    @property
    def ends_at(self) -> datetime:
        return local_datetime(self.date, policy.ENDS_AT)

    @property
    def short(self) -> str:
        return f"{self.date.month}月{self.date.day}日（周{'一二三四五六日'[self.date.weekday()]}）"

    @property
    def slug(self) -> str:
        return f"{self.date:%Y-%m}"

    @property
    def stands(self) -> bool:
        """Whether firms may still be promised this day."""
        return self.plan != "cancelled"


class SeatRow(NamedTuple):
    pk: int
    day_pk: int
    number: int
    uscc: str | None
    offered_at: datetime | None
    reply_by: datetime | None
    confirmed_at: datetime | None
    extra_reason: str


class Work(NamedTuple):
    """A 交办."""

    pk: int
    registration: int
    division: str
    division_name: str
    part: str
    state: str
    due_on: date
    assigned_at: datetime
    released_at: datetime | None


class Matter(NamedTuple):
    """A 督办."""

    pk: int
    registration: int
    division_name: str
    origin: str
    due_on: date
    opened_at: datetime
    closed_at: datetime | None


class Letter(NamedTuple):
    pk: int
    kind: str
    channel: str
    about_kind: str
    about_id: str
    state: str
    created_at: datetime
    sent_at: datetime | None
    next_try_at: datetime | None


class Move(NamedTuple):
    pk: int
    registration: int
    old: str
    new: str
    note: str
    by: int | None
    at: datetime


class Trail(NamedTuple):
    pk: int
    verb: str
    about_kind: str
    about_id: str
    at: datetime


class Talk(NamedTuple):
    """A 现场咨询结果."""

    registration: int
    day_pk: int
    checked_in_at: datetime | None
    outcome: str


class Row(NamedTuple):
    """The columns of a registration."""

    pk: int
    reference: str
    day_pk: int
    seat_pk: int | None
    stage: str
    enterprise_name: str
    uscc: str
    summary: str
    wants_onsite: bool
    submitted_at: datetime
    handled_by: str
    reply_due_on: date | None
    priority_since: datetime | None
    closed_at: datetime | None
    version: int


@dataclass(frozen=True)
class Registration:
    """A registration with what hangs on it."""

    row: Row
    name: str
    day: Day
    seat: SeatRow | None
    works: list[Work]
    matters: list[Matter]
    letters: list[Letter] = field(repr=False)
    talk: Talk | None
    rated: bool
    # A 补充问题 waits for 综合处 to give it to a division.
    asks_more: bool

    def __getattr__(self, name: str):
        return getattr(self.row, name)

    @property
    def leads(self) -> list[Work]:
        """The 交办 whose answer the firm waits for."""
        return [
            work for work in self.works if work.part == "lead" and work.state not in {"cancelled", "returned"}
        ]

    @property
    def is_answered(self) -> bool:
        """Whether every lead division has answered in writing, a 补充问题 too."""
        lead = [work for work in self.works if work.part == "lead" and work.state != "cancelled"]
        return bool(lead) and not self.asks_more and all(work.state == "released" for work in lead)

    @property
    def has_reply(self) -> bool:
        return any(work.state == "released" for work in self.works)

    @property
    def being_answered(self) -> bool:
        return any(work.state in UNANSWERED for work in self.works)

    @property
    def open_matters(self) -> list[Matter]:
        return [matter for matter in self.matters if not matter.closed_at]

    @property
    def turn(self) -> tuple:
        """The place in line: priority first, by its date, then by the time of registration."""
        since = self.priority_since
        return (since is None, since or self.submitted_at, self.submitted_at, self.pk)


class World:
    """All rows at one instant."""

    def __init__(self, now: datetime, names: dict[str, int], store: "Letters"):
        """`names`: the number of each firm by its credit code. `store` keeps the letters from one world to the next."""
        self.now, self._firms, self._store = now, names, store
        self.days = {
            row.pk: row for row in _rows(Day, ConsultDay, "pk date plan place settled_at published_at theme")
        }
        self.seats = {row.pk: row for row in self._seats()}
        self._works, self._matters = _grouped(self._all_works()), _grouped(self._all_matters())
        self._talks = {row.registration: row for row in self._all_talks()}
        self._rated = set(Rating.objects.values_list("appointment_id", flat=True))
        self._asking = set(
            Supplement.objects.filter(handled_at=None).values_list("appointment_id", flat=True)
        )

    def _seats(self):
        return _rows(SeatRow, Seat, "pk day_id number uscc offered_at reply_by confirmed_at extra_reason")

    def _all_works(self):
        columns = "pk appointment_id division__code division__name part state due_on assigned_at released_at"
        return _rows(Work, Assignment, columns)

    def _all_matters(self):
        columns = "pk appointment_id division__name origin due_on opened_at closed_at"
        return _rows(Matter, FollowUp, columns)

    def _all_talks(self):
        return _rows(Talk, Hearing, "appointment_id day_id checked_in_at outcome")

    @cached_property
    def letters(self) -> list[Letter]:
        return self._store.read()

    @cached_property
    def _letters_of(self) -> dict[tuple[str, str], list[Letter]]:
        found = defaultdict(list)
        for letter in self.letters:
            found[letter.about_kind, letter.about_id].append(letter)
        return found

    @cached_property
    def registrations(self) -> dict[int, Registration]:
        columns = (
            "pk reference day_id seat_id stage enterprise_name uscc summary wants_onsite submitted_at handled_by "
            "reply_due_on priority_since closed_at version"
        )
        count: dict[int, int] = defaultdict(int)
        found = {}
        for row in _rows(Row, Appointment, columns):
            firm = self._firms.get(row.uscc, 0)
            count[firm] += 1
            found[row.pk] = self._registration(row, f"F{firm}/{count[firm]}")
        return found

    def _registration(self, row: Row, name: str) -> Registration:
        return Registration(
            row,
            name,
            self.days[row.day_pk],
            self.seats.get(row.seat_pk),
            self._works.get(row.pk, []),
            self._matters.get(row.pk, []),
            self._letters_of.get((REGISTRATION, str(row.pk)), []),
            self._talks.get(row.pk),
            row.pk in self._rated,
            row.pk in self._asking,
        )

    @cached_property
    def by_name(self) -> dict[str, Registration]:
        return {one.name: one for one in self.registrations.values()}

    def registration(self, pk) -> Registration | None:
        return self.registrations.get(int(pk))

    def of_day(self, day: Day) -> list[Registration]:
        return [one for one in self.registrations.values() if one.day_pk == day.pk]

    def waiting(self, day: Day) -> list[Registration]:
        """The firms that wait for a seat of the day, in turn."""
        wanting = [
            one for one in self.of_day(day) if one.stage in {"accepted", "deferred"} and one.wants_onsite
        ]
        return sorted(wanting, key=lambda one: one.turn)

    def seats_of(self, day: Day) -> list[SeatRow]:
        return [seat for seat in self.seats.values() if seat.day_pk == day.pk]

    def free_seats(self, day: Day) -> int:
        return sum(seat.uscc is None and not seat.extra_reason for seat in self.seats_of(day))

    def day_called(self, month: int, day_of_month: int) -> Day | None:
        """The 咨询日 nearest to now that a sentence calls by month and day."""
        found = [d for d in self.days.values() if (d.date.month, d.date.day) == (month, day_of_month)]
        return min(found, key=lambda d: abs(d.date - local_date(self.now)), default=None)

    def day_on(self, slug: str) -> Day | None:
        return next((day for day in self.days.values() if day.slug == slug), None)

    def live_of_firm(self, uscc: str) -> list[Registration]:
        return [one for one in self.registrations.values() if one.uscc == uscc and one.stage not in ENDED]


def moves_since(pk: int) -> list[Move]:
    return _rows(Move, StageMove, "pk appointment_id old new note by_id at", since=pk)


def trail_since(pk: int) -> list[Trail]:
    return _rows(Trail, Entry, "pk verb about_kind about_id at", since=pk)


def texts_since(pk: int, **filters) -> list[Notice]:
    """The letters that were written since, with their texts."""
    return list(Notice.objects.filter(pk__gt=pk, **filters).order_by("pk"))


def calls_to_make() -> list[Notice]:
    return list(Notice.objects.filter(channel="call", state="waiting").order_by("pk"))


def calls_to_say(now: datetime) -> list[tuple[Notice, str]]:
    """The calls on the list with what a person would say now; without those that the list itself takes off."""
    return [(call.notice, call.text) for call in calls.as_of(calls_to_make(), now) if not call.not_needed]


def next_letter_at() -> datetime | None:
    """When a sweep has the next letter to send or to try again."""
    waiting = Notice.objects.filter(state__in=WAITING_LETTER, channel__in=["sms", "email"])
    return _first_instant("letter", lambda: waiting.order_by("next_try_at").values_list("next_try_at"))


def end_of_an_offer(now: datetime) -> datetime | None:
    """When the next offer that is open ends."""
    running = Seat.objects.filter(confirmed_at=None, uscc__isnull=False, reply_by__gte=now)
    return _first_instant("offer", lambda: running.order_by("reply_by").values_list("reply_by"), now)


def heart_beats(now: datetime) -> None:
    """The runner has just finished a round. As plain SQL: it happens with every step."""
    with connection.cursor() as cursor:
        at = connection.ops.adapt_datetimefield_value(now)
        cursor.execute(f"UPDATE {Heartbeat._meta.db_table} SET at = %s", [at])


def phone_of(registration: int) -> tuple[str, str]:
    """The telephone and the mailbox at which the firm is reached now."""
    row = Appointment.objects.only("phone", "email").get(pk=registration)
    return row.phone_number, row.email


def canonical_phone(text: str) -> str:
    """As letters are addressed."""
    from zhoushan_consult.identity import phone

    return phone.clean(text)


def local(instant: datetime) -> datetime:
    return instant.astimezone(SHANGHAI)


class _Table:
    """Reads columns of a model as tuples. The statement is compiled once: it is read hundreds of times a month."""

    def __init__(self, kind, model, columns: str):
        self.kind = kind
        rows = model.objects.filter(pk__gt=0).order_by("pk").values_list(*columns.split())
        compiler = rows.query.get_compiler(DEFAULT_DB_ALIAS)
        self._sql, _ = compiler.as_sql()
        fields = [column[0].output_field for column in compiler.select]
        # SQLite keeps no time zone. Django's own conversion costs five times as much.
        naive = connection.vendor == "sqlite"
        self._instants = [
            place for place, field in enumerate(fields) if naive and isinstance(field, DateTimeField)
        ]

    def read(self, since: int) -> list:
        """The rows with a key above `since`."""
        with connection.cursor() as cursor:
            cursor.execute(self._sql, [since])
            rows = cursor.fetchall()
        return (
            [self.kind(*self._aware(values)) for values in rows]
            if self._instants
            else [self.kind(*r) for r in rows]
        )

    def _aware(self, values: tuple) -> list:
        found = list(values)
        for place in self._instants:
            if found[place] is not None:
                found[place] = found[place].replace(tzinfo=UTC)
        return found


_STATEMENTS: dict[str, tuple] = {}


def _first_instant(name: str, rows: Callable, *instants: datetime) -> datetime | None:
    """The first row of a statement that is compiled once. `instants` are the last of its parameters."""
    if name not in _STATEMENTS:
        sql, params = rows()[:1].query.get_compiler(DEFAULT_DB_ALIAS).as_sql()
        _STATEMENTS[name] = sql, params[: len(params) - len(instants)]
    sql, params = _STATEMENTS[name]
    with connection.cursor() as cursor:
        cursor.execute(sql, [*params, *map(connection.ops.adapt_datetimefield_value, instants)])
        found = cursor.fetchone()
    instant = found[0] if found else None
    return instant.replace(tzinfo=UTC) if instant and connection.vendor == "sqlite" else instant


_TABLES: dict[type, _Table] = {}


def _rows(kind, model, columns: str, since: int = 0) -> list:
    if kind not in _TABLES:
        _TABLES[kind] = _Table(kind, model, columns)
    return _TABLES[kind].read(since)


class Letters:
    """All letters, read again only where they can still change: there are thousands, and most are sent."""

    _COLUMNS = "pk kind channel about_kind about_id state created_at sent_at next_try_at".split()

    def __init__(self):
        self._known: dict[int, Letter] = {}
        self._open: set[int] = set()
        self._last = 0

    def read(self) -> list[Letter]:
        changing = Notice.objects.filter(Q(pk__gt=self._last) | Q(pk__in=self._open))
        for values in changing.order_by("pk").values_list(*self._COLUMNS):
            letter = Letter(*values)
            self._known[letter.pk] = letter
            self._last = max(self._last, letter.pk)
            if letter.state in {"sent", "cancelled"}:
                self._open.discard(letter.pk)
            else:
                self._open.add(letter.pk)
        return list(self._known.values())


def _grouped(rows: list) -> dict[int, list]:
    found: dict[int, list] = defaultdict(list)
    for row in rows:
        found[row.registration].append(row)
    return found
