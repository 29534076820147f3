"""What the acts refuse, with which words, and what a second click does not do again. Nothing is written in either case."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

import pytest
from django.core.exceptions import ValidationError

from appointments import answers, booking, feedback, situation, staff_entry
from appointments import supplements as additions
from appointments.facts import NotOpen
from appointments.lifecycle import Stage
from appointments.models import Appointment, Channel, Grade, IllegalMove, StageMove
from sessions_app import calendar, planning, seats
from sessions_app.models import ConsultDay, Plan, Seat
from triage import (
    assignment,
    calls,
    closing,
    deferral,
    follow_up,
    hearing,
    id_reveal,
    plan_changes,
    reminders,
    replies,
    review,
    seating,
    second_person,
    standby,
    timetable,
)
from triage.models import (
    Assignment,
    AssignmentState,
    CallOutcome,
    DeclineReason,
    Hearing,
    Outcome,
    Part,
    ReplyKind,
    RoutingLesson,
)
from triage.rulebook import monthly_review, versions
from triage.tests import acts, scenes
from triage.tests import factories as made
from triage.tests.acts import portion
from triage.tests.changes import snapshot
from triage.tests.scenes import DAY, EARLIER, FAR, MORNING, NOW, SECOND, Scene
from zhoushan_consult.audit.trail import PersonalData
from zhoushan_consult.bureau.roles import Role

pytestmark = pytest.mark.django_db

COORDINATOR, HANDLER, HEAD, LEADER = Role.COORDINATOR, Role.HANDLER, Role.HEAD, Role.LEADER
Do = Callable[[Scene], object]
EVE = calendar.local_datetime(DAY) - timedelta(seconds=1)
"""The last second before the day itself."""


@dataclass(frozen=True)
class Case:
    """An act in a scene in which it writes nothing: refused by `error` with the words `says`, or done already without one."""

    name: str
    scene: Do
    do: Do
    error: type[Exception] | None = None
    by: Role | None = None
    at: datetime = NOW
    says: str = ""

    def __str__(self) -> str:
        return self.name


def after(scene: Do, *changes: Do) -> Do:
    """A scene in which something more has happened."""

    def furnish(s: Scene) -> None:
        scene(s)
        for change in changes:
            change(s)

    return furnish


# --- What may have happened more --------------------------------------------------------------------------------------
def firm_is(**columns) -> Do:
    return lambda s: Appointment.objects.filter(pk=s.firm.pk).update(**columns)


def day_is(**columns) -> Do:
    return lambda s: ConsultDay.objects.filter(pk=s.day.pk).update(**columns)


def checked_in(s: Scene) -> None:
    by = s.people.of(COORDINATOR)
    Hearing.objects.create(appointment=s.firm, day=s.day, checked_in_at=EARLIER, by=by, at=EARLIER)


def seat_free(s: Scene) -> None:
    Seat.objects.filter(day=s.day, number=1).update(uscc=None, confirmed_at=None)


def seated_later(s: Scene) -> None:
    later = Scene(s.people, s.number, FAR).book(stage=Stage.WITHDRAWN)
    StageMove.objects.create(appointment=later, old=Stage.ACCEPTED, new=Stage.SEATED, at=EARLIER)


def registered_again(s: Scene) -> None:
    """The firm has another registration for the same day."""
    s.again = s.book(stage=Stage.ACCEPTED)


def registered_for_the_next_day(s: Scene) -> None:
    s.next = Scene(s.people, s.number, scenes.NEXT).book()


def drafted_by_the_actor(s: Scene) -> None:
    type(s.answer).objects.filter(pk=s.answer.pk).update(drafted_by=s.people.of(LEADER))


def drafted_by_the_head(s: Scene) -> None:
    type(s.reply).objects.filter(pk=s.reply.pk).update(drafted_by=s.people.of(HEAD))


def no_head(s: Scene) -> None:
    s.people.of(HEAD).groups.clear()


def reply_owed(s: Scene) -> None:
    s.give(s.firm, question="雨水呢？")


def another_reply(s: Scene) -> None:
    s.draft(s.support)


def learnt(s: Scene) -> None:
    RoutingLesson.objects.create(assignment=s.work, lesson="fine", by=s.people.of(COORDINATOR), at=EARLIER)


def filled_in(s: Scene) -> None:
    s.form = acts.form()


def sent(s: Scene) -> None:
    """The form was sent once already."""
    filled_in(s)
    booking.submit(s.form, key="a key", at=EARLIER)


# --- What is refused --------------------------------------------------------------------------------------------------
def decline(s: Scene) -> None:
    call = calls.Call(CallOutcome.NO_ANSWER, "无人接听")
    review.decline(s.firm, DeclineReason.COMPLAINT, "请拨12369", call, version=1, by=s.by, at=s.at)


def accept(*portions: Callable[[], assignment.AssignmentItem]) -> Do:
    return lambda s: review.accept(s.firm, [one() for one in portions], trace=s.trace, by=s.by, at=s.at)


def conclude(outcome: Outcome, promises=()) -> Do:
    return lambda s: hearing.conclude(s.firm, outcome, "", list(promises), by=s.by, at=s.at)


def enter(s: Scene, *, reason: str = "企业来电", day: date = DAY) -> None:
    staff_entry.enter(
        s.form, key="a key", day=day, source=booking.Source(Channel.PHONE, s.by, reason), at=s.at
    )


def settle(s: Scene) -> None:
    seating.settle(s.day, by=s.by, at=s.at)


def call_in(s: Scene) -> None:
    standby.call_in(s.firm, by=s.by, at=s.at)


def unsolved(s: Scene) -> None:
    feedback.report_unsolved(s.firm, "仍有异味", at=s.at)


def close_registration(s: Scene) -> None:
    closing.close_registration(s.firm, by=s.by, at=s.at)


def propose(s: Scene) -> None:
    wording = replace(acts.wording(), answer=f"答复{s.firm.enterprise_name}：可以。")
    answers.propose(wording, source=s.firm, by=s.by, at=s.at)


REFUSED = [
    Case("decline without a reached call", scenes.registered, decline, calls.CallFirst, COORDINATOR),
    Case("accept without a division", scenes.registered, accept(), assignment.NeedsDivision, COORDINATOR),
    Case(
        "accept without a lead division",
        scenes.registered,
        accept(lambda: portion(part=Part.SUPPORT)),
        assignment.NeedsDivision,
        COORDINATOR,
    ),
    Case(
        "accept with another division without a reason",
        scenes.registered,
        accept(portion, lambda: portion("土壤处", "污泥呢？")),
        assignment.NeedsReason,
        COORDINATOR,
    ),
    Case(
        "accept what was declined",
        scenes.declined,
        accept(portion),
        NotOpen,
        COORDINATOR,
        says=situation.HANDLED_ALREADY,
    ),
    Case(
        "accept a firm that has a seat",
        scenes.offered,
        accept(portion),
        NotOpen,
        COORDINATOR,
        says=situation.HANDLED_ALREADY,
    ),
    Case(
        "accept a deferred firm",
        scenes.deferred,
        accept(portion),
        NotOpen,
        COORDINATOR,
        says=situation.HANDLED_ALREADY,
    ),
    Case(
        "reconsider a seated firm",
        scenes.offered,
        lambda s: review.reconsider(s.firm, "再看", by=s.by, at=s.at),
        NotOpen,
        COORDINATOR,
        says=situation.HANDLED_ALREADY,
    ),
    Case(
        "reconsider a declined firm that has registered for the day again",
        after(scenes.declined, registered_again),
        lambda s: review.reconsider(s.firm, "再看", by=s.by, at=s.at),
        NotOpen,
        COORDINATOR,
        says=situation.OTHER_LIVE_STAFF,
    ),
    Case(
        "reconsider after its day a firm that has registered for the next one",
        after(scenes.accepted, registered_for_the_next_day),
        lambda s: review.reconsider(s.firm, "再看", by=s.by, at=s.at),
        NotOpen,
        COORDINATOR,
        calendar.ends_at(DAY),
        says=situation.OTHER_LIVE_STAFF,
    ),
    Case(
        "reconsider on a settled list a firm that has registered for the next day",
        after(scenes.accepted, scenes.settled, registered_for_the_next_day),
        lambda s: review.reconsider(s.firm, "再看", by=s.by, at=s.at),
        NotOpen,
        COORDINATOR,
        SECOND,
        says=situation.OTHER_LIVE_STAFF,
    ),
    Case(
        "give a question of a registration that has ended to a division",
        scenes.declined,
        lambda s: assignment.add(s.firm, portion(), by=s.by, at=s.at),
        NotOpen,
        COORDINATOR,
        says=situation.HANDLED_ALREADY,
    ),
    Case(
        "give the same question to a division twice",
        scenes.given,
        lambda s: assignment.add(s.firm, portion("水处", scenes.QUESTION), by=s.by, at=s.at),
        assignment.AlreadyAssigned,
        COORDINATOR,
    ),
    Case(
        "submit without a draft",
        after(scenes.given, another_reply),
        lambda s: replies.submit_for_signature(s.work, by=s.by, at=s.at),
        replies.NothingToSign,
        HANDLER,
    ),
    Case(
        "save over another's draft",
        scenes.drafted,
        lambda s: acts.save_draft(s, 0),
        replies.EditedMeanwhile,
        HANDLER,
    ),
    Case(
        "sign another wording than the one read",
        scenes.before_the_head,
        lambda s: replies.sign(s.work, version=2, by=s.by, at=s.at),
        replies.RewrittenMeanwhile,
        HEAD,
    ),
    Case(
        "sign the own draft where a colleague could have drafted",
        after(scenes.before_the_head, drafted_by_the_head),
        acts.sign,
        second_person.NeedsSecondPerson,
        HEAD,
    ),
    Case(
        "submit the own draft where only oneself may sign",
        after(scenes.drafted, drafted_by_the_head),
        lambda s: replies.submit_for_signature(s.work, by=s.by, at=s.at),
        second_person.NoSigner,
        HEAD,
    ),
    Case(
        "submit a draft without a signer",
        after(scenes.drafted, no_head),
        lambda s: replies.submit_for_signature(s.work, by=s.by, at=s.at),
        second_person.NoSigner,
        HANDLER,
    ),
    Case(
        "correct a reply that is not released",
        scenes.before_the_head,
        acts.save_revision,
        IllegalMove,
        HANDLER,
    ),
    Case(
        "correct a reply by the same text",
        scenes.answered,
        lambda s: replies.finish_revision(
            s.work, ReplyKind.CORRECTION, s.reply.body, s.reply.law, version=1, by=s.by, at=s.at
        ),
        replies.NothingCorrected,
        HANDLER,
    ),
    Case(
        "correct the reply to a firm that has withdrawn",
        after(scenes.answered, firm_is(stage=Stage.WITHDRAWN)),
        acts.save_revision,
        replies.RegistrationEnded,
        HANDLER,
    ),
    Case(
        "release the reply to a firm that has withdrawn",
        after(scenes.before_the_head, firm_is(stage=Stage.WITHDRAWN)),
        acts.sign,
        replies.RegistrationEnded,
        HEAD,
    ),
    Case(
        "drop a correction that was not begun",
        scenes.answered,
        lambda s: replies.drop_revision(s.work, by=s.by, at=s.at),
        IllegalMove,
        HANDLER,
    ),
    Case(
        "drop the first reply",
        scenes.drafted,
        lambda s: replies.drop_revision(s.work, by=s.by, at=s.at),
        IllegalMove,
        HANDLER,
    ),
    Case(
        "sign a correction that is still drafted",
        scenes.corrected,
        acts.sign_revision,
        IllegalMove,
        HEAD,
    ),
    Case(
        "settle a second before the cutoff",
        scenes.to_be_settled,
        settle,
        seating.NotYetClosed,
        COORDINATOR,
        calendar.booking_closes(DAY) - timedelta(seconds=1),
    ),
    Case(
        "settle over a registration that is not reviewed",
        after(scenes.to_be_settled, lambda s: s.book(9)),
        settle,
        seating.StillToReview,
        COORDINATOR,
        SECOND,
    ),
    Case(
        "settle twice",
        after(scenes.to_be_settled, scenes.settled),
        settle,
        seating.AlreadySettled,
        COORDINATOR,
        SECOND,
    ),
    Case(
        "settle a cancelled day",
        after(scenes.to_be_settled, day_is(plan=Plan.CANCELLED)),
        settle,
        seating.DayCancelled,
        COORDINATOR,
        SECOND,
    ),
    Case(
        "add a seat without a reason",
        scenes.full,
        lambda s: seating.add_seat(s.day, s.firm, " ", by=s.by, at=s.at),
        IllegalMove,
        LEADER,
        SECOND,
    ),
    Case(
        "add a seat while one is free",
        after(scenes.full, seat_free),
        lambda s: seating.add_seat(s.day, s.firm, "重点项目", by=s.by, at=s.at),
        NotOpen,
        LEADER,
        SECOND,
        says=situation.SEATS_STILL_FREE,
    ),
    Case(
        "add a seat once the day has begun",
        scenes.full,
        lambda s: seating.add_seat(s.day, s.firm, "重点项目", by=s.by, at=s.at),
        NotOpen,
        LEADER,
        calendar.starts_at(DAY),
        says=situation.DAY_IS_OVER,
    ),
    Case(
        "add a seat to a list that is not settled",
        after(scenes.full, day_is(settled_at=None)),
        lambda s: seating.add_seat(s.day, s.firm, "重点项目", by=s.by, at=s.at),
        NotOpen,
        LEADER,
        SECOND,
        says=situation.NOT_SETTLED,
    ),
    Case(
        "add a seat on a cancelled day",
        after(scenes.full, day_is(plan=Plan.CANCELLED)),
        lambda s: seating.add_seat(s.day, s.firm, "重点项目", by=s.by, at=s.at),
        NotOpen,
        LEADER,
        SECOND,
        says=situation.DAY_IS_CANCELLED,
    ),
    Case(
        "call in the evening before",
        scenes.waits_at_the_door,
        call_in,
        NotOpen,
        COORDINATOR,
        EVE,
        says="候补入场只在12月10日（周四）当天办理",
    ),
    Case(
        "call in the morning after",
        scenes.waits_at_the_door,
        call_in,
        NotOpen,
        COORDINATOR,
        MORNING + timedelta(days=1),
        says="12月10日（周四）的活动已经结束",
    ),
    Case(
        "call in to a cancelled day",
        after(scenes.waits_at_the_door, day_is(plan=Plan.CANCELLED)),
        call_in,
        NotOpen,
        COORDINATOR,
        MORNING,
        says=situation.DAY_IS_CANCELLED,
    ),
    Case("call in without a freed seat", scenes.full, call_in, standby.NoSeatFreed, COORDINATOR, MORNING),
    Case(
        "call in a firm that asked for a written reply",
        after(scenes.waits_at_the_door, firm_is(wants_onsite=False)),
        call_in,
        NotOpen,
        COORDINATOR,
        MORNING,
    ),
    Case(
        "check in the evening before",
        scenes.at_the_door,
        lambda s: hearing.check_in(s.firm, by=s.by, at=s.at),
        NotOpen,
        COORDINATOR,
        EVE,
        says="咨询日是12月10日（周四），当天才能签到",
    ),
    Case(
        "check in the morning after",
        scenes.at_the_door,
        lambda s: hearing.check_in(s.firm, by=s.by, at=s.at),
        NotOpen,
        COORDINATOR,
        MORNING + timedelta(days=1),
        says="请直接记录现场结果",
    ),
    Case(
        "check in a firm without a seat",
        scenes.deferred,
        lambda s: hearing.check_in(s.firm, by=s.by, at=s.at),
        NotOpen,
        COORDINATOR,
        MORNING,
    ),
    Case(
        "conclude the evening before",
        scenes.at_the_door,
        conclude(Outcome.SOLVED),
        NotOpen,
        COORDINATOR,
        EVE,
        says="咨询日是12月10日（周四），当天才能签到",
    ),
    Case(
        "conclude with a follow-up of nothing",
        scenes.at_the_door,
        conclude(Outcome.FOLLOW),
        hearing.PromiseMissing,
        COORDINATOR,
        MORNING,
    ),
    Case(
        "close an absent firm that waits for its reply",
        after(scenes.absent_and_answered, reply_owed),
        close_registration,
        NotOpen,
        COORDINATOR,
        says=situation.REPLY_OWED,
    ),
    Case(
        "close an absent firm that was never answered",
        scenes.at_stage(Stage.ABSENT),
        close_registration,
        NotOpen,
        COORDINATOR,
        says=situation.REPLY_OWED,
    ),
    Case(
        "close a firm that is heard while a division still owes a reply",
        after(scenes.at_stage(Stage.HEARD), reply_owed),
        close_registration,
        NotOpen,
        COORDINATOR,
        says=situation.REPLY_OWED,
    ),
    Case("close a deferred firm", scenes.deferred, close_registration, NotOpen, COORDINATOR),
    Case("close a firm over its follow-ups", scenes.followed, close_registration, NotOpen, COORDINATOR),
    Case(
        "unsolved after the term",
        scenes.at_stage(Stage.CLOSED),
        unsolved,
        NotOpen,
        at=EARLIER + timedelta(days=30, seconds=1),
        says=situation.REOPEN_TOO_LATE,
    ),
    Case(
        "unsolved where the firm has registered for the day again",
        after(scenes.at_stage(Stage.CLOSED), registered_again),
        unsolved,
        NotOpen,
        says=situation.OTHER_LIVE,
    ),
    Case("unsolved before an answer", scenes.accepted, unsolved, NotOpen, says=situation.MOVED_ON),
    Case(
        "unsolved before the reply that an absent firm waits for",
        scenes.at_stage(Stage.ABSENT),
        unsolved,
        NotOpen,
        says=situation.NO_REPLY_YET,
    ),
    Case(
        "solved before an answer",
        scenes.deferred,
        lambda s: feedback.report_solved(s.firm, at=s.at),
        NotOpen,
        says=situation.MOVED_ON,
    ),
    Case(
        "rate before an answer",
        scenes.offered,
        lambda s: feedback.rate(s.firm, Grade.GOOD, "", at=s.at),
        NotOpen,
        says=situation.NOTHING_TO_RATE,
    ),
    Case(
        "rate twice",
        after(scenes.at_stage(Stage.CLOSED), lambda s: feedback.rate(s.firm, Grade.POOR, "", at=EARLIER)),
        lambda s: feedback.rate(s.firm, Grade.GOOD, "", at=s.at),
        NotOpen,
        says=situation.RATED,
    ),
    Case(
        "register twice for a day",
        sent,
        lambda s: booking.submit(s.form, key="another key", at=s.at),
        booking.AlreadyBooked,
    ),
    Case(
        "send another form under the same key",
        sent,
        lambda s: booking.submit(replace(s.form, summary="别的问题"), key="a key", at=s.at),
        booking.FormAlreadyUsed,
    ),
    Case(
        "amend after the review",
        after(scenes.accepted, filled_in),
        lambda s: booking.amend(s.firm, s.form, at=s.at),
        NotOpen,
        says=situation.SUPPLEMENT_INSTEAD,
    ),
    Case(
        "amend after the list is settled",
        after(scenes.accepted, scenes.settled, filled_in),
        lambda s: booking.amend(s.firm, s.form, at=s.at),
        NotOpen,
        at=SECOND,
        says=situation.NO_MORE_CHANGES,
    ),
    Case(
        "withdraw after the day",
        scenes.at_stage(Stage.HEARD),
        lambda s: booking.withdraw(s.firm, at=s.at),
        NotOpen,
        says=situation.MOVED_ON,
    ),
    Case(
        "withdraw once the day has begun",
        scenes.confirmed,
        lambda s: booking.withdraw(s.firm, at=s.at),
        NotOpen,
        at=calendar.starts_at(DAY),
        says=situation.DAY_BEGUN,
    ),
    Case(
        "withdraw after checking in",
        scenes.checked_in,
        lambda s: booking.withdraw(s.firm, at=s.at),
        NotOpen,
        at=MORNING,
        says=situation.CHECKED_IN,
    ),
    Case(
        "confirm without a seat",
        scenes.accepted,
        lambda s: booking.confirm_seat(s.firm, at=s.at),
        NotOpen,
        says=situation.MOVED_ON,
    ),
    Case(
        "confirm once the day has begun",
        scenes.offered,
        lambda s: booking.confirm_seat(s.firm, at=s.at),
        NotOpen,
        at=calendar.starts_at(DAY),
        says=situation.DAY_BEGUN,
    ),
    Case(
        "confirm by telephone once the day has begun",
        scenes.offered,
        lambda s: booking.confirm_seat(s.firm, by=s.by, at=s.at),
        NotOpen,
        COORDINATOR,
        calendar.starts_at(DAY),
        says=situation.DAY_BEGUN,
    ),
    Case(
        "give up without a seat",
        scenes.deferred,
        lambda s: booking.give_up_seat(s.firm, at=s.at),
        NotOpen,
        says=situation.MOVED_ON,
    ),
    Case(
        "give up after checking in",
        scenes.checked_in,
        lambda s: booking.give_up_seat(s.firm, at=s.at),
        NotOpen,
        at=MORNING,
        says=situation.CHECKED_IN,
    ),
    Case(
        "ask again without having been deferred",
        scenes.accepted,
        lambda s: booking.ask_for_seat_again(s.firm, at=s.at),
        NotOpen,
        says=situation.MOVED_ON,
    ),
    Case(
        "ask again after a seat on a later day",
        after(scenes.deferred, seated_later),
        lambda s: booking.ask_for_seat_again(s.firm, at=s.at),
        NotOpen,
        says=situation.PRIORITY_USED,
    ),
    Case(
        "be content with a reply without having been deferred",
        scenes.accepted,
        lambda s: booking.written_reply_is_enough(s.firm, at=s.at),
        NotOpen,
        says=situation.MOVED_ON,
    ),
    Case(
        "be content with a reply that is not there",
        scenes.deferred_with_next_booking,
        lambda s: booking.written_reply_is_enough(s.firm, at=s.at),
        NotOpen,
        says=situation.NO_REPLY_YET,
    ),
    Case(
        "be content with a reply once the day has begun",
        scenes.answered_before_the_day,
        lambda s: booking.written_reply_is_enough(s.firm, at=s.at),
        NotOpen,
        at=calendar.starts_at(DAY),
        says=situation.DAY_BEGUN,
    ),
    Case(
        "add a question once the list is settled",
        after(scenes.given, scenes.settled),
        lambda s: additions.add_question(s.firm, "污泥呢？", at=s.at),
        NotOpen,
        at=SECOND,
        says=situation.NO_MORE_QUESTIONS,
    ),
    Case(
        "enter without a reason",
        filled_in,
        lambda s: enter(s, reason=" "),
        staff_entry.ReasonMissing,
        COORDINATOR,
        SECOND,
    ),
    Case(
        "enter for a day that is far off",
        filled_in,
        lambda s: enter(s, day=FAR),
        staff_entry.ListClosed,
        COORDINATOR,
        SECOND,
    ),
    Case("enter under the key of another form", sent, enter, booking.FormAlreadyUsed, COORDINATOR, SECOND),
    Case(
        "cancel a day that has begun",
        after(scenes.at_the_door, checked_in),
        lambda s: plan_changes.cancel(s.day, "台风", by=s.by, at=s.at),
        plan_changes.DayBegun,
        LEADER,
        MORNING,
    ),
    Case(
        "cancel a day that is over",
        scenes.at_the_door,
        lambda s: plan_changes.cancel(s.day, "台风", by=s.by, at=s.at),
        planning.DayOver,
        LEADER,
        calendar.ends_at(DAY),
    ),
    Case(
        "save rules over another's",
        lambda s: versions.save(
            versions.shipped_rules()[:1], "先", {}, base=0, by=s.people.of(COORDINATOR), at=EARLIER
        ),
        acts.save_rules,
        versions.ChangedByAnother,
        COORDINATOR,
    ),
    Case(
        "learn an example that names the firm",
        scenes.given_back,
        lambda s: monthly_review.add_golden_case(
            s.work, f"{s.firm.enterprise_name}问", made.division("水处"), by=s.by, at=s.at
        ),
        ValidationError,
        COORDINATOR,
    ),
    Case(
        "learn from the same 交办 twice",
        after(scenes.given_back, learnt),
        lambda s: monthly_review.dismiss(s.work, by=s.by, at=s.at),
        monthly_review.AlreadyReviewed,
        COORDINATOR,
    ),
    Case(
        "publish one's own draft",
        after(scenes.answer_drafted, drafted_by_the_actor),
        acts.with_version(answers.publish),
        answers.NeedsSecondOfficer,
        LEADER,
    ),
    Case(
        "publish what is public",
        scenes.answer_published,
        acts.with_version(answers.publish),
        answers.ChangedMeanwhile,
        LEADER,
    ),
    Case(
        "withdraw a draft",
        scenes.answer_drafted,
        lambda s: answers.withdraw(s.answer, "规定已修改", by=s.by, at=s.at),
        answers.ChangedMeanwhile,
        LEADER,
    ),
    Case("propose an answer that names the firm", scenes.registered, propose, ValidationError, LEADER),
    Case(
        "reveal an ID number with one in the reason",
        scenes.registered,
        lambda s: id_reveal.reveal_id(s.firm, s.firm.id_number.open(), by=s.by, at=s.at),
        PersonalData,
        COORDINATOR,
    ),
]


# --- What is done already ---------------------------------------------------------------------------------------------
def posted(s: Scene) -> None:
    follow_up.post_progress(s.matter, "已到现场", to_firm=True, by=s.people.of(HANDLER), at=EARLIER)


def asked_more(s: Scene) -> None:
    additions.add_question(s.firm, "污泥呢？", at=EARLIER)


def fixed(s: Scene) -> None:
    timetable.freeze(s.day, at=EARLIER)


def cancelled(s: Scene) -> None:
    day_is(plan=Plan.CANCELLED, remark="台风")(s)


IDLE = [
    Case(
        "save the same draft again",
        scenes.drafted,
        lambda s: replies.save_draft(s.work, s.reply.body, s.reply.law, version=0, by=s.by, at=s.at),
        by=HANDLER,
    ),
    Case(
        "save the same correction again",
        scenes.corrected,
        lambda s: replies.save_revision(
            s.work, ReplyKind.CORRECTION, s.revision.body, s.revision.law, version=0, by=s.by, at=s.at
        ),
        by=HANDLER,
    ),
    Case(
        "check in twice",
        scenes.checked_in,
        lambda s: hearing.check_in(s.firm, by=s.by, at=s.at),
        by=COORDINATOR,
        at=MORNING,
    ),
    Case(
        "post the same progress twice",
        after(scenes.followed, posted),
        lambda s: follow_up.post_progress(s.matter, "已到现场", to_firm=True, by=s.by, at=s.at),
        by=HANDLER,
    ),
    Case("withdraw twice", scenes.at_stage(Stage.WITHDRAWN), lambda s: booking.withdraw(s.firm, at=s.at)),
    Case("solved twice", scenes.at_stage(Stage.CLOSED), lambda s: feedback.report_solved(s.firm, at=s.at)),
    Case("unsolved twice", scenes.at_stage(Stage.FOLLOWING), unsolved),
    Case(
        "confirm twice",
        scenes.confirmed,
        lambda s: booking.confirm_seat(s.firm, at=s.at),
    ),
    Case(
        "add the same question twice",
        after(scenes.given, asked_more),
        lambda s: additions.add_question(s.firm, "污泥呢？", at=s.at),
    ),
    Case("object twice", scenes.objected, acts.object_to),
    Case("send the same form twice", sent, lambda s: booking.submit(s.form, key="a key", at=s.at)),
    Case(
        "cancel twice",
        after(scenes.seated_and_others, cancelled),
        lambda s: plan_changes.cancel(s.day, "台风", by=s.by, at=s.at),
        by=LEADER,
    ),
    Case("fix the sheet twice", after(scenes.list_of_two, fixed), lambda s: timetable.freeze(s.day, at=s.at)),
    Case(
        "fill a cancelled day",
        after(scenes.no_seat_left, day_is(plan=Plan.CANCELLED)),
        lambda s: seating.fill(s.day, at=s.at),
        at=SECOND,
    ),
    Case(
        "fill once the day has begun",
        scenes.no_seat_left,
        lambda s: seating.fill(s.day, at=s.at),
        at=calendar.starts_at(DAY),
    ),
    Case(
        "let an offer lapse at its last instant",
        scenes.offered,
        lambda s: seating.let_lapse(s.day, at=s.at),
        at=seats.reply_by(DAY, EARLIER),
    ),
    Case(
        "defer firms that are deferred",
        scenes.full,
        lambda s: deferral.defer_remaining(s.day, by=None, at=s.at),
        at=SECOND,
    ),
    Case(
        "shorten_terms what is due in time",
        after(
            scenes.deferred_with_slow_replies,
            lambda s: Assignment.objects.filter(
                state__in=[AssignmentState.OPEN, AssignmentState.DRAFTED]
            ).update(due_on=date(2026, 12, 9)),
        ),
        lambda s: deferral.shorten_terms(s.day, by=None, at=s.at),
        at=SECOND,
    ),
    Case(
        "close silent firms on the day of the term",
        scenes.deferred_and_silent,
        lambda s: closing.close_unanswered("", s.at, s.at),
        at=scenes.LONG_AGO + timedelta(days=15),
    ),
    Case(
        "remind firms two days before",
        scenes.near_the_day,
        lambda s: reminders.remind_firms("", s.at, s.at),
        at=acts.at_nine(DAY - timedelta(days=2)),
    ),
    Case(
        "remind to settle a day that is settled",
        after(scenes.to_be_settled, scenes.settled),
        lambda s: reminders.remind_to_settle("", s.at, s.at),
        at=acts.at_nine(date(2026, 12, 6)),
    ),
    Case(
        "remind to settle on the 1st",
        scenes.to_be_settled,
        lambda s: reminders.remind_to_settle("", s.at, s.at),
        at=acts.at_nine(date(2026, 12, 1)),
    ),
    Case(
        "send the sheet of a list that is not settled",
        after(scenes.list_of_two, day_is(settled_at=None)),
        lambda s: reminders.send_run_sheets("", s.at, s.at),
        at=acts.at_nine(DAY - timedelta(days=1)),
    ),
    Case(
        "send the sheet of a cancelled day",
        after(scenes.list_of_two, day_is(plan=Plan.CANCELLED)),
        lambda s: reminders.send_run_sheets("", s.at, s.at),
        at=acts.at_nine(DAY - timedelta(days=1)),
    ),
]


def scene_of(case: Case) -> Scene:
    people = scenes.world()
    by = people.of(case.by) if case.by else None
    return scenes.furnished(case.scene, people, by=by, at=case.at)


@pytest.mark.parametrize("case", REFUSED, ids=str)
def test_refused_act_says_why_and_writes_nothing(case):
    scene = scene_of(case)
    before = snapshot()
    with pytest.raises(case.error) as refusal:
        case.do(scene)
    assert type(refusal.value) is case.error
    assert case.says in str(refusal.value)
    assert snapshot() == before


@pytest.mark.parametrize("case", IDLE, ids=str)
def test_act_that_is_done_already_writes_nothing(case):
    scene = scene_of(case)
    before = snapshot()
    case.do(scene)
    assert snapshot() == before
