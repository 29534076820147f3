"""A believable month. Every registration goes through the functions that the pages call, at times in the past.

A story is a generator: it yields the time of its next act and is resumed when `play` has reached that time. Acts
that lie in the future are never run, so the data looks as it would look today.
"""

import heapq
import random
import secrets
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta

from appointments import booking, feedback, staff_entry
from appointments.booking import Registration
from appointments.lifecycle import Stage
from appointments.models import Appointment, Channel, Grade
from sessions_app import calendar, planning, receiving
from sessions_app.days import day_on
from sessions_app.models import Reception
from triage import assignment, calls, follow_up, hearing, replies, review, seating, timetable
from triage.assignment import AssignmentItem
from triage.models import Assignment, AssignmentState, CallOutcome, DeclineReason, Outcome, Part
from triage.rulebook.routing_traces import shown_trace
from zhoushan_consult.bureau.models import Area, Division, Officer
from zhoushan_consult.identity import samples
from zhoushan_consult.outbox.delivery import deliver_due

Story = Iterator[datetime]

PLACE = "舟山市生态环境局三楼会议室（定海区）"
REPLY = (
    "贵单位咨询的事项已经研究。请先对照行业规范自查，备齐环评批复、工艺说明和近三个月的运行记录；"
    "我处可以安排技术人员上门指导一次。具体办理要求和材料清单，请在工作日上午来电确认。"
)
LAW = "《中华人民共和国环境保护法》及相关行业标准"


def play(stories: list[Story], now: datetime) -> None:
    """Run all stories in one order of time, up to `now`.

    One after the other would not do: two stories meet in the list of firms and in the waiting list.
    """
    waiting: list[tuple[datetime, int, Story]] = []
    for number, story in enumerate(stories):
        _queue(waiting, story, number)
    while waiting and waiting[0][0] <= now:
        at, number, story = heapq.heappop(waiting)
        # What was due by then has left by then: the time to answer an offer, for example, has begun.
        while deliver_due(at):
            pass
        _queue(waiting, story, number)


def _queue(waiting: list, story: Story, number: int) -> None:
    at = next(story, None)
    if at is not None:
        # Generators cannot be compared. The number decides between two acts at the same time.
        heapq.heappush(waiting, (at, number, story))


