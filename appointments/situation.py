"""Where a registration stands at an instant: what comes next and by when, whose turn it is, which acts are open.

Pages, buttons, guards, duties and letters ask here; none decides for itself. The module is pure: it reads frozen `Facts`,
which `facts` gathers from the rows of every floor. So a button that is shown works, and what works is shown.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum

from django.db.models import TextChoices

from sessions_app import calendar, policy

from .lifecycle import AWAITING_DAY, ENDED, MOVES, Stage


class Turn(StrEnum):
    """Whose turn it is. The value is the word that people read."""

    FIRM = "企业"
    OFFICE = "综合处"
    DIVISION = "处室"
    NONE = "无"


class FirmAct(TextChoices):
    """What a firm can do on its progress page. The value is the address of the act."""

    AMEND = "amend", "修改登记"
    CONTACT = "contact", "更正联系方式"
    WITHDRAW = "withdraw", "撤回登记"
    CONFIRM = "confirm", "确认参加"
    GIVE_UP = "give-up", "放弃名额"
    STILL_ONSITE = "still-onsite", "仍需现场咨询"
    ENOUGH = "enough", "书面答复已够"
    SOLVED = "solved", "已解决"
    UNSOLVED = "unsolved", "未解决"
    RATE = "rate", "评价"
    SUPPLEMENT = "supplement", "补充问题"


class StaffAct(TextChoices):
    """What officers can do with a registration as a whole. The value is the name of the button in the admin."""

    ACCEPT = "accept", "通过初审并交办"
    DECLINE = "decline", "不予通过"
    RECONSIDER = "reconsider", "重新审核"
    CONTACT = "contact", "更正联系方式"
    ADD = "add", "另行交办"
    CONFIRM = "confirm_seat", "代企业确认参加"
    GIVE_UP = "give_up", "代企业放弃名额"
    EXTRA_SEAT = "extra_seat", "增加名额"
    CALL_IN = "call_in", "候补入场"
    CHECK_IN = "check_in", "现场签到"
    CONCLUDE = "conclude", "现场结果"
    CLOSE = "close", "办结登记"


# In DayFacts the field `date` hides the type.
Date = date


@dataclass(frozen=True)
class DayFacts:
    """The 咨询日 of the registration. `place` is "" while the plan is not published: a draft is not told to firms."""

    date: date
    published: bool = True
    cancelled: bool = False
    settled: bool = False
    place: str = ""
    # One of the ten is free, and goes to the next firm by itself.
    seat_free: bool = False
    # The 咨询日 for which a firm would be carried over now (`priority.next_chance`), and whether it is registered for it.
    next_date: Date | None = None
    next_is_own: bool = False


@dataclass(frozen=True)
class SeatFacts:
    """The seat that the firm holds. `reply_by` is empty until the offer has reached it."""

    number: int
    confirmed: bool = False
    reply_by: datetime | None = None


@dataclass(frozen=True)
class Work:
    """What the floor above knows: 交办 and replies, the day itself, and 督办.

    `divisions` have the matter, the lead first; `studying` are those that still owe a reply, until `due_on`. `open` 交办 have no
    released reply, `leads_open` of them are leads; `returned` ones wait for 综合处, and so do `unassigned` 补充问题. `following` are the divisions of the open
    督办, until `follow_up_due_on`.
    """

    divisions: tuple[str, ...] = ()
    studying: tuple[str, ...] = ()
    due_on: date | None = None
    open: int = 0
    leads_open: int = 0
    returned: int = 0
    unassigned: int = 0
    replied: int = 0
    checked_in: bool = False
    following: tuple[str, ...] = ()
    follow_up_due_on: date | None = None

    @property
    def owes_reply(self) -> bool:
        """Whether a lead division has still to reply, or 综合处 to find one that does."""
        return bool(self.leads_open or self.returned or self.unassigned)

    @property
    def all_replied(self) -> bool:
        """Whether every lead division has replied."""
        return bool(self.replied) and not self.owes_reply


@dataclass(frozen=True)
class Facts:
    """Everything that decides about a registration, at the instant `now`.

    `answer_by`: until when the firm may answer what was told to it last; empty while the words have not reached it.
    `reopen_until` likewise for 未解决 after 办结. `seated_since`: the firm had a seat of a later day. `other_live`: another
    registration of the firm is live for the 咨询日 to which this one would go back. `handed_to`: the day of its registration that
    has the priority of this one now; `comes_back_to`: of the one that gets it back if this one ends.
    `told_lately`: letters about it wait, failed, or left within RESEND_WITHIN_DAYS; known of registrations that have ended.
    """

    now: datetime
    stage: Stage
    day: DayFacts
    wants_onsite: bool = True
    seat: SeatFacts | None = None
    position: int | None = None
    priority_since: datetime | None = None
    handed_to: date | None = None
    comes_back_to: date | None = None
    answer_by: datetime | None = None
    reopen_until: datetime | None = None
    seated_since: bool = False
    other_live: bool = False
    rated: bool = False
    told_lately: bool = False
    work: Work = field(default_factory=Work)

    @property
    def day_begun(self) -> bool:
        return self.now >= calendar.starts_at(self.day.date)

    @property
    def day_over(self) -> bool:
        return self.now >= calendar.ends_at(self.day.date)

    @property
    def is_answered(self) -> bool:
        """Whether the firm has all its answers: its silence closes the registration after its time."""
        if self.stage in (Stage.DEFERRED, Stage.ABSENT):
            return self.work.all_replied
        return self.stage in (Stage.ANSWERED, Stage.HEARD) and not self.work.owes_reply

    @property
    def must_confirm(self) -> bool:
        """Whether the firm holds a seat that it has not confirmed and still can."""
        return self.stage == Stage.SEATED and not self.seat.confirmed and not self.day_begun

    @property
    def offers_go_on(self) -> bool:
        """Whether a seat that comes free still goes to the next firm."""
        return not self.day.cancelled and self.now <= calendar.offers_end(self.day.date)


@dataclass(frozen=True)
class Next:
    """The next event: what, whose turn it is, and by when. Without an instant, it is due as soon as possible."""

    what: str
    turn: Turn
    by: datetime | None = None


@dataclass(frozen=True)
class Situation:
    """The answers for one registration at one instant."""

    stage: Stage
    steps: tuple[str, ...]
    step: int
    tag: str
    next: Next
    standing: str
    reply_due_on: date | None
    firm_acts: frozenset[FirmAct]
    staff_acts: frozenset[StaffAct]

    @property
    def asks_firm(self) -> bool:
        """Whether the firm can answer with one button now."""
        return not self.firm_acts.isdisjoint(ANSWERS)


ANSWERS = frozenset({FirmAct.CONFIRM, FirmAct.GIVE_UP, FirmAct.STILL_ONSITE, FirmAct.ENOUGH, FirmAct.SOLVED})
"""Acts that answer what the page asks, by one button."""

ONSITE = ("登记", "初审", "研究答复", "现场咨询", "办结")
WRITTEN = ("登记", "初审", "研究答复", "书面答复", "办结")

AT_STEP = {
    Stage.SUBMITTED: 2, Stage.DECLINED: 2, Stage.WITHDRAWN: 1, Stage.ACCEPTED: 3, Stage.DEFERRED: 3,
    Stage.SEATED: 4, Stage.HEARD: 5, Stage.ABSENT: 4, Stage.ANSWERED: 4, Stage.FOLLOWING: 5, Stage.CLOSED: 5,
}  # fmt: skip

TAGS = {
    Stage.SUBMITTED: "wait", Stage.ACCEPTED: "go", Stage.DECLINED: "stop", Stage.WITHDRAWN: "stop", Stage.SEATED: "go",
    Stage.DEFERRED: "go", Stage.ANSWERED: "go", Stage.HEARD: "go", Stage.ABSENT: "go", Stage.FOLLOWING: "go",
    Stage.CLOSED: "done",
}  # fmt: skip

ANSWERABLE = frozenset({Stage.ANSWERED, Stage.HEARD, Stage.ABSENT, Stage.FOLLOWING})
"""Stages in which the firm can say 已解决 or 未解决."""
RATABLE = ANSWERABLE | {Stage.CLOSED}


def situation_of(facts: Facts) -> Situation:
    """The situation of a registration."""
    return Situation(
        stage=facts.stage,
        steps=ONSITE if facts.wants_onsite else WRITTEN,
        step=AT_STEP[facts.stage],
        tag="act" if _asks(facts) else TAGS[facts.stage],
        next=NEXT[facts.stage](facts),
        standing=_standing(facts),
        reply_due_on=_reply_due_on(facts),
        firm_acts=frozenset(act for act in FirmAct if not FIRM_ACTS[act](facts)),
        staff_acts=frozenset(act for act in StaffAct if not STAFF_ACTS[act](facts)),
    )


def _asks(facts: Facts) -> bool:
    """Whether the bureau waits for a choice of the firm."""
    may_come = facts.stage == Stage.DEFERRED and not FIRM_ACTS[FirmAct.STILL_ONSITE](facts)
    return facts.must_confirm or facts.is_answered or may_come


def why_not(act: FirmAct | StaffAct, facts: Facts) -> str:
    """The sentence with which an act is refused, "" where it is open."""
    return FIRM_ACTS[act](facts) if isinstance(act, FirmAct) else STAFF_ACTS[act](facts)


# --- What comes next -------------------------------------------------------------------------------------------------
def _submitted(facts: Facts) -> Next:
    day = facts.day
    if day.cancelled and facts.wants_onsite:
        return _being_carried_over(day)
    review = "综合处正在初审，结果会通知您。初审前可以修改或撤回。"
    by = calendar.settle_by(day.date)
    if not facts.wants_onsite:
        return Next(review, Turn.OFFICE, by)
    if facts.day_over:
        late = f"{calendar.short(day.date)}的活动已经结束，这份登记还在初审。通过后先书面答复，仍需现场的，下期优先。"
        return Next(late, Turn.OFFICE)
    return Next(f"已登记到{calendar.short(day.date)}这一期。{review}", Turn.OFFICE, by)


def _accepted(facts: Facts) -> Next:
    if not facts.wants_onsite:
        return _written_reply(facts, "答复意见会登在本页，并通知您。")
    day = facts.day
    if day.cancelled:
        return _being_carried_over(day)
    studied = _studied(facts)
    if facts.day_begun:
        text = "这一期没有排上现场。综合处正在处理；仍需现场咨询的，下期优先。"
        return Next(studied + text, Turn.OFFICE)
    if day.settled:
        text = f"{calendar.short(day.date)}的现场名单已经确定，正在为您安排，几分钟后可以看到。"
        return Next(studied + text, Turn.OFFICE, calendar.starts_at(day.date))
    if facts.now < calendar.booking_closes(day.date):
        last = calendar.short(calendar.last_booking_date(day.date))
        text = f"{studied}{calendar.short(day.date)}的现场名单在{last}预约截止后确定，届时通知您。"
        return Next(text, Turn.OFFICE, calendar.settle_by(day.date))
    text = f"{studied}{calendar.short(day.date)}的现场名单正在确定，确定后通知您。"
    return Next(text, Turn.OFFICE, calendar.settle_by(day.date))


def _being_carried_over(day: DayFacts) -> Next:
    text = f"{calendar.short(day.date)}的活动已取消，正在为您转到下一期，几分钟后可以看到。"
    return Next(text, Turn.OFFICE)


def _seated(facts: Facts) -> Next:
    day, seat = facts.day, facts.seat
    starts = calendar.starts_at(day.date)
    if facts.work.checked_in:
        return Next(
            "已经签到，请等候工作人员引导。咨询结果会登在本页。", Turn.OFFICE, calendar.ends_at(day.date)
        )
    if facts.day_over:
        text = "现场咨询已经结束，工作人员登记后，结果会登在本页。"
        return Next(text, Turn.OFFICE, calendar.ends_at(day.date))
    if facts.day_begun:
        text = "现场咨询正在进行，请带上证件到签到处签到。不能来的，问题会书面答复。"
        return Next(text, Turn.FIRM, calendar.ends_at(day.date))
    where = f"，地点：{day.place}" if day.place else ""
    if seat.confirmed:
        text = f"已确认参加{calendar.label(day.date)}现场咨询{where}。请带登记时的证件和有关资料，提前十五分钟签到。"
        return Next(text, Turn.FIRM, starts)
    asked = f"是否参加{calendar.label(day.date)}的现场咨询{where}"
    if seat.reply_by is None:
        text = f"已为您留出一个名额，请确认{asked}。确认期限从通知送达时起算，届时写在这里。"
        return Next(text, Turn.OFFICE, calendar.eve(day.date))
    if facts.now > seat.reply_by:
        text = f"确认期限已过，名额还没有给下一家：现在仍可以确认{asked}。"
        return Next(text, Turn.OFFICE, starts)
    text = f"请在{calendar.moment(seat.reply_by)}前确认{asked}。逾期没有确认的，名额递补给下一家，问题改为书面答复。"
    return Next(text, Turn.FIRM, seat.reply_by)


def _deferred(facts: Facts) -> Next:
    again = f"{calendar.short(facts.day.next_date)}优先安排" if facts.day.next_date else "下期优先安排"
    may_come = not FIRM_ACTS[FirmAct.STILL_ONSITE](facts)
    if not facts.is_answered:
        choice = f"仍需现场咨询的，现在就可以选择，{again}。" if may_come else PRIORITY_USED
        return _written_reply(facts, f"本期没有排上现场。{choice}", before=True)
    if not may_come:
        return _ask_firm(facts, "已书面答复。请告诉我们书面答复是否已够。", "没有选择")
    asked = f"已书面答复。请告诉我们书面答复是否已够；仍需现场咨询的，{again}。"
    return _ask_firm(facts, asked, "没有选择")


def _answered(facts: Facts) -> Next:
    if not facts.is_answered:
        return _written_reply(facts, "已经书面答复，还有事项没有答完。", before=True)
    return _ask_firm(facts, "已经书面答复。请告诉我们问题是否解决。", "没有反馈")


def _heard(facts: Facts) -> Next:
    if not facts.is_answered:
        return _written_reply(facts, "现场咨询已完成，还有事项没有答完。", before=True)
    return _ask_firm(facts, "现场咨询已完成。请告诉我们问题是否解决。", "没有反馈")


def _absent(facts: Facts) -> Next:
    if not facts.is_answered:
        return _written_reply(facts, "当天未到场，问题改为书面答复。", before=True)
    return _ask_firm(facts, "当天未到场，问题已书面答复。请告诉我们问题是否解决。", "没有反馈")


def _following(facts: Facts) -> Next:
    work = facts.work
    if not work.following:
        return Next("您反馈的问题正在转有关处室办理，进展会登在本页。", Turn.OFFICE)
    due = _end_of(work.follow_up_due_on)
    term = f"，期限{calendar.short(work.follow_up_due_on)}" if due and due > facts.now else "，正在催办"
    text = f"未尽事项由{'、'.join(work.following)}跟踪督办{term}，进展会登在本页。"
    return Next(text, Turn.DIVISION, due)


def _closed(facts: Facts) -> Next:
    words = ["已办结。"]
    if not facts.rated:
        words.append("欢迎评价我们的服务。")
    if not FIRM_ACTS[FirmAct.UNSOLVED](facts):
        until = f"{calendar.moment(facts.reopen_until)}前" if facts.reopen_until else ""
        words.append(f"如仍未解决，{until}可以在本页反馈，我们继续办理。")
    else:
        words.append(OTHER_LIVE if facts.other_live else "如有新的问题，可以重新登记。")
    return Next("".join(words), Turn.NONE)


def _declined(facts: Facts) -> Next:
    return Next("未予通过，理由见下方通知。如有不同意见，请电话联系综合处。", Turn.NONE)


def _withdrawn(facts: Facts) -> Next:
    return Next("已撤回，不再办理。需要时可以重新登记。", Turn.NONE)


NEXT: dict[Stage, Callable[[Facts], Next]] = {
    Stage.SUBMITTED: _submitted,
    Stage.ACCEPTED: _accepted,
    Stage.DECLINED: _declined,
    Stage.WITHDRAWN: _withdrawn,
    Stage.SEATED: _seated,
    Stage.DEFERRED: _deferred,
    Stage.ANSWERED: _answered,
    Stage.HEARD: _heard,
    Stage.ABSENT: _absent,
    Stage.FOLLOWING: _following,
    Stage.CLOSED: _closed,
}


def _studied(facts: Facts) -> str:
    """How far the written reply is, for a firm that may be seated as well."""
    if facts.work.all_replied:
        return "书面答复已登在本页。"
    return f"{_studying(facts)}正在研究答复。" if facts.work.open else "综合处正在安排处室答复。"


def _studying(facts: Facts) -> str:
    return "、".join(facts.work.studying)


def _reply_due_on(facts: Facts) -> date | None:
    """Until when the divisions reply; None where nothing is owed, or the term is past."""
    due = _end_of(facts.work.due_on)
    return facts.work.due_on if due and due > facts.now else None


def _end_of(day: date | None) -> datetime | None:
    return calendar.local_datetime(day, policy.DEADLINES_UNTIL) if day else None


def _written_reply(facts: Facts, words: str, *, before: bool = False) -> Next:
    """A division still has to reply; where none has the matter now, 综合处 gives it to one."""
    work = facts.work
    if work.all_replied and not work.open:
        return Next(words if before else "书面答复已登在本页。", Turn.OFFICE)
    if not work.open:
        text = "综合处正在安排处室答复。"
        return Next(words + text if before else text + words, Turn.OFFICE, _end_of(work.due_on))
    due_on = _reply_due_on(facts)
    by = f"，最迟{calendar.short(due_on)}答复" if due_on else ""
    text = f"{_studying(facts)}正在研究{by}。"
    return Next(words + text if before else text + words, Turn.DIVISION, _end_of(work.due_on))


def _ask_firm(facts: Facts, asked: str, silent: str) -> Next:
    """The firm is asked; its silence (`silent`) closes the registration. Past its time, the duty does so in the morning."""
    if facts.answer_by is None:
        return Next(asked, Turn.FIRM)
    if facts.answer_by < facts.now:
        return Next(f"{asked}期限内{silent}，将按已答复办结；现在仍可以选择。", Turn.OFFICE, facts.answer_by)
    until = calendar.moment(facts.answer_by)
    return Next(f"{asked}{until}前{silent}的，按已答复办结。", Turn.FIRM, facts.answer_by)


def _standing(facts: Facts) -> str:
    """The firm's position on the waiting list and its basis; "" where it does not wait."""
    if facts.handed_to:
        return f"现场咨询的优先资格已转到贵单位{calendar.short(facts.handed_to)}的登记。"
    if not facts.wants_onsite or facts.position is None or facts.day.cancelled:
        return ""
    if facts.stage in (Stage.SUBMITTED, Stage.ACCEPTED) and facts.priority_since and not facts.day.settled:
        won = calendar.short(facts.priority_since.astimezone(calendar.SHANGHAI).date())
        return f"您在优先名单第 {facts.position} 位：{won}取得优先资格，先于新登记的企业安排。"
    if facts.stage == Stage.DEFERRED and facts.offers_go_on:
        return f"您在本期候补第 {facts.position} 位：有企业放弃名额时，按顺序通知。"
    return ""


