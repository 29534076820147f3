"""企业预约登记 (六（二）): submit, look up, amend, withdraw; confirm a seat or give it up."""

import json
import secrets
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction
from django.db.models import F, Q
from django.utils.crypto import constant_time_compare

from sessions_app import calendar, policy, seats
from sessions_app.days import first_open_day, joining_day
from sessions_app.models import ConsultDay
from zhoushan_consult.audit.trail import record
from zhoushan_consult.audit.verbs import Verb
from zhoushan_consult.bureau.models import Area, Officer
from zhoushan_consult.bureau.refusals import Refused
from zhoushan_consult.vault.blind_index import blind_index

from . import letters, seat_moves, waiting_list
from .lifecycle import AWAITING_DAY, Stage
from .models import Appointment, Channel, IllegalMove, StageMove
from .references import clean_reference, new_reference


class AlreadyBooked(Refused):
    def __init__(self):
        super().__init__(
            "贵单位本期已有一份登记正在办理，同一企业每期只需登记一次。请凭受理编号和联系电话到“进度查询”补充或修改。"
        )


class FormAlreadyUsed(Refused):
    def __init__(self):
        super().__init__(
            "这张表已经提交过，内容与这次不同，未重复登记。如需修改，请到“进度查询”办理；如要另行登记，请重新打开登记页面。"
        )


class PriorityUsed(Refused):
    def __init__(self):
        super().__init__("贵单位此后已安排过现场咨询，优先资格已经使用。如有新的问题，请重新登记。")


class TooLate(Refused):
    def __init__(self):
        super().__init__("这条登记已进入下一办理阶段，网上不能再修改。请电话联系综合处。")


@dataclass(frozen=True)
class Registration:
    """The ten fields of 附件2 and what stands beside them, each already clean."""

    enterprise_name: str
    uscc: str
    contact_name: str
    id_type: str
    id_number: str = field(repr=False)
    phone: str = field(repr=False)
    summary: str = field(repr=False)
    address: str = ""
    postcode: str = ""
    email: str = field(default="", repr=False)
    area: Area | None = None
    topics: tuple[str, ...] = ()
    wants_onsite: bool = True

    def columns(self) -> dict:
        """The same, by column of Appointment."""
        values = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return values | {"topics": list(self.topics), "id_index": blind_index("id_number", self.id_number)}

    def digest(self) -> str:
        """Tells whether a form sent twice says the same, without keeping what it says."""
        values = asdict(self) | {"area": self.area and self.area.code}
        return blind_index("form", json.dumps(values, sort_keys=True, ensure_ascii=False))


@dataclass(frozen=True)
class Entry:
    """How a registration came in: online by the firm, or entered by an officer for a reason."""

    channel: str = Channel.ONLINE
    by: Officer | None = None
    reason: str = ""


def submit(
    form: Registration, *, key: str, at: datetime, day: ConsultDay | None = None, entry: Entry = Entry()
) -> Appointment:
    """A new registration for the 咨询日 that `at` joins, with its receipt letter; for a key sent before, the first one.

    `day` is given for late entries only. Raises AlreadyBooked (one live booking a firm a day) and FormAlreadyUsed
    (the same form with other content).
    """
    return _sent_before(key, form) or _register(form, key=key, at=at, day=day, entry=entry)


def _sent_before(key: str, form: Registration) -> Appointment | None:
    earlier = Appointment.objects.select_related("day").filter(form_key=key).first()
    if earlier and not constant_time_compare(earlier.form_digest, form.digest()):
        raise FormAlreadyUsed
    return earlier


def _register(
    form: Registration, *, key: str, at: datetime, day: ConsultDay | None, entry: Entry
) -> Appointment:
    try:
        with transaction.atomic():
            made = Appointment.objects.create(
                reference=new_reference(),
                receipt_token=secrets.token_urlsafe(32),
                form_key=key,
                form_digest=form.digest(),
                day=day or joining_day(at),
                channel=entry.channel,
                entered_by=entry.by,
                entry_reason=entry.reason,
                consented_at=at,
                submitted_at=at,
                **form.columns(),
            )
            StageMove.objects.create(appointment=made, new=Stage.SUBMITTED, by=entry.by, at=at)
            why = {"reason": entry.reason} if entry.reason else {}
            record(Verb.REGISTERED, made, by=entry.by, at=at, channel=entry.channel, **why)
            letters.write("booking_received", made, at=at, to_page_only=_is_pestered(form, at))
            return made
    except IntegrityError as clash:
        return _explain(clash, form, key)


def _is_pestered(form: Registration, at: datetime) -> bool:
    """Whether this telephone or mailbox has had its receipts of the day: a stranger's must not be showered with more."""
    theirs = Q(phone=form.phone) | Q(email=form.email) if form.email else Q(phone=form.phone)
    today = Appointment.objects.filter(theirs, submitted_at__gt=at - timedelta(days=1))
    return today.count() > policy.RECEIPTS_A_DAY


def _explain(clash: IntegrityError, form: Registration, key: str) -> Appointment:
    """Of two forms sent at once one was stored: the same form is answered with it, another form of the firm is told."""
    if same := _sent_before(key, form):
        return same
    if Appointment.objects.live().filter(uscc=form.uscc).exists():
        raise AlreadyBooked from clash
    raise clash


