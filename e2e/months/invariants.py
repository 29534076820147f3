"""What must hold after every step, each in words to which an officer agrees.

An invariant looks at the rows before and after (`Look`) and reports what is broken. What is said in letters and on pages is in `letters`
and `sentences`; what a page shows is in `judge`.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from .facts import (
    BEFORE_THE_DAY,
    ENDED,
    LONG,
    REGISTRATION,
    SEATS,
    UNANSWERED,
    UNFINISHED,
    Day,
    Letter,
    Move,
    Registration,
    Trail,
    World,
    local,
)
from .violations import Broken

SOON = timedelta(minutes=10)
# A daily duty and its retries.
A_DAY = timedelta(hours=26)
NO_END = timedelta(days=60)
EVE = 18
TALKED = {"heard", "absent", "following", "closed"}


@dataclass
class Memory:
    """What the judge remembers from step to step: since when something is so, and what is still owed."""

    since: dict[tuple, datetime] = field(default_factory=dict)
    untold: list[tuple[Move, str]] = field(default_factory=list)
    # Until when an offer runs, as the firm was told last: by registration, with the instant of the offer.
    deadlines: dict[int, tuple[datetime | None, datetime]] = field(default_factory=dict)

    def lasts(self, what: tuple, now: datetime) -> timedelta:
        """How long it has been so. `forget_others` must be told each time what still is."""
        return now - self.since.setdefault(what, now)

    def forget_others(self, kind: str, still: set[tuple]) -> None:
        self.since = {what: at for what, at in self.since.items() if what[0] != kind or what in still}


@dataclass(frozen=True)
class Look:
    """The rows before and after a step or a round, and what was written in between.

    `own`: the credit code of the firm that acted itself, and `told` what its page then said. `up_since`: since when the worker runs.
    """

    before: World
    after: World
    moves: list[Move]
    trail: list[Trail]
    letters: list[Letter]
    memory: Memory
    own: str = ""
    told: bool = False
    act: str = ""
    up_since: datetime | None = None

    @property
    def now(self) -> datetime:
        return self.after.now

    def changed(self) -> Iterator[tuple[Registration, Registration]]:
        """Each registration whose row, seat or day is another than before: before and after."""
        for pk, one in self.after.registrations.items():
            was = self.before.registrations.get(pk)
            if was and (was.row != one.row or was.seat != one.seat):
                yield was, one

    def worker_had(self, span: timedelta) -> bool:
        """Whether the worker has run for so long without a stop."""
        return bool(self.up_since and self.now - self.up_since >= span)


Invariant = Callable[[Look], Iterator[Broken]]
INVARIANTS: list[Invariant] = []


def invariant(check: Invariant) -> Invariant:
    INVARIANTS.append(check)
    return check


@invariant
def every_change_is_told(look: Look) -> Iterator[Broken]:
    """Every change of a firm's stage or day is told to it: by a letter, or by the page that answers its own act."""
    memory = look.memory
    for move in look.moves:
        one = look.after.registrations[move.registration]
        if move.old and not (look.told and one.uscc == look.own):
            memory.untold.append((move, look.act))
    still = []
    for move, act in memory.untold:
        one = look.after.registrations[move.registration]
        if any(move.at - SOON <= letter.created_at <= move.at + SOON for letter in one.letters):
            continue
        if move.new == "answered" and _answers_are_told(one):
            continue
        if look.now - move.at < SOON:
            still.append((move, act))
        else:
            why = f"{move.note or act}" if move.by is None else act
            yield Broken(
                f"{move.old} to {move.new}",
                one.name,
                f"moved at {local(move.at):%m-%d %H:%M} ({why}), no letter",
            )
    memory.untold = still


def _answers_are_told(one: Registration) -> bool:
    """Each answer has a letter of its own; that the last of them makes the registration 已书面答复 says nothing new."""
    released = [work.released_at for work in one.leads if work.released_at]
    told = [letter.created_at for letter in one.letters if letter.kind == "reply_released"]
    return bool(released) and len(told) >= len(released)


@invariant
def at_most_ten_firms_a_day(look: Look) -> Iterator[Broken]:
    """At most ten firms have a seat of a day, beyond the extra seats that 局领导 added with a reason on the trail."""
    for day in look.after.days.values():
        seats = look.after.seats_of(day)
        taken = [seat for seat in seats if seat.uscc and not seat.extra_reason]
        if len(taken) > SEATS or len([seat for seat in seats if not seat.extra_reason]) > SEATS:
            yield Broken("seats", day.slug, f"{len(taken)} firms have one of {SEATS} seats")
        codes = [seat.uscc for seat in seats if seat.uscc]
        if len(codes) != len(set(codes)):
            yield Broken("twice", day.slug, "a firm has two seats")


