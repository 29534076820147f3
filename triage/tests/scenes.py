"""The scenes in which the acts of the bureau and of the firms are tried: a matter in the state that an act finds.

A scene is a function that furnishes a `Scene`. Each test furnishes it for the firm whose act it is, and again for its
neighbours: another firm of the same day, and the same firm on another day. They are in the same state, so an act that
forgets whose row it changes changes theirs too.
"""

from collections.abc import Callable, Iterable
from datetime import date, datetime, timedelta

from django.contrib.auth.models import Group
from django.db.models import Model

from appointments import letters
from appointments.lifecycle import Stage
from appointments.models import (
    Appointment,
    Objection,
    Publicity,
    PublishedAnswer,
    Rating,
    StageMove,
    Supplement,
)
from sessions_app import calendar, seats
from sessions_app.days import day_on
from sessions_app.models import ConsultDay, Plan, Seat
from triage.models import (
    Assignment,
    AssignmentState,
    CallOutcome,
    CallRecord,
    Hearing,
    Outcome,
    Part,
    Reply,
    ReplyKind,
    ReplyVersion,
    Sitting,
)
from triage.tests import factories as made
from triage.tests.desk import follow_up
from zhoushan_consult.bureau.models import Division, Officer
from zhoushan_consult.bureau.roles import Role
from zhoushan_consult.clock import SHANGHAI
from zhoushan_consult.outbox import delivery
from zhoushan_consult.outbox.models import Notice, State

NOW, DAY = made.NOW, made.DAY
BEFORE, NEXT, AFTER, FAR = date(2026, 11, 10), date(2027, 1, 10), date(2027, 2, 10), date(2027, 3, 10)
SECOND = datetime(2026, 12, 2, 9, tzinfo=SHANGHAI)
"""On the 2nd: booking is closed, the list can be settled."""
MORNING = datetime(2026, 12, 10, 8, 15, tzinfo=SHANGHAI)
"""The morning of the 咨询日."""
EARLIER = NOW - timedelta(hours=1)
QUESTION = "水产加工废水怎样接入市政管网？"

PEOPLE = {
    Role.COORDINATOR: ("综合处经办", "综合处"),
    Role.HANDLER: ("水处经办", "水处"),
    Role.HEAD: ("水处负责人", "水处"),
    Role.WATCH: ("办公室督办", "办公室"),
    Role.LEADER: ("局领导", None),
    Role.SYSTEM: ("系统管理", "科监处"),
    Role.COUNTY: ("分局查阅", None),
}
"""Who does what only a role may do. 水处 is the division whose matters are on the scene."""
OTHERS = {
    "大气处经办": (Role.HANDLER, "大气处"),
    "大气处负责人": (Role.HEAD, "大气处"),
    "土壤处经办": (Role.HANDLER, "土壤处"),
    "综合处答复人": (Role.HANDLER, "综合处"),
    "离岗的水处经办": (Role.HANDLER, "水处"),
    "离岗的综合处经办": (Role.COORDINATOR, "综合处"),
    "拟稿人": (None, "水处"),
}
"""The same roles elsewhere, and people who have left: no letter reaches those."""


class People:
    """An officer for each role, and others."""

    def __init__(self):
        divisions = {division.name: division for division in Division.objects.all()}
        roles = {name: role for role, (name, _) in PEOPLE.items()} | {
            name: role for name, (role, _) in OTHERS.items()
        }
        places = dict(PEOPLE.values()) | {name: division for name, (_, division) in OTHERS.items()}
        self._named = {
            name: Officer(
                username=f"officer{number}",
                name=name,
                division=divisions.get(places[name]),
                phone=f"+8613900000{number:03}",
                email=f"officer{number}@example.com",
                is_active=not name.startswith("离岗"),
            )
            for number, name in enumerate(roles)
        }
        Officer.objects.bulk_create(self._named.values())
        groups = {group.name: group for group in Group.objects.all()}
        holds = Officer.groups.through
        holds.objects.bulk_create(
            holds(officer=self._named[name], group=groups[role]) for name, role in roles.items() if role
        )

    def of(self, role: Role) -> Officer:
        return self._named[PEOPLE[role][0]]

    def named(self, name: str) -> Officer:
        return self._named[name]