# --- Which acts are open ---------------------------------------------------------------------------------------------
MOVED_ON = "这条登记已进入下一办理阶段，不能再这样办理。请查看最新情况。"
NO_MORE_CHANGES = "这条登记已进入下一办理阶段，网上不能再修改。"
SUPPLEMENT_INSTEAD = f"{NO_MORE_CHANGES}要补充的，请用“补充问题”。"
DAY_BEGUN = "咨询日已经开始，名额不能再变动。不能到场的，问题会书面答复。"
CHECKED_IN = "贵单位已经签到，不能再这样办理。请与现场工作人员联系。"
NO_REPLY_YET = "还没有书面答复，请收到答复后再选择。"
PRIORITY_USED = "贵单位此后已安排过现场咨询，优先资格已经使用。如有新的问题，请重新登记。"
REOPEN_TOO_LATE = f"办结已超过 {policy.REOPEN_WITHIN_DAYS} 天。如仍有问题，请重新登记。"
OTHER_LIVE = "贵单位同一期另有一份登记正在办理，请在那份登记里继续反映。"
CONTACT_ENDED = "这条登记已经结束，联系方式不用再更正。如有新的问题，请重新登记。"
AMEND_INSTEAD = "初审前请直接点“修改登记”，把问题补充在问题概述里。"
NO_MORE_QUESTIONS = "现场名单已经确定或已经答复，不能再补充。现场可以当面提出；新的问题也可以另行登记。"
NOTHING_TO_RATE = "答复或现场咨询之后即可评价。"
RATED = "您已经评价过，谢谢。每条登记评价一次。"


