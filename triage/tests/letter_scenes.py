"""A scene for every kind of letter: where it is true, and what makes it untrue. Read by `test_letter_kinds`.

To add one for a new kind: furnish what the letter is about, with its params, and say what outdates it, or from when on it is of
no use. A letter that says different things in different situations has a scene for each.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db.models import Model

from appointments.letters import seat_params
from appointments.lifecycle import Stage
from appointments.models import (
    Appointment,
    ContactCorrection,
    Objection,
    Publicity,
    Rating,
    StageMove,
    Supplement,
    Verdict,
)
from sessions_app import calendar, seats
from sessions_app.models import ConsultDay, Plan, PlanChange, Reception, Seat
from triage.models import (
    Assignment,
    AssignmentState,
    CallOutcome,
    CallRecord,
    DeclineReason,
    FollowUpPost,
    Hearing,
    Outcome,
    Reply,
    ReplyKind,
    Review,
)
from triage.tests import scenes
from triage.tests.desk import follow_up
from triage.tests.scenes import DAY, EARLIER, MORNING, NEXT, NOW, SECOND, Scene
from zhoushan_consult.bureau.roles import Role
from zhoushan_consult.clock import SHANGHAI
from zhoushan_consult.workdays.models import WorkdayOverride

A_DAY, A_WEEK, TICK = timedelta(days=1), timedelta(days=7), timedelta(microseconds=1)
SIXTH = datetime(2026, 12, 7, 9, tzinfo=SHANGHAI)
NOON = calendar.ends_at(DAY)

Furnish = Callable[[Scene], Model]
Change = Callable[[Scene], object]


@dataclass(frozen=True)
class LetterScene:
    """A letter of `kind` about what `furnish` returns, to the firm or to an officer who holds `reader`.

    It is true at `at`. It is outdated by the change `outdate`, or from `until` on.
    """

    kind: str
    furnish: Furnish
    outdate: Change | None = None
    params: Callable[[Scene], dict] = lambda s: {}
    until: datetime | None = None
    at: datetime = NOW
    reader: Role | None = None
    # Of its kind there is only one matter in the world, so there is no bystander.
    alone: bool = False

    def __str__(self) -> str:
        return self.kind


def put(record: Model, **columns) -> None:
    type(record)._base_manager.filter(pk=record.pk).update(**columns)


def about(**columns) -> Change:
    """The record that the letter is about gets these columns."""
    return lambda s: put(s.about, **columns)


def other(**columns) -> Change:
    """Another record of the scene, `s.other`, gets these columns."""
    return lambda s: put(s.other, **columns)


def leaves(s: Scene) -> None:
    """The firm has no seat any more."""
    seats.release(s.about.seat, s.about.uscc)
    put(s.about, stage=Stage.ACCEPTED, seat=None)


def takes_a_seat(s: Scene) -> None:
    s.seat(Appointment.objects.get(pk=s.about.pk))


# --- The plan and its day ----------------------------------------------------------------------------------------------
def plan(state: Plan) -> Furnish:
    def furnish(s: Scene) -> ConsultDay:
        put(s.day, plan=state)
        return ConsultDay.objects.get(pk=s.day.pk)

    return furnish


def reception(**columns) -> Furnish:
    """Someone who is to receive firms on the day."""

    def furnish(s: Scene) -> Reception:
        s.other = Reception.objects.create(day=s.day, name="王海", title="副局长", **columns)
        return s.other

    return furnish


def day_with_reception(s: Scene) -> ConsultDay:
    return reception()(s).day


def officer(role: Role) -> Furnish:
    return lambda s: s.people.of(role)


ABOUT_PLANS = [
    LetterScene("plan_to_approve", plan(Plan.SUBMITTED), about(plan=Plan.PUBLISHED), reader=Role.LEADER),
    LetterScene("plan_approved", plan(Plan.PUBLISHED), until=NOON, reader=Role.COORDINATOR),
    LetterScene("plan_sent_back", plan(Plan.RETURNED), about(plan=Plan.SUBMITTED), reader=Role.COORDINATOR),
    LetterScene(
        "plan_wanted",
        plan(Plan.DRAFT),
        about(plan=Plan.SUBMITTED),
        lambda s: {"submitted": False},
        reader=Role.COORDINATOR,
    ),
    LetterScene(
        "plan_wanted",
        plan(Plan.SUBMITTED),
        about(plan=Plan.RETURNED),
        lambda s: {"submitted": True},
        reader=Role.LEADER,
    ),
    LetterScene(
        "plan_wanted",
        plan(Plan.DRAFT),
        params=lambda s: {"submitted": False},
        at=MORNING,
        until=NOON,
        reader=Role.COORDINATOR,
    ),
    LetterScene("plan_late", plan(Plan.DRAFT), about(plan=Plan.PUBLISHED), reader=Role.LEADER),
    LetterScene("plan_late", plan(Plan.SUBMITTED), until=NOON, reader=Role.LEADER),
    LetterScene("plan_prepared", plan(Plan.DRAFT), about(plan=Plan.SUBMITTED), reader=Role.COORDINATOR),
    LetterScene("plan_prepared", plan(Plan.DRAFT), until=NOON, reader=Role.COORDINATOR),
    LetterScene("reception_open", day_with_reception, other(confirmed_at=NOW), reader=Role.WATCH),
    LetterScene(
        "reception_declined", reception(declined="出差"), about(declined=""), reader=Role.COORDINATOR
    ),
    LetterScene("plan_changed_bureau", plan(Plan.PUBLISHED), until=NOON, reader=Role.WATCH),
    LetterScene(
        "day_cancelled_bureau",
        plan(Plan.CANCELLED),
        params=lambda s: {"carried": 12, "next": calendar.slug(NEXT)},
        until=NOW + A_WEEK + TICK,
        reader=Role.WATCH,
    ),
    LetterScene(
        "health_digest",
        officer(Role.SYSTEM),
        params=lambda s: {"sentences": ["有3项定时任务失败，正在自动重试，请在“定时任务”里查看原因。"]},
        until=NOW + A_DAY + TICK,
        reader=Role.SYSTEM,
    ),
    LetterScene(
        "holidays_wanted",
        officer(Role.SYSTEM),
        lambda s: WorkdayOverride.objects.create(date="2027-10-01", works=False),
        lambda s: {"year": 2027},
        reader=Role.SYSTEM,
        alone=True,
    ),
    LetterScene(
        "factor_reset",
        officer(Role.HANDLER),
        about(is_active=False),
        lambda s: {"by": "石稳"},
        reader=Role.HANDLER,
        alone=True,
    ),
    LetterScene(
        "limbo_found",
        officer(Role.COORDINATOR),
        params=lambda s: {"count": 2, "titles": ["通过初审的登记没有交办"]},
        until=NOW + A_DAY + TICK,
        reader=Role.COORDINATOR,
    ),
]


# --- To a firm, about its registration -----------------------------------------------------------------------------------
def firm(stage: Stage = Stage.SUBMITTED, **columns) -> Furnish:
    if stage == Stage.CLOSED:
        columns = {"closed_at": EARLIER} | columns
    return lambda s: s.book(stage=stage, **columns)


def answered(stage: Stage, **columns) -> Furnish:
    """All is answered."""

    def furnish(s: Scene) -> Appointment:
        made = firm(stage, **columns)(s)
        s.give(made, state=AssignmentState.RELEASED, released_at=EARLIER)
        return made

    return furnish


def rated(furnish: Furnish) -> Furnish:
    def with_rating(s: Scene) -> Appointment:
        made = furnish(s)
        Rating.objects.create(appointment=made, grade=5, at=EARLIER)
        return made

    return with_rating


def without_seats(furnish: Furnish) -> Furnish:
    def full(s: Scene) -> Model:
        for seat in Seat.objects.filter(day=s.day):
            put(seat, uscc=f"91330900FULL{s.number}{seat.number:05}", offered_at=EARLIER)
        return furnish(s)

    return full


def without_place(furnish: Furnish) -> Furnish:
    """The plan is a draft: its place is not told."""

    def unpublished(s: Scene) -> Model:
        put(s.day, plan=Plan.DRAFT)
        s.day.refresh_from_db()
        return furnish(s)

    return unpublished


def with_seat(*, confirmed: bool = False, told: bool = True, at: datetime = EARLIER) -> Furnish:
    def furnish(s: Scene) -> Appointment:
        made = s.book(stage=Stage.ACCEPTED)
        s.seat(made, confirmed=confirmed, told=told, at=at)
        made.refresh_from_db()
        return made

    return furnish


def of_seat(s: Scene) -> dict:
    return seat_params(s.about)


def correction(columns: str, by: Role | None = Role.COORDINATOR) -> Furnish:
    def furnish(s: Scene) -> Appointment:
        made = s.book()
        s.other = correct(s, made, columns, by)
        return made

    return furnish


def correct(s: Scene, of: Appointment, columns: str = "phone", by: Role | None = None) -> ContactCorrection:
    officer = s.people.of(by) if by else None
    return ContactCorrection.objects.create(
        appointment=of, columns=columns, reason="换号", by=officer, at=s.at
    )


def of_correction(s: Scene) -> dict:
    return {"correction": s.other.pk}


def handed_over(furnish: Furnish) -> Furnish:
    """The priority has gone to the firm's registration for the next day."""

    def handed(s: Scene) -> Appointment:
        made = furnish(s)
        s.other = Scene(s.people, s.number + 40, NEXT).book(uscc=made.uscc)
        put(made, handed_to=s.other)
        made.refresh_from_db()
        return made

    return handed