class Scene:
    """A matter and the people around it. What a scene function puts into it is read by the act, and named by the words
    in which a change is told: `scene.firm = …` is called "firm"."""

    def __init__(self, people: People, number: int = 1, on: date = DAY):
        self.people, self.number, self.on = people, number, on
        self.day = day_on(on)

    def look(self) -> None:
        """Read every row again, as a page does that is opened now."""
        for name, row in self.rows().items():
            setattr(self, name, type(row)._base_manager.get(pk=row.pk))

    def rows(self) -> dict[str, Model]:
        return {name: row for name, row in vars(self).items() if isinstance(row, Model)}

    def book(self, place: int = 0, **columns) -> Appointment:
        """A registration for the day of the scene; `place` tells several firms of one scene apart."""
        number = self.number * 20 + place
        columns = {"summary": QUESTION, "email": f"firm{number}@example.com"} | columns
        return made.appointment(number, on=self.on, **columns)

    def give(self, firm: Appointment, to: str = "水处", **columns) -> Assignment:
        """A 交办 to the division named `to`, due in the middle of December."""
        coordinator = self.people.of(Role.COORDINATOR)
        return made.assignment(firm, to, by=coordinator, **({"due_on": date(2026, 12, 15)} | columns))

    def seat(
        self, firm: Appointment, *, confirmed: bool = False, told: bool = True, at: datetime = EARLIER
    ) -> Seat:
        """`firm` holds the first free seat of its day. Unless `told` is false, the offer reached it at once."""
        seat = seats.take(firm.day, firm.uscc, at=at)
        if told:
            seats.start_term(seat, firm.uscc, at)
        if confirmed:
            seats.confirm(seat, firm.uscc, at=at)
        Appointment.objects.filter(pk=firm.pk).update(stage=Stage.SEATED, seat=seat)
        firm.refresh_from_db()
        return Seat.objects.get(pk=seat.pk)

    def tell(self, kind: str, firm: Appointment, at: datetime = EARLIER, **params) -> None:
        """A letter that has reached the firm by every way."""
        letters.write(kind, firm, at=at, key=letters.key_at(at), **params)
        theirs = Notice.objects.filter(about_kind=firm._meta.label_lower, about_id=str(firm.pk), sent_at=None)
        theirs.update(state=State.SENT, sent_at=at, next_try_at=None)

    def answer(self, firm: Appointment, to: str = "水处", at: datetime = EARLIER, **columns) -> Assignment:
        """A 交办 to which the division named `to` has replied, and the firm has read it."""
        given = self.give(firm, to, state=AssignmentState.RELEASED, released_at=at, **columns)
        self.draft(given, signed_by=self.people.of(Role.HEAD), signed_at=at, remark="")
        self.tell("reply_released", firm, at, assignment=given.pk)
        return given

    def draft(self, assignment: Assignment, body: str = "请先办理排水许可。", **columns) -> Reply:
        """The first wording of a reply."""
        by = self.people.named("拟稿人")
        columns = {
            "law": "排水许可办法",
            "drafted_by": by,
            "drafted_at": EARLIER,
            "remark": "写明期限",
        } | columns
        reply = Reply.objects.create(assignment=assignment, body=body, **columns)
        ReplyVersion.objects.create(
            reply=reply, number=reply.version, body=body, law=reply.law, by=reply.drafted_by, at=EARLIER
        )
        return reply


def world() -> People:
    """What there is before any scene: days with a published plan, and the people of the bureau."""
    for day in map(day_on, (BEFORE, DAY, NEXT, AFTER, FAR)):
        plan = {"plan": Plan.PUBLISHED, "published_at": EARLIER, "theme": "雨污分流", "place": "三楼会议室"}
        ConsultDay.objects.filter(pk=day.pk).update(**plan)
    return People()


Furnish = Callable[[Scene], object]


def furnished(
    furnish: Furnish,
    people: People,
    *,
    by: Officer | None,
    at: datetime,
    neighbours: Iterable[tuple[int, date]] = (),
) -> Scene:
    """A scene and its neighbours, each with its number and day; the one who acts has just opened the page."""
    for number, day in neighbours:
        furnish(Scene(people, number, day))
    own = Scene(people)
    furnish(own)
    if hasattr(own, "firm"):
        # The worker stores it within seconds of a registration.
        own.trace = made.trace(own.firm, at=EARLIER)
    own.by, own.at = by, at
    own.look()
    return own


# --- 登记和初审 --------------------------------------------------------------------------------------------------------
def empty(s: Scene) -> None:
    """Nothing is there yet."""


def registered(s: Scene) -> None:
    s.firm = s.book()


def called_at_a_wrong_number(s: Scene) -> None:
    """A letter could not be told on the telephone; a call about the matter ended at a stranger too."""
    s.firm = s.book(stage=Stage.ACCEPTED)
    letters.write("review_accepted", s.firm, at=EARLIER)
    letter = Notice.objects.get(about_id=str(s.firm.pk), channel="sms")
    Notice.objects.filter(pk=letter.pk).update(state=State.FAILED, last_error="空号")
    s.letter = delivery.add_to_call_list(letter, EARLIER)
    Notice.objects.filter(pk=s.letter.pk).update(state=State.FAILED, outcome=CallOutcome.WRONG_NUMBER)
    by = s.people.of(Role.COORDINATOR)
    s.call = CallRecord.objects.create(
        appointment=s.firm, by=by, at=EARLIER, outcome=CallOutcome.WRONG_NUMBER, gist="对方说打错了"
    )