def _amend(facts: Facts) -> str:
    if facts.stage == Stage.SUBMITTED:
        return ""
    return NO_MORE_CHANGES if _supplement(facts) else SUPPLEMENT_INSTEAD


def _contact(facts: Facts) -> str:
    return CONTACT_ENDED if facts.stage in ENDED else ""


def _withdraw(facts: Facts) -> str:
    if facts.stage not in AWAITING_DAY:
        return MOVED_ON
    if facts.stage != Stage.SEATED:
        return ""
    return _seat_may_change(facts)


def _seat_may_change(facts: Facts) -> str:
    if facts.work.checked_in:
        return CHECKED_IN
    return DAY_BEGUN if facts.day_begun else ""


def _confirm(facts: Facts) -> str:
    if facts.stage != Stage.SEATED or facts.seat.confirmed:
        return MOVED_ON
    return _seat_may_change(facts)


def _give_up(facts: Facts) -> str:
    return _seat_may_change(facts) if facts.stage == Stage.SEATED else MOVED_ON


def _still_onsite(facts: Facts) -> str:
    if facts.stage != Stage.DEFERRED:
        return MOVED_ON
    return PRIORITY_USED if facts.seated_since else ""


def _enough(facts: Facts) -> str:
    if facts.stage not in (Stage.DEFERRED, Stage.SEATED):
        return MOVED_ON
    if not facts.work.replied:
        return NO_REPLY_YET
    return _seat_may_change(facts) if facts.stage == Stage.SEATED else ""