def cancelled_day(s: Scene) -> Appointment:
    """The firm goes on with its registration for the next day."""
    made = s.book(stage=Stage.CLOSED, closed_at=EARLIER)
    s.other = Scene(s.people, s.number + 40, NEXT).book(uscc=made.uscc)
    put(s.day, plan=Plan.CANCELLED, remark="台风")
    return made


def cancelled_and_answered(s: Scene) -> Appointment:
    made = cancelled_day(s)
    s.give(made, state=AssignmentState.RELEASED, released_at=EARLIER)
    return made


def carried_over(s: Scene) -> Appointment:
    """The registration itself was carried to the next day."""
    put(s.day, plan=Plan.CANCELLED, remark="台风")
    return Scene(s.people, s.number, NEXT).book()


def slug_of(s: Scene) -> str:
    return calendar.slug(s.on)


def seated_later(s: Scene) -> None:
    """The firm has had a seat of the next day."""
    later = Scene(s.people, s.number + 40, NEXT).book(uscc=s.about.uscc, stage=Stage.HEARD)
    StageMove.objects.create(appointment=later, new=Stage.SEATED, at=NOW)


SEAT = {"params": of_seat, "at": SECOND}
CORRECTED = {"params": of_correction, "outdate": lambda s: correct(s, s.about)}
NOT_FLOODED, FLOODED = ({"flooded": value} for value in (False, True))

