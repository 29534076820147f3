"""What an act changes in the database: every row of every table of ours before and after, and the difference in words.

The words are compared with those in the table of acts. They name everything, so that a change of a row that is not the
act's business shows as surely as one that is missing.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime

from django.apps import apps
from django.db import connection, models

from appointments.models import Appointment
from sessions_app.models import ConsultDay, Seat
from zhoushan_consult.audit.models import Entry
from zhoushan_consult.bureau.models import Division, Officer
from zhoushan_consult.clock import SHANGHAI
from zhoushan_consult.outbox.models import Channel, Notice, State
from zhoushan_consult.vault.sealed import Sealed

OURS = ("appointments", "sessions_app", "triage", "zhoushan_consult.")
NOT_TOLD = frozenset({"reference", "receipt_token", "form_key", "form_digest", "id_index", "rules_version"})
"""Columns that are different in every run, and the number of the rules, which changes with every topic."""

Rows = dict[str, dict[int, tuple]]


def tables() -> dict[str, type[models.Model]]:
    """Our tables by their names in the database."""
    ours = (config for config in apps.get_app_configs() if config.name.startswith(OURS))
    found = (model for config in ours for model in config.get_models(include_auto_created=True))
    return {model._meta.db_table: model for model in found}


def snapshot() -> Rows:
    """Every row of every table of ours, as the database holds it. Raw, for that is quick and hides nothing."""
    found: Rows = {}
    with connection.cursor() as cursor:
        for table in tables():
            cursor.execute(f'SELECT * FROM "{table}"')
            key = [column[0] for column in cursor.description].index("id")
            found[table] = {row[key]: row for row in map(_plain, cursor.fetchall())}
    return found


def _plain(row: Iterable) -> tuple:
    return tuple(bytes(value) if isinstance(value, memoryview) else value for value in row)


class Told:
    """The difference between two snapshots, in words.

    `names` gives the rows that the words may call by a name: `{"firm": appointment, "actor": officer}`. `now` is the
    moment of the act.
    """

    def __init__(self, before: Rows, after: Rows, names: Mapping[str, models.Model], now: datetime):
        self._before, self._after, self._now = before, after, now
        self._names = {(type(row), row.pk): name for name, row in reversed(names.items())}
        self._addresses = dict(self._readers())

    def rows(self) -> list[str]:
        """Each row that is new, changed or gone, with the columns that the act wrote; letters and trail left out."""
        found = Counter(
            line
            for table, model in tables().items()
            if model not in (Entry, Notice)
            for line in self._of_table(table, model)
        )
        return [line if count == 1 else f"{count} × {line}" for line, count in sorted(found.items())]

    def letters(self) -> list[str]:
        """Each letter that is new: its kind, what it is about, who gets it and by which ways."""
        ways: dict[str, list[str]] = {}
        for notice in self.new_letters():
            line = f"{notice.kind} about {self._about(notice)} to {self._reader(notice)}{self._later(notice)}"
            ways.setdefault(line, []).append(notice.channel)
        return [f"letter {line} by {' '.join(sorted(channels))}" for line, channels in sorted(ways.items())]

    def trail(self) -> list[str]:
        """Each entry of the trail that is new, in order: what was done to what, by whom, with the facts."""
        return [self._entry(entry) for entry in Entry.objects.filter(pk__in=self._new(Entry)).order_by("pk")]

    def result(self, value: object) -> list[str]:
        """What the act gives back, if anything: a row by its name, a number as it is."""
        values = value if isinstance(value, list | tuple) else [value]
        words = [self._name(one) if isinstance(one, models.Model) else str(one) for one in values]
        return [] if value is None else [f"returns {', '.join(words)}"]

    def new_letters(self) -> list[Notice]:
        return list(Notice.objects.filter(pk__in=self._new(Notice)).order_by("pk"))

    def changed_letters(self) -> list[str]:
        """Each letter that was there before and is another now."""
        return sorted(self._of_table(Notice._meta.db_table, Notice, new=False))

    def _new(self, model: type[models.Model]) -> set[int]:
        table = model._meta.db_table
        return self._after[table].keys() - self._before[table].keys()

    def _of_table(self, table: str, model: type[models.Model], *, new: bool = True) -> Iterator[str]:
        before, after = self._before[table], self._after[table]
        differ = {pk for pk in after if before.get(pk) != after[pk]}
        for row in model._base_manager.filter(pk__in=differ).order_by("pk"):
            if row.pk in before:
                same = _columns_alike(model, before[row.pk], after[row.pk])
                yield f"{self._name(row)}: {self._columns(row, leave_out=same)}"
            elif new:
                yield f"new {model._meta.model_name}: {self._columns(row, leave_out=_blank(row))}"
        for pk in before.keys() - after.keys():
            yield f"gone {self._names.get((model, pk), model._meta.model_name)}"

    def _columns(self, row: models.Model, leave_out: set[str]) -> str:
        fields = [field for field in row._meta.concrete_fields if not field.primary_key]
        wanted = [field for field in fields if field.name not in leave_out | NOT_TOLD]
        return " ".join(f"{field.name}={self._value(row, field)}" for field in wanted)

    def _value(self, row: models.Model, field: models.Field) -> str:
        if isinstance(field, models.ForeignKey) and getattr(row, field.attname) is not None:
            return self._name(getattr(row, field.name))
        return self._word(getattr(row, field.attname))

    def _word(self, value: object) -> str:
        if isinstance(value, Sealed):
            return value.open()
        if isinstance(value, datetime):
            there = value.astimezone(SHANGHAI)
            return "now" if value == self._now else f"{there:%Y-%m-%dT%H:%M}"
        if (
            isinstance(value, dict) and "findings" in value
        ):  # what the rules said: tests of their own read all of it
            return f"{value['primary']}:{value['scope']}"
        if isinstance(value, list) and value and isinstance(value[0], dict):  # the topics of the rules
            return f"[{', '.join(topic['code'] for topic in value)}]"
        return str(value) if value != "" else "''"

    def _name(self, row: models.Model) -> str:
        """A row by its name in the scene, or by its own; one of the neighbours is "another"."""
        if name := self._names.get((type(row), row.pk)):
            return name
        if isinstance(row, Division | Officer):
            return row.name
        if isinstance(row, ConsultDay):
            return str(row.date)
        if isinstance(row, Seat) and row.pk in self._before[row._meta.db_table]:
            return f"seat {row.number} of {self._name(row.day)}"
        there = row.pk in self._before[row._meta.db_table]
        return f"{'another' if there else 'new'} {row._meta.model_name}"

    def _about(self, row: Entry | Notice) -> str:
        matter = _matter(row)
        return self._name(matter) if matter else "nothing"

    def _reader(self, notice: Notice) -> str:
        """Whose page, telephone or mailbox it reaches; the firm's that it is about, where several have the same one."""
        matter, address = _matter(notice), notice.to.open()
        if notice.channel == Channel.PAGE or (isinstance(matter, Appointment) and address in _ways(matter)):
            return self._about(notice)
        return self._addresses.get(address, "a stranger")

    def _readers(self) -> Iterator[tuple[str, str]]:
        for person in (*Officer.objects.all(), *Appointment.objects.all()):
            name = person.name if isinstance(person, Officer) else self._name(person)
            yield from ((address, name) for address in _ways(person))

    def _later(self, notice: Notice) -> str:
        due = "" if notice.due_at == self._now else f" due {self._word(notice.due_at)}"
        expected = State.SENT if notice.channel == Channel.PAGE else State.WAITING
        return due + ("" if notice.state == expected else f" {notice.state}")

    def _entry(self, entry: Entry) -> str:
        by = self._name(entry.actor) if entry.actor else "no officer"
        origin = f" from {entry.origin}" if entry.origin else ""
        when = "" if entry.at == self._now else f" at {self._word(entry.at)}"
        facts = " ".join(f"{name}={self._fact(value)}" for name, value in sorted(entry.facts.items()))
        return f"trail {entry.verb} of {self._about(entry)} by {by}{origin}{when}{facts and ': ' + facts}"

    def _fact(self, value: object) -> str:
        try:
            return self._word(
                datetime.fromisoformat(value) if isinstance(value, str) and "T" in value else value
            )
        except ValueError:
            return str(value)