@invariant
def no_firm_talks_twice_a_day(look: Look) -> Iterator[Broken]:
    """No firm is heard twice on one day."""
    heard: dict[tuple, str] = {}
    for one in look.after.registrations.values():
        if one.talk and one.talk.outcome in {"solved", "follow"}:
            key = (one.uscc, one.talk.day_pk)
            if key in heard:
                yield Broken("heard", one.name, f"{heard[key]} was heard on that day too")
            heard[key] = one.name


@invariant
def priority_is_not_lost(look: Look) -> Iterator[Broken]:
    """A priority ends only by its use or by the firm's own act; in every other case a registration of the firm carries it on."""
    for was, one in look.changed():
        if not was.priority_since or was.stage in TALKED or one.uscc == look.own or look.act in BY_TELEPHONE:
            continue
        keeps = one.priority_since and one.stage in BEFORE_THE_DAY
        if keeps or one.stage in TALKED - {"closed"} or one.stage == "declined" or _lapsed(was, one):
            continue
        if not any(other.priority_since for other in look.after.live_of_firm(one.uscc) if other.pk != one.pk):
            yield Broken(
                f"{was.stage} to {one.stage}",
                one.name,
                f"had priority since {local(was.priority_since):%m-%d}",
            )


BY_TELEPHONE = {"give_up", "withdraw"}
"""Acts of officers that report the firm's own word."""


def _lapsed(was: Registration, one: Registration) -> bool:
    """A seat was taken back unanswered: the firm gets a written answer, or has it already."""
    return (
        was.stage == "seated"
        and one.stage in {"accepted", "answered"}
        and not one.seat
        and not one.wants_onsite
    )


@invariant
def a_priority_can_be_used(look: Look) -> Iterator[Broken]:
    """A priority stands on a registration that can still be seated: not on one that is answered, in writing or over."""
    stuck = set()
    for one in look.after.registrations.values():
        if not one.priority_since or one.stage not in {"submitted", "accepted", "answered"}:
            continue
        unusable = one.stage == "answered" or not one.wants_onsite
        if unusable and not _has_usable(look.after, one):
            stuck.add(what := ("unusable", one.pk))
            if look.memory.lasts(what, look.now) > SOON:
                yield Broken(
                    one.stage,
                    one.name,
                    f"its priority cannot be used: {one.stage}, onsite {one.wants_onsite}",
                )
    look.memory.forget_others("unusable", stuck)


def _has_usable(world: World, one: Registration) -> bool:
    return any(
        o.priority_since and o.wants_onsite and o.stage != "answered" for o in world.live_of_firm(one.uscc)
    )


@invariant
def terms_run_from_delivery(look: Look) -> Iterator[Broken]:
    """A seat lapses only when the words of its offer reached the firm two days before, or the eve of the day has come."""
    for was, one in look.changed():
        if not _lapsed(was, one) or one.uscc == look.own or look.act in BY_TELEPHONE:
            continue
        offers = [x for x in one.letters if x.kind == "seat_offered" and x.created_at >= was.seat.offered_at]
        reached = [x.sent_at for x in offers if x.channel != "page" and x.state == "sent" and x.sent_at]
        if not reached:
            yield Broken(
                "unread", one.name, f"the offer of {local(was.seat.offered_at):%m-%d %H:%M} never left"
            )
        elif look.now - min(reached) < LONG - timedelta(minutes=5) and not _is_eve(one.day, look.now):
            yield Broken("short", one.name, f"the offer left at {local(min(reached)):%m-%d %H:%M}")


@invariant
def the_deadline_told_is_kept(look: Look) -> Iterator[Broken]:
    """An offer runs at least until the hour that the firm was told."""
    for was, one in look.changed():
        offered_at, told = look.memory.deadlines.get(one.pk, (None, None))
        if not told or not was.seat or was.seat.offered_at != offered_at:
            continue
        if _lapsed(was, one) and look.now < told and one.uscc != look.own and look.act not in BY_TELEPHONE:
            yield Broken("taken back", one.name, f"it was told {local(told):%m-%d %H:%M}")
        if one.seat and one.seat.reply_by and not one.seat.confirmed_at and one.seat.reply_by < told:
            yield Broken(
                "shortened",
                one.name,
                f"told {local(told):%m-%d %H:%M}, ends {local(one.seat.reply_by):%m-%d %H:%M}",
            )