TO_FIRMS_EARLY = [
    LetterScene("booking_received", firm(), about(stage=Stage.WITHDRAWN), lambda s: NOT_FLOODED),
    LetterScene("booking_received", firm(), about(stage=Stage.ACCEPTED), lambda s: NOT_FLOODED),
    LetterScene("booking_received", firm(), about(stage=Stage.DECLINED), lambda s: NOT_FLOODED, at=NOON),
    LetterScene(
        "booking_received", firm(wants_onsite=False), about(stage=Stage.WITHDRAWN), lambda s: FLOODED
    ),
    LetterScene("reference_again", firm(), until=NOW + A_WEEK + TICK),
    LetterScene("booking_amended", firm(), about(stage=Stage.ACCEPTED)),
    LetterScene("booking_amended", firm(), about(stage=Stage.ACCEPTED), at=NOON),
    LetterScene("booking_amended", firm(wants_onsite=False), about(stage=Stage.ACCEPTED)),
    LetterScene("contact_corrected", correction("phone,contact_name"), **CORRECTED),
    LetterScene("contact_corrected", correction("email", by=None), **CORRECTED),
    LetterScene(
        "contact_changed", correction("phone,contact_name", by=None), reader=Role.COORDINATOR, **CORRECTED
    ),
    LetterScene("booking_voided", firm(Stage.WITHDRAWN), about(stage=Stage.SUBMITTED)),
    LetterScene("booking_withdrawn", firm(Stage.WITHDRAWN), about(stage=Stage.SUBMITTED)),
    LetterScene("seat_offered", with_seat(told=False), lambda s: put(s.about.seat, confirmed_at=NOW), **SEAT),
    LetterScene("seat_offered", without_place(with_seat(told=False)), leaves, **SEAT),
    LetterScene("seat_offered", with_seat(told=False), until=calendar.eve(DAY), **SEAT),
    LetterScene("seat_offered", with_seat(at=SECOND), until=SECOND + 2 * A_DAY, **SEAT),
    LetterScene("seat_confirmed", with_seat(confirmed=True), leaves, **SEAT),
    LetterScene("seat_confirmed", without_place(with_seat(confirmed=True)), leaves, **SEAT),
    LetterScene("seat_given_up", firm(Stage.ACCEPTED, wants_onsite=False), takes_a_seat),
    LetterScene("seat_given_up", answered(Stage.ACCEPTED, wants_onsite=False), until=NOON),
    LetterScene("seat_given_up", firm(Stage.ACCEPTED, wants_onsite=False), about(stage=Stage.WITHDRAWN)),
    LetterScene("seat_not_needed", firm(Stage.CLOSED), until=NOON),
    LetterScene("seat_not_needed", firm(Stage.CLOSED), about(stage=Stage.FOLLOWING)),
    LetterScene("seat_lapsed", firm(Stage.ACCEPTED), takes_a_seat),
    LetterScene("seat_lapsed", answered(Stage.ACCEPTED), until=NOON),
    *(
        LetterScene("deferred", furnish(Stage.DEFERRED), about(stage=Stage.ACCEPTED), at=at)
        for furnish in (firm, answered)
        for at in (NOW, NOON)
    ),
    *(
        LetterScene("deferred", without_seats(furnish(Stage.DEFERRED)), about(stage=Stage.ACCEPTED))
        for furnish in (firm, answered)
    ),
    LetterScene(
        "priority_granted",
        firm(priority_since=EARLIER),
        lambda s: put(s.day, settled_at=NOW),
        lambda s: {"day": slug_of(s)},
    ),
    LetterScene("priority_moved", handed_over(firm(Stage.CLOSED)), other(stage=Stage.WITHDRAWN)),
    LetterScene("priority_moved", handed_over(answered(Stage.ANSWERED)), other(stage=Stage.WITHDRAWN)),
    LetterScene("priority_moved", rated(handed_over(answered(Stage.CLOSED))), other(stage=Stage.WITHDRAWN)),
    LetterScene(
        "priority_moved",
        handed_over(answered(Stage.ANSWERED)),
        lambda s: put(s.other.day, settled_at=NOW),
        alone=True,
    ),
    LetterScene("priority_returned", firm(Stage.DEFERRED), about(stage=Stage.ACCEPTED)),
    LetterScene("priority_returned", firm(Stage.DEFERRED), seated_later),
    LetterScene("deferred", firm(Stage.DEFERRED), seated_later),
    LetterScene(
        "priority_granted",
        firm(priority_since=EARLIER),
        params=lambda s: {"day": slug_of(s)},
        until=calendar.starts_at(DAY),
    ),
    *(
        LetterScene(
            "day_cancelled",
            furnish,
            other(stage=Stage.WITHDRAWN),
            lambda s: {"other": s.other.pk, "cancelled": slug_of(s)},
        )
        for furnish in (cancelled_day, cancelled_and_answered)
    ),
    LetterScene(
        "day_cancelled",
        cancelled_day,
        lambda s: put(s.other.day, settled_at=NOW),
        lambda s: {"other": s.other.pk, "cancelled": slug_of(s)},
        alone=True,
    ),
    LetterScene(
        "day_cancelled",
        carried_over,
        about(stage=Stage.WITHDRAWN),
        lambda s: {"other": None, "cancelled": slug_of(s)},
        alone=True,
    ),
]