def declined(s: Scene) -> None:
    s.firm = s.book(stage=Stage.DECLINED)


def accepted(s: Scene) -> None:
    s.firm = s.book(stage=Stage.ACCEPTED)


def deferred(s: Scene) -> None:
    s.firm = s.book(stage=Stage.DEFERRED)


def deferred_and_answered(s: Scene) -> None:
    """One of two questions is answered."""
    deferred(s)
    s.answered = s.answer(s.firm)
    s.open_work = s.give(s.firm, "大气处")


def took_a_priority_over(s: Scene) -> None:
    """The firm was deferred before, and its priority went over to the registration that it had made itself."""
    s.firm = s.book(priority_since=EARLIER)
    before = Scene(s.people, s.number, BEFORE if s.on == DAY else AFTER)
    s.earlier = before.book(
        stage=Stage.ANSWERED, wants_onsite=False, handed_to=s.firm, priority_since=EARLIER
    )
    before.answer(s.earlier)
    s.withdrawn = before.book(1, stage=Stage.WITHDRAWN, handed_to=s.firm)


def supplemented(s: Scene) -> None:
    """The firm asked one thing more, and another that an officer has dealt with."""
    given(s)
    s.supplement = Supplement.objects.create(appointment=s.firm, text="污泥怎样处置？", at=EARLIER)
    Supplement.objects.create(appointment=s.firm, text="雨水呢？", at=EARLIER, handled_at=EARLIER)


def objected(s: Scene) -> None:
    """A person says that the registration is not the firm's own; it has a seat and a 交办."""
    confirmed(s)
    s.work = s.give(s.firm)
    caller = {"contact_name": "李四", "phone": "+8613700000001", "text": "我们没有登记"}
    s.objection = Objection.objects.create(appointment=s.firm, at=EARLIER, **caller)


def at_stage(stage: Stage):
    """A registration at another stage."""

    def scene(s: Scene) -> None:
        s.firm = s.book(stage=stage, closed_at=EARLIER if stage == Stage.CLOSED else None)

    return scene


# --- 交办和答复 --------------------------------------------------------------------------------------------------------
def given(s: Scene, state: AssignmentState = AssignmentState.OPEN, **columns) -> None:
    """水处 leads, 大气处 supports."""
    s.firm = s.book(**({"stage": Stage.ACCEPTED} | columns))
    s.work = s.give(s.firm, state=state)
    s.support = s.give(s.firm, "大气处", part=Part.SUPPORT, state=state, due_on=date(2026, 12, 9))


def given_back(s: Scene) -> None:
    given(s)
    Assignment.objects.filter(pk=s.work.pk).update(
        state=AssignmentState.RETURNED, return_reason="不属水处职责"
    )


def given_in_every_state(s: Scene) -> None:
    """One 交办 in each state."""
    s.firm = s.book(stage=Stage.ACCEPTED)
    for state in AssignmentState:
        setattr(s, f"{state}_work", s.give(s.firm, state=state, question=f"{QUESTION}{state.label}"))


def drafted(s: Scene) -> None:
    """Both divisions have written a reply."""
    given(s)
    s.reply = s.draft(s.work)
    s.other_reply = s.draft(s.support)


def before_the_head(s: Scene, **columns) -> None:
    given(s, AssignmentState.DRAFTED, **columns)
    s.reply = s.draft(s.work)
    s.other_reply = s.draft(s.support)


def given_with_two_heads(s: Scene) -> None:
    """A second head of 水处, whom no letter reaches, could sign what the first one drafts."""
    given(s)
    deputy, _ = Officer.objects.get_or_create(
        username="deputy", defaults={"name": "水处副职", "division": made.division("水处")}
    )
    deputy.groups.set([Group.objects.get(name=Role.HEAD)])


def before_the_head_who_drafted_it(s: Scene) -> None:
    """水处 has one officer, who drafted and must sign."""
    before_the_head(s)
    head = s.people.of(Role.HEAD)
    Reply.objects.filter(pk=s.reply.pk).update(drafted_by=head)
    Officer.objects.filter(division=head.division).exclude(pk=head.pk).update(is_active=False)


# --- 更正和补充 --------------------------------------------------------------------------------------------------------
def answered(s: Scene) -> None:
    """水处 has answered, 大气处 has not; the registration is closed."""
    given(s, stage=Stage.CLOSED, closed_at=EARLIER)
    Assignment.objects.filter(pk=s.work.pk).update(state=AssignmentState.RELEASED, released_at=EARLIER)
    head = s.people.of(Role.HEAD)
    s.reply = s.draft(s.work, signed_by=head, signed_at=EARLIER, remark="")
    s.other_reply = s.draft(s.support)


