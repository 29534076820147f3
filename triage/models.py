"""The bureau's half of a registration: calls, 初审, 分办依据, 交办, 答复, 现场结果, 跟踪督办; and the rules as rows."""

from django.db import models

from appointments.models import Appointment
from sessions_app.models import ConsultDay, Seat
from zhoushan_consult.bureau.models import Division, Officer
from zhoushan_consult.outbox.models import CallOutcome

from .routing.decision import Decision


class DeclineReason(models.TextChoices):
    """Why a registration may be declined: a closed list, each reason a clause (五（二）)."""

    COMPLAINT = "complaint", "属于信访、投诉问题，不在咨询日受理范围"
    OUTSIDE = "outside", "不属于市生态环境局法定职责范围"
    ANSWERED = "answered", "此前已明确予以解答的重复事项"
    UNREACHABLE = "unclear", "咨询事项无法判明，经电话核实仍不明确"
    NOT_ENTERPRISE = "not_enterprise", "登记主体不是企业，不属于服务对象"


class CallRecord(models.Model):
    """电话沟通记录: who called the firm, when, and what was said (六（三）：电话沟通，告知理由)."""

    appointment = models.ForeignKey(
        Appointment, models.PROTECT, related_name="calls", verbose_name="预约登记"
    )
    by = models.ForeignKey(Officer, models.PROTECT, verbose_name="通话人")
    at = models.DateTimeField("通话时间")
    outcome = models.CharField("通话结果", max_length=15, choices=CallOutcome)
    gist = models.TextField("通话内容", max_length=500)
    # Of a call to a wrong number: since when the right one is not looked for any more.
    dismissed_at = models.DateTimeField("不再联系的时间", null=True, blank=True)

    class Meta:
        verbose_name = verbose_name_plural = "电话沟通记录"
        ordering = ["-at"]

    def __str__(self):
        return self.get_outcome_display()


class RoutingTrace(models.Model):
    """分办依据: what the rules decided for one text of a registration, whole. Never changed; see `rulebook.routing_traces`."""

    appointment = models.ForeignKey(
        Appointment, models.PROTECT, related_name="traces", verbose_name="预约登记"
    )
    # The `Appointment.version` whose text was judged. Empty in traces that were stored before December 2026.
    appointment_version = models.PositiveIntegerField("登记版本", null=True)
    rules_version = models.CharField("规则版本", max_length=40)
    decision = models.JSONField("分办结果")
    at = models.DateTimeField("时间")

    class Meta:
        verbose_name = verbose_name_plural = "分办依据"
        ordering = ["-at"]
        constraints = [
            # A worker and a screen that judge the same text at once store one trace. Read by `routing_traces`, on each screen.
            models.UniqueConstraint(
                fields=["appointment", "appointment_version", "rules_version"], name="one_trace_of_a_text"
            )
        ]

    def __str__(self):
        return self.decision.get("why", "")

    def to_decision(self) -> Decision:
        return Decision.from_dict(self.decision)


class Review(models.Model):
    """初审: the decision of 综合处 about a registration, and its reason (六（三）)."""

    appointment = models.ForeignKey(
        Appointment, models.PROTECT, related_name="reviews", verbose_name="预约登记"
    )
    accepted = models.BooleanField("是否通过")
    reason = models.CharField("不予通过的理由", max_length=20, choices=DeclineReason, blank=True)
    explanation = models.TextField("对企业的说明", max_length=500, blank=True)
    call = models.ForeignKey(CallRecord, models.PROTECT, null=True, blank=True, verbose_name="电话沟通记录")
    # What the officer saw when accepting. Empty where the registration was declined.
    trace = models.ForeignKey(
        RoutingTrace, models.PROTECT, null=True, blank=True, related_name="reviews", verbose_name="分办依据"
    )
    by = models.ForeignKey(Officer, models.PROTECT, verbose_name="审核人")
    at = models.DateTimeField("审核时间")

    class Meta:
        verbose_name = verbose_name_plural = "初审"
        ordering = ["-at"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(accepted=True) | (models.Q(call__isnull=False) & ~models.Q(reason="")),
                name="declined_with_reason_and_call",
            )
        ]

    def __str__(self):
        return "通过初审" if self.accepted else self.get_reason_display()


