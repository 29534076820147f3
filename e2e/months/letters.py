"""Letters judged where they leave: at the instant of sending, against the rows of that instant; and calls that wait to be made."""

import re
from collections.abc import Callable, Iterator
from datetime import datetime, time, timedelta

from .facts import DAY, REGISTRATION, UNANSWERED, World, local, phone_of
from .pages import squeeze
from .sentences import untrue
from .violations import Broken

QUIET_FROM, QUIET_UNTIL = time(21), time(8)
ANSWER_WITHIN = timedelta(minutes=10)
UNTRUE, NIGHT, OLD_NUMBER = "untrue", "at night", "old number"


def judge_sent(
    notice, at: datetime, world: World, *, answers_own_act: bool, to_firm: bool
) -> Iterator[Broken]:
    """No letter that is untrue, goes to a number that was corrected, or leaves between 21:00 and 08:00.

    At night only the answer to the person's own act goes out, and its repeats within ten minutes.
    """
    subject = owner(notice, world)
    is_night = not QUIET_UNTIL <= local(at).time() < QUIET_FROM
    if is_night and not (answers_own_act and at - notice.created_at <= ANSWER_WITHIN):
        yield Broken(f"{NIGHT}: {notice.kind}", subject, f"left at {local(at):%H:%M}")
    if to_firm:
        current = phone_of(int(notice.about_id))
        if notice.to.open() not in current:
            yield Broken(f"{OLD_NUMBER}: {notice.kind}", subject, "the firm has corrected its number since")
    yield from judge_text(notice, f"{notice.subject}{notice.text}", world)


def judge_text(notice, said: str, world: World) -> Iterator[Broken]:
    """What a letter, or a call to be made, says is true now."""
    subject = owner(notice, world)
    late = f"written {local(notice.created_at):%m-%d %H:%M}"
    text = squeeze(said)
    if notice.about_kind == REGISTRATION:
        one = world.registration(notice.about_id)
        for claim, why in untrue(text, one, world) if one else ():
            yield Broken(f"{UNTRUE}: {notice.kind}: {claim}", subject, f"{why} ({notice.channel}, {late})")
    elif notice.kind in OFFICIAL and (why := OFFICIAL[notice.kind](notice, text, world)):
        yield Broken(f"{UNTRUE}: {notice.kind}", subject, f"{why} ({notice.channel}, {late})")


def owner(notice, world: World) -> str:
    """The record that the letter is about, by its name in steps."""
    if notice.about_kind == REGISTRATION and (one := world.registration(notice.about_id)):
        return one.name
    if notice.about_kind == DAY and int(notice.about_id) in world.days:
        return world.days[int(notice.about_id)].slug
    if notice.about_kind == "triage.assignment" and (found := _work(notice, world)):
        return world.registrations[found.registration].name
    if notice.about_kind == "triage.followup" and (found := _matter(notice, world)):
        return world.registrations[found.registration].name
    return notice.about_kind


def _work(notice, world: World):
    key = int(notice.about_id)
    return next((w for one in world.registrations.values() for w in one.works if w.pk == key), None)


def _matter(notice, world: World):
    key = int(notice.about_id)
    return next((m for one in world.registrations.values() for m in one.matters if m.pk == key), None)


# --- Letters to officers: by kind, what must hold ------------------------------------------------------------------------
Rule = Callable[[object, str, World], str | None]


def _work_in(*states: str) -> Rule:
    def rule(notice, text: str, world: World) -> str | None:
        work = _work(notice, world)
        if work.state not in states:
            return f"the 交办 is {work.state}"
        return _due_date(text, work.due_on)

    return rule


def _due_date(text: str, due_on) -> str | None:
    for month, day in re.findall(r"(?:期限|期限（|将于)(\d+)月(\d+)日", text):
        if (int(month), int(day)) != (due_on.month, due_on.day):
            return f"it is due on {due_on:%m-%d}"
    return None


def _late_or_soon(late: bool) -> Rule:
    def rule(notice, text: str, world: World) -> str | None:
        work = _work(notice, world)
        if work.state not in UNANSWERED:
            return f"the 交办 is {work.state}"
        is_late = work.due_on < local(world.now).date()
        if is_late != late:
            return f"it is due on {work.due_on:%m-%d}, so it is {'late' if is_late else 'not late'}"
        return _due_date(text, work.due_on)

    return rule