def _is_eve(day: Day, now: datetime) -> bool:
    return local(now) >= local(day.starts_at).replace(hour=EVE, minute=0) - timedelta(days=1)


@invariant
def firms_are_seated_in_turn(look: Look) -> Iterator[Broken]:
    """When a firm is offered one of the ten seats, no firm with an earlier turn is left waiting for that day."""
    for was, one in look.changed():
        if was.stage == "seated" or one.stage != "seated" or not one.seat or one.seat.extra_reason:
            continue
        if look.act == "call-in":
            continue
        for other in look.after.waiting(one.day):
            if (
                other.turn < one.turn
                and other.stage in {"accepted", "deferred"}
                and _waited(look.before, other)
            ):
                yield Broken("passed over", one.name, f"seated before {other.name}")
                break


def _waited(before: World, other: Registration) -> bool:
    was = before.registrations.get(other.pk)
    return bool(
        was and was.stage in {"accepted", "deferred"} and was.wants_onsite and was.day_pk == other.day_pk
    )


@invariant
def ending_takes_the_work_along(look: Look) -> Iterator[Broken]:
    """A registration that ends takes its 交办, its term, its seat, its 督办 and its calls with it."""
    for one in look.after.registrations.values():
        if one.stage not in ENDED:
            continue
        for kind, holds, what in _left_behind(one):
            if holds:
                yield Broken(f"{one.stage}: {kind}", one.name, what)


def _left_behind(one: Registration) -> Iterator[tuple[str, bool, str]]:
    unfinished = [work for work in one.works if work.state in UNFINISHED]
    yield "work", bool(unfinished), f"{len(unfinished)} 交办 are still open"
    yield "term", bool(one.reply_due_on), f"its page still says 最迟答复 {one.reply_due_on}"
    yield "seat", bool(one.seat and one.stage != "closed"), "it holds a seat"
    matters = [matter for matter in one.open_matters if matter.origin != "rating"]
    # Those of a firm that reported 已解决 are closed by the duty of the next morning: see `nothing_is_in_limbo`.
    yield "matter", bool(matters and one.stage != "closed"), "a 督办 is still open"


@invariant
def solved_is_chased_no_more(look: Look) -> Iterator[Broken]:
    """What was solved on the day is chased no more: its 交办 do not stay open."""
    for one in look.after.registrations.values():
        if (
            one.talk
            and one.talk.outcome == "solved"
            and one.being_answered
            and one.stage in {"heard", "closed"}
        ):
            yield Broken("work", one.name, f"solved on the day, and a 交办 is still open ({one.stage})")


@invariant
def accepted_means_answered(look: Look) -> Iterator[Broken]:
    """What 综合处 or a duty closes was answered: in writing by every lead division, or on the day, or by its 督办."""
    for move in look.moves:
        one = look.after.registrations[move.registration]
        if move.new != "closed" or one.uscc == look.own or one.stage != "closed":
            continue
        solved = one.talk and one.talk.outcome in {"solved", "follow"}
        if not (one.is_answered or solved or any(matter.closed_at for matter in one.matters)):
            yield Broken(f"{move.old}", one.name, f"closed without an answer: {move.note or look.act}")


@invariant
def acts_end_with_the_day(look: Look) -> Iterator[Broken]:
    """Once its day has begun, no firm is seated (except called in on the day), confirms, gives up, or withdraws from it."""
    for was, one in look.changed():
        if look.now < was.day.starts_at or was.day_pk != one.day_pk:
            continue
        over = "over" if look.now >= was.day.ends_at else "begun"
        if was.stage != "seated" and one.stage == "seated" and (look.act != "call-in" or over == "over"):
            yield Broken(f"seated: {over}", one.name, f"seated by {look.act or 'a duty'}, the day is {over}")
        if was.stage == one.stage == "seated" and not was.seat.confirmed_at and one.seat.confirmed_at:
            yield Broken(
                f"confirmed: {over}", one.name, f"confirmed by {look.act or 'a duty'}, the day is {over}"
            )
        if was.stage == "seated" and one.stage in {"accepted", "withdrawn"}:
            came = "checked in" if was.talk else over
            yield Broken(f"{one.stage}: {came}", one.name, f"left its seat by {look.act or 'a duty'}, {came}")