def _solved(facts: Facts) -> str:
    return "" if facts.stage in ANSWERABLE else MOVED_ON


def _unsolved(facts: Facts) -> str:
    if facts.stage not in RATABLE or facts.stage == Stage.FOLLOWING:
        return MOVED_ON
    if facts.stage == Stage.ABSENT and not facts.work.replied:
        return NO_REPLY_YET
    if facts.stage != Stage.CLOSED:
        return ""
    if facts.reopen_until and facts.now > facts.reopen_until:
        return REOPEN_TOO_LATE
    return OTHER_LIVE if facts.other_live else ""


def _rate(facts: Facts) -> str:
    if facts.stage not in RATABLE:
        return NOTHING_TO_RATE
    return RATED if facts.rated else ""


def _supplement(facts: Facts) -> str:
    """While 待初审 the registration itself can be amended; once the list is settled, the talk is prepared."""
    if facts.stage == Stage.ACCEPTED and not (facts.wants_onsite and (facts.day.settled or facts.day_begun)):
        return ""
    return AMEND_INSTEAD if facts.stage == Stage.SUBMITTED else NO_MORE_QUESTIONS


FIRM_ACTS: dict[FirmAct, Callable[[Facts], str]] = {
    FirmAct.AMEND: _amend,
    FirmAct.CONTACT: _contact,
    FirmAct.WITHDRAW: _withdraw,
    FirmAct.CONFIRM: _confirm,
    FirmAct.GIVE_UP: _give_up,
    FirmAct.STILL_ONSITE: _still_onsite,
    FirmAct.ENOUGH: _enough,
    FirmAct.SOLVED: _solved,
    FirmAct.UNSOLVED: _unsolved,
    FirmAct.RATE: _rate,
    FirmAct.SUPPLEMENT: _supplement,
}