# --- To a firm, about review, replies and the day itself -------------------------------------------------------------------
def declined(s: Scene) -> Appointment:
    made = s.book(stage=Stage.DECLINED)
    by = s.people.of(Role.COORDINATOR)
    told = CallRecord.objects.create(
        appointment=made, by=by, at=EARLIER, outcome=CallOutcome.REACHED, gist="已告知"
    )
    s.other = Review.objects.create(
        appointment=made,
        accepted=False,
        reason=DeclineReason.COMPLAINT,
        explanation="请拨打 12345。",
        call=told,
        by=by,
        at=EARLIER,
    )
    return made


def replied(stage: Stage) -> Furnish:
    def furnish(s: Scene) -> Appointment:
        made = firm(stage)(s)
        s.other = s.give(made, state=AssignmentState.RELEASED, released_at=EARLIER)
        s.draft(s.other, signed_by=s.people.of(Role.HEAD), signed_at=EARLIER)
        return made

    return furnish


def revised(kind: ReplyKind) -> Furnish:
    def furnish(s: Scene) -> Appointment:
        made = replied(Stage.ANSWERED)(s)
        signed = {"signed_by": s.people.of(Role.HEAD), "signed_at": EARLIER}
        s.revision = s.draft(s.other, "请先办理接管意见。", kind=kind, version=2, **signed)
        return made

    return furnish