def answered_with_two_heads(s: Scene) -> None:
    given_with_two_heads(Scene(s.people, s.number + 40, s.on))
    answered(s)


def corrected(s: Scene, **columns) -> None:
    """A 更正 of the reply of 水处 is drafted."""
    answered(s)
    columns = {"kind": ReplyKind.CORRECTION, "version": 2, "due_on": date(2026, 11, 25)} | columns
    s.revision = s.draft(s.work, "请先办理接管意见。", **columns)


def correction_before_the_head(s: Scene) -> None:
    corrected(s, submitted_at=EARLIER)


def supplement_before_the_head(s: Scene) -> None:
    corrected(s, kind=ReplyKind.SUPPLEMENT, submitted_at=EARLIER)


def written_before_the_head(s: Scene) -> None:
    """The firm asked for the written reply only; its last lead is about to be signed."""
    before_the_head(s, wants_onsite=False)
    s.earlier_work = s.give(s.firm, question="雨水呢？", state=AssignmentState.RELEASED, released_at=EARLIER)
    s.dropped_work = s.give(s.firm, question="噪声呢？", state=AssignmentState.CANCELLED)


def written_with_another_lead(s: Scene) -> None:
    """The firm asked for the written reply only, and another lead division has not answered."""
    before_the_head(s, wants_onsite=False)
    s.other_lead = s.give(s.firm, "土壤处", question="污泥呢？")


def gave_up_after_the_reply(s: Scene) -> None:
    """A firm without a seat any more, to which all is answered; and those to which it is not."""
    s.firm = s.book(0, stage=Stage.ACCEPTED, wants_onsite=False)
    s.give(s.firm, state=AssignmentState.RELEASED, released_at=EARLIER)
    s.give(s.firm, "土壤处", state=AssignmentState.CANCELLED)
    s.give(s.firm, "大气处", part=Part.SUPPORT)
    s.other = s.book(5, stage=Stage.ACCEPTED, wants_onsite=False)
    s.give(s.other, state=AssignmentState.RELEASED, released_at=EARLIER)
    half = s.book(1, stage=Stage.ACCEPTED, wants_onsite=False)
    s.give(half, state=AssignmentState.RELEASED, released_at=EARLIER)
    s.give(half, "大气处")
    comes = s.book(2, stage=Stage.ACCEPTED)
    s.give(comes, state=AssignmentState.RELEASED, released_at=EARLIER)
    supported = s.book(3, stage=Stage.ACCEPTED, wants_onsite=False)
    s.give(supported, part=Part.SUPPORT, state=AssignmentState.RELEASED, released_at=EARLIER)
    put_off = s.book(4, stage=Stage.DEFERRED, wants_onsite=False)
    s.give(put_off, state=AssignmentState.RELEASED, released_at=EARLIER)


# --- 名单和顺延 --------------------------------------------------------------------------------------------------------
def two_seats_left(s: Scene) -> None:
    """Eight seats are held by firms of no interest, two are free; `settled_at` is not written."""
    for seat in Seat.objects.filter(day=s.day, number__gt=2):
        Seat.objects.filter(pk=seat.pk).update(
            uscc=f"91330900TAKEN{seat.number:05}", offered_at=EARLIER, reply_by=EARLIER, confirmed_at=EARLIER
        )


def settled(s: Scene) -> None:
    ConsultDay.objects.filter(pk=s.day.pk).update(settled_at=EARLIER)


def to_be_settled(s: Scene) -> None:
    """Four firms for two seats: the last one stands first by its priority, another asked for a written reply only."""
    two_seats_left(s)
    s.first, s.second, s.third = (s.book(place, stage=Stage.ACCEPTED) for place in (1, 2, 3))
    s.prior = s.book(4, stage=Stage.ACCEPTED, priority_since=EARLIER)
    s.written = s.book(5, stage=Stage.ACCEPTED, wants_onsite=False)
    s.gone = s.book(6, stage=Stage.WITHDRAWN)
    if s.on != DAY:  # what is not reviewed on another day does not hinder this one
        s.book(7)
    s.second_work = s.give(s.second)
    s.soon_work = s.give(s.third, due_on=date(2026, 12, 8))
    s.prior_work = s.give(s.prior)


