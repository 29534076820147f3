"""企业预约登记 (六（二）): submit, find, amend, withdraw; confirm a seat or give it up."""

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
from zhoushan_consult.bureau.roles import Act
from zhoushan_consult.identity.phone import reaches
from zhoushan_consult.outbox import posting
from zhoushan_consult.outbox.readdressing import readdress
from zhoushan_consult.vault.blind_index import blind_index

from . import letters, seat_moves, waiting_list
from .contact import ChangedMeanwhile, contact_of, lock_letters
from .facts import NotOpen, require
from .lifecycle import Stage
from .models import Appointment, Channel, StageMove
from .priority import can_take_priority
from .references import clean_reference, new_reference
from .situation import FirmAct, StaffAct


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


@dataclass(frozen=True)
class Registration:
    """The ten fields of 附件2 and the fields added to them, validated."""

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
        """The values by column of Appointment."""
        values = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return values | {"topics": list(self.topics), "id_index": blind_index("id_number", self.id_number)}

    def digest(self) -> str:
        """Equal for two forms with the same content. Kept instead of the content: it is a keyed hash."""
        values = asdict(self) | {"area": self.area and self.area.code}
        return blind_index("form", json.dumps(values, sort_keys=True, ensure_ascii=False))


@dataclass(frozen=True)
class Source:
    """来源: how a registration came in, online or entered by an officer for a reason."""

    channel: str = Channel.ONLINE
    by: Officer | None = None
    reason: str = ""


def submit(
    form: Registration, *, key: str, at: datetime, day: ConsultDay | None = None, source: Source = Source()
) -> Appointment:
    """Store a registration for the 咨询日 that `at` joins, with its receipt letter. A `key` sent before returns the first one.

    `day` is given for late entries only. Raises AlreadyBooked (one live booking per firm and day) and FormAlreadyUsed
    (the same form with other content).
    """
    return _sent_before(key, form) or _register(form, key=key, at=at, day=day, source=source)


def _sent_before(key: str, form: Registration) -> Appointment | None:
    earlier = Appointment.objects.select_related("day").filter(form_key=key).first()
    if earlier and not constant_time_compare(earlier.form_digest, form.digest()):
        raise FormAlreadyUsed
    return earlier


def _register(
    form: Registration, *, key: str, at: datetime, day: ConsultDay | None, source: Source
) -> Appointment:
    try:
        with transaction.atomic():
            made = Appointment.objects.create(
                reference=new_reference(),
                receipt_token=secrets.token_urlsafe(32),
                form_key=key,
                form_digest=form.digest(),
                day=day or joining_day(at),
                channel=source.channel,
                entered_by=source.by,
                entry_reason=source.reason,
                consented_at=at,
                submitted_at=at,
                **form.columns(),
            )
            StageMove.objects.create(appointment=made, new=Stage.SUBMITTED, by=source.by, at=at)
            why = {"reason": source.reason} if source.reason else {}
            record(Verb.REGISTERED, made, by=source.by, at=at, channel=source.channel, **why)
            flooded = _receipts_exceeded(form, at)
            letters.write(
                "booking_received", made, by=source.by, at=at, to_page_only=flooded, flooded=flooded
            )
            return made
    except IntegrityError as clash:
        return _explain(clash, form, key)


def _receipts_exceeded(form: Registration, at: datetime) -> bool:
    """Whether this telephone or mailbox has had RECEIPTS_A_DAY. A stranger's number must not be flooded through our form."""
    theirs = Q(phone=form.phone) | Q(email=form.email) if form.email else Q(phone=form.phone)
    today = Appointment.objects.filter(theirs, submitted_at__gt=at - timedelta(days=1))
    return today.count() > policy.RECEIPTS_A_DAY


def _explain(clash: IntegrityError, form: Registration, key: str) -> Appointment:
    """Two forms arrived at once and one was stored. The same form gets that registration; another form of the firm is refused."""
    if same := _sent_before(key, form):
        return same
    if Appointment.objects.live().filter(uscc=form.uscc).exists():
        raise AlreadyBooked from clash
    raise clash


def find(reference: str, phone: str) -> Appointment | None:
    """The registration with this 受理编号 and phone. None where either is wrong; the answer does not say which.

    A land line may be typed without its extension.
    """
    found = (
        Appointment.objects.select_related("day", "seat", "area")
        .filter(reference=clean_reference(reference))
        .first()
    )
    return found if found and reaches(phone, found.phone_number) else None


def version_of(appointment: Appointment) -> str:
    """Equal as long as nothing was changed that the firm can amend. It tells nothing of the content."""
    return f"{appointment.version}.{contact_of(appointment).mark()}"


def _registered(appointment: Appointment) -> Registration:
    """What is registered, as a form that says the same."""
    values = {name: getattr(appointment, name) for name in Registration.__dataclass_fields__}
    return Registration(
        **values
        | {
            "id_number": appointment.id_number.open(),
            "phone": appointment.phone_number,
            "topics": tuple(appointment.topics),
        }
    )