def _columns_alike(model: type[models.Model], before: tuple, after: tuple) -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute(f'SELECT * FROM "{model._meta.db_table}" WHERE 1 = 0')
        columns = [column[0] for column in cursor.description]
    alike = {name for name, old, new in zip(columns, before, after, strict=True) if old == new}
    return {field.name for field in model._meta.concrete_fields if field.column in alike}


def _blank(row: models.Model) -> set[str]:
    fields = row._meta.concrete_fields
    return {field.name for field in fields if getattr(row, field.attname) in (None, "", [], {})}


def _matter(row: Entry | Notice) -> models.Model | None:
    return apps.get_model(row.about_kind)._base_manager.filter(pk=row.about_id).first()


def _ways(person: Appointment | Officer) -> tuple[str, str]:
    return (person.phone_number if isinstance(person, Appointment) else person.phone), person.email


class Broken(Exception):
    """The database could not write."""


@contextmanager
def inserts(refuse: tuple[str, int] = ("", 0)) -> Iterator[Counter[str]]:
    """Count the INSERTs into each table; `refuse=(table, number)` makes that one fail, as on a full disk."""
    counts: Counter[str] = Counter()

    def watch(execute, sql, params, many, context):
        if sql.startswith(("INSERT INTO ", "INSERT OR IGNORE INTO ")):
            table = sql.split('"')[1]
            counts[table] += 1
            if (table, counts[table]) == refuse:
                raise Broken
        return execute(sql, params, many, context)

    with connection.execute_wrapper(watch):
        yield counts
