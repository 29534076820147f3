"""电话: every call to a firm is recorded with its result (六（三）：电话沟通), and what the firm decided in it is done with it."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import BigIntegerField, CharField, Exists, F, OuterRef, Prefetch, Q, QuerySet
from django.db.models.functions import Cast

from appointments import booking
from appointments.lifecycle import ENDED
from appointments.models import Appointment, ContactCorrection
from zhoushan_consult.audit.trail import record
from zhoushan_consult.audit.verbs import Verb
from zhoushan_consult.bureau.models import Officer
from zhoushan_consult.bureau.refusals import Refused
from zhoushan_consult.bureau.roles import Act
from zhoushan_consult.outbox import calls as letter_calls
from zhoushan_consult.outbox import delivery, telephone
from zhoushan_consult.outbox.models import Channel, Notice, NoticeCall, State
from zhoushan_consult.outbox.posting import address_index, letters_to_reader

from .models import CallOutcome, CallRecord

ABOUT_FIRM = Appointment._meta.label_lower


class CallFirst(Refused):
    def __init__(self, before: str = "告知理由后，才能不予通过（实施方案六（三））"):
        super().__init__(f"请先电话沟通：接通并{before}。没有接通的，请记在“电话记录”。")


class NotUnreachable(Refused):
    def __init__(self):
        super().__init__("这家企业已经联系上，或已被他人处理。请刷新后查看最新情况。")


@dataclass(frozen=True)
class Call:
    """A telephone call, as the officer reports it."""

    outcome: CallOutcome
    gist: str


@dataclass(frozen=True)
class PastCall:
    """A call as the screen of the registration shows it. `letters` are the titles of those that it was about."""

    at: datetime
    by: str
    outcome: str
    gist: str
    letters: tuple[str, ...] = ()


# --- Acts ------------------------------------------------------------------------------------------------------------
@transaction.atomic
def record_call(appointment: Appointment, call: Call, *, by: Officer, at: datetime) -> CallRecord:
    """Record a call that decides nothing: no answer, or a question clarified."""
    by.must(Act.CALL)
    return store(appointment, call, by=by, at=at)


@transaction.atomic
def confirm_seat(appointment: Appointment, call: Call, *, by: Officer, at: datetime) -> None:
    """The firm said on the telephone that it will come (六（五）：通知确认). Raises CallFirst, and what `booking` raises."""
    _must_be_reached(call, "听到企业确认参加后，才能代为确认")
    booking.confirm_seat(appointment, by=by, at=at)
    store(appointment, call, by=by, at=at)
    settle_heard(appointment, {"seat_confirmed"}, call, by=by, at=at)


@transaction.atomic
def give_up_seat(appointment: Appointment, call: Call, *, by: Officer, at: datetime) -> None:
    """The firm said on the telephone that it will not come. Raises CallFirst, and what `booking` raises."""
    _must_be_reached(call, "听到企业放弃名额后，才能代为放弃")
    booking.give_up_seat(appointment, by=by, at=at)
    store(appointment, call, by=by, at=at)
    settle_heard(appointment, {"seat_given_up"}, call, by=by, at=at)


@transaction.atomic
def dismiss(appointment: Appointment, reason: str, *, by: Officer, at: datetime) -> None:
    """Nothing more is tried to reach a firm whose number is wrong. Its page keeps the letters. Raises NotUnreachable."""
    by.must(Act.CALL)
    if not is_unreachable(appointment):
        raise NotUnreachable
    for letter in _failed_calls().filter(about_id=str(appointment.pk)).order_by("pk"):
        delivery.dismiss(letter, by=by, at=at)
    appointment.calls.filter(outcome=CallOutcome.WRONG_NUMBER, dismissed_at=None).update(dismissed_at=at)
    record(Verb.UNREACHABLE_DISMISSED, appointment, by=by, at=at, reason=reason)


def store(appointment: Appointment, call: Call, *, by: Officer, at: datetime) -> CallRecord:
    """Record a call in the transaction of the act that it belongs to."""
    record(Verb.CALLED, appointment, by=by, at=at, outcome=call.outcome)
    return CallRecord.objects.create(
        appointment=appointment, by=by, at=at, outcome=call.outcome, gist=call.gist
    )


def settle_heard(
    appointment: Appointment, kinds: Collection[str], call: Call, *, by: Officer, at: datetime
) -> None:
    """The firm has heard in this call what these letters say: where it gets them by telephone, they need no second one."""
    waiting = letters_to_reader(appointment).filter(channel=Channel.CALL, state=State.WAITING, kind__in=kinds)
    heard = [each.notice for each in letter_calls.as_of(waiting, at) if not each.not_needed]
    if heard:
        telephone.record_call(heard, by=by, at=at, outcome=call.outcome, gist=call.gist)


def _must_be_reached(call: Call, before: str) -> None:
    if call.outcome != CallOutcome.REACHED:
        raise CallFirst(before)


# --- What waits to be told -------------------------------------------------------------------------------------------
def letters_to_tell(appointment: Appointment, now: datetime) -> list[letter_calls.Call]:
    """The letters that one call to this firm settles: of this registration, and of its others with the same telephone.

    Each with what to say now, or why it need not be told any more.
    """
    same_phone = Q(to_index=address_index(appointment.phone_number))
    same_firm = Appointment.objects.filter(uscc=appointment.uscc).values(key=Cast("pk", CharField()))
    wanted = Q(about_id=str(appointment.pk)) | Q(about_id__in=same_firm) & same_phone
    waiting = delivery.calls_to_make().filter(wanted, about_kind=ABOUT_FIRM, due_at__lte=now)
    return letter_calls.as_of(waiting, now)


# --- Firms that cannot be reached ------------------------------------------------------------------------------------
def unreachable() -> QuerySet[Appointment]:
    """联系不上的企业: the number called was wrong, and since then it was neither corrected, nor dismissed, nor was the firm reached."""
    undelivered = _failed_calls().order_by().values(firm=Cast("about_id", BigIntegerField()))
    wrong = _wrong_numbers().exclude(appointment__stage__in=ENDED).order_by().values(firm=F("appointment"))
    # A union of keys: with OR, the database would read every registration.
    return Appointment.objects.filter(pk__in=undelivered.union(wrong))


def is_unreachable(appointment: Appointment) -> bool:
    return unreachable().filter(pk=appointment.pk).exists()


def _failed_calls() -> QuerySet[Notice]:
    """Letters that could not be told, because the number is wrong."""
    return Notice.objects.filter(channel=Channel.CALL, state=State.FAILED, about_kind=ABOUT_FIRM)


def _wrong_numbers() -> QuerySet[CallRecord]:
    """Calls to a wrong number that is still the number of the registration."""
    later = {"at__gt": OuterRef("at")}
    reached = CallRecord.objects.filter(
        appointment=OuterRef("appointment"), outcome=CallOutcome.REACHED, **later
    )
    told = NoticeCall.objects.filter(
        outcome=CallOutcome.REACHED,
        notices__about_kind=ABOUT_FIRM,
        notices__about_id=Cast(OuterRef("appointment_id"), CharField()),
        **later,
    )
    corrected = ContactCorrection.objects.filter(
        appointment=OuterRef("appointment"), columns__contains="phone", **later
    )
    wrong = CallRecord.objects.filter(outcome=CallOutcome.WRONG_NUMBER, dismissed_at=None)
    amended = Q(appointment__amended_at__gt=F("at"))
    return wrong.exclude(amended).exclude(Exists(reached)).exclude(Exists(told)).exclude(Exists(corrected))


# --- What was said ---------------------------------------------------------------------------------------------------
def calls_of(appointment: Appointment) -> list[PastCall]:
    """Every attempt to telephone about a registration, the latest first; those about letters with the letters."""
    about_letters = [
        _past(call, call.gist.open(), tuple(letter.subject for letter in call.told))
        for call in _calls_about_letters(appointment)
    ]
    # One call in which the firm decided something and heard letters is one line.
    known = {_key(past) for past in about_letters}
    others = [_past(call, call.gist) for call in appointment.calls.all()]
    calls = about_letters + [past for past in others if _key(past) not in known]
    return sorted(calls, key=lambda past: past.at, reverse=True)


def _calls_about_letters(appointment: Appointment) -> QuerySet[NoticeCall]:
    own = letters_to_reader(appointment)
    found = NoticeCall.objects.filter(notices__in=own).select_related("by").distinct()
    return found.prefetch_related(Prefetch("notices", own.order_by("pk"), to_attr="told"))


def _past(call: CallRecord | NoticeCall, gist: str, titles: tuple[str, ...] = ()) -> PastCall:
    return PastCall(call.at, call.by.name, call.get_outcome_display(), gist, titles)


def _key(past: PastCall) -> tuple:
    return past.at, past.by, past.outcome, past.gist
