"""What the sentences to a firm say, and when they are true: of letters, of calls to be made, and of the firm's own page.

Each function is one claim: its pattern finds the words, its docstring says what must then hold. The texts may be reworded; a claim
whose words are nowhere said is never judged.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from .facts import BEFORE_THE_DAY, Day, Registration, World, local

Said = re.Match
Complaint = str | None
DATE = r"(?P<month>\d+)月(?P<day>\d+)日"
A_DATE = r"\d+月\d+日"
DEADLINE = re.compile(rf"请在{DATE}(?:（周.）)?(?P<hour>\d+):(?P<minute>\d+)前")


@dataclass(frozen=True)
class Claim:
    """`holds` returns what is not true, or nothing."""

    name: str
    pattern: re.Pattern
    holds: Callable[[Said, Registration, World], Complaint]


CLAIMS: list[Claim] = []


def says(pattern: str):
    def register(check):
        CLAIMS.append(Claim(check.__name__, re.compile(pattern), check))
        return check

    return register


def untrue(text: str, one: Registration, world: World) -> Iterator[tuple[str, str]]:
    """The claims of a text without blanks that do not hold: their names, and why."""
    for claim in CLAIMS:
        for said in claim.pattern.finditer(text):
            if complaint := claim.holds(said, one, world):
                yield claim.name, f"“{said[0]}”: {complaint}"
                break


def _day(said: Said, world: World) -> Day | None:
    return world.day_called(int(said["month"]), int(said["day"]))


def _comes(said: Said, one: Registration, world: World) -> Complaint:
    """The registration is for this day, which is ahead and takes place."""
    day = _day(said, world)
    if day is None or day.pk != one.day_pk:
        return f"it is registered for {one.day.date}"
    if not day.stands:
        return "that day is cancelled"
    if world.now >= day.ends_at:
        return "that day is over"
    return None


@says(rf"拟参加(?:的咨询日：)?{DATE}")
def will_come(said: Said, one: Registration, world: World) -> Complaint:
    """The firm asked for a talk on this day, and its registration is still on the way to it."""
    if one.stage not in BEFORE_THE_DAY:
        return f"it is {one.stage}"
    return _comes(said, one, world) or (None if one.wants_onsite else "the firm asked for a written answer")


@says(rf"登记到{DATE}(?:（周.）)?这一期")
def is_for_this_day(said: Said, one: Registration, world: World) -> Complaint:
    """The registration is for a talk on this day, and still on the way to it."""
    return will_come(said, one, world)


@says(r"处室研究后书面答复")
def asks_for_a_written_answer(said: Said, one: Registration, world: World) -> Complaint:
    """The firm asked for a written answer, and has none yet."""
    if one.stage not in {"submitted", "accepted"}:
        return f"it is {one.stage}"
    return "the firm asked for a talk" if one.wants_onsite else None


@says(r"退回综合处重新审核")
def was_taken_back(said: Said, one: Registration, world: World) -> Complaint:
    """The registration waits for 初审 again."""
    return None if one.stage == "submitted" else f"it is {one.stage}"


@says(r"已作废")
def is_void(said: Said, one: Registration, world: World) -> Complaint:
    """The registration has ended without being handled."""
    return None if one.stage in {"withdrawn", "voided"} else f"it is {one.stage}"


@says(rf"优先资格已转到.{{0,8}}?{DATE}|已登记了{A_DATE}")
def priority_went_along(said: Said, one: Registration, world: World) -> Complaint:
    """Another live registration of the firm has the priority."""
    others = [other for other in world.live_of_firm(one.uscc) if other.pk != one.pk]
    return (
        None
        if any(other.priority_since for other in others)
        else "no other registration of the firm has priority"
    )


@says(r"优先资格退回到本登记")
def priority_came_back(said: Said, one: Registration, world: World) -> Complaint:
    """The registration can use its priority: 仍需现场 is open."""
    return None if one.stage == "deferred" or one.priority_since else f"it is {one.stage}, without priority"


@says(r"书面答复已登在|书面答复已在|已书面答复|已经书面答复")
def answers_are_out(said: Said, one: Registration, world: World) -> Complaint:
    """A written answer is there."""
    return None if one.has_reply else "there is no written answer"


@says(r"已经签到，请等候")
def has_checked_in(said: Said, one: Registration, world: World) -> Complaint:
    """The firm has checked in, and its talk is not concluded."""
    return None if one.talk and not one.talk.outcome else "it has not checked in"


@says(r"(?:登记已撤回|已撤回，不再办理)")
def is_withdrawn(said: Said, one: Registration, world: World) -> Complaint:
    """The registration is withdrawn."""
    return None if one.stage == "withdrawn" else f"it is {one.stage}"


@says(r"已通过初审")
def is_accepted(said: Said, one: Registration, world: World) -> Complaint:
    """The last decision of 综合处 is an acceptance, and the registration goes on."""
    return f"it is {one.stage}" if one.stage in {"submitted", "declined", "withdrawn"} else None


@says(r"(?:正|现)交.{2,30}研究答复")
def is_given_to_a_division(said: Said, one: Registration, world: World) -> Complaint:
    """A division still has to answer, or 综合处 to give it to another one."""
    owed = one.being_answered or one.asks_more or any(work.state == "returned" for work in one.works)
    return None if owed else "no division has anything to answer"


@says(r"正在研究")
def is_studied(said: Said, one: Registration, world: World) -> Complaint:
    """A division still has to answer."""
    return None if one.being_answered else "no division has anything to answer"


@says(r"未通过初审|未予通过")
def is_declined(said: Said, one: Registration, world: World) -> Complaint:
    """The registration is declined."""
    return None if one.stage == "declined" else f"it is {one.stage}"


@says(rf"已列入{DATE}.{{0,25}}?名单")
def has_a_seat(said: Said, one: Registration, world: World) -> Complaint:
    """The firm has a seat of this day, and the day has not begun."""
    if one.stage != "seated":
        return f"it is {one.stage}"
    return _comes(said, one, world) or ("the day has begun" if world.now >= one.day.starts_at else None)


@says(rf"请在{DATE}(?:（周.）)?(?:上午|下午|晚上)?(?P<hour>\d+):(?P<minute>\d+)前(?:确认|在本页点|点)")
def can_confirm_until(said: Said, one: Registration, world: World) -> Complaint:
    """This is the deadline of an offer that is open."""
    if one.stage != "seated" or one.seat is None:
        return f"it has no seat: {one.stage}"
    if one.seat.confirmed_at:
        return "it is confirmed already"
    if one.seat.reply_by is None:
        return None  # it runs from this letter on: `the_deadline_told_is_kept`
    by = local(one.seat.reply_by)
    told = [int(said[part]) for part in ("month", "day", "hour", "minute")]
    if told != [by.month, by.day, by.hour, by.minute]:
        return f"the offer runs until {by:%m-%d %H:%M}"
    return "that time is past" if world.now >= one.seat.reply_by else None


@says(r"请尽快确认|您还没有确认名额")
def can_confirm(said: Said, one: Registration, world: World) -> Complaint:
    """An offer is open, and its deadline is ahead."""
    if one.stage != "seated" or one.seat.confirmed_at:
        return "there is nothing to confirm"
    ended = one.seat.reply_by and world.now >= one.seat.reply_by
    return "the day has begun" if ended and world.now >= one.day.starts_at else None


@says(r"已确认参加|已确认，")
def is_confirmed(said: Said, one: Registration, world: World) -> Complaint:
    """The firm has a confirmed seat."""
    confirmed = one.stage == "seated" and one.seat.confirmed_at
    return None if confirmed else f"it is {one.stage}, without a confirmed seat"


@says(r"地点(?:改为)?[：:]?(?P<place>市局三楼会议室|普陀分局一楼大厅|定海行政服务中心)")
def is_the_place(said: Said, one: Registration, world: World) -> Complaint:
    """This is the place of the published plan of its day."""
    if one.day.plan != "published":
        return f"the plan is not public: {one.day.plan}"
    return None if said["place"] == one.day.place else f"the place is {one.day.place}"


@says(r"名额已放弃|已放弃现场名额")
def gave_up(said: Said, one: Registration, world: World) -> Complaint:
    """The firm has no seat, and asks for none."""
    return "it has a seat" if one.seat else None


@says(r"逾期未确认，已由下一家递补|名额已让给下一家")
def seat_went_to_the_next(said: Said, one: Registration, world: World) -> Complaint:
    """The seat was offered to another firm."""
    if one.stage == "seated":
        return "it has a seat"
    return "its seat is free: there was no next firm" if world.free_seats(one.day) else None


@says(r"答复后会通知您|答复意见会登在本页|将书面答复|(?<!递补给下一家，)问题改为书面答复")
def answer_is_to_come(said: Said, one: Registration, world: World) -> Complaint:
    """The answer is still to come."""
    if one.stage in {"withdrawn", "declined", "closed"}:
        return f"it is {one.stage}"
    if one.stage == "submitted":
        return None
    owed = one.being_answered or one.asks_more or any(work.state == "returned" for work in one.works)
    return None if owed else "all answers are out"


@says(r"名额已满")
def day_is_full(said: Said, one: Registration, world: World) -> Complaint:
    """No seat is left for this firm on its day, which has not begun."""
    if one.stage == "seated":
        return "it has a seat"
    if world.now >= one.day.ends_at:
        return "the day is over"
    waiting = [other.pk for other in world.waiting(one.day)]
    place = waiting.index(one.pk) if one.pk in waiting else len(waiting)
    return f"{world.free_seats(one.day)} seats are free" if world.free_seats(one.day) > place else None


@says(rf"{DATE}（周.）(?:的活动|的登记)?优先安排")
def is_promised(said: Said, one: Registration, world: World) -> Complaint:
    """The promised day takes place and is ahead, and its list is still open or the firm is on it."""
    day = _day(said, world)
    if day is None:
        return None
    if not day.stands:
        return "that day is cancelled"
    if world.now >= day.starts_at:
        return "that day has begun"
    on_it = any(other.day_pk == day.pk and other.stage == "seated" for other in world.live_of_firm(one.uscc))
    return "the list of that day is settled without it" if day.settled_at and not on_it else None


@says(rf"已转[入到]{DATE}")
def was_carried(said: Said, one: Registration, world: World) -> Complaint:
    """The registration is now for this day, which takes place."""
    if one.stage not in BEFORE_THE_DAY:
        return f"it is {one.stage}"
    return _comes(said, one, world)


@says(rf"{DATE}(?:（周.）)?的(?:企业环保)?咨询日活动取消")
def day_was_cancelled(said: Said, one: Registration, world: World) -> Complaint:
    """That day is cancelled."""
    day = _day(said, world)
    return "that day takes place" if day and day.stands else None


@says(r"列入今天的现场咨询")
def is_called_in(said: Said, one: Registration, world: World) -> Complaint:
    """Today is its day, and it has a seat."""
    if one.stage not in {"seated", "heard", "following"} or local(world.now).date() != one.day.date:
        return f"it is {one.stage}, of {one.day.date}"
    return "the day is over" if world.now >= one.day.ends_at else None


@says(r"(?:您|贵单位|当天)未到场")
def did_not_come(said: Said, one: Registration, world: World) -> Complaint:
    """The firm was recorded as absent."""
    return None if one.talk and one.talk.outcome == "absent" else "it is not recorded as absent"


@says(r"列入跟踪督办|跟踪督办，期限|跟踪督办，正在催办|正在跟踪督办")
def is_followed_up(said: Said, one: Registration, world: World) -> Complaint:
    """A 督办 is open."""
    return (
        None
        if one.open_matters or one.stage == "following"
        else f"it is {one.stage}, and nothing is followed up"
    )


@says(r"的咨询事项已办结|^已办结|已按答复办结")
def is_closed(said: Said, one: Registration, world: World) -> Complaint:
    """The registration is closed."""
    return None if one.stage == "closed" else f"it is {one.stage}"


@says(r"(?P<days>\d+)天后现场咨询")
def is_so_many_days_ahead(said: Said, one: Registration, world: World) -> Complaint:
    """Its day is so many days ahead."""
    days = (one.day.date - local(world.now).date()).days
    return None if days == int(said["days"]) else f"it is in {days} days"


@says(rf"提醒：{DATE}|现场咨询在{A_DATE}")
def is_reminded(said: Said, one: Registration, world: World) -> Complaint:
    """The firm has a seat of a day that has not begun."""
    if one.stage != "seated":
        return f"it is {one.stage}"
    return "the day has begun" if world.now >= one.day.starts_at else None


@says(r"名额保留|号名额保留")
def keeps_its_seat(said: Said, one: Registration, world: World) -> Complaint:
    """The firm has a seat."""
    return None if one.stage == "seated" else f"it is {one.stage}"


@says(r"有新的答复意见")
def has_been_answered(said: Said, one: Registration, world: World) -> Complaint:
    """A reply is released, and the registration was not withdrawn."""
    if one.stage == "withdrawn":
        return "it is withdrawn"
    return None if one.has_reply else "there is no reply"


@says(r"请您评价|作出评价|欢迎评价")
def may_rate(said: Said, one: Registration, world: World) -> Complaint:
    """The firm has not rated yet."""
    return "it has rated already" if one.rated else None


@says(r"(?:候补|优先名单，?目前|优先名单)第(?P<place>\d+)位")
def stands_at(said: Said, one: Registration, world: World) -> Complaint:
    """So many firms, minus one, come before it."""
    asking = [
        o
        for o in world.of_day(one.day)
        if o.stage in {"submitted", "accepted", "deferred"} and o.wants_onsite
    ]
    place = 1 + sum(other.turn < one.turn for other in asking)
    return None if place == int(said["place"]) else f"it is number {place}"


@says(r"名单在.{0,12}预约截止后确定|预约截止后确定现场名单|名单确定后(?:再)?通知|现场名单正在确定")
def list_is_to_come(said: Said, one: Registration, world: World) -> Complaint:
    """The list of its day is still to be settled, and the day takes place."""
    if not one.day.stands:
        return "the day is cancelled"
    if world.now >= one.day.ends_at:
        return "the day is over"
    return "the list is settled" if one.day.settled_at else None


@says(r"书面答复是否已够")
def has_a_written_answer(said: Said, one: Registration, world: World) -> Complaint:
    """There is a written answer that may be enough."""
    return None if one.has_reply else "there is no written answer"


@says(r"综合处正在初审")
def is_under_review(said: Said, one: Registration, world: World) -> Complaint:
    """The registration waits for 初审."""
    return None if one.stage == "submitted" else f"it is {one.stage}"


@says(r"已登记为现场解决")
def was_solved(said: Said, one: Registration, world: World) -> Complaint:
    """The talk ended as solved."""
    return None if one.talk and one.talk.outcome == "solved" else "the talk did not end so"


@says(rf"{DATE}（周(?P<weekday>.)）")
def names_the_weekday(said: Said, one: Registration, world: World) -> Complaint:
    """The weekday belongs to the date."""
    today = local(world.now).date()
    near = (today + timedelta(days=days) for days in range(-120, 400))
    same = [date for date in near if (date.month, date.day) == (int(said["month"]), int(said["day"]))]
    right = any("一二三四五六日"[date.weekday()] == said["weekday"] for date in same)
    return None if right else f"it is 周{'一二三四五六日'[same[0].weekday()]}"


def deadline_told(text: str, now: datetime) -> datetime | None:
    """Until when the firm may answer, by the words of a letter."""
    if not (said := DEADLINE.search(text)):
        return None
    here = local(now)
    year = here.year + (int(said["month"]) < here.month - 6)
    return here.replace(
        year=year,
        month=int(said["month"]),
        day=int(said["day"]),
        hour=int(said["hour"]),
        minute=int(said["minute"]),
        second=0,
        microsecond=0,
    )