class RuleVersion(models.Model):
    """分办规则的一版: all topics in one row, never changed. The newest row is in force; without a row, the shipped topics."""

    number = models.PositiveIntegerField("版次", unique=True)
    topics = models.JSONField("事项")
    remark = models.CharField("修改说明", max_length=300)
    figures = models.JSONField("修改前后的准确率", default=dict)
    by = models.ForeignKey(Officer, models.PROTECT, verbose_name="修改人")
    at = models.DateTimeField("时间")

    class Meta:
        verbose_name = verbose_name_plural = "分办规则"
        ordering = ["-number"]

    def __str__(self):
        return f"第{self.number}版"


class Lesson(models.TextChoices):
    """The result of reviewing a 交办 that people decided differently from the rules."""

    CASE = "case", "列为标准例"
    FINE = "fine", "无需改规则"


class Part(models.TextChoices):
    LEAD = "lead", "主办"
    SUPPORT = "support", "协办"


class AssignmentState(models.TextChoices):
    """办理状态 of a 交办."""

    OPEN = "open", "待答复"
    DRAFTED = "drafted", "待审签"
    RELEASED = "released", "已答复"
    RETURNED = "returned", "已退回综合处"
    CANCELLED = "cancelled", "已撤销"


class Assignment(models.Model):
    """交办: a question of a registration, assigned to the division responsible (六（四）)."""

    appointment = models.ForeignKey(
        Appointment, models.PROTECT, related_name="assignments", verbose_name="预约登记"
    )
    division = models.ForeignKey(Division, models.PROTECT, verbose_name="承办处室")
    part = models.CharField("主办/协办", max_length=8, choices=Part, default=Part.LEAD)
    question = models.TextField("交办事项", max_length=2000)
    clause = models.CharField("依据", max_length=120, blank=True)
    topic = models.CharField("事项", max_length=60, blank=True)
    by_hand_reason = models.CharField(
        "人工调整理由", max_length=200, blank=True, help_text="与规则建议不同时填写"
    )
    state = models.CharField("办理状态", max_length=10, choices=AssignmentState, default=AssignmentState.OPEN)
    due_on = models.DateField("答复期限")
    return_reason = models.CharField("退回理由", max_length=300, blank=True)
    assigned_by = models.ForeignKey(Officer, models.PROTECT, verbose_name="交办人")
    assigned_at = models.DateTimeField("交办时间")
    released_at = models.DateTimeField("答复时间", null=True, blank=True)

    class Meta:
        verbose_name = verbose_name_plural = "交办"
        ordering = ["due_on", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["appointment", "division", "question"],
                condition=~models.Q(state__in=["returned", "cancelled"]),
                name="one_assignment_a_question_a_division",
            )
        ]
        indexes = [
            # the desk: work lists of one division
            models.Index(fields=["division", "state", "due_on"], name="desk_of_a_division"),
            # worklists.overdue_replies, reminders.remind_divisions: all divisions by term
            models.Index(fields=["state", "due_on"], name="overdue_replies"),
        ]

    def __str__(self):
        return f"{self.division} {self.get_state_display()}"

    @property
    def reply_in_hand(self) -> "Reply | None":
        """The reply that is being drafted or waits for its signature."""
        return next((reply for reply in self.replies.all() if reply.is_in_hand), None)

    @property
    def revision_in_hand(self) -> "Reply | None":
        """The 更正 or 补充 that is being drafted or waits for its signature."""
        reply = self.reply_in_hand
        return reply if reply and reply.is_revision else None

    @property
    def standing(self) -> AssignmentState:
        """Where the drafting stands: of the 更正 or 补充 in hand, otherwise of the 交办."""
        revision = self.revision_in_hand if self.state == AssignmentState.RELEASED else None
        if revision is None:
            return AssignmentState(self.state)
        return AssignmentState.DRAFTED if revision.submitted_at else AssignmentState.OPEN

    @property
    def signed_replies(self) -> "list[Reply]":
        """What the firm was told, the newest first."""
        return [reply for reply in self.replies.all() if reply.signed_at][::-1]

    @property
    def replies_in_force(self) -> "list[Reply]":
        """What holds now, in the order of reading: the last 更正 (else the first reply), and what supplements it."""
        told = self.signed_replies[::-1]
        full = [n for n, reply in enumerate(told) if reply.kind != ReplyKind.SUPPLEMENT]
        return told[full[-1] :] if full else []