def no_seat_left(s: Scene) -> None:
    """All ten are taken, one of them is offered beyond its term, another lately; two firms wait."""
    two_seats_left(s)
    settled(s)
    s.late, s.asked, s.comes = (s.book(place, stage=Stage.ACCEPTED) for place in (1, 2, 3))
    Seat.objects.filter(day=s.day, number=3).update(uscc=None, confirmed_at=None)
    s.late_seat = s.seat(s.late)
    s.asked_seat = s.seat(s.asked, at=SECOND - timedelta(hours=1))
    s.comes_seat = s.seat(s.comes, confirmed=True)
    Seat.objects.filter(pk__in=[s.late_seat.pk, s.comes_seat.pk]).update(reply_by=EARLIER)
    s.next = s.book(4, stage=Stage.DEFERRED)
    s.last = s.book(5, stage=Stage.DEFERRED)


def days_to_look_after(s: Scene) -> None:
    """A settled day with a seat to fill and a firm that came late; days that are over, not settled or cancelled."""
    no_seat_left(s)
    s.came_late = s.book(6, stage=Stage.ACCEPTED)
    s.late_work = s.give(s.came_late)
    s.gave_up = s.book(7, stage=Stage.ACCEPTED, wants_onsite=False)
    s.give(s.gave_up, state=AssignmentState.RELEASED, released_at=EARLIER)
    for name, day, columns in (
        ("after_its_day", BEFORE, {"settled_at": EARLIER}),
        ("not_settled", NEXT, {"settled_at": None}),
        ("on_a_cancelled_day", FAR, {"settled_at": EARLIER, "plan": Plan.CANCELLED}),
    ):
        other = Scene(s.people, s.number, day)
        setattr(s, name, other.book(6, stage=Stage.ACCEPTED))
        ConsultDay.objects.filter(pk=other.day.pk).update(**columns)


def full(s: Scene) -> None:
    """Every seat is taken; a deferred firm waits."""
    two_seats_left(s)
    settled(s)
    for number in (1, 2):
        Seat.objects.filter(day=s.day, number=number).update(uscc=f"91330900TAKEN{number:05}")
    s.firm = s.book(1, stage=Stage.DEFERRED)
    s.waits = s.book(2, stage=Stage.DEFERRED)


def accepted_after_the_list(s: Scene) -> None:
    """Two firms are deferred, two were accepted since; the later one registered before the deferred ones."""
    settled(s)
    s.between = s.book(3, stage=Stage.ACCEPTED)
    s.deferred = s.book(2, stage=Stage.DEFERRED)
    s.prior = s.book(4, stage=Stage.DEFERRED, priority_since=EARLIER)
    s.last = s.book(5, stage=Stage.ACCEPTED)
    s.written = s.book(6, stage=Stage.ACCEPTED, wants_onsite=False)


def deferred_with_slow_replies(s: Scene) -> None:
    s.firm = s.book(1, stage=Stage.DEFERRED)
    s.slow = s.give(s.firm)
    s.slow_draft = s.give(s.firm, "大气处", state=AssignmentState.DRAFTED)
    s.slow_too = s.give(s.firm, question="雨水呢？")
    s.soon = s.give(s.firm, "土壤处", due_on=date(2026, 12, 9))
    s.done = s.give(s.firm, "环评处", state=AssignmentState.RELEASED, released_at=EARLIER)
    s.given_back = s.give(s.firm, "办公室", state=AssignmentState.RETURNED)
    s.seated = s.book(2, stage=Stage.ACCEPTED)
    s.seated_work = s.give(s.seated)


LONG_AGO = datetime(2026, 12, 12, 9, tzinfo=SHANGHAI)
NEXT_STEP = datetime(2026, 12, 28, 10, tzinfo=SHANGHAI)
"""More than fifteen days later."""
LATELY = NEXT_STEP - timedelta(days=14)


def deferred_and_silent(s: Scene) -> None:
    """Firms that were asked and answered long ago, and those of which one of the two is not true."""

    def firm(
        place: int,
        stage: Stage = Stage.DEFERRED,
        asked: datetime = LONG_AGO,
        answered: datetime = LONG_AGO,
        on: date = s.on,
    ) -> Appointment:
        scene = Scene(s.people, s.number, on)
        found = scene.book(place, stage=Stage.DEFERRED)
        scene.tell("deferred", found, asked)
        scene.answer(found, at=answered)
        scene.give(found, "环评处", state=AssignmentState.CANCELLED)
        Appointment.objects.filter(pk=found.pk).update(stage=stage)
        return found

    s.firm = firm(1)
    s.other = firm(2)
    s.support = s.give(s.other, "大气处", part=Part.SUPPORT)
    s.asked_lately = firm(3, asked=LATELY)
    s.answered_lately = firm(4, answered=LATELY)
    s.later_day = firm(5, on=NEXT)
    s.half_answered = firm(6)
    s.give(s.half_answered, "土壤处")
    s.followed = firm(7, Stage.FOLLOWING)
    s.written = firm(8, Stage.ANSWERED)
    s.heard = firm(9, Stage.HEARD)
    s.absent = firm(10, Stage.ABSENT)
    s.absent_in_part = firm(11, Stage.ABSENT)
    s.give(s.absent_in_part, "土壤处", state=AssignmentState.RETURNED)
    s.never_told = firm(12)
    told = Notice.objects.filter(kind="deferred", about_id=str(s.never_told.pk)).exclude(channel="page")
    told.update(state=State.WAITING, sent_at=None)