# --- What cannot be undone is asked once ------------------------------------------------------------------------------
def consequence(act: FirmAct, facts: Facts) -> str:
    """What happens if the firm does this, for the page that asks once; "" for an act that is done at once, or is not open."""
    if act not in CONSEQUENCES or why_not(act, facts):
        return ""
    return CONSEQUENCES[act](facts)


def _of_withdrawing(facts: Facts) -> str:
    given = "已交处室的问题不再答复，" if facts.stage != Stage.SUBMITTED else ""
    return f"撤回后，这份登记不再办理，{given}{_place_goes_on(facts)}需要时可以重新登记，按新的登记时间排队。"


def _of_giving_up(facts: Facts) -> str:
    return f"放弃后，{_place_goes_on(facts)}问题改为书面答复。"


def _of_having_enough(facts: Facts) -> str:
    lost = _place_goes_on(facts) if facts.stage == Stage.SEATED else "不再安排本期或下期的现场咨询，"
    days = policy.REOPEN_WITHIN_DAYS
    return f"确认后，登记随即办结，{lost}还没有答复的问题不再答复。{days}天内仍未解决的，可以在进度页反馈。"


def _of_being_solved(facts: Facts) -> str:
    days = policy.REOPEN_WITHIN_DAYS
    return f"确认后，登记随即办结，还没有办完的事项不再继续。{days}天内又有问题的，可以在进度页反馈“未解决”。"