def find(reference: str, phone: str) -> Appointment | None:
    """The registration of a 受理编号, for whoever also knows its phone; None otherwise, whichever of the two was wrong."""
    found = (
        Appointment.objects.select_related("day", "seat", "area")
        .filter(reference=clean_reference(reference))
        .first()
    )
    return found if found and constant_time_compare(found.phone_number, phone) else None


@transaction.atomic
def amend(appointment: Appointment, form: Registration, *, at: datetime) -> None:
    """The firm mends its registration while 待初审. Raises TooLate afterwards."""
    waiting = Appointment.objects.filter(pk=appointment.pk, stage=Stage.SUBMITTED)
    changes = form.columns() | {"uscc": appointment.uscc, "enterprise_name": appointment.enterprise_name}
    if not waiting.update(amended_at=at, version=F("version") + 1, **changes):
        raise TooLate
    record(Verb.AMENDED, appointment, by=None, at=at)
    appointment.refresh_from_db()


@transaction.atomic
def withdraw(appointment: Appointment, *, at: datetime) -> None:
    """The firm takes its registration back before the day; a seat it held is free for the next in line."""
    if appointment.stage == Stage.WITHDRAWN:
        return
    if appointment.stage not in AWAITING_DAY:
        raise TooLate
    seat_moves.leave(appointment, Stage.WITHDRAWN, "企业撤回", by=None, at=at, priority_since=None)
    letters.write("booking_withdrawn", appointment, at=at)


def confirm_seat(appointment: Appointment, *, by: Officer | None = None, at: datetime) -> None:
    """The firm will come on the day (六（五）：通知确认); `by` is the officer whom it told by telephone.

    Raises SeatGone where the offer has lapsed.
    """
    if appointment.stage != Stage.SEATED:
        raise seats.SeatGone
    with transaction.atomic():
        if seats.confirm(appointment.seat, appointment.uscc, at=at):
            record(
                Verb.SEAT_CONFIRMED,
                appointment,
                by=by,
                at=at,
                **waiting_list.of_day(appointment.day, appointment.seat),
            )
        letters.write("seat_confirmed", appointment, at=at, key=_seat_key(appointment))


@transaction.atomic
def give_up_seat(appointment: Appointment, *, by: Officer | None = None, at: datetime) -> None:
    """The firm will not come, and asks for the written reply instead; `by` is the officer whom it told by telephone.

    It leaves the line, and the priority that it may have had is used up.
    """
    if appointment.stage != Stage.SEATED:
        raise seats.SeatGone
    key = _seat_key(appointment)
    changes = {"wants_onsite": False, "priority_since": None}
    seat_moves.leave(appointment, Stage.ACCEPTED, "企业放弃现场名额，改为书面答复", by=by, at=at, **changes)
    letters.write("seat_given_up", appointment, at=at, key=key)


def _seat_key(appointment: Appointment) -> str:
    """Tells letters about this seat from those about another day's."""
    return f"{appointment.day.date}:{appointment.seat.number}"


def ask_for_seat_again(appointment: Appointment, *, at: datetime) -> Appointment:
    """A deferred firm still wants to come: carried to the next day with priority (六（五）：下次活动优先安排).

    A firm deferred again keeps the priority that it has, and so its place. Where it already registered for that day,
    that registration gets the priority and this one is closed. Raises PriorityUsed where it had a seat meanwhile.
    """
    if appointment.stage != Stage.DEFERRED:
        raise IllegalMove
    with transaction.atomic():
        day = first_open_day(calendar.following(appointment.day.date), at=at)
        if _was_seated_after(appointment):
            raise PriorityUsed
        since = appointment.priority_since or at
        note = f"仍需现场咨询，{calendar.short(day.date)}优先安排"
        heir = seat_moves.carry_over(appointment, day, note, since=since, by=None, at=at)
        if heir:
            return _hand_over(appointment, heir, since, at=at)
        place = waiting_list.place(appointment)
        letters.write(
            "priority_granted", appointment, at=at, key=calendar.slug(day.date), priority_place=place
        )
        return appointment


def _was_seated_after(appointment: Appointment) -> bool:
    later = Appointment.objects.filter(uscc=appointment.uscc, day__date__gt=appointment.day.date)
    return later.filter(moves__new=Stage.SEATED).exists()


def _hand_over(appointment: Appointment, heir: Appointment, since: datetime, *, at: datetime) -> Appointment:
    """The firm's own registration for the next day takes the priority over, and this one is closed."""
    seat_moves.grant_priority(heir, since)
    record(Verb.PRIORITY_GRANTED, heir, by=None, at=at, day=calendar.slug(heir.day.date))
    appointment.move_to(Stage.CLOSED, "优先资格已转到贵单位下期的登记", by=None, at=at)
    return heir


@transaction.atomic
def written_reply_is_enough(appointment: Appointment, *, at: datetime) -> None:
    """A deferred firm is content with the written reply."""
    if appointment.stage != Stage.DEFERRED:
        raise IllegalMove
    appointment.move_to(Stage.CLOSED, "企业表示书面答复已解决问题", by=None, at=at)