@transaction.atomic
def amend(appointment: Appointment, form: Registration, *, version: str = "", at: datetime) -> None:
    """The firm corrects its registration while 待初审, and is told at the telephone that stands there now.

    `version` is that of the registration that the firm read: another tab, or an officer, may have changed it since.
    A second click does nothing. Raises NotOpen, ChangedMeanwhile.
    """
    require(appointment, FirmAct.AMEND, at)
    lock_letters(appointment)
    current = Appointment.objects.select_for_update(of=("self",), no_key=True).get(pk=appointment.pk)
    if version and version != version_of(current):
        if _registered(current).digest() == form.digest():
            return
        raise ChangedMeanwhile
    # What waits to be sent would go to the old telephone; the new letter says all that it says.
    posting.cancel(appointment, at=at)
    old = letters.recipient(appointment)
    waiting = Appointment.objects.filter(pk=appointment.pk, stage=Stage.SUBMITTED)
    changes = form.columns() | {"uscc": appointment.uscc, "enterprise_name": appointment.enterprise_name}
    if not waiting.update(amended_at=at, version=F("version") + 1, **changes):
        raise NotOpen
    record(Verb.AMENDED, appointment, by=None, at=at)
    appointment.refresh_from_db()
    readdress(
        appointment, old=old, new=letters.recipient(appointment), at=at, said_otherwise=letters.RECEIPTS
    )
    letters.write("booking_amended", appointment, at=at, key=str(appointment.version))


@transaction.atomic
def withdraw(appointment: Appointment, *, at: datetime) -> None:
    """The firm withdraws; its seat is free for the next firm. Raises NotOpen. A second click does nothing."""
    if appointment.stage == Stage.WITHDRAWN:
        return
    require(appointment, FirmAct.WITHDRAW, at)
    seat_moves.leave(appointment, Stage.WITHDRAWN, "企业撤回", by=None, at=at, priority_since=None)
    seat_moves.return_priority(appointment, by=None, at=at)
    letters.write("booking_withdrawn", appointment, at=at)


@transaction.atomic
def confirm_seat(appointment: Appointment, *, by: Officer | None = None, at: datetime) -> None:
    """The firm will come on the day (六（五）：通知确认). `by`: the officer to whom it said so (`triage.calls` records the call).

    Raises NotOpen where the offer has lapsed or the day has begun. A second click does nothing.
    """
    if by:
        by.must(Act.SETTLE)
    if appointment.stage == Stage.SEATED and appointment.seat.confirmed_at:
        return
    require(appointment, StaffAct.CONFIRM if by else FirmAct.CONFIRM, at)
    if seats.confirm(appointment.seat, appointment.uscc, at=at):
        facts = waiting_list.seat_facts(appointment.day, appointment.seat)
        record(Verb.SEAT_CONFIRMED, appointment, by=by, at=at, **facts)
    appointment.seat.refresh_from_db()
    seat = letters.seat_params(appointment)
    letters.write("seat_confirmed", appointment, by=by, at=at, key=seat["seat"], **seat)


@transaction.atomic
def give_up_seat(appointment: Appointment, *, by: Officer | None = None, at: datetime) -> None:
    """The firm will not come and gets a written reply instead.

    `by`: the officer to whom it said so (`triage.calls` records the call). It leaves the waiting list, and its priority, if it
    had one, is used up. Raises NotOpen, seats.SeatGone.
    """
    if by:
        by.must(Act.SETTLE)
    require(appointment, StaffAct.GIVE_UP if by else FirmAct.GIVE_UP, at)
    key = letters.seat_params(appointment)["seat"]
    changes = {"wants_onsite": False, "priority_since": None}
    seat_moves.leave(appointment, Stage.ACCEPTED, "企业放弃现场名额，改为书面答复", by=by, at=at, **changes)
    letters.write("seat_given_up", appointment, by=by, at=at, key=key)


@transaction.atomic
def ask_for_seat_again(appointment: Appointment, *, at: datetime) -> Appointment:
    """A deferred firm still wants to come: carried to the next day with priority (六（五）：下次活动优先安排).

    A firm that is deferred again keeps the date of its priority, and so its position. Where it has registered for that day
    itself, that registration gets the priority and this one is answered in writing; one that cannot use it is passed over,
    and this one goes to the day after. Returns the registration with the priority. Raises NotOpen, IllegalMove.
    """
    require(appointment, FirmAct.STILL_ONSITE, at)
    since = appointment.priority_since or at
    day = first_open_day(calendar.following(appointment.day.date), at=at)
    while own := _carry_over(appointment, day, since, at):
        if can_take_priority(own):
            return _hand_over(appointment, own, since, at=at)
        day = first_open_day(calendar.following(day.date), at=at)
    slug = calendar.slug(day.date)
    letters.write("priority_granted", appointment, at=at, key=slug, day=slug)
    return appointment


def _carry_over(
    appointment: Appointment, day: ConsultDay, since: datetime, at: datetime
) -> Appointment | None:
    note = f"仍需现场咨询，{calendar.short(day.date)}优先安排"
    return seat_moves.carry_over(appointment, day, note, since=since, by=None, at=at)


def _hand_over(appointment: Appointment, own: Appointment, since: datetime, *, at: datetime) -> Appointment:
    note = f"仍需现场咨询，优先资格转到贵单位{calendar.short(own.day.date)}的登记"
    seat_moves.hand_over(appointment, own, note, since=since, by=None, at=at)
    letters.write("priority_moved", appointment, at=at, key=letters.key_at(at))
    return own


@transaction.atomic
def written_reply_is_enough(appointment: Appointment, *, at: datetime) -> None:
    """书面答复已够: the firm need not come; the registration is closed, and its seat is free for the next firm. Raises NotOpen."""
    require(appointment, FirmAct.ENOUGH, at)
    note = "企业表示书面答复已解决问题"
    if appointment.stage != Stage.SEATED:
        appointment.move_to(Stage.CLOSED, note, by=None, at=at)
        return
    key = letters.seat_params(appointment)["seat"]
    seat_moves.leave(appointment, Stage.CLOSED, note, by=None, at=at)
    letters.write("seat_not_needed", appointment, at=at, key=key)