def changed_plan(s: Scene, *, confirmed: bool = False) -> Appointment:
    made = with_seat(confirmed=confirmed)(s)
    s.other = change_plan(s)
    return made


def change_plan(s: Scene) -> PlanChange:
    by = s.people.of(Role.COORDINATOR)
    return PlanChange.objects.create(day=s.day, what="地点改为三楼", reason="会议室检修", by=by, at=EARLIER)


def of_change(*, moved: bool) -> Callable[[Scene], dict]:
    return lambda s: seat_params(s.about) | {"change": s.other.pk, "moved": moved}


def heard(stage: Stage, outcome: Outcome, gist: str = "请先办理排水许可。") -> Furnish:
    def furnish(s: Scene) -> Appointment:
        made = firm(stage)(s)
        Hearing.objects.create(
            appointment=made,
            day=s.day,
            outcome=outcome,
            gist=gist,
            by=s.people.of(Role.COORDINATOR),
            at=EARLIER,
        )
        follow_up(made)
        return made

    return furnish


def followed(s: Scene) -> Appointment:
    made = firm(Stage.FOLLOWING)(s)
    s.matter = follow_up(made)
    s.other = FollowUpPost.objects.create(
        follow_up=s.matter, text="已到现场查看", to_firm=True, by=s.people.of(Role.HANDLER), at=EARLIER
    )
    return made


def closed(s: Scene) -> Appointment:
    made = firm(Stage.CLOSED)(s)
    s.other = follow_up(made, closed_at=EARLIER, result="已整改")
    return made


FOLLOWS = about(stage=Stage.FOLLOWING)
WITHDRAWN = about(stage=Stage.WITHDRAWN)
NEAR = {"params": of_seat, "at": SIXTH}

TO_FIRMS_LATER = [
    LetterScene("review_accepted", firm(Stage.ACCEPTED), WITHDRAWN),
    LetterScene("review_accepted", firm(Stage.ACCEPTED, wants_onsite=False), WITHDRAWN),
    LetterScene("review_accepted", answered(Stage.ACCEPTED), WITHDRAWN),
    LetterScene("review_declined", declined, about(stage=Stage.SUBMITTED), lambda s: {"review": s.other.pk}),
    LetterScene("review_reopened", firm(), about(stage=Stage.ACCEPTED)),
    LetterScene("review_reopened", firm(wants_onsite=False), about(stage=Stage.ACCEPTED)),
    *(
        LetterScene("reply_released", replied(stage), WITHDRAWN, lambda s: {"assignment": s.other.pk})
        for stage in (Stage.ACCEPTED, Stage.DEFERRED, Stage.ANSWERED)
    ),
    LetterScene(
        "reply_corrected",
        revised(ReplyKind.CORRECTION),
        WITHDRAWN,
        lambda s: {"reply": s.revision.pk},
    ),
    LetterScene(
        "reply_supplemented",
        revised(ReplyKind.SUPPLEMENT),
        WITHDRAWN,
        lambda s: {"reply": s.revision.pk},
    ),
    LetterScene("plan_changed", changed_plan, change_plan, of_change(moved=True), at=SECOND),
    LetterScene("plan_changed", changed_plan, leaves, of_change(moved=False), at=SECOND),
    *(
        LetterScene("day_near", where(with_seat(**held)), leaves, **NEAR)
        for held in ({"confirmed": True}, {"told": False}, {})
        for where in (lambda furnish: furnish, without_place)
    ),
    LetterScene(
        "day_near", with_seat(confirmed=True), params=of_seat, at=MORNING, until=calendar.starts_at(DAY)
    ),
    LetterScene("standby_called", with_seat(confirmed=True), leaves, of_seat, at=MORNING),
    LetterScene("heard_solved", heard(Stage.HEARD, Outcome.SOLVED), FOLLOWS, at=NOON),
    LetterScene("heard_solved", rated(heard(Stage.CLOSED, Outcome.SOLVED, "")), FOLLOWS, at=NOON),
    LetterScene(
        "heard_follow",
        heard(Stage.FOLLOWING, Outcome.FOLLOW),
        about(stage=Stage.CLOSED, closed_at=NOON),
        at=NOON,
    ),
    LetterScene("heard_absent", heard(Stage.ABSENT, Outcome.ABSENT), FOLLOWS, at=NOON),
    LetterScene("heard_absent", answered(Stage.ABSENT), FOLLOWS, at=NOON),
    LetterScene(
        "progress_to_firm", followed, about(stage=Stage.CLOSED, closed_at=NOW), lambda s: {"post": s.other.pk}
    ),
    LetterScene("closed", closed, FOLLOWS, lambda s: {"follow_up": s.other.pk}),
    LetterScene("closed", rated(firm(Stage.CLOSED)), FOLLOWS, lambda s: {"follow_up": None}),
    LetterScene("deferral_closed", firm(Stage.CLOSED), FOLLOWS),
    LetterScene("feedback_closed", firm(Stage.CLOSED), FOLLOWS),
]