def _matter_open(notice, text: str, world: World) -> str | None:
    matter = _matter(notice, world)
    return "the 督办 is closed" if matter.closed_at else _due_date(text, matter.due_on)


def _matter_closed(notice, text: str, world: World) -> str | None:
    return None if _matter(notice, world).closed_at else "the 督办 is open"


def _the_day(notice, world: World):
    return world.days[int(notice.about_id)]


def _plan_wanted(notice, text: str, world: World) -> str | None:
    day = _the_day(notice, world)
    state = "submitted" if "待您审核" in text else "draft"
    if world.now >= day.ends_at:
        return "the day is over"
    return (
        None
        if (day.plan == "returned" and state == "draft") or day.plan == state
        else f"the plan is {day.plan}"
    )


def _plan_late(notice, text: str, world: World) -> str | None:
    day = _the_day(notice, world)
    wanted = {"submitted"} if "正待您审核" in text else {"draft", "returned"}
    return None if day.plan in wanted else f"the plan is {day.plan}"


def _plan_prepared(notice, text: str, world: World) -> str | None:
    day = _the_day(notice, world)
    return None if day.plan in {"draft", "returned"} else f"the plan is {day.plan}"


def _plan_in(state: str) -> Rule:
    def rule(notice, text: str, world: World) -> str | None:
        day = _the_day(notice, world)
        return None if day.plan == state else f"the plan is {day.plan}"

    return rule


def _cutoff_counts(notice, text: str, world: World) -> str | None:
    return "the day is over" if world.now >= _the_day(notice, world).ends_at else _counts(notice, text, world)


def _settle_counts(notice, text: str, world: World) -> str | None:
    """The list is wanted as long as firms wait to hear whether they are on it, after the day too."""
    day = _the_day(notice, world)
    waits = any(one.stage == "submitted" for one in world.of_day(day)) or world.waiting(day)
    return _counts(notice, text, world) if waits else "nobody waits"


def _counts(notice, text: str, world: World) -> str | None:
    """待初审N条，已通过N条 / 等待名额N家."""
    day = _the_day(notice, world)
    if day.settled_at:
        return "the list is settled"
    if not day.stands:
        return "the day is cancelled"
    pending = sum(one.stage == "submitted" for one in world.of_day(day))
    said = re.search(r"待初审(\d+)条", text)
    if said and int(said[1]) != pending:
        return f"{said[1]} wait for 初审, it says; {pending} do"
    said = re.search(r"等待名额(\d+)家", text)
    waiting = len(world.waiting(day))
    return f"{said[1]} wait for a seat, it says; {waiting} do" if said and int(said[1]) != waiting else None


def _day_ahead(notice, text: str, world: World) -> str | None:
    day = _the_day(notice, world)
    if not day.stands:
        return "the day is cancelled"
    return "the day is over" if world.now >= day.ends_at else None


def _day_cancelled(notice, text: str, world: World) -> str | None:
    return "the day takes place" if _the_day(notice, world).stands else None


def _hastened(notice, text: str, world: World) -> str | None:
    said = re.search(r"提前到(\d+)月(\d+)日", text)
    day = _the_day(notice, world)
    if world.now >= day.ends_at:
        return "the day is over"
    today = local(world.now).date()
    return "that term is past" if said and (int(said[1]), int(said[2])) < (today.month, today.day) else None


OFFICIAL: dict[str, Rule] = {
    "assignment_new": _work_in("open", "drafted"),
    "assignment_returned": _work_in("returned"),
    "reply_to_sign": _work_in("drafted"),
    "reply_sent_back": _work_in("open"),
    "reply_for_absent": _work_in("open", "drafted"),
    "reply_soon": _late_or_soon(late=False),
    "reply_late": _late_or_soon(late=True),
    "follow_up_new": _matter_open,
    "follow_up_late": _matter_open,
    "follow_up_old": _matter_open,
    "follow_up_closed": _matter_closed,
    "plan_wanted": _plan_wanted,
    "plan_late": _plan_late,
    "plan_prepared": _plan_prepared,
    "cutoff_summary": _cutoff_counts,
    "settle_wanted": _settle_counts,
    "run_sheet_ready": _day_ahead,
    "reception_open": _day_ahead,
    "plan_changed_bureau": _day_ahead,
    "plan_to_approve": _plan_in("submitted"),
    "plan_sent_back": _plan_in("returned"),
    "plan_approved": _plan_in("published"),
    "day_cancelled_bureau": _day_cancelled,
    "replies_hastened": _hastened,
}