class RoutingLesson(models.Model):
    """规则复核: the lesson from a 交办 that was changed by hand or returned. A `case` joins the golden cases."""

    assignment = models.OneToOneField(
        Assignment, models.PROTECT, related_name="lesson", verbose_name="改派或退回的交办"
    )
    lesson = models.CharField("复核结论", max_length=8, choices=Lesson)
    text = models.TextField("标准例", max_length=2000, blank=True)
    division = models.ForeignKey(
        Division, models.PROTECT, null=True, blank=True, verbose_name="应由哪个处室办理"
    )
    by = models.ForeignKey(Officer, models.PROTECT, verbose_name="复核人")
    at = models.DateTimeField("时间")

    class Meta:
        verbose_name = verbose_name_plural = "规则复核"
        ordering = ["-at"]
        constraints = [
            models.CheckConstraint(
                condition=~models.Q(lesson="case") | (~models.Q(text="") & models.Q(division__isnull=False)),
                name="routing_case_has_text_and_division",
            )
        ]

    def __str__(self):
        return self.get_lesson_display()


class ReplyKind(models.TextChoices):
    """What a reply is to the firm: the first one to a question, or a word about an earlier one."""

    FIRST = "first", "答复"
    CORRECTION = "correction", "更正答复"
    SUPPLEMENT = "supplement", "补充答复"


class Reply(models.Model):
    """答复: written by a division, signed by its head, read by the firm (六（四）). `ReplyVersion` keeps every wording.

    The first reply stands where its 交办 stands (`Assignment.state`). A 更正 or 补充 of a released reply is a row of its
    own, drafted and signed in the same way: what the firm was told before is never changed.
    """

    assignment = models.ForeignKey(Assignment, models.PROTECT, related_name="replies", verbose_name="交办")
    kind = models.CharField("种类", max_length=10, choices=ReplyKind, default=ReplyKind.FIRST)
    body = models.TextField("答复内容", max_length=5000)
    law = models.CharField("政策依据", max_length=300, blank=True)
    # The number of the wording. Numbers go on through all replies to one 交办, so each names one text.
    version = models.PositiveIntegerField("版本", default=1)
    drafted_by = models.ForeignKey(Officer, models.PROTECT, related_name="drafts", verbose_name="拟稿人")
    drafted_at = models.DateTimeField("拟稿时间")
    remark = models.CharField("审签意见", max_length=300, blank=True)
    # These three of a 更正 or 补充 only: for a first reply the 交办 has its term and its state.
    due_on = models.DateField("审签期限", null=True, blank=True)
    submitted_at = models.DateTimeField("送审签时间", null=True, blank=True)
    dropped_at = models.DateTimeField("不再发出的时间", null=True, blank=True)
    signed_by = models.ForeignKey(
        Officer, models.PROTECT, related_name="signed", null=True, blank=True, verbose_name="审签人"
    )
    signed_at = models.DateTimeField("审签时间", null=True, blank=True)
    # Why one person drafted and signed. The bureau reads it, the firm does not.
    one_person_note = models.CharField("一人办理说明", max_length=120, blank=True)

    class Meta:
        verbose_name = verbose_name_plural = "答复"
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["assignment"], condition=models.Q(kind="first"), name="one_first_reply_an_assignment"
            ),
            # Also the index by which desk and reminders find the 更正 and 补充 in hand: few, among all replies.
            models.UniqueConstraint(
                fields=["assignment"],
                condition=models.Q(signed_at=None, dropped_at=None),
                name="one_reply_in_hand_an_assignment",
            ),
            models.CheckConstraint(
                condition=models.Q(signed_by=None)
                | ~models.Q(signed_by=models.F("drafted_by"))
                | ~models.Q(one_person_note=""),
                name="reply_of_one_person_says_so",
            ),
        ]

    def __str__(self):
        return f"{self.get_kind_display()}（第{self.version}稿）"

    @property
    def is_in_hand(self) -> bool:
        """Whether it is neither signed nor dropped."""
        return self.signed_at is None and self.dropped_at is None

    @property
    def is_revision(self) -> bool:
        """Whether it corrects or supplements an earlier reply."""
        return self.kind != ReplyKind.FIRST


class ReplyVersion(models.Model):
    """One saved wording of a reply."""

    reply = models.ForeignKey(Reply, models.PROTECT, related_name="versions", verbose_name="答复")
    number = models.PositiveIntegerField("稿次")
    body = models.TextField("答复内容")
    law = models.CharField("政策依据", max_length=300, blank=True)
    by = models.ForeignKey(Officer, models.PROTECT, verbose_name="拟稿人")
    at = models.DateTimeField("时间")

    class Meta:
        verbose_name = verbose_name_plural = "答复历次稿"
        ordering = ["-number"]
        constraints = [
            models.UniqueConstraint(fields=["reply", "number"], name="reply_wording_numbered_once")
        ]

    def __str__(self):
        return f"第{self.number}稿"