# --- To officers, about their work -----------------------------------------------------------------------------------------
def work(state: AssignmentState = AssignmentState.OPEN, stage: Stage = Stage.ACCEPTED, **columns) -> Furnish:
    return lambda s: s.give(s.book(stage=stage), state=state, **columns)


def written(state: AssignmentState, **columns) -> Furnish:
    """A 交办 with a reply in hand."""

    def furnish(s: Scene) -> Assignment:
        given = work(state)(s)
        s.other = s.draft(given, **columns)
        return Assignment.objects.get(pk=given.pk)

    return furnish


def revision(s: Scene) -> Reply:
    """A 更正 in hand."""
    replied(Stage.ANSWERED)(s)
    due_on = date(2026, 11, 24)
    return s.draft(s.other, "请先办理接管意见。", kind=ReplyKind.CORRECTION, version=2, due_on=due_on)


def matter(**columns) -> Furnish:
    return lambda s: follow_up(s.book(stage=Stage.FOLLOWING), **columns)


def supplement(s: Scene) -> Supplement:
    return Supplement.objects.create(appointment=s.book(), text="雨水怎么办？", at=EARLIER)


def objection(s: Scene) -> Objection:
    return Objection.objects.create(
        appointment=s.book(), contact_name="张测试", phone="+8613800000009", text="不是我们登记的", at=EARLIER
    )


def answer(state: Publicity, **columns) -> Furnish:
    return lambda s: scenes.answer(s, state, **({"remark": ""} | columns))


def day(s: Scene) -> ConsultDay:
    s.book()
    s.book(1, stage=Stage.ACCEPTED)
    return s.day


def list_with_slow_replies(s: Scene) -> ConsultDay:
    s.other = s.give(s.book(stage=Stage.DEFERRED))
    return s.day


def arranged(s: Scene) -> ConsultDay:
    scenes.list_of_two(s)
    return ConsultDay.objects.get(pk=s.day.pk)


def of_water(s: Scene) -> dict:
    return {"division": s.people.of(Role.HANDLER).division.code}


DONE = about(state=AssignmentState.RELEASED, released_at=NOW)
ENDED = about(closed_at=NOW)