def _of_asking_again(facts: Facts) -> str:
    day = calendar.short(facts.day.next_date)
    missed = "本期有空出的名额，不再通知您。" if facts.offers_go_on else ""
    if facts.day.next_is_own:
        return f"确认后，优先资格转到贵单位{day}的登记，优先安排现场名额；这份登记的问题先书面答复。{missed}"
    return f"确认后，登记转到{day}这一期，优先安排现场名额。{missed}"


def _place_goes_on(facts: Facts) -> str:
    seat = "现场名额递补给下一家，" if facts.seat else ""
    if facts.comes_back_to:
        return f"{seat}优先资格退回到贵单位{calendar.short(facts.comes_back_to)}的登记，"
    return f"{seat}优先资格同时用完，" if facts.priority_since else seat


CONSEQUENCES: dict[FirmAct, Callable[[Facts], str]] = {
    FirmAct.WITHDRAW: _of_withdrawing,
    FirmAct.GIVE_UP: _of_giving_up,
    FirmAct.ENOUGH: _of_having_enough,
    FirmAct.SOLVED: _of_being_solved,
    FirmAct.STILL_ONSITE: _of_asking_again,
}

HANDLED_ALREADY = "这条登记已被他人处理，请刷新后查看最新情况。"
OTHER_LIVE_STAFF = "这家企业同一期另有一份登记正在办理，请在那份登记里继续办理。"
NOT_SETTLED = "本期名单还没有确定，请先确定名单。"
DAY_IS_OVER = "这一期活动已经结束。"
DAY_IS_CANCELLED = "这一期活动已经取消。"
NOTHING_UNDELIVERED = "这条登记已经结束，也没有还要送达的通知，联系方式不用再更正。"
SEATS_STILL_FREE = "本期还有空余名额，会自动通知下一家，不需要增加名额。"
REPLY_OWED = "这家企业的问题还没有全部答复。请等处室审签答复后再办结。"