class Sitting(models.Model):
    """现场安排: time and table of a seat. Frozen the day before, so that the printed timetable stays true: a seat that goes to
    another firm keeps its time (六（五）)."""

    seat = models.OneToOneField(Seat, models.PROTECT, related_name="sitting", verbose_name="名额")
    turn = models.PositiveSmallIntegerField("场次")
    table = models.PositiveSmallIntegerField("桌次")
    minutes = models.PositiveSmallIntegerField("每家分钟数")

    class Meta:
        verbose_name = verbose_name_plural = "现场安排"
        ordering = ["turn", "table"]

    def __str__(self):
        return f"第{self.turn + 1}场{self.table}号桌"


class Outcome(models.TextChoices):
    """How the consultation of a firm ended (六（五）（六）)."""

    SOLVED = "solved", "现场解决"
    FOLLOW = "follow", "需跟踪督办"
    ABSENT = "absent", "未到场"


class Hearing(models.Model):
    """现场咨询结果: one row for each seated firm on the day."""

    appointment = models.OneToOneField(
        Appointment, models.PROTECT, related_name="hearing", verbose_name="预约登记"
    )
    day = models.ForeignKey(ConsultDay, models.PROTECT, related_name="hearings", verbose_name="咨询日")
    checked_in_at = models.DateTimeField("签到时间", null=True, blank=True)
    outcome = models.CharField("现场结果", max_length=10, choices=Outcome, blank=True)
    gist = models.TextField("现场答复要点", max_length=1000, blank=True)
    by = models.ForeignKey(Officer, models.PROTECT, verbose_name="记录人")
    at = models.DateTimeField("记录时间")

    class Meta:
        verbose_name = verbose_name_plural = "现场咨询结果"

    def __str__(self):
        return self.get_outcome_display() or "已签到"


class FollowUp(models.Model):
    """跟踪督办: a promise to a firm that is not fulfilled yet (六（六）)."""

    class Origin(models.TextChoices):
        DAY = "day", "现场未解决"
        FIRM = "firm", "企业反馈未解决"
        RATING = "rating", "差评回访"

    appointment = models.ForeignKey(
        Appointment, models.PROTECT, related_name="follow_ups", verbose_name="预约登记"
    )
    division = models.ForeignKey(Division, models.PROTECT, verbose_name="责任处室")
    origin = models.CharField("来源", max_length=10, choices=Origin)
    promise = models.TextField("督办事项", max_length=500)
    due_on = models.DateField("办理期限")
    opened_by = models.ForeignKey(
        Officer, models.PROTECT, null=True, blank=True, related_name="+", verbose_name="立项人"
    )
    opened_at = models.DateTimeField("立项时间")
    closed_by = models.ForeignKey(
        Officer, models.PROTECT, null=True, blank=True, related_name="+", verbose_name="办结人"
    )
    closed_at = models.DateTimeField("办结时间", null=True, blank=True)
    result = models.TextField("办理结果", max_length=1000, blank=True)

    class Meta:
        verbose_name = verbose_name_plural = "跟踪督办"
        ordering = ["due_on", "pk"]
        indexes = [
            # the desk and follow_up.remind: open ones by term
            models.Index(fields=["division", "closed_at", "due_on"], name="open_follow_ups")
        ]

    def __str__(self):
        return f"{self.division} {self.due_on:%Y-%m-%d}"


class FollowUpPost(models.Model):
    """进展: progress of a follow-up, read by 综合处 and 办公室, and by the firm where `to_firm`."""

    follow_up = models.ForeignKey(FollowUp, models.PROTECT, related_name="posts", verbose_name="跟踪督办")
    text = models.TextField("进展情况", max_length=1000)
    to_firm = models.BooleanField("同时告知企业", default=False)
    by = models.ForeignKey(Officer, models.PROTECT, verbose_name="填写人")
    at = models.DateTimeField("时间")

    class Meta:
        verbose_name = verbose_name_plural = "督办进展"
        ordering = ["at"]

    def __str__(self):
        return f"{self.at:%Y-%m-%d}"
