"""Facts of a registration in a few words, for the table in `situations.txt` and the walk through all combinations."""

from dataclasses import replace
from datetime import date, datetime

from appointments.lifecycle import Stage
from appointments.situation import DayFacts, Facts, SeatFacts, Work
from sessions_app import calendar

DAY, NEXT, BEFORE = date(2026, 12, 10), date(2027, 1, 10), date(2026, 11, 10)
PLACE = "三楼会议室"

WORK = {
    "open": Work(divisions=("水处", "大气处"), studying=("水处", "大气处"), open=2, leads_open=2),
    "partly": Work(divisions=("水处", "大气处"), studying=("大气处",), open=1, leads_open=1, replied=1),
    "replied": Work(divisions=("水处", "大气处"), replied=2),
    "returned": Work(divisions=("水处",), replied=1, returned=1),
    "unassigned": Work(),
    "asked": Work(divisions=("水处", "大气处"), replied=2, unassigned=1),
}
"""How far the written reply is. 交办 are due on 9 December."""


def at(text: str) -> datetime:
    """12-10T08:30 of 2026, or a whole ISO date, in Zhoushan."""
    return datetime.fromisoformat(text if text[:2] == "20" else f"2026-{text}").replace(
        tzinfo=calendar.SHANGHAI
    )


def facts(words: str) -> Facts:
    """The facts that words tell: `seated 12-02T10:00 offered=12-04T09:00 settled partly`."""
    stage, now, *more = words.split()
    day = DayFacts(DAY, place=PLACE, next_date=NEXT if stage == Stage.DEFERRED else None)
    found = Facts(now=at(now), stage=Stage(stage), day=day)
    for word in more:
        name, _, value = word.partition("=")
        found = TOLD[name](found, value)
    return found


def _day(**columns):
    return lambda found, value: replace(found, day=replace(found.day, **columns))


def _work(name: str):
    """`name` of WORK; the matter falls due on 9 December while something of it is open."""

    def tell(found: Facts, value: str) -> Facts:
        due_on = date(2026, 12, 9) if WORK[name].open else None
        return replace(found, work=replace(WORK[name], due_on=due_on))

    return tell


def _offered(found: Facts, value: str) -> Facts:
    return replace(found, seat=SeatFacts(3, reply_by=at(value) if value else None))


def _confirmed(found: Facts, value: str) -> Facts:
    return replace(found, seat=SeatFacts(3, confirmed=True))


def _checked_in(found: Facts, value: str) -> Facts:
    return replace(found, work=replace(found.work, checked_in=True))


def _following(found: Facts, value: str) -> Facts:
    due_on = date.fromisoformat(f"2026-{value}")
    return replace(found, work=replace(found.work, following=("水处",), follow_up_due_on=due_on))


TOLD = {
    "settled": _day(settled=True),
    "cancelled": _day(cancelled=True, published=False, place=""),
    "unpublished": _day(published=False, place=""),
    "free": _day(seat_free=True),
    "own": _day(next_is_own=True),
    **{name: _work(name) for name in WORK},
    "offered": _offered,
    "confirmed": _confirmed,
    "checked-in": _checked_in,
    "following": _following,
    "written": lambda found, value: replace(found, wants_onsite=False),
    "place": lambda found, value: replace(found, position=int(value)),
    "priority": lambda found, value: replace(found, priority_since=at("11-20T09:00")),
    "handed": lambda found, value: replace(found, handed_to=NEXT),
    "took": lambda found, value: replace(found, priority_since=at("11-20T09:00"), comes_back_to=BEFORE),
    "answer-by": lambda found, value: replace(found, answer_by=at(value)),
    "reopen-until": lambda found, value: replace(found, reopen_until=at(value)),
    "seated-since": lambda found, value: replace(found, seated_since=True),
    "other": lambda found, value: replace(found, other_live=True),
    "told-lately": lambda found, value: replace(found, told_lately=True),
    "rated": lambda found, value: replace(found, rated=True),
}
"""Each word with what it adds to the facts."""