# --- 名额 --------------------------------------------------------------------------------------------------------------
def offered(s: Scene) -> None:
    s.firm = s.book(stage=Stage.ACCEPTED)
    s.seat_held = s.seat(s.firm)


def confirmed(s: Scene) -> None:
    s.firm = s.book(stage=Stage.ACCEPTED, priority_since=EARLIER)
    s.seat_held = s.seat(s.firm, confirmed=True)


def never_told(s: Scene) -> None:
    """Seats are offered to three firms; the offer has reached only one of them. A fourth has confirmed without a letter."""
    settled(s)
    s.firm, s.prior = s.book(1, stage=Stage.ACCEPTED), s.book(2, stage=Stage.ACCEPTED, priority_since=EARLIER)
    s.told, s.comes = s.book(3, stage=Stage.ACCEPTED), s.book(4, stage=Stage.ACCEPTED)
    s.first_seat, s.second_seat = (s.seat(firm, told=False, at=SECOND) for firm in (s.firm, s.prior))
    s.third_seat = s.seat(s.told, at=SECOND)
    s.fourth_seat = s.seat(s.comes, told=False, confirmed=True, at=SECOND)


def answered_before_the_day(s: Scene) -> None:
    confirmed(s)
    s.answered = s.answer(s.firm)


def deferred_with_next_booking(s: Scene) -> None:
    """A deferred firm that registered for the next day already."""
    s.firm = s.book(stage=Stage.DEFERRED)
    s.work = s.give(s.firm)
    s.next = Scene(s.people, s.number, NEXT).book()


def deferred_with_next_booking_in_writing(s: Scene) -> None:
    deferred_with_next_booking(s)
    Appointment.objects.filter(pk=s.next.pk).update(wants_onsite=False)


# --- 现场 --------------------------------------------------------------------------------------------------------------
def at_the_door(s: Scene) -> None:
    """A confirmed firm with a question at 水处 and one that was answered."""
    s.firm = s.book(stage=Stage.ACCEPTED)
    s.seat_held = s.seat(s.firm, confirmed=True)
    s.work = s.give(s.firm)
    s.drafted_work = s.give(s.firm, "大气处", state=AssignmentState.DRAFTED)
    s.give(s.firm, "土壤处", state=AssignmentState.RELEASED, released_at=EARLIER)
    s.give(s.firm, "环评处", state=AssignmentState.CANCELLED)


def checked_in(s: Scene) -> None:
    at_the_door(s)
    by = s.people.named("离岗的综合处经办")
    s.hearing = Hearing.objects.create(
        appointment=s.firm, day=s.day, checked_in_at=EARLIER, by=by, at=EARLIER
    )


def waits_at_the_door(s: Scene) -> None:
    """A seat is free; of two firms that wait, the second is there."""
    two_seats_left(s)
    s.first = s.book(1, stage=Stage.DEFERRED)
    s.firm = s.book(2, stage=Stage.DEFERRED)
    s.sitter = s.book(3, stage=Stage.ACCEPTED)
    s.seat_held = s.seat(s.sitter, confirmed=True)
    s.sitting = Sitting.objects.create(seat=s.seat_held, turn=0, table=1, minutes=30)
    s.free_seat = Seat.objects.get(day=s.day, number=2)


def one_did_not_come(s: Scene) -> None:
    """No seat is free, but two firms did not come; the last one on the list has an added seat."""
    two_seats_left(s)
    s.firm = s.book(1, stage=Stage.DEFERRED)
    s.absent = s.book(2, stage=Stage.ACCEPTED)
    s.absent_too = s.book(3, stage=Stage.ACCEPTED)
    s.freed_seat, s.other_freed = s.seat(s.absent, confirmed=True), s.seat(s.absent_too, confirmed=True)
    s.sitting = Sitting.objects.create(seat=s.freed_seat, turn=0, table=1, minutes=30)
    Sitting.objects.create(seat=s.other_freed, turn=0, table=2, minutes=30)
    Appointment.objects.filter(pk__in=[s.absent.pk, s.absent_too.pk]).update(stage=Stage.ABSENT)
    for firm in (s.absent, s.absent_too):
        by = s.people.of(Role.COORDINATOR)
        Hearing.objects.create(appointment=firm, day=s.day, outcome=Outcome.ABSENT, by=by, at=EARLIER)


