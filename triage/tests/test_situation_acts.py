"""What is open works, what is closed is refused, and a button is shown where its act is open: on the page of the firm and in
the admin, in every situation in which a registration can stand.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import pytest
import time_machine
from django.db import transaction
from django.test import Client
from django.urls import reverse

from appointments import booking, contact, facts, feedback
from appointments import supplements as additions
from appointments.lifecycle import Stage
from appointments.models import Appointment, Grade, Rating, StageMove
from appointments.situation import FirmAct, StaffAct
from sessions_app import calendar
from sessions_app.models import ConsultDay, Plan, Seat
from triage import assignment, closing, hearing, review, seating, standby
from triage.models import AssignmentState, DeclineReason, Hearing, Outcome
from triage.tests import acts, scenes
from triage.tests import factories as made
from triage.tests.acts import portion
from triage.tests.scenes import DAY, EARLIER, FAR, MORNING, NEXT, NOW, SECOND, Scene
from zhoushan_consult.audit.models import Entry
from zhoushan_consult.bureau.models import Officer
from zhoushan_consult.bureau.refusals import Refused
from zhoushan_consult.bureau.roles import Role

pytestmark = pytest.mark.django_db

EVE = calendar.eve(DAY) + timedelta(hours=1)
BEGUN, OVER = calendar.starts_at(DAY) + timedelta(hours=1), calendar.ends_at(DAY)
NEXT_MORNING = MORNING + timedelta(days=1)
WEEKS_LATER = datetime.fromisoformat("2026-12-28T10:00+08:00")
MONTHS_LATER = datetime.fromisoformat("2027-02-20T10:00+08:00")
BEFORE_IT = (NOW, SECOND, EVE, MORNING)
ALL = (*BEFORE_IT, BEGUN, OVER, NEXT_MORNING, WEEKS_LATER)
SINCE_THE_LIST = ALL[1:]
SINCE_THE_DAY = ALL[4:]


@dataclass(frozen=True)
class Stand:
    """How a registration can stand, and the instants at which it can stand so."""

    name: str
    stage: Stage
    instants: tuple[datetime, ...]
    more: tuple[Callable[[Scene], object], ...] = ()

    def __str__(self) -> str:
        return self.name

    def furnish(self, s: Scene) -> None:
        closed = EARLIER if self.stage == Stage.CLOSED else None
        if self.stage == Stage.SEATED:
            s.firm = s.book(stage=Stage.ACCEPTED)
        else:
            s.firm = s.book(stage=self.stage, closed_at=closed)
        for change in self.more:
            change(s)


# --- What can be said more of a registration --------------------------------------------------------------------------
def is_(**columns):
    return lambda s: Appointment.objects.filter(pk=s.firm.pk).update(**columns)


def day(**columns):
    return lambda s: ConsultDay.objects.filter(pk=s.day.pk).update(**columns)


def work(s: Scene) -> None:
    s.give(s.firm)


def replied(s: Scene) -> None:
    s.answer(s.firm, "大气处")


def returned(s: Scene) -> None:
    s.give(s.firm, "土壤处", state=AssignmentState.RETURNED)


def seat(**how):
    return lambda s: s.seat(s.firm, **how)


def signed_in(s: Scene) -> None:
    by = s.people.of(Role.COORDINATOR)
    Hearing.objects.create(appointment=s.firm, day=s.day, checked_in_at=MORNING, by=by, at=MORNING)


def no_seat_free(s: Scene) -> None:
    for held in Seat.objects.filter(day=s.day, uscc=None):
        Seat.objects.filter(pk=held.pk).update(uscc=f"91330900TAKEN{held.number:05}", offered_at=EARLIER)


def registered_for(on, **columns):
    return lambda s: Scene(s.people, s.number, on).book(**columns)


def registered_again(s: Scene) -> None:
    s.book(stage=Stage.ACCEPTED)


def seated_later(s: Scene) -> None:
    later = Scene(s.people, s.number, FAR).book(stage=Stage.WITHDRAWN)
    StageMove.objects.create(appointment=later, old=Stage.ACCEPTED, new=Stage.SEATED, at=EARLIER)


def took_over(s: Scene) -> None:
    before = Scene(s.people, s.number, scenes.BEFORE)
    before.book(stage=Stage.ANSWERED, wants_onsite=False, handed_to=s.firm, priority_since=EARLIER)
    is_(priority_since=EARLIER)(s)


def rated(s: Scene) -> None:
    Rating.objects.create(appointment=s.firm, grade=Grade.GOOD, at=EARLIER)


def told_of_it(s: Scene) -> None:
    s.tell("booking_withdrawn", s.firm)


def matter(s: Scene) -> None:
    scenes.follow_up(s.firm)


settled, written = day(settled_at=EARLIER), is_(wants_onsite=False)
cancelled = day(plan=Plan.CANCELLED, remark="台风")
on_the_list = (settled, work)
S = Stage
STANDS = [
    Stand("待初审", S.SUBMITTED, ALL),
    Stand("待初审，书面", S.SUBMITTED, ALL, (written,)),
    Stand("待初审，活动取消", S.SUBMITTED, ALL[:2], (cancelled,)),
    Stand("待初审，优先资格转来", S.SUBMITTED, ALL[:3], (took_over,)),
    Stand("通过初审", S.ACCEPTED, ALL, (work,)),
    Stand("通过初审，已答复", S.ACCEPTED, ALL, (replied,)),
    Stand("通过初审，书面", S.ACCEPTED, ALL, (work, written)),
    Stand("通过初审，名单已定", S.ACCEPTED, SINCE_THE_LIST, (work, settled)),
    Stand("通过初审，名单已定，名额满", S.ACCEPTED, (SECOND, EVE), (work, settled, no_seat_free)),
    Stand("通过初审，活动取消", S.ACCEPTED, ALL[:2], (work, cancelled)),
    Stand("通过初审，下期另有登记", S.ACCEPTED, (SECOND, OVER), (work, registered_for(NEXT))),
    Stand("不予通过", S.DECLINED, ALL),
    Stand("不予通过，又登记", S.DECLINED, (NOW, SECOND), (registered_again,)),
    Stand("不予通过，下期另有登记", S.DECLINED, (NOW, OVER), (registered_for(NEXT),)),
    Stand("已撤回", S.WITHDRAWN, (NOW, BEGUN, WEEKS_LATER)),
    Stand("已撤回，刚刚通知", S.WITHDRAWN, (NOW, WEEKS_LATER), (told_of_it,)),
    Stand("名额，通知未送达", S.SEATED, SINCE_THE_LIST, (*on_the_list, seat(told=False))),
    Stand("名额，待确认", S.SEATED, SINCE_THE_LIST, (*on_the_list, seat(at=SECOND))),
    Stand("名额，已确认", S.SEATED, SINCE_THE_LIST, (*on_the_list, seat(confirmed=True))),
    Stand("名额，已答复", S.SEATED, SINCE_THE_LIST, (settled, replied, seat(at=SECOND))),
    Stand("已签到", S.SEATED, ALL[3:7], (settled, replied, seat(confirmed=True), signed_in)),
    Stand("书面答复，未答复", S.DEFERRED, SINCE_THE_LIST, on_the_list),
    Stand("书面答复，名额满", S.DEFERRED, (SECOND, EVE), (*on_the_list, no_seat_free)),
    Stand("书面答复，部分答复", S.DEFERRED, SINCE_THE_LIST, (*on_the_list, replied)),
    Stand("书面答复，已答复", S.DEFERRED, SINCE_THE_LIST, (settled, replied)),
    Stand("书面答复，退回", S.DEFERRED, (SECOND,), (settled, returned)),
    Stand("书面答复，此后到过场", S.DEFERRED, (WEEKS_LATER,), (settled, replied, seated_later)),
    Stand("书面答复，下期另有登记", S.DEFERRED, (SECOND,), (*on_the_list, registered_for(NEXT))),
    Stand(
        "书面答复，下期另有书面登记",
        S.DEFERRED,
        (SECOND, WEEKS_LATER),
        (*on_the_list, registered_for(NEXT, wants_onsite=False)),
    ),
    Stand(
        "书面答复，下期登记已答复",
        S.DEFERRED,
        (WEEKS_LATER,),
        (*on_the_list, registered_for(NEXT, stage=S.ANSWERED)),
    ),
    Stand("书面答复，活动取消", S.DEFERRED, (SECOND, BEGUN), (*on_the_list, cancelled)),
    Stand("已书面答复", S.ANSWERED, (NOW, WEEKS_LATER), (replied, written)),
    Stand("已书面答复，另有交办", S.ANSWERED, (NOW,), (replied, work, written)),
    Stand("已现场咨询", S.HEARD, SINCE_THE_DAY, (settled,)),
    Stand("已现场咨询，另有交办", S.HEARD, (OVER,), (settled, work)),
    Stand("未到场，未答复", S.ABSENT, SINCE_THE_DAY, on_the_list),
    Stand("未到场，部分答复", S.ABSENT, (OVER,), (*on_the_list, replied)),
    Stand("未到场，已答复", S.ABSENT, (OVER, WEEKS_LATER), (settled, replied)),
    Stand("跟踪督办", S.FOLLOWING, (NOW, WEEKS_LATER), (matter,)),
    Stand("跟踪督办，已评价", S.FOLLOWING, (NOW,), (matter, rated)),
    Stand("办结", S.CLOSED, (NOW, MONTHS_LATER), (replied,)),
    Stand("办结，已评价", S.CLOSED, (NOW,), (replied, rated)),
    Stand("办结，又登记", S.CLOSED, (NOW,), (replied, registered_again)),
]
each_stand = pytest.mark.parametrize("stand", STANDS, ids=str)


def firm_of(s: Scene) -> Appointment:
    """The registration, as a page reads it that is opened now."""
    return Appointment.objects.select_related("day", "seat").get(pk=s.firm.pk)


def another(firm: Appointment) -> contact.Contact:
    return replace(contact.contact_of(firm), email="new@example.com")


FIRM: dict[FirmAct, Callable[[Appointment, datetime], object]] = {
    FirmAct.AMEND: lambda firm, at: booking.amend(firm, acts.form(9), at=at),
    FirmAct.CONTACT: lambda firm, at: contact.correct(firm, another(firm), at=at),
    FirmAct.WITHDRAW: lambda firm, at: booking.withdraw(firm, at=at),
    FirmAct.CONFIRM: lambda firm, at: booking.confirm_seat(firm, at=at),
    FirmAct.GIVE_UP: lambda firm, at: booking.give_up_seat(firm, at=at),
    FirmAct.STILL_ONSITE: lambda firm, at: booking.ask_for_seat_again(firm, at=at),
    FirmAct.ENOUGH: lambda firm, at: booking.written_reply_is_enough(firm, at=at),
    FirmAct.SOLVED: lambda firm, at: feedback.report_solved(firm, at=at),
    FirmAct.UNSOLVED: lambda firm, at: feedback.report_unsolved(firm, "仍有异味", at=at),
    FirmAct.RATE: lambda firm, at: feedback.rate(firm, Grade.GOOD, "", at=at),
    FirmAct.SUPPLEMENT: lambda firm, at: additions.add_question(firm, "污泥呢？", at=at),
}
STAFF: dict[StaffAct, Callable[[Appointment, dict], object]] = {
    StaffAct.ACCEPT: lambda firm, who: review.accept(firm, [portion()], trace=made.trace(firm), **who),
    StaffAct.DECLINE: lambda firm, who: review.decline(
        firm, DeclineReason.COMPLAINT, "请拨12369", acts.REACHED, version=firm.version, **who
    ),
    StaffAct.RECONSIDER: lambda firm, who: review.reconsider(firm, "再看", **who),
    StaffAct.CONTACT: lambda firm, who: contact.correct(firm, another(firm), "来电更正", **who),
    StaffAct.ADD: lambda firm, who: assignment.add(firm, portion("环评处", "噪声呢？", reason="遗漏"), **who),
    StaffAct.CONFIRM: lambda firm, who: booking.confirm_seat(firm, **who),
    StaffAct.GIVE_UP: lambda firm, who: booking.give_up_seat(firm, **who),
    StaffAct.EXTRA_SEAT: lambda firm, who: seating.add_seat(firm.day, firm, "重点项目", **who),
    StaffAct.CALL_IN: lambda firm, who: standby.call_in(firm, **who),
    StaffAct.CHECK_IN: lambda firm, who: hearing.check_in(firm, **who),
    StaffAct.CONCLUDE: lambda firm, who: hearing.conclude(firm, Outcome.SOLVED, "", [], **who),
    StaffAct.CLOSE: lambda firm, who: closing.close_registration(firm, **who),
}
DOES = {StaffAct.EXTRA_SEAT: Role.LEADER}
"""Who does what 综合处 may not."""


def tries(stand: Stand, instants: tuple[datetime, ...]) -> Iterator[tuple[Scene, datetime]]:
    """The registration at each of the instants, in a transaction that is taken back."""
    people = scenes.world()
    for at in instants:
        with transaction.atomic():
            s = Scene(people)
            stand.furnish(s)
            made.trace(s.firm, at=EARLIER)
            yield s, at
            transaction.set_rollback(True)


def works(do: Callable, *what) -> bool:
    """Whether the act is done. One that is refused, or was done before, writes nothing."""
    before = Entry.objects.count()
    with transaction.atomic():
        try:
            do(*what)
            return Entry.objects.count() > before
        except Refused as refusal:
            assert str(refusal).endswith("。")
            return False
        finally:
            transaction.set_rollback(True)


@each_stand
def test_what_is_open_works_and_the_rest_is_refused(stand):
    for s, at in tries(stand, stand.instants):
        known = facts.read(firm_of(s), at)
        done = {act for act, do in FIRM.items() if works(do, firm_of(s), at)}
        assert done == known.firm_acts, at
        office = {act: {"by": s.people.of(DOES.get(act, Role.COORDINATOR)), "at": at} for act in STAFF}
        done = {act for act, do in STAFF.items() if works(do, firm_of(s), office[act])}
        assert done == known.staff_acts, at


SHOWN = {
    FirmAct.AMEND: 'href="/status/amend/"',
    FirmAct.CONTACT: 'href="/status/contact/"',
    FirmAct.WITHDRAW: 'href="/status/withdraw/"',
    FirmAct.CONFIRM: 'action="/status/confirm/"',
    FirmAct.GIVE_UP: 'href="/status/give-up/"',
    FirmAct.STILL_ONSITE: 'href="/status/still-onsite/"',
    FirmAct.ENOUGH: 'href="/status/enough/"',
    FirmAct.SOLVED: 'href="/status/solved/"',
    FirmAct.UNSOLVED: 'action="/status/unsolved/"',
    FirmAct.RATE: 'action="/status/rate/"',
    FirmAct.SUPPLEMENT: 'action="/status/supplement/"',
}
"""By what each button is known on the progress page."""
ON_THE_FLOOR = {StaffAct.CALL_IN}
"""Not a button of the registration but of 现场签到."""


@each_stand
def test_buttons_that_are_shown_are_those_that_work(stand, signed_in):
    for s, at in tries(stand, stand.instants[:: max(len(stand.instants) - 1, 1)]):
        with time_machine.travel(at, tick=False):
            firm, browser = firm_of(s), Client()
            browser.post("/status/", {"reference": firm.reference, "phone": firm.phone_number})
            page = browser.get("/status/").content.decode()
            offered = set()
            Officer.objects.update(is_staff=True)
            for role in (Role.COORDINATOR, Role.LEADER):
                address = reverse("admin:appointments_appointment_change", args=[firm.pk])
                screen = signed_in(s.people.of(role)).get(address).content.decode()
                offered |= {act for act in StaffAct if f'id="panel-{act}"' in screen}
        known = facts.read(firm, at)
        assert {act for act, mark in SHOWN.items() if mark in page} == known.firm_acts, at
        assert known.next.what in page and known.standing in page
        assert offered == known.staff_acts - ON_THE_FLOOR, at
