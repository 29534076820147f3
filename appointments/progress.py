"""The progress page of a registration, in words for the firm: 第几步/共几步, who answers, until when, what is next."""

from dataclasses import dataclass
from datetime import datetime

from sessions_app import calendar, policy, seats
from zhoushan_consult.clock import SHANGHAI
from zhoushan_consult.outbox.posting import letters_to_page

from . import feedback, waiting_list
from .lifecycle import AWAITING_DAY, Stage
from .models import Appointment, Rating

ONSITE = ("登记", "初审", "研究答复", "现场咨询", "办结")
WRITTEN = ("登记", "初审", "研究答复", "书面答复", "办结")

AT_STEP = {
    Stage.SUBMITTED: 2, Stage.DECLINED: 2, Stage.WITHDRAWN: 1, Stage.ACCEPTED: 3, Stage.DEFERRED: 3,
    Stage.SEATED: 4, Stage.HEARD: 5, Stage.ABSENT: 4, Stage.ANSWERED: 4, Stage.FOLLOWING: 5, Stage.CLOSED: 5,
}  # fmt: skip

TAGS = {
    Stage.SUBMITTED: "wait", Stage.ACCEPTED: "go", Stage.DECLINED: "stop", Stage.WITHDRAWN: "stop", Stage.SEATED: "go",
    Stage.DEFERRED: "act", Stage.ANSWERED: "done", Stage.HEARD: "done", Stage.ABSENT: "stop", Stage.FOLLOWING: "go",
    Stage.CLOSED: "done",
}  # fmt: skip


@dataclass(frozen=True)
class Progress:
    """What the progress page shows of a registration."""

    steps: tuple[str, ...]
    step: int
    tag: str
    next: str
    standing: str
    acts: frozenset[str]
    letters: list
    moves: list
    rating: Rating | None

    @property
    def has_answers(self) -> bool:
        """Whether the firm can answer with one button now."""
        return not self.acts.isdisjoint(("confirm", "give-up", "still-onsite", "enough", "solved"))


def progress_of(appointment: Appointment, now: datetime) -> Progress:
    """The progress of a registration at `now`."""
    stage = Stage(appointment.stage)
    rating = Rating.objects.filter(appointment=appointment).first()
    return Progress(
        steps=ONSITE if appointment.wants_onsite else WRITTEN,
        step=AT_STEP[stage],
        tag="act" if _must_confirm(appointment) else TAGS[stage],
        next=_next(appointment),
        standing=_standing(appointment, now),
        acts=_acts(appointment, rated=rating is not None),
        letters=list(letters_to_page(appointment)),
        moves=list(appointment.moves.all()),
        rating=rating,
    )


def _must_confirm(appointment: Appointment) -> bool:
    return appointment.stage == Stage.SEATED and not appointment.seat.confirmed_at


def _next(appointment: Appointment) -> str:
    """One sentence: what happens next, or what the firm should do now."""
    day = calendar.label(appointment.day.date)
    if _must_confirm(appointment):
        by = appointment.seat.reply_by.astimezone(SHANGHAI)
        return f"请在{by.month}月{by.day}日{by:%H:%M}前确认是否参加{day}的现场咨询。"
    if appointment.stage == Stage.ACCEPTED and not appointment.wants_onsite:
        return "处室正在研究，答复意见会登在本页。"
    return {
        Stage.SUBMITTED: "综合处正在初审，结果会通知您。初审前可以修改或撤回。",
        Stage.ACCEPTED: f"处室正在研究答复；{day}的现场名单在预约截止后确定，届时通知您。",
        Stage.DECLINED: "未予通过，理由见下方通知。如有不同意见，请电话联系综合处。",
        Stage.WITHDRAWN: "已撤回，不再办理。需要时可以重新登记。",
        Stage.SEATED: f"已确认，{day}见。请带登记时的证件和有关资料，提前十五分钟签到。",
        Stage.DEFERRED: "本期名额已满，先书面答复。请告诉我们：书面答复是否已够，还是仍需现场咨询（下期优先）。"
        f"书面答复后{policy.DEFERRAL_ANSWER_DAYS}天内没有选择的，按已答复办结。",
        Stage.ANSWERED: "已经答复。请告诉我们问题是否解决。",
        Stage.HEARD: "现场咨询已完成。请告诉我们问题是否解决。",
        Stage.ABSENT: "当天未到场，问题改为书面答复。",
        Stage.FOLLOWING: "未尽事项正在跟踪督办，进展会登在本页。",
        Stage.CLOSED: "已办结。欢迎评价；如仍未解决，可以反馈，我们继续督办。",
    }[Stage(appointment.stage)]


def _standing(appointment: Appointment, now: datetime) -> str:
    """The firm's position on the waiting list and its basis; "" where it does not wait."""
    day, since = appointment.day, appointment.priority_since
    if since and not day.settled_at and appointment.stage in (Stage.SUBMITTED, Stage.ACCEPTED):
        won = f"{since.astimezone(SHANGHAI):%-m月%-d日}"
        place = waiting_list.position(appointment)
        return f"您在优先名单第 {place} 位：上期没有排上现场，{won}起顺延优先，先于新登记的企业安排。"
    if appointment.stage == Stage.DEFERRED and now <= seats.offers_end(day):
        return f"您在本期候补第 {waiting_list.position(appointment)} 位：有企业放弃名额时，按顺序通知。"
    return ""


def _acts(appointment: Appointment, *, rated: bool) -> frozenset[str]:
    """The buttons of the page: only acts that would be accepted now."""
    stage = appointment.stage
    found = {
        "amend": stage == Stage.SUBMITTED,
        "withdraw": stage in AWAITING_DAY,
        "confirm": _must_confirm(appointment),
        "give-up": stage == Stage.SEATED,
        "still-onsite": stage == Stage.DEFERRED,
        "enough": stage == Stage.DEFERRED,
        "solved": stage in feedback.ANSWERABLE,
        "unsolved": stage in feedback.RATABLE and stage != Stage.FOLLOWING,
        "rate": stage in feedback.RATABLE and not rated,
    }
    return frozenset(name for name, offered in found.items() if offered)