class Month:
    """The stories of one 咨询日: its plan, its list of firms, and each of its registrations."""

    def __init__(self, day: date, lines: list[tuple], rng: random.Random, until: datetime):
        """`until`: the time of the last registration. The cutoff of the 咨询日 applies if it is earlier."""
        self.date, self.lines, self.rng = day, lines, rng
        last = min(until, calendar.booking_closes(day))
        self.first = max(calendar.booking_opens(day), last - timedelta(days=11))
        self.step = (last - self.first) / (len(lines) + 1)
        self.coordinator = Officer.objects.get(username="zonghe")
        self.leader = Officer.objects.get(username="juling")

    def stories(self) -> list[Story]:
        return [
            self.plan(),
            self.seats(),
            self.receptions(),
            *(self.registration(i, *line) for i, line in enumerate(self.lines)),
        ]

    def on(self, days: int, clock: str) -> datetime:
        """The time `clock` on the day that is `days` after the first of the month of the 咨询日.

        Random seconds are added, because people do not act on the full minute.
        """
        day = self.date.replace(day=1) + timedelta(days=days)
        return calendar.local_datetime(day, time.fromisoformat(clock)) + timedelta(
            seconds=self.rng.randrange(60)
        )

    def plan(self) -> Story:
        at = self.on(-9, "10:00")
        yield at
        day = day_on(self.date)
        day.theme, day.partners, day.place = (
            "涉海企业污染防治与排污许可",
            "市自然资源和规划局、舟山海事局",
            PLACE,
        )
        day.note = "请从东门进，地面停车场免费。请带营业执照复印件和与问题有关的批复、图纸。"
        day.save()
        Reception.objects.create(day=day, name=self.leader.name, title="局领导", order=1)
        for order, division in enumerate(Division.objects.all(), 2):
            Reception.objects.create(
                day=day, name=f"{division.name}负责人", title="处室负责人", division=division, order=order
            )
        yield self.on(-8, "09:10")
        planning.submit(day, by=self.coordinator, at=self.on(-8, "09:10"))
        at = self.on(-7, "15:20")
        yield at
        planning.approve(day, by=self.leader, at=at)

    def receptions(self) -> Story:
        """办公室 asks who comes. Most answer at once, the last one only in the week of the 咨询日."""
        office = Officer.objects.get(username="bangongshi")
        for at, some in ((self.on(-8, "10:30"), slice(0, -1)), (self.on(5, "15:00"), slice(-1, None))):
            yield at
            for person in list(day_on(self.date).receptions.all())[some]:
                receiving.confirm(person, by=office, at=at)

    def seats(self) -> Story:
        at = self.on(1, "10:30")
        yield at
        seating.settle(day_on(self.date), by=self.coordinator, at=at)
        at = self.on(8, "09:10")
        yield at
        timetable.freeze(day_on(self.date), at=at)

    def registration(
        self, number: int, name: str, area: str, contact: str, onsite: bool, question: str, story: str
    ) -> Story:
        """A firm registers in the month before. Then its own story goes on."""
        by_phone = story == "entered_late"
        at = self.on(0, "15:00") if by_phone else self.first + self.step * (number + 1)
        yield at
        form = Registration(
            enterprise_name=name,
            uscc=samples.uscc(self.rng),
            address=f"舟山市{area}{self.rng.randrange(1, 200)}号",
            postcode="316000",
            contact_name=contact,
            id_type="resident",
            id_number=samples.resident_id(self.rng),
            phone=samples.mobile(self.rng),
            area=Area.objects.get(name=area),
            summary=question,
            wants_onsite=onsite,
        )
        key = secrets.token_urlsafe(16)
        appointment = self._enter(form, key, at) if by_phone else booking.submit(form, key=key, at=at)
        yield from getattr(self, f"then_{story}")(appointment, at)

    def _enter(self, form: Registration, key: str, at: datetime) -> Appointment:
        """综合处 enters a registration for a firm that telephoned after the cutoff."""
        source = booking.Source(Channel.PHONE, self.coordinator, "企业月底出海作业无法上网，次日来电补录")
        return staff_entry.enter(form, key=key, day=self.date, source=source, at=at)

    # --- What happens before the day ---------------------------------------------------------------------------------
    def then_pending(self, firm: Appointment, at: datetime) -> Story:
        # `yield from ()` makes this a generator that has no further act.
        yield from ()

    def then_withdrawn(self, firm: Appointment, at: datetime) -> Story:
        yield at + timedelta(hours=20)
        booking.withdraw(firm, at=at + timedelta(hours=20))

    def then_declined(self, firm: Appointment, at: datetime) -> Story:
        at += timedelta(days=1)
        yield at
        outside = "消防" in firm.summary
        reason = DeclineReason.OUTSIDE if outside else DeclineReason.COMPLAINT
        advice = (
            "消防验收由住建部门办理，请咨询所在县区住建局。"
            if outside
            else "反映其他单位污染的，请拨打 12345，会有专人受理。"
        )
        call = calls.Call(CallOutcome.REACHED, f"已说明不属于咨询日范围。{advice}")
        review.decline(firm, reason, advice, call, version=firm.version, by=self.coordinator, at=at)

    def then_accepted(self, firm: Appointment, at: datetime) -> Story:
        at += timedelta(days=1, hours=2)
        yield at
        items = [AssignmentItem(d, firm.summary, p) for d, p in self._suggested(firm, at)]
        review.accept(firm, items, trace=shown_trace(firm, at), by=self.coordinator, at=at)

    def then_entered_late(self, firm: Appointment, at: datetime) -> Story:
        at += timedelta(minutes=90)
        yield at
        items = [AssignmentItem(d, firm.summary, p) for d, p in self._suggested(firm, at)]
        review.accept(firm, items, trace=shown_trace(firm, at), by=self.coordinator, at=at)

    def _suggested(self, firm: Appointment, at: datetime) -> list[tuple[Division, Part]]:
        """The divisions that the rules suggest, the lead first. 综合处 if they leave the decision to a person."""
        decision = shown_trace(firm, at).to_decision()
        codes = [
            code for code in dict.fromkeys([decision.primary, *decision.co]) if code not in ("", "manual")
        ]
        found = [Division.objects.get(code=code) for code in codes or ["general"]]
        return [(division, Part.SUPPORT if i else Part.LEAD) for i, division in enumerate(found)]

    def then_returned(self, firm: Appointment, at: datetime) -> Story:
        yield from self.then_accepted(firm, at)
        at += timedelta(days=2)
        yield at
        row = self._lead_assignment(firm)
        assignment.return_assignment(
            row, "倾倒区选划不属我处职责，建议由其他处室牵头。", by=self._handler(row), at=at
        )

    def then_drafting(self, firm: Appointment, at: datetime) -> Story:
        yield from self.then_accepted(firm, at)
        at += timedelta(days=2)
        yield at
        row = self._lead_assignment(firm)
        replies.save_draft(row, REPLY, LAW, version=0, by=self._handler(row), at=at)

    def then_to_sign(self, firm: Appointment, at: datetime) -> Story:
        yield from self.then_drafting(firm, at)
        at += timedelta(days=2, hours=3)
        yield at
        row = self._lead_assignment(firm)
        replies.submit_for_signature(row, by=self._handler(row), at=at)

    def then_signed(self, firm: Appointment, at: datetime) -> Story:
        yield from self.then_to_sign(firm, at)
        at += timedelta(days=3)
        yield at
        for row in firm.assignments.filter(state=AssignmentState.OPEN):
            replies.save_draft(row, REPLY, LAW, version=0, by=self._handler(row), at=at)
            replies.submit_for_signature(row, by=self._handler(row), at=at)
        for row in firm.assignments.filter(state=AssignmentState.DRAFTED):
            replies.sign(row, version=row.reply_in_hand.version, by=self._head(row), at=at)
        firm.refresh_from_db()

    def then_written(self, firm: Appointment, at: datetime) -> Story:
        yield from self.then_signed(firm, at)
        at = self.on(4, "14:10")
        yield at
        firm.refresh_from_db()
        feedback.report_solved(firm, at=at)
        feedback.rate(firm, Grade.VERY_GOOD, "答复很清楚。", at=at + timedelta(minutes=2))

    # --- The day and after ---------------------------------------------------------------------------------------------
    def _seated(self, firm: Appointment, at: datetime) -> Story:
        yield from self.then_signed(firm, at)
        at = self.on(2, "16:00")
        yield at
        firm.refresh_from_db()
        if firm.stage == Stage.SEATED:
            booking.confirm_seat(firm, at=at)
        at = self.on(9, "08:25")
        yield at
        firm.refresh_from_db()

    def _heard(
        self, firm: Appointment, at: datetime, outcome: Outcome, gist: str, promise: str = ""
    ) -> Story:
        yield from self._seated(firm, at)
        at = self.on(9, "08:30")
        yield at
        hearing.check_in(firm, by=self.coordinator, at=at)
        at = self.on(9, "10:45")
        yield at
        promises = [hearing.Promise(promise, follow_up.lead_division(firm))] if promise else []
        hearing.conclude(firm, outcome, gist, promises, by=self.coordinator, at=at)

    def then_solved(self, firm: Appointment, at: datetime) -> Story:
        yield from self._heard(firm, at, Outcome.SOLVED, "已当面说明标准和办理路径，企业表示清楚。")
        at = self.on(10, "15:30")
        yield at
        feedback.report_solved(firm, at=at)
        feedback.rate(firm, self.rng.choice([Grade.VERY_GOOD, Grade.GOOD]), "", at=at)

    def then_open(self, firm: Appointment, at: datetime) -> Story:
        promise = "两周内组织专家到厂核对工艺，形成书面意见"
        yield from self._heard(firm, at, Outcome.FOLLOW, "需到现场核对后答复。", promise)
        at = self.on(13, "11:00")
        yield at
        row = firm.follow_ups.get()
        follow_up.post_progress(
            row, "已与企业约定到厂时间，专家名单已定。", to_firm=True, by=self.coordinator, at=at
        )

    def then_followed(self, firm: Appointment, at: datetime) -> Story:
        yield from self.then_open(firm, at)
        at = self.on(17, "16:20")
        yield at
        row = firm.follow_ups.get()
        follow_up.close(row, "已出具书面意见并送达企业，企业表示满意。", by=self.coordinator, at=at)

    def then_absent(self, firm: Appointment, at: datetime) -> Story:
        yield from self._seated(firm, at)
        at = self.on(9, "11:35")
        yield at
        hearing.conclude(firm, Outcome.ABSENT, "", [], by=self.coordinator, at=at)

    def then_no_outcome(self, firm: Appointment, at: datetime) -> Story:
        yield from self._seated(firm, at)
        hearing.check_in(firm, by=self.coordinator, at=self.on(9, "08:40"))

    def then_deferred_open(self, firm: Appointment, at: datetime) -> Story:
        yield from self.then_signed(firm, at)

    def then_deferred_again(self, firm: Appointment, at: datetime) -> Story:
        yield from self.then_signed(firm, at)
        at = self.on(6, "09:15")
        yield at
        firm.refresh_from_db()
        booking.ask_for_seat_again(firm, at=at)

    # --- Officers -------------------------------------------------------------------------------------------------------
    def _lead_assignment(self, firm: Appointment) -> Assignment:
        return firm.assignments.filter(part=Part.LEAD).latest("pk")

    def _handler(self, row: Assignment) -> Officer:
        return Officer.objects.filter(division=row.division, groups__name="处室经办").first()

    def _head(self, row: Assignment) -> Officer:
        return Officer.objects.filter(division=row.division, groups__name="处室负责人").first()
