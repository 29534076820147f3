"""Letters about a registration: the recipient, what each kind may say, and what must still be true when it leaves.

The texts are in `templates/notices/<kind>/`. No letter carries an ID number; SMS and e-mail carry no question and
no reply either, only where to read them.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import cache

from sessions_app import calendar, policy, seats
from sessions_app.letters import to_officers
from sessions_app.models import ConsultDay
from zhoushan_consult.bureau.models import Officer
from zhoushan_consult.identity import phone as phones
from zhoushan_consult.outbox.kinds import LetterKind, Params, always
from zhoushan_consult.outbox.models import Notice
from zhoushan_consult.outbox.posting import Recipient, latest_calendar, post
from zhoushan_consult.outbox.quiet_hours import waking_time

from . import calendar_entry, upper_floor, waiting_list
from .lifecycle import ENDED, LIVE, Stage
from .models import Appointment, ContactCorrection, Publicity, PublishedAnswer, Rating, Supplement
from .priority import is_used, next_chance

INVITING_KINDS = {"seat_offered", "seat_confirmed", "plan_changed", "day_near"}
"""Letters that ask a seated firm to come. They carry the calendar entry, or a newer version of it."""
CANCELLING_KINDS = {
    "seat_given_up",
    "seat_lapsed",
    "booking_withdrawn",
    "day_cancelled",
    "seat_not_needed",
    "booking_voided",
}
"""Letters after which the firm need not come. They carry the cancellation of the calendar entry."""

RECEIPTS = {"booking_received", "booking_amended", "reference_again"}
"""Letters with the 受理编号. What is said to a corrected address says it too, so these do not follow."""

A_WEEK = timedelta(days=7)

WITH_DAY, WITH_SEAT = ("day",), ("day", "seat")
"""The records from which a letter to a firm takes what it says, besides the registration."""


def write(
    kind: str,
    appointment: Appointment,
    *,
    by: Officer | None = None,
    at: datetime,
    key: str = "1",
    to_page_only: bool = False,
    **params,
) -> list[Notice]:
    """Post the letter of `kind` to the firm, in the caller's transaction. Posted twice with one `key`, it is one letter.

    `by`: the officer who acted. Then the firm does not wait for an answer, and is not woken at night.
    `to_page_only`: nothing goes to telephone and mailbox, the letter stands on the progress page only.
    """
    to = Recipient(name=appointment.contact_name) if to_page_only else recipient(appointment)
    due_at = waking_time(at) if by else None
    return post(kind, about=appointment, to=to, key=key, at=at, due_at=due_at, **params)


def recipient(appointment: Appointment) -> Recipient:
    """The contact of the firm as a recipient of the outbox."""
    return Recipient(name=appointment.contact_name, phone=appointment.phone_number, email=appointment.email)


def firm_facts(appointment: Appointment, params: Params, now: datetime) -> dict:
    """The variables that every letter to a firm may use. The place of a plan that is not published is not told."""
    day = appointment.day
    return {
        "appointment": appointment,
        "day_label": calendar.label(day.date),
        "day_short": calendar.short(day.date),
        "hours": f"{policy.OPENS_AT:%-H:%M}—{policy.ENDS_AT:%-H:%M}",
        "place": day.place if day.is_published else "",
        "telling": "发短信" if phones.receives_sms(appointment.phone_number) else "打电话",
        **params,
    }


def firm_letter(
    name: str, title: str, outdated: Callable, facts: Callable = firm_facts, **options
) -> LetterKind:
    """A kind of letter to firms, with its calendar entry where the kind has one."""
    if name in INVITING_KINDS:
        options["calendar"] = _invitation
    elif name in CANCELLING_KINDS:
        options["calendar"] = _calendar_cancellation
    options = {"related": WITH_DAY} | options
    return LetterKind(name=name, title=title, facts=facts, outdated=outdated, **options)


def at_stage(*stages: Stage) -> Callable[[Appointment, Params, datetime], str]:
    """For `outdated`: the letter is true while the registration is at one of these stages."""

    def why_not(appointment: Appointment, params: Params, now: datetime) -> str:
        return "" if appointment.stage in stages else f"登记已转为“{appointment.get_stage_display()}”"

    return why_not


def _receipt_facts(appointment: Appointment, params: Params, now: datetime) -> dict:
    """The facts of a receipt. Once 综合处 has decided, the letter of the decision says the 受理编号 too, so no receipt is needed."""
    day = appointment.day
    comes = appointment.wants_onsite and not day.is_cancelled and now < calendar.ends_at(day.date)
    return firm_facts(appointment, params, now) | {"comes_on": calendar.short(day.date) if comes else ""}


def reply_facts(appointment: Appointment, params: Params, now: datetime) -> dict:
    """The facts of a letter that promises a written reply: it may be there already.

    Functions are read from the database only where a template asks: hundreds of firms may be told in one act.
    """
    return firm_facts(appointment, params, now) | {
        "replied": cache(lambda: upper_floor.work_of(appointment).all_replied),
        "rated": cache(lambda: is_rated(appointment)),
    }


def is_rated(appointment: Appointment) -> bool:
    return Rating.objects.filter(appointment=appointment).exists()


def seat_letter_facts(appointment: Appointment, params: Params, now: datetime) -> dict:
    """The facts of a letter about a seat: who has not confirmed must know until when, counted from this letter on.

    Past that time, and while the place has not gone to the next firm, `reply_by` is empty.
    """
    seat, facts = appointment.seat, firm_facts(appointment, params, now)
    if seat:
        end = seat.reply_by or seats.reply_by(appointment.day.date, now)
        days = (appointment.day.date - now.astimezone(calendar.SHANGHAI).date()).days
        facts |= {"seat": seat, "reply_by": calendar.moment(end) if end > now else "", "days": days}
    return facts


def holds_seat(appointment: Appointment, params: Params, now: datetime) -> str:
    """For `outdated`: the firm still holds this seat of this day, and the day has not begun."""
    day = appointment.day
    if appointment.stage != Stage.SEATED or params["seat"] != _seat_key(appointment):
        return "名额已不在该企业名下"
    if day.is_cancelled:
        return "活动已取消"
    return "咨询日已经开始" if now >= calendar.starts_at(day.date) else ""


def key_at(at: datetime) -> str:
    """The key of a letter that an act can write once at an instant: the act itself happens only once."""
    return f"{at:%Y%m%d%H%M%S%f}"


def seat_params(appointment: Appointment) -> dict:
    """Which seat a letter is about: day, number, and since when the firm holds it."""
    return {"seat": _seat_key(appointment)}


def _seat_key(appointment: Appointment) -> str:
    # From a page that was opened before the seat was lost: the act is refused by the seat itself.
    seat, since = appointment.seat, appointment.seat.offered_at
    offered = f"{since:%Y%m%d%H%M%S}" if since else ""
    return f"{calendar.slug(appointment.day.date)}:{seat.number}:{offered}"


def _unanswered(appointment: Appointment, params: Params, now: datetime) -> str:
    return holds_seat(appointment, params, now) or ("企业已确认" if appointment.seat.confirmed_at else "")


def _offered(appointment: Appointment, params: Params, now: datetime) -> str:
    """By a slow way the offer may come when the time that it had by a quicker one is over."""
    if why_not := _unanswered(appointment, params, now):
        return why_not
    end = appointment.seat.reply_by or calendar.eve(appointment.day.date)
    return "已过确认的期限" if now >= end else ""


def _offer_reached(appointment: Appointment, params: Params, at: datetime) -> None:
    if not _unanswered(appointment, params, at):
        appointment.seat.day = appointment.day
        seats.start_term(appointment.seat, appointment.uscc, at)


def _offer_lost(appointment: Appointment, params: Params, at: datetime) -> None:
    if not _unanswered(appointment, params, at):
        seats.suspend_term(appointment.seat, appointment.uscc)


def _seat_left(appointment: Appointment, params: Params, now: datetime) -> str:
    """For letters that tell of a seat that the firm has not any more: of no use after the day, or where nothing is answered."""
    if appointment.stage == Stage.SEATED:
        return "企业又得到名额"
    if appointment.stage in (Stage.WITHDRAWN, Stage.DECLINED):
        return f"登记已转为“{appointment.get_stage_display()}”"
    return "咨询日已过" if now >= calendar.ends_at(appointment.day.date) else ""


def _not_needed(appointment: Appointment, params: Params, now: datetime) -> str:
    return _seat_left(appointment, params, now) or at_stage(Stage.CLOSED)(appointment, params, now)


def _may_come(appointment: Appointment, params: Params, now: datetime) -> str:
    """For letters that ask whether the firm still wants to come: it can choose so once."""
    if why_not := at_stage(Stage.DEFERRED)(appointment, params, now):
        return why_not
    return "企业此后已安排过现场咨询" if is_used(appointment) else ""


def _deferred_facts(appointment: Appointment, params: Params, now: datetime) -> dict:
    day = appointment.day
    return reply_facts(appointment, params, now) | {
        "next_day": calendar.short(next_chance(appointment, at=now).date),
        "full": cache(lambda: not seats.free_seats(day).exists()),
        "over": now >= calendar.ends_at(day.date),
        "answer_days": policy.DEFERRAL_ANSWER_DAYS,
    }


def _priority_facts(appointment: Appointment, params: Params, now: datetime) -> dict:
    return firm_facts(appointment, params, now) | {"place_in_line": waiting_list.position(appointment)}


def _has_priority(appointment: Appointment, params: Params, now: datetime) -> str:
    if appointment.stage not in (Stage.SUBMITTED, Stage.ACCEPTED) or not appointment.priority_since:
        return "登记已有新的安排"
    if calendar.slug(appointment.day.date) != params["day"]:
        return "登记已转到别的咨询日"
    return _list_over(appointment.day, now)


def _list_over(day: ConsultDay, now: datetime) -> str:
    """Why no firm is promised a place on the list of this day any more."""
    if day.settled_at:
        return "现场名单已经确定"
    return "咨询日已经开始" if now >= calendar.starts_at(day.date) else ""


def _handed_facts(appointment: Appointment, params: Params, now: datetime) -> dict:
    other = appointment.handed_to
    facts = reply_facts(appointment, params, now) | {"other": other}
    return facts | ({"other_day": calendar.short(other.day.date)} if other else {})


def _handed_over(appointment: Appointment, params: Params, now: datetime) -> str:
    other = appointment.handed_to
    if not other or other.stage in ENDED:
        return "优先资格已有新的安排"
    return _list_over(other.day, now)


def _cancelled_facts(appointment: Appointment, params: Params, now: datetime) -> dict:
    other = Appointment.objects.select_related("day").filter(pk=params["other"]).first()
    cancelled = ConsultDay.objects.get(date=calendar.parse_slug(params["cancelled"]))
    return reply_facts(appointment, {}, now) | {
        "other": other,
        "reason": cancelled.remark,
        "cancelled": calendar.short(cancelled.date),
        "next_day": calendar.short((other or appointment).day.date),
    }


def _cancelled_still(appointment: Appointment, params: Params, now: datetime) -> str:
    goes_on = Appointment.objects.select_related("day").filter(pk=params["other"]).first() or appointment
    if goes_on.stage in ENDED:
        return f"登记已转为“{goes_on.get_stage_display()}”"
    if goes_on.day.is_cancelled:
        return "这一期也已取消，另有通知"
    return _list_over(goes_on.day, now)


def _correction_facts(appointment: Appointment, params: Params, now: datetime) -> dict:
    correction = ContactCorrection.objects.get(pk=params["correction"])
    return firm_facts(appointment, {}, now) | {
        "changed": "、".join(correction.labels),
        "by_firm": correction.by_id is None,
        "new_address": correction.moves_letters,
        "new_phone": "phone" in correction.changed,
        "new_name": "contact_name" in correction.changed,
    }


def _supplement_handled(supplement: Supplement, params: Params, now: datetime) -> str:
    if supplement.handled_at:
        return "已经处理"
    return at_stage(*LIVE)(supplement.appointment, params, now)


def _corrected_again(appointment: Appointment, params: Params, now: datetime) -> str:
    """Of two corrections that wait, the later letter tells of the address as it is."""
    later = ContactCorrection.objects.filter(appointment=appointment, pk__gt=params["correction"])
    return "联系方式又有更正，另有通知" if later.exists() else ""


def _invitation(appointment: Appointment, params: Params, now: datetime) -> str:
    confirmed = bool(appointment.seat and appointment.seat.confirmed_at)
    return calendar_entry.render(appointment, confirmed=confirmed, at=now) if appointment.seat else ""


def _calendar_cancellation(appointment: Appointment, params: Params, now: datetime) -> str:
    last = latest_calendar(appointment, INVITING_KINDS | CANCELLING_KINDS)
    return calendar_entry.render_cancellation(last, appointment, at=now)


def _waits_for_second(answer: PublishedAnswer, params: Params, now: datetime) -> str:
    if answer.state != Publicity.DRAFT or answer.remark:
        return f"这条答复{'已退回修改' if answer.remark else answer.get_state_display()}"
    return "拟稿人不能自己审核" if answer.drafted_by_id == params["officer"] else ""


def _sent_back(answer: PublishedAnswer, params: Params, now: datetime) -> str:
    return "" if answer.state == Publicity.DRAFT and answer.remark else "这条答复已经修改或办结"


def is_public(*states: Publicity) -> Callable[[PublishedAnswer, Params, datetime], str]:
    """For `outdated`: the letter is true while the public answer is in one of these states."""

    def why_not(answer: PublishedAnswer, params: Params, now: datetime) -> str:
        return "" if answer.state in states else f"这条答复{answer.get_state_display()}"

    return why_not


def about_answer(name: str, title: str, outdated: Callable) -> LetterKind:
    return to_officers(name, title, lambda answer, params, now: {}, outdated)


LETTERS = [
    firm_letter(
        "booking_received", "登记已收到", at_stage(Stage.SUBMITTED), _receipt_facts, answers_act=True
    ),
    firm_letter("reference_again", "补发受理编号", always, answers_act=True, useful_for=A_WEEK),
    firm_letter("booking_amended", "登记已修改", at_stage(Stage.SUBMITTED), _receipt_facts, answers_act=True),
    firm_letter("contact_corrected", "联系方式已更正", _corrected_again, _correction_facts, answers_act=True),
    firm_letter("booking_voided", "登记已作废", at_stage(Stage.WITHDRAWN)),
    firm_letter("booking_withdrawn", "登记已撤回", at_stage(Stage.WITHDRAWN), answers_act=True),
    firm_letter(
        "seat_offered",
        "请确认现场名额",
        _offered,
        seat_letter_facts,
        delivered=_offer_reached,
        lost=_offer_lost,
        related=WITH_SEAT,
    ),
    firm_letter(
        "seat_confirmed", "已确认参加", holds_seat, seat_letter_facts, answers_act=True, related=WITH_SEAT
    ),
    firm_letter("seat_given_up", "已放弃现场名额", _seat_left, reply_facts, answers_act=True),
    firm_letter("seat_not_needed", "书面答复已够，名额已退回", _not_needed, answers_act=True),
    firm_letter("seat_lapsed", "名额逾期未确认", _seat_left, reply_facts),
    firm_letter("deferred", "本期没有排上现场", _may_come, _deferred_facts),
    firm_letter("priority_granted", "下期优先安排", _has_priority, _priority_facts, answers_act=True),
    firm_letter(
        "priority_moved",
        "优先资格已转到下期登记",
        _handed_over,
        _handed_facts,
        answers_act=True,
        related=(*WITH_DAY, "handed_to__day"),
    ),
    firm_letter("priority_returned", "优先资格已退回", _may_come, _deferred_facts),
    to_officers(
        "supplement_added",
        "企业补充了问题",
        lambda supplement, params, now: {},
        _supplement_handled,
        related=("appointment",),
    ),
    to_officers(
        "objection_raised",
        "有登记异议要核实",
        lambda objection, params, now: {},
        lambda objection, params, now: "已经核实" if objection.verdict else "",
    ),
    about_answer("answer_to_publish", "公开答复待审核", _waits_for_second),
    about_answer("answer_sent_back", "拟公开答复退回修改", _sent_back),
    about_answer("answer_published", "拟公开答复已公开", is_public(Publicity.PUBLISHED)),
    about_answer("answer_dropped", "拟公开答复不公开", is_public(Publicity.DROPPED)),
    firm_letter("day_cancelled", "活动取消", _cancelled_still, _cancelled_facts),
    to_officers("contact_changed", "企业更正了联系方式", _correction_facts, _corrected_again),
]
"""`plan_changed`, `day_near` and what tells of reviews, replies and the day itself are in `triage.letters`."""
