"""预约登记 (附件2), its moves and its rating; 公开答复."""

from datetime import date, datetime

from django.core.validators import RegexValidator
from django.db import models
from django.urls import reverse
from phonenumber_field.modelfields import PhoneNumberField

from sessions_app.models import ConsultDay, Seat
from zhoushan_consult.audit.trail import record
from zhoushan_consult.audit.verbs import Verb
from zhoushan_consult.bureau.models import Area, Division, Officer
from zhoushan_consult.bureau.refusals import Refused
from zhoushan_consult.identity.mask import mask_id, mask_phone
from zhoushan_consult.identity.resident_id import IdType
from zhoushan_consult.vault.fields import SealedField

from . import upper_floor
from .lifecycle import ENDED, LIVE, Stage, allowed
from .situation import HANDLED_ALREADY
from .topics import TopicChoice


class IllegalMove(Refused):
    def __init__(self, text: str = HANDLED_ALREADY):
        super().__init__(text)


class Channel(models.TextChoices):
    """How the registration came in."""

    ONLINE = "online", "网上预约"
    PHONE = "phone", "电话代录"
    VISIT = "visit", "走访代录"


class AppointmentQuerySet(models.QuerySet):
    def live(self):
        return self.filter(stage__in=LIVE)

    def on(self, day: ConsultDay):
        return self.filter(day=day)

    def live_of(self, uscc: str, day: date) -> "Appointment | None":
        """The live registration of this firm for `day`; there is one at most."""
        return self.live().filter(uscc=uscc, day__date=day).select_related("day").first()


