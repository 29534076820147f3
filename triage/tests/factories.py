"""Registrations of the tests at any stage, written straight into the tables."""

import random
from datetime import date, datetime, timedelta

from django.contrib.auth.models import Group
from django.test import override_settings

from appointments.lifecycle import Stage
from appointments.models import Appointment, StageMove
from appointments.references import new_reference
from sessions_app import seats
from sessions_app.days import day_on
from triage.models import Assignment, AssignmentState, Reply, RoutingTrace
from triage.rulebook.routing_traces import shown_trace
from zhoushan_consult.bureau.models import Division, Officer
from zhoushan_consult.clock import SHANGHAI
from zhoushan_consult.identity import samples
from zhoushan_consult.outbox import delivery
from zhoushan_consult.vault.blind_index import blind_index

NOW = datetime(2026, 11, 20, 10, tzinfo=SHANGHAI)
"""The Friday on which the tests play: registrations join 10 December 2026."""
DAY = date(2026, 12, 10)
MEMORY = "zhoushan_consult.outbox.adapters.MemoryAdapter"
WATER = "我公司水产加工废水拟接入市政污水管网，请问需要办理哪些手续？"


def division(name: str) -> Division:
    return Division.objects.get(name=name)


def officer(role: str, of: str | None = None, **fields) -> Officer:
    """An officer at work who holds `role`, in the division named `of`."""
    number = Officer.objects.count() + 1
    made = Officer.objects.create_user(
        username=fields.pop("username", f"worker{number}"),
        password="Correct-horse-7",
        name=fields.pop("name", f"测试员{number}"),
        division=division(of) if of else None,
        is_staff=fields.pop("is_staff", True),
        **fields,
    )
    made.groups.set([Group.objects.get(name=str(role))])
    return made


def appointment(number: int = 1, **columns) -> Appointment:
    """The registration of the `number`-th firm for DAY, `number` minutes after nine on 18 November."""
    rng = random.Random(number)
    at = columns.pop("submitted_at", NOW - timedelta(days=2, hours=1) + timedelta(minutes=number))
    id_number = columns.pop("id_number", samples.resident_id(rng))
    reference = columns.pop("reference", new_reference())
    values = {
        "reference": reference,
        "receipt_token": f"token-{reference}",
        "form_key": f"key-{reference}",
        "form_digest": blind_index("form", reference),
        "day": day_on(columns.pop("on", DAY)),
        "enterprise_name": f"舟山测试{number}号水产有限公司",
        "uscc": samples.uscc(rng),
        "contact_name": "测试人",
        "id_number": id_number,
        "id_index": blind_index("id_number", id_number),
        "phone": samples.mobile(rng),
        "summary": WATER,
        "consented_at": at,
        "submitted_at": at,
        **columns,
    }
    made = Appointment.objects.create(**values)
    StageMove.objects.create(appointment=made, new=Stage.SUBMITTED, at=at)
    return made


def trace(of: Appointment, *, at: datetime = NOW) -> RoutingTrace:
    """What the rules suggest for the registration, as its screen shows it."""
    return shown_trace(of, at)


def seated(
    number: int = 1, *, confirmed: bool = False, told: bool = True, at: datetime = NOW, **columns
) -> Appointment:
    """A registration that holds a seat of its day. Unless `told` is false, the offer has reached the firm at once."""
    made = appointment(number, stage=Stage.ACCEPTED, **columns)
    seat = seats.take(made.day, made.uscc, at=at)
    if told:
        seats.start_term(seat, made.uscc, at)
    if confirmed:
        seats.confirm(seat, made.uscc, at=at)
    Appointment.objects.filter(pk=made.pk).update(stage=Stage.SEATED, seat=seat)
    made.refresh_from_db()
    return made


def deliver(at: datetime) -> int:
    """The gateway takes every letter that is due at `at`. Returns how many."""
    with override_settings(OUTBOX_ADAPTERS={"sms": MEMORY, "email": MEMORY}):
        return delivery.deliver_due(at)


def assignment(of: Appointment, to: str, *, by: Officer, **columns) -> Assignment:
    """A 交办 of a registration to the division named `to`, given at NOW."""
    values = {
        "question": of.summary,
        "due_on": date(2026, 11, 27),
        "assigned_by": by,
        "assigned_at": NOW,
    } | columns
    return Assignment.objects.create(appointment=of, division=division(to), **values)


def released(of: Appointment, to: str, body: str, *, by: Officer) -> Assignment:
    """A 交办 that was answered with `body`, signed and released at NOW."""
    given = assignment(of, to, by=by, state=AssignmentState.RELEASED, released_at=NOW)
    Reply.objects.create(
        assignment=given,
        body=body,
        drafted_by=by,
        drafted_at=NOW,
        signed_by=by,
        signed_at=NOW,
        one_person_note="由一人拟写并审签。",
    )
    return given