def list_of_two(s: Scene) -> None:
    settled(s)
    s.first, s.second = s.book(1, stage=Stage.ACCEPTED), s.book(2, stage=Stage.ACCEPTED)
    s.first_seat, s.second_seat = s.seat(s.first, confirmed=True), s.seat(s.second)
    s.give(s.first)
    s.give(s.second, "大气处")


def arranged(s: Scene) -> None:
    """The sheet is written down, and does not fit any more."""
    list_of_two(s)
    s.first_sitting = Sitting.objects.create(seat=s.first_seat, turn=3, table=1, minutes=20)
    s.second_sitting = Sitting.objects.create(seat=s.second_seat, turn=3, table=2, minutes=20)


# --- 督办 --------------------------------------------------------------------------------------------------------------
def followed(s: Scene) -> None:
    """A matter of 水处, and one of the same firm that is done."""
    s.firm = s.book(stage=Stage.FOLLOWING)
    s.matter = follow_up(s.firm)
    s.done = follow_up(s.firm, "大气处", closed_at=EARLIER, result="已整改")


def followed_twice(s: Scene) -> None:
    followed(s)
    s.other_matter = follow_up(s.firm, "大气处")


def absent_and_answered(s: Scene) -> None:
    s.firm = s.book(stage=Stage.ABSENT)
    s.give(s.firm, state=AssignmentState.RELEASED, released_at=EARLIER)
    s.give(s.firm, "大气处", state=AssignmentState.CANCELLED)


def said(firm: Appointment, old: Stage, new: Stage, at: datetime, note: str = "") -> None:
    """The firm said something on its page."""
    StageMove.objects.create(appointment=firm, old=old, new=new, note=note, at=at)


def said_solved(s: Scene) -> None:
    """A firm whose matters are open, one that is done, and a rating that is still to be talked about."""
    followed_twice(s)
    s.rating = follow_up(s.firm, "综合处", origin="rating")


def firms_said_unsolved(s: Scene) -> None:
    """A firm said 未解决 twice; one had said nothing more, without a 交办; others are taken up already, or closed."""
    s.firm = s.book(1, stage=Stage.FOLLOWING)
    s.give(s.firm, "大气处")
    s.give(s.firm, "水处", part=Part.SUPPORT)
    said(s.firm, Stage.ANSWERED, Stage.FOLLOWING, EARLIER, "企业反馈未解决：先说的")
    said(s.firm, Stage.CLOSED, Stage.FOLLOWING, NOW, "企业反馈未解决：仍有异味")
    s.silent = s.book(2, stage=Stage.FOLLOWING)
    said(s.silent, Stage.HEARD, Stage.FOLLOWING, NOW)
    s.taken_up = s.book(3, stage=Stage.FOLLOWING)
    said(s.taken_up, Stage.HEARD, Stage.FOLLOWING, NOW, "企业反馈未解决：已立项")
    follow_up(s.taken_up, origin="firm")
    s.closed = s.book(4, stage=Stage.CLOSED)
    said(s.closed, Stage.HEARD, Stage.FOLLOWING, EARLIER, "企业反馈未解决：后来好了")
    s.promised = s.book(5, stage=Stage.FOLLOWING)
    StageMove.objects.create(
        appointment=s.promised, old=Stage.HEARD, new=Stage.FOLLOWING, at=NOW, by=s.people.of(Role.COORDINATOR)
    )


def firms_rated(s: Scene) -> None:
    """One rated 不满意; others fairly, or were called back already."""
    for name, grade in {"firm": 2, "fair": 3, "called_back": 1}.items():
        setattr(s, name, s.book(grade, stage=Stage.CLOSED))
        Rating.objects.create(appointment=getattr(s, name), grade=grade, at=EARLIER)
    follow_up(s.called_back, "综合处", origin="rating", closed_at=EARLIER)
    follow_up(s.firm, closed_at=EARLIER)


def late_matters(s: Scene) -> None:
    """Matters on each step of the ladder at NOW, one that is done and one that has time."""
    s.firm = s.book(stage=Stage.FOLLOWING)
    for name, days in {"tomorrow": 1, "today": 0, "one": -1, "four": -4, "eight": -8, "in_two": 2}.items():
        setattr(s, name, follow_up(s.firm, due_on=NOW.date() + timedelta(days=days)))
    s.done = follow_up(s.firm, due_on=NOW.date(), closed_at=EARLIER)


def old_matters(s: Scene) -> None:
    """Matters opened 29, 30 and 60 days ago, and one of then that is done."""
    s.firm = s.book(stage=Stage.FOLLOWING)
    for name, days in {"young": 29, "month": 30, "two_months": 60}.items():
        setattr(s, name, follow_up(s.firm, opened_at=NOW - timedelta(days=days), due_on=FAR))
    s.done = follow_up(s.firm, opened_at=NOW - timedelta(days=60), closed_at=EARLIER)