class Appointment(models.Model):
    """预约登记: one firm's questions for one 咨询日 (附件2). Its stage moves only by `move_to`."""

    reference = models.CharField("受理编号", max_length=20, unique=True)
    receipt_token = models.CharField("回执链接", max_length=43, unique=True, editable=False)
    form_key = models.CharField("表单编号", max_length=43, unique=True, editable=False)
    form_digest = models.CharField("表单内容摘要", max_length=64, editable=False)

    day = models.ForeignKey(ConsultDay, models.PROTECT, related_name="appointments", verbose_name="咨询日")
    seat = models.OneToOneField(Seat, models.PROTECT, null=True, blank=True, verbose_name="名额")
    stage = models.CharField("办理阶段", max_length=10, choices=Stage, default=Stage.SUBMITTED)

    enterprise_name = models.CharField("企业名称", max_length=100)
    uscc = models.CharField("统一社会信用代码", max_length=18)
    address = models.CharField("通信地址", max_length=150, blank=True)
    postcode = models.CharField(
        "邮政编码",
        max_length=6,
        blank=True,
        validators=[RegexValidator(r"^[0-9]{6}$", "邮政编码是 6 位数字，如 316021。")],
    )
    contact_name = models.CharField("姓名", max_length=100)
    id_type = models.CharField("证件类型", max_length=10, choices=IdType, default=IdType.RESIDENT)
    id_number = SealedField("身份证号码")
    id_index = models.CharField("证件索引", max_length=64, editable=False)
    phone = PhoneNumberField("联系电话", max_length=40)
    email = models.EmailField("电子邮箱", max_length=120, blank=True)
    area = models.ForeignKey(Area, models.PROTECT, null=True, blank=True, verbose_name="县区或功能区")
    topics = models.JSONField("事项类别", default=list, blank=True)
    summary = models.TextField("咨询事项或问题需求概述", max_length=2000)
    wants_onsite = models.BooleanField(
        "咨询方式", default=True, choices=[(True, "现场咨询"), (False, "书面答复")]
    )

    channel = models.CharField("来源", max_length=10, choices=Channel, default=Channel.ONLINE)
    entered_by = models.ForeignKey(Officer, models.PROTECT, null=True, blank=True, verbose_name="代录人")
    entry_reason = models.CharField("代录或补录理由", max_length=200, blank=True)
    consented_at = models.DateTimeField("同意个人信息告知的时间")
    submitted_at = models.DateTimeField("提交时间")
    amended_at = models.DateTimeField("修改时间", null=True, blank=True)
    # Grows when the firm amends: a decision on an older text is refused (`review.ChangedMeanwhile`).
    version = models.PositiveIntegerField("版本", default=1, editable=False)
    # Written by `triage.work.update_firm_page`, for lists and papers that may not read the rows of the floor above.
    handled_by = models.CharField("办理处室", max_length=60, blank=True)
    reply_due_on = models.DateField("答复期限", null=True, blank=True)
    priority_since = models.DateTimeField("优先资格取得时间", null=True, blank=True)
    # The firm's own registration for a later day, which has the priority now. If that one ends unused, it comes back.
    handed_to = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="handed_from", verbose_name="优先资格转到"
    )
    closed_at = models.DateTimeField("办结时间", null=True, blank=True)

    objects = AppointmentQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "预约登记"
        ordering = ["-submitted_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["day", "uscc"],
                condition=models.Q(stage__in=sorted(LIVE)),
                name="one_live_booking_a_firm_a_day",
            ),
            models.CheckConstraint(
                condition=~models.Q(stage=Stage.SEATED) | models.Q(seat__isnull=False),
                name="seated_firm_holds_a_seat",
            ),
        ]
        indexes = [
            # triage.worklists.to_review and the admin list by stage
            models.Index(fields=["stage", "submitted_at"], name="worklist_by_stage"),
            # waiting_list.waiting, seating.settle, reminders: the firms of one day by stage
            models.Index(fields=["day", "stage"], name="list_of_a_day"),
            # the registration screen: earlier registrations of the firm
            models.Index(fields=["uscc", "-submitted_at"], name="earlier_of_the_firm"),
            # the registration screen and search: other registrations of the same person
            models.Index(fields=["id_index"], name="same_person"),
            # booking: receipts of the day to one telephone or mailbox
            models.Index(fields=["phone", "submitted_at"], name="bookings_of_a_phone"),
            models.Index(fields=["email", "submitted_at"], name="bookings_of_a_mailbox"),
        ]

    def __str__(self):
        return f"{self.reference} {self.enterprise_name}"

    @property
    def topic_labels(self) -> list[str]:
        return [TopicChoice(code).label for code in self.topics]

    @property
    def phone_number(self) -> str:
        """The phone in canonical writing, "+86…" or "+86…;ext=8001", as `identity.phone` reads it."""
        extension = self.phone.extension
        return f"{self.phone.as_e164};ext={extension}" if extension else self.phone.as_e164

    @property
    def masked_phone(self) -> str:
        return mask_phone(self.phone_number)

    @property
    def masked_id(self) -> str:
        return mask_id(self.id_number.open())

    def move_to(
        self,
        stage: Stage,
        note: str = "",
        *,
        by: Officer | None,
        at: datetime,
        facts: dict | None = None,
        **changes,
    ) -> None:
        """The only way to change a stage: a conditional UPDATE against the table in `lifecycle`, with a StageMove and an entry.

        `changes` are columns that change with it, `facts` what the audit entry keeps in addition. A registration that ends takes
        its work with it, here, so that no act can forget it. Call it inside the transaction of the act. Raises IllegalMove
        where the table has no such move, or another request moved it first.
        """
        here = Stage(self.stage)
        if not allowed(here, stage):
            raise IllegalMove
        if stage == Stage.CLOSED:
            changes["closed_at"] = at
        if not Appointment.objects.filter(pk=self.pk, stage=here).update(stage=stage, **changes):
            raise IllegalMove
        StageMove.objects.create(appointment=self, old=here, new=stage, note=note, by=by, at=at)
        record(Verb.of_stage(stage), self, by=by, at=at, old=here, **(facts or {}))
        self.stage = stage
        for name, value in changes.items():
            setattr(self, name, value)
        if stage in ENDED:
            upper_floor.end_work(self, by=by, at=at)