TO_OFFICERS = [
    LetterScene("assignment_new", work(), DONE, reader=Role.HANDLER),
    LetterScene(
        "assignment_returned",
        work(AssignmentState.RETURNED, return_reason="不属水处职责"),
        about(state=AssignmentState.CANCELLED),
        reader=Role.COORDINATOR,
    ),
    LetterScene(
        "reply_to_sign",
        written(AssignmentState.DRAFTED, submitted_at=EARLIER, remark=""),
        DONE,
        reader=Role.HEAD,
    ),
    LetterScene("reply_sent_back", written(AssignmentState.OPEN), DONE, reader=Role.HANDLER),
    LetterScene("revision_soon", revision, about(dropped_at=NOW), reader=Role.HANDLER),
    LetterScene(
        "revision_soon", revision, until=calendar.local_datetime(date(2026, 11, 25)), reader=Role.HANDLER
    ),
    LetterScene("revision_late", revision, about(dropped_at=NOW), reader=Role.HEAD),
    LetterScene("reply_soon", work(), DONE, reader=Role.HANDLER),
    LetterScene("reply_soon", work(), until=calendar.local_datetime(date(2026, 12, 16)), reader=Role.HANDLER),
    LetterScene("reply_late", work(), DONE, reader=Role.HEAD),
    LetterScene("reply_for_absent", work(stage=Stage.ABSENT), DONE, reader=Role.HANDLER),
    LetterScene("follow_up_new", matter(), ENDED, reader=Role.HANDLER),
    LetterScene("follow_up_late", matter(), ENDED, reader=Role.HEAD),
    LetterScene("follow_up_old", matter(), ENDED, lambda s: {"days": 60}, reader=Role.LEADER),
    LetterScene("follow_up_progress", matter(), until=NOW + A_WEEK + TICK, reader=Role.WATCH),
    LetterScene(
        "follow_up_closed",
        matter(closed_at=EARLIER, result="已整改"),
        until=NOW + A_WEEK + TICK,
        reader=Role.WATCH,
    ),
    LetterScene("supplement_added", supplement, about(handled_at=NOW), reader=Role.COORDINATOR),
    LetterScene(
        "supplement_added",
        supplement,
        lambda s: put(s.about.appointment, stage=Stage.WITHDRAWN),
        reader=Role.COORDINATOR,
    ),
    LetterScene("objection_raised", objection, about(verdict=Verdict.KEPT), reader=Role.COORDINATOR),
    LetterScene(
        "answer_to_publish",
        answer(Publicity.DRAFT),
        about(state=Publicity.DROPPED, ended_at=NOW),
        reader=Role.LEADER,
    ),
    LetterScene(
        "answer_sent_back",
        answer(Publicity.DRAFT, remark="请补充依据"),
        about(remark=""),
        reader=Role.HANDLER,
    ),
    LetterScene(
        "answer_published",
        answer(Publicity.PUBLISHED),
        about(state=Publicity.WITHDRAWN, ended_at=NOW),
        reader=Role.HANDLER,
    ),
    LetterScene(
        "answer_dropped", answer(Publicity.DROPPED), about(state=Publicity.DRAFT), reader=Role.HANDLER
    ),
    LetterScene(
        "cutoff_summary", day, lambda s: put(s.day, settled_at=NOW), at=SECOND, reader=Role.COORDINATOR
    ),
    LetterScene(
        "cutoff_summary",
        day,
        until=calendar.local_datetime(date(2026, 12, 6)),
        at=SECOND,
        reader=Role.COORDINATOR,
    ),
    LetterScene(
        "settle_wanted", day, lambda s: put(s.day, settled_at=NOW), at=SECOND, reader=Role.COORDINATOR
    ),
    LetterScene(
        "settle_wanted",
        day,
        lambda s: Appointment.objects.filter(day=s.day).update(stage=Stage.WITHDRAWN),
        at=NOON,
        reader=Role.COORDINATOR,
    ),
    LetterScene(
        "replies_hastened",
        list_with_slow_replies,
        other(state=AssignmentState.RELEASED, released_at=NOW),
        lambda s: of_water(s) | {"last": "2026-12-09"},
        at=SECOND,
        reader=Role.HANDLER,
    ),
    *(
        LetterScene(
            "replies_hastened",
            list_with_slow_replies,
            params=lambda s, last=last: of_water(s) | {"last": last},
            at=SECOND,
            until=until,
            reader=Role.HANDLER,
        )
        for last, until in (
            ("2026-12-08", calendar.local_datetime(date(2026, 12, 9))),
            ("2026-12-10", NOON),
        )
    ),
    LetterScene(
        "run_sheet_ready",
        arranged,
        lambda s: put(s.day, plan=Plan.CANCELLED),
        of_water,
        at=SIXTH,
        reader=Role.HANDLER,
    ),
]

LETTER_SCENES = ABOUT_PLANS + TO_FIRMS_EARLY + TO_FIRMS_LATER + TO_OFFICERS