@invariant
def cancelling_reaches_everyone(look: Look) -> Iterator[Broken]:
    """No firm keeps a seat of a cancelled day, or waits for one."""
    late = set()
    for one in look.after.registrations.values():
        if one.day.stands or one.stage not in BEFORE_THE_DAY:
            continue
        if one.stage == "seated" or (one.wants_onsite and one.stage in BEFORE_THE_DAY):
            late.add(what := ("cancelled", one.pk))
            if look.memory.lasts(what, look.now) > SOON and look.worker_had(SOON):
                yield Broken(one.stage, one.name, f"its day {one.day.slug} is cancelled")
    look.memory.forget_others("cancelled", late)


@invariant
def nothing_is_in_limbo(look: Look) -> Iterator[Broken]:
    """Every live registration has a next event, with a date and somebody who has to act."""
    found = set()
    for one in look.after.registrations.values():
        for hole, patience, why in _holes(one, look):
            found.add(what := (f"limbo {hole}", one.pk))
            if look.memory.lasts(what, look.now) > patience and look.worker_had(patience):
                yield Broken(hole, one.name, why)
    for hole in {what[0] for what in look.memory.since if what[0].startswith("limbo")}:
        look.memory.forget_others(hole, found)


def _holes(one: Registration, look: Look) -> Iterator[tuple[str, timedelta, str]]:
    over = look.now >= one.day.ends_at
    works = any(work.state in UNFINISHED for work in one.works)
    if one.stage in {"accepted", "seated", "deferred"} and not works and not one.leads:
        yield "nobody answers", SOON, f"{one.stage}, and no 交办 is in force"
    if one.stage == "accepted" and not one.wants_onsite and one.is_answered:
        yield "answered, not said", SOON, "in writing, every answer is out, and it stays 通过初审"
    if one.stage == "accepted" and one.wants_onsite and over and one.day.settled_at:
        yield "waits for a day that is over", A_DAY, f"accepted and onsite; {one.day.slug} is over"
    if one.stage == "deferred" and over and not works and not one.is_answered:
        yield "deferred without an answer", A_DAY, "deferred, no 交办 is open and it is not answered"
    if one.stage == "following" and not one.open_matters:
        yield "followed up by no one", A_DAY, "跟踪督办, and no 督办 is open"
    if (
        one.open_matters
        and one.stage not in {"following"}
        and any(m.origin != "rating" for m in one.open_matters)
    ):
        yield "督办 without its registration", A_DAY, f"a 督办 is open, the registration is {one.stage}"
    if one.stage in {"heard", "answered", "absent"} and not works and not one.open_matters:
        yield (
            f"no end: {one.stage}",
            NO_END,
            f"{one.stage} for {NO_END.days} days, and nothing will ever happen",
        )


@invariant
def the_trail_tells_every_move(look: Look) -> Iterator[Broken]:
    """For every line of a firm's 办理经过 there is an entry of that instant in 办理留痕."""
    entries = {(e.about_id, e.at) for e in look.trail if e.about_kind == REGISTRATION}
    for move in look.moves:
        if (str(move.registration), move.at) not in entries:
            one = look.after.registrations[move.registration]
            yield Broken(
                f"{move.old} to {move.new}", one.name, f"no entry at {local(move.at):%m-%d %H:%M:%S}"
            )


@invariant
def the_trail_tells_every_answer(look: Look) -> Iterator[Broken]:
    """For every change of a seat or of a plan there is an entry in 办理留痕."""
    told = {entry.about_id for entry in look.trail if entry.about_kind == REGISTRATION}
    for was, one in look.changed():
        if _holding(was) != _holding(one) and str(one.pk) not in told:
            yield Broken("seat", one.name, "its seat changed without an entry")
    days = {entry.about_id for entry in look.trail}
    for pk, day in look.after.days.items():
        was = look.before.days.get(pk)
        if was and was.plan != day.plan and str(pk) not in days:
            yield Broken("plan", day.slug, f"{was.plan} to {day.plan} without an entry")


def _holding(one: Registration) -> tuple | None:
    return one.seat and (one.seat.pk, one.seat.uscc, one.seat.confirmed_at)


@invariant
def a_division_is_not_asked_in_vain(look: Look) -> Iterator[Broken]:
    """No division still has to answer a firm whose registration was taken back to 待初审."""
    for one in look.after.registrations.values():
        if one.stage == "submitted" and any(work.state in UNANSWERED for work in one.works):
            yield Broken("submitted", one.name, "待初审, and a 交办 is open")