def all_that_is_followed(s: Scene) -> None:
    """A poor rating to take up, matters that are late, and one that is old."""
    late_matters(s)
    s.old = follow_up(s.firm, opened_at=NOW - timedelta(days=31), due_on=FAR)
    firms_rated(s)


# --- 方案 --------------------------------------------------------------------------------------------------------------
def seated_and_others(s: Scene) -> None:
    """An offered and a confirmed firm, one that waits, one without a seat, one whose registration is new."""
    s.offered, s.confirmed = s.book(1, stage=Stage.ACCEPTED), s.book(2, stage=Stage.ACCEPTED)
    s.offered_seat, s.confirmed_seat = s.seat(s.offered), s.seat(s.confirmed, confirmed=True)
    s.waits = s.book(3, stage=Stage.DEFERRED)
    s.pending = s.book(4)
    s.written = s.book(5, stage=Stage.ACCEPTED, wants_onsite=False)
    s.prior = s.book(6, stage=Stage.ACCEPTED, priority_since=EARLIER - timedelta(days=30))


def came_onto_a_cancelled_day(s: Scene) -> None:
    """Firms on a cancelled day, two of which are registered for the next day too; others want nothing there."""
    ConsultDay.objects.filter(pk=s.day.pk).update(plan=Plan.CANCELLED, remark="台风")
    s.firm = s.book(1)
    s.twice, s.in_writing = s.book(2, stage=Stage.ACCEPTED), s.book(6, stage=Stage.ACCEPTED)
    s.other = Scene(s.people, s.number, NEXT).book(2)
    s.other_in_writing = Scene(s.people, s.number, NEXT).book(6, wants_onsite=False)
    s.written = s.book(3, wants_onsite=False)
    s.waits = s.book(4, stage=Stage.DEFERRED)
    s.open_day = Scene(s.people, s.number, FAR).book(5)


# --- 没有着落 ----------------------------------------------------------------------------------------------------------
def left_with_nobody(s: Scene) -> None:
    """A withdrawn registration with a 交办 that is open, and an accepted one without any."""
    s.firm = s.book(1, stage=Stage.WITHDRAWN)
    s.work = s.give(s.firm)
    s.other = s.book(2, stage=Stage.ACCEPTED)


# --- 提醒 --------------------------------------------------------------------------------------------------------------
def replies_due(s: Scene) -> None:
    """交办 on each side of the two terms at SECOND, and those that are no longer waited for."""
    s.firm = s.book(stage=Stage.ACCEPTED)
    dates = {
        "late": date(2026, 12, 1),
        "today": date(2026, 12, 2),
        "soon": date(2026, 12, 4),
        "far": date(2026, 12, 7),
    }
    for name, due_on in dates.items():
        setattr(s, name, s.give(s.firm, question=name, due_on=due_on))
    s.late_draft = s.give(s.firm, "大气处", state=AssignmentState.DRAFTED, due_on=dates["late"])
    for state in (AssignmentState.RELEASED, AssignmentState.RETURNED, AssignmentState.CANCELLED):
        s.give(s.firm, state=state, question=state.label, due_on=dates["late"])


def near_the_day(s: Scene) -> None:
    """Two seated firms of the 10th, one that waits, one that withdrew."""
    list_of_two(s)
    Seat.objects.filter(pk=s.second_seat.pk).update(reply_by=calendar.eve(s.on))
    s.waits = s.book(3, stage=Stage.DEFERRED)
    s.gone = s.book(4, stage=Stage.WITHDRAWN)


# --- 公开答复 ----------------------------------------------------------------------------------------------------------
def answer(s: Scene, state: Publicity, **columns) -> PublishedAnswer:
    """An answer, drafted by an officer who may not approve it."""
    public = state != Publicity.DRAFT
    values = {
        "question": f"第{s.number}问：废水接管要办什么手续？",
        "answer": "请先办理排水许可。",
        "law": "排水许可办法",
        "division": made.division("水处"),
        "topic": "water",
        "state": state,
        "drafted_by": s.people.named("拟稿人"),
        "changed_at": EARLIER,
        "remark": "请补充依据",
    } | columns
    if public:
        values |= {"approved_by": s.people.of(Role.LEADER), "published_at": EARLIER}
    return PublishedAnswer.objects.create(**values)


def answer_drafted(s: Scene) -> None:
    s.answer = answer(s, Publicity.DRAFT)


def answer_published(s: Scene) -> None:
    s.answer = answer(s, Publicity.PUBLISHED)


def answer_to_replace(s: Scene) -> None:
    s.old_answer = answer(s, Publicity.PUBLISHED)
    s.answer = answer(s, Publicity.DRAFT, replaces=s.old_answer)