WORKED_ON = frozenset(
    {Stage.ACCEPTED, Stage.SEATED, Stage.DEFERRED, Stage.ANSWERED, Stage.HEARD, Stage.ABSENT, Stage.FOLLOWING}
)
"""Stages in which divisions may get more work for a registration."""


def _review(facts: Facts) -> str:
    return "" if facts.stage == Stage.SUBMITTED else HANDLED_ALREADY


def _reconsider(facts: Facts) -> str:
    if facts.stage not in (Stage.DECLINED, Stage.ACCEPTED):
        return HANDLED_ALREADY
    return OTHER_LIVE_STAFF if facts.other_live else ""


def _contact_by_staff(facts: Facts) -> str:
    return NOTHING_UNDELIVERED if facts.stage in ENDED and not facts.told_lately else ""


def _add(facts: Facts) -> str:
    return "" if facts.stage in WORKED_ON else HANDLED_ALREADY


def _extra_seat(facts: Facts) -> str:
    if Stage.SEATED not in MOVES[facts.stage]:
        return HANDLED_ALREADY
    if facts.day.cancelled:
        return DAY_IS_CANCELLED
    if facts.day_begun:
        return DAY_IS_OVER
    if not facts.day.settled:
        return NOT_SETTLED
    return SEATS_STILL_FREE if facts.day.seat_free else ""