class StageMove(models.Model):
    """One move of a registration: the firm's timeline is made of these."""

    appointment = models.ForeignKey(
        Appointment, models.PROTECT, related_name="moves", verbose_name="预约登记"
    )
    old = models.CharField("原阶段", max_length=10, choices=Stage, blank=True)
    new = models.CharField("新阶段", max_length=10, choices=Stage)
    note = models.CharField("说明", max_length=300, blank=True, help_text="企业在进度页能看到")
    by = models.ForeignKey(Officer, models.PROTECT, null=True, blank=True, verbose_name="办理人")
    at = models.DateTimeField("时间")

    class Meta:
        verbose_name = verbose_name_plural = "办理记录"
        ordering = ["at", "pk"]

    def __str__(self):
        return f"{self.get_new_display()}"

    @property
    def heading(self) -> str:
        """What the firm reads first. A registration that stays at its stage, or comes back to it, has not passed it once more:
        the note says what happened."""
        passed = self.new != self.old and (self.new != Stage.ACCEPTED or self.old == Stage.SUBMITTED)
        return self.get_new_display() if passed or not self.note else self.note


class ContactCorrection(models.Model):
    """更正联系方式: who corrected how a firm is reached, when and why. The values stand in the registration alone."""

    appointment = models.ForeignKey(
        Appointment, models.PROTECT, related_name="contact_corrections", verbose_name="预约登记"
    )
    # Names of columns of Appointment, with commas between them.
    columns = models.CharField("更正的栏目", max_length=80)
    reason = models.CharField("理由", max_length=200, blank=True)
    by = models.ForeignKey(
        Officer, models.PROTECT, null=True, blank=True, verbose_name="更正人", help_text="空：企业自己更正"
    )
    at = models.DateTimeField("更正时间")

    class Meta:
        verbose_name = verbose_name_plural = "更正联系方式"
        ordering = ["-at", "-pk"]

    def __str__(self):
        return "、".join(self.labels)

    @property
    def changed(self) -> list[str]:
        return self.columns.split(",")

    @property
    def labels(self) -> list[str]:
        """What was corrected, as the form calls it."""
        return [str(Appointment._meta.get_field(name).verbose_name) for name in self.changed]

    @property
    def moves_letters(self) -> bool:
        """Whether letters go to another address from now on."""
        return not {"phone", "email"}.isdisjoint(self.changed)


class Supplement(models.Model):
    """补充问题: what a firm asks in addition after its registration was accepted, until the list of its day is settled."""

    appointment = models.ForeignKey(
        Appointment, models.PROTECT, related_name="supplements", verbose_name="预约登记"
    )
    text = models.TextField("补充问题", max_length=1000)
    at = models.DateTimeField("提交时间")
    # Set when 综合处 has given it to a division, or has noted that it is part of a 交办 already.
    handled_at = models.DateTimeField("处理时间", null=True, blank=True)
    handled_by = models.ForeignKey(
        Officer, models.PROTECT, null=True, blank=True, related_name="+", verbose_name="处理人"
    )

    class Meta:
        verbose_name = verbose_name_plural = "补充问题"
        ordering = ["at", "pk"]

    def __str__(self):
        return self.text


class Verdict(models.TextChoices):
    """The result of looking into an objection."""

    VOID = "void", "不是该企业的登记，已作废"
    KEPT = "kept", "是该企业的登记，继续办理"


class Objection(models.Model):
    """登记异议: a firm says that a live registration under its credit code is not its own. Codes are public."""

    appointment = models.ForeignKey(
        Appointment, models.PROTECT, related_name="objections", verbose_name="预约登记"
    )
    contact_name = SealedField("联系人")
    phone = SealedField("联系电话")
    text = models.TextField("说明", max_length=500, blank=True)
    at = models.DateTimeField("提出时间")
    verdict = models.CharField("核实结果", max_length=5, choices=Verdict, blank=True)
    gist = models.TextField("核实经过", max_length=500, blank=True)
    decided_by = models.ForeignKey(
        Officer, models.PROTECT, null=True, blank=True, related_name="+", verbose_name="核实人"
    )
    decided_at = models.DateTimeField("核实时间", null=True, blank=True)

    class Meta:
        verbose_name = verbose_name_plural = "登记异议"
        ordering = ["at", "pk"]

    def __str__(self):
        return "登记异议"


class Grade(models.IntegerChoices):
    """好差评 in its fixed order, none chosen beforehand."""

    VERY_GOOD = 5, "非常满意"
    GOOD = 4, "满意"
    FAIR = 3, "基本满意"
    POOR = 2, "不满意"
    VERY_POOR = 1, "非常不满意"


class Rating(models.Model):
    """好差评: what the firm thought of the service, once per registration."""

    appointment = models.OneToOneField(
        Appointment, models.PROTECT, related_name="rating", verbose_name="预约登记"
    )
    grade = models.PositiveSmallIntegerField("评价", choices=Grade)
    remark = models.TextField("意见建议", max_length=500, blank=True)
    at = models.DateTimeField("评价时间")

    class Meta:
        verbose_name = verbose_name_plural = "好差评"
        ordering = ["-at"]

    def __str__(self):
        return self.get_grade_display()


class Publicity(models.TextChoices):
    """Where a 公开答复 stands."""

    DRAFT = "draft", "拟公开"
    PUBLISHED = "published", "已公开"
    WITHDRAWN = "withdrawn", "已撤回"
    SUPERSEDED = "superseded", "已更新"
    DROPPED = "dropped", "不公开"


class PublishedAnswer(models.Model):
    """公开答复: an anonymous question and its answer, for every firm to read (五（二）). Changed only by `answers`."""

    question = models.TextField("问题", max_length=300)
    answer = models.TextField("答复", max_length=3000)
    law = models.CharField("政策依据", max_length=300)
    division = models.ForeignKey(Division, models.PROTECT, verbose_name="答复处室")
    topic = models.CharField("事项类别", max_length=20, choices=TopicChoice)
    state = models.CharField("状态", max_length=12, choices=Publicity, default=Publicity.DRAFT)
    source = models.ForeignKey(
        Appointment, models.PROTECT, null=True, blank=True, related_name="published", verbose_name="来源登记"
    )
    replaces = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="replacements", verbose_name="替换的答复"
    )
    # Grows with each change: an act on an older version is refused.
    version = models.PositiveIntegerField("版本", default=1, editable=False)
    remark = models.CharField("退改或撤回理由", max_length=200, blank=True)
    drafted_by = models.ForeignKey(Officer, models.PROTECT, related_name="+", verbose_name="拟稿人")
    approved_by = models.ForeignKey(
        Officer, models.PROTECT, null=True, blank=True, related_name="+", verbose_name="审核人"
    )
    published_at = models.DateTimeField("公开时间", null=True, blank=True)
    ended_at = models.DateTimeField("撤回或更新时间", null=True, blank=True)
    changed_at = models.DateTimeField("最近变动时间")

    class Meta:
        verbose_name = verbose_name_plural = "公开答复"
        ordering = ["-published_at", "-pk"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(published_at__isnull=True)
                | (models.Q(approved_by__isnull=False) & ~models.Q(approved_by=models.F("drafted_by"))),
                name="published_answer_seen_by_two",
            ),
            models.CheckConstraint(
                condition=models.Q(state__in=["draft", "dropped"]) | models.Q(published_at__isnull=False),
                name="public_answer_has_its_date",
            ),
            models.CheckConstraint(
                condition=~models.Q(state__in=["withdrawn", "superseded"]) | models.Q(ended_at__isnull=False),
                name="ended_answer_has_its_date",
            ),
        ]
        indexes = [
            # /answers/ and the check page: what is published, newest first
            models.Index(fields=["state", "-published_at"], name="answers_in_public"),
            # the edition of the search index (Max) and the admin list
            models.Index(fields=["changed_at"], name="answers_by_change"),
        ]

    def __str__(self):
        return self.question

    def get_absolute_url(self) -> str:
        return reverse("answer", args=[self.pk])

    @property
    def successor(self) -> "PublishedAnswer | None":
        """The published answer that replaces this one."""
        return self.replacements.filter(state=Publicity.PUBLISHED).first()