def _call_in(facts: Facts) -> str:
    if facts.stage not in (Stage.ACCEPTED, Stage.DEFERRED) or not facts.wants_onsite:
        return HANDLED_ALREADY
    if facts.day.cancelled:
        return DAY_IS_CANCELLED
    day = calendar.short(facts.day.date)
    if facts.day_over:
        return f"{day}的活动已经结束，不能再请候补企业入场。"
    if _is_that_day(facts):
        return ""
    return f"候补入场只在{day}当天办理。平时空出的名额会自动通知下一家。"


def _is_that_day(facts: Facts) -> bool:
    return facts.now.astimezone(calendar.SHANGHAI).date() == facts.day.date


def _check_in(facts: Facts) -> str:
    if early := _conclude(facts):
        return early
    if facts.work.checked_in:
        return HANDLED_ALREADY
    return "" if _is_that_day(facts) else f"{calendar.short(facts.day.date)}已过，请直接记录现场结果。"


def _conclude(facts: Facts) -> str:
    if facts.stage != Stage.SEATED:
        return HANDLED_ALREADY
    if facts.now >= calendar.local_datetime(facts.day.date):
        return ""
    return f"咨询日是{calendar.short(facts.day.date)}，当天才能签到和记录结果。"


def _close(facts: Facts) -> str:
    if facts.stage not in (Stage.ANSWERED, Stage.HEARD, Stage.ABSENT):
        return HANDLED_ALREADY
    return "" if facts.is_answered else REPLY_OWED


STAFF_ACTS: dict[StaffAct, Callable[[Facts], str]] = {
    StaffAct.ACCEPT: _review,
    StaffAct.DECLINE: _review,
    StaffAct.RECONSIDER: _reconsider,
    StaffAct.CONTACT: _contact_by_staff,
    StaffAct.ADD: _add,
    StaffAct.CONFIRM: _confirm,
    StaffAct.GIVE_UP: _give_up,
    StaffAct.EXTRA_SEAT: _extra_seat,
    StaffAct.CALL_IN: _call_in,
    StaffAct.CHECK_IN: _check_in,
    StaffAct.CONCLUDE: _conclude,
    StaffAct.CLOSE: _close,
}
