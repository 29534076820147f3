"""The 咨询日 with its plan (六（一）), who receives (二) and its ten 名额 (六（五）)."""

from django.core.validators import MinLengthValidator
from django.db import models
from django.urls import reverse

from zhoushan_consult.bureau.models import Area, Division, Officer

from . import calendar


class Plan(models.TextChoices):
    """Where the 活动方案 stands (六（一）：综合处制定 → 局领导审核同意 → 公布)."""

    DRAFT = "draft", "拟订中"
    SUBMITTED = "submitted", "待审核"
    RETURNED = "returned", "已退回修改"
    PUBLISHED = "published", "已公布"
    CANCELLED = "cancelled", "已取消"


class ConsultDay(models.Model):
    """One 咨询日: the 10th of a month, its plan and its seats."""

    date = models.DateField("日期", unique=True)
    theme = models.CharField("服务主题", max_length=60, blank=True)
    partners = models.CharField("联动单位", max_length=200, blank=True)
    place = models.CharField("服务地点", max_length=120, blank=True)
    note = models.TextField("说明", max_length=1000, blank=True, help_text="随方案公布，如停车、所需资料")
    plan = models.CharField("方案状态", max_length=10, choices=Plan, default=Plan.DRAFT)
    remark = models.CharField("审核意见", max_length=300, blank=True)
    published_at = models.DateTimeField("公布时间", null=True, blank=True)
    settled_at = models.DateTimeField("名单确定时间", null=True, blank=True)
    # Grows with each saved wording: an edit of an older wording is refused (`planning.EditedMeanwhile`).
    version = models.PositiveIntegerField("版本", default=1, editable=False)

    class Meta:
        verbose_name = verbose_name_plural = "活动方案"
        ordering = ["-date"]
        constraints = [
            models.CheckConstraint(
                condition=~models.Q(plan=Plan.PUBLISHED) | ~models.Q(place=""),
                name="published_plan_names_its_place",
            )
        ]

    def __str__(self):
        return f"{self.date.year}年{self.date.month}月企业环保咨询日"

    def get_absolute_url(self):
        return reverse("day", args=[calendar.slug(self.date)])

    @property
    def label(self) -> str:
        return calendar.label(self.date)

    @property
    def short_label(self) -> str:
        return calendar.short(self.date)

    @property
    def is_published(self) -> bool:
        return self.plan == Plan.PUBLISHED

    @property
    def was_published(self) -> bool:
        """Whether 局领导 ever approved the plan. The portal shows nothing of a plan that was never approved."""
        return self.is_published or self.published_at is not None

    @property
    def is_cancelled(self) -> bool:
        return self.plan == Plan.CANCELLED


class Reception(models.Model):
    """Someone who receives firms on the day (二：有关领导、处室负责人、功能区负责人)."""

    day = models.ForeignKey(ConsultDay, models.PROTECT, related_name="receptions", verbose_name="咨询日")
    name = models.CharField("姓名", max_length=30)
    title = models.CharField("职务", max_length=60)
    division = models.ForeignKey(Division, models.PROTECT, null=True, blank=True, verbose_name="处室")
    area = models.ForeignKey(Area, models.PROTECT, null=True, blank=True, verbose_name="县区或功能区")
    order = models.PositiveSmallIntegerField("排序", default=0)
    confirmed_at = models.DateTimeField("确认参加时间", null=True, blank=True)
    declined = models.CharField("不能参加的说明", max_length=200, blank=True)
    recorded_by = models.ForeignKey(
        Officer, models.PROTECT, null=True, blank=True, related_name="+", verbose_name="记录人"
    )

    class Meta:
        verbose_name = verbose_name_plural = "接待人员"
        ordering = ["order", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(confirmed_at__isnull=True) | models.Q(declined=""),
                name="comes_or_does_not_come",
            )
        ]

    def __str__(self):
        return f"{self.name}（{self.title}）"

    @property
    def is_open(self) -> bool:
        """Whether this person has not answered yet."""
        return not self.confirmed_at and not self.declined


class PlanChange(models.Model):
    """方案变更: what was changed in a plan after its publication, and why; the portal shows both."""

    day = models.ForeignKey(ConsultDay, models.PROTECT, related_name="changes", verbose_name="咨询日")
    what = models.TextField("变更内容")
    reason = models.CharField("变更理由", max_length=200)
    by = models.ForeignKey(Officer, models.PROTECT, verbose_name="变更人")
    at = models.DateTimeField("变更时间")

    class Meta:
        verbose_name = verbose_name_plural = "方案变更"
        ordering = ["at", "pk"]

    def __str__(self):
        return self.what


class Seat(models.Model):
    """名额: one of the ten places of a day, made in advance. A firm gets a seat by taking a free row, so an 11th firm has
    no row to be written to (六（五）：不超过10家)."""

    day = models.ForeignKey(ConsultDay, models.PROTECT, related_name="seats", verbose_name="咨询日")
    number = models.PositiveSmallIntegerField("序号")
    uscc = models.CharField(  # noqa: DJ001  unique a day where there is one: many free seats must not clash
        "统一社会信用代码", max_length=18, null=True, blank=True, validators=[MinLengthValidator(18)]
    )
    offered_at = models.DateTimeField("通知时间", null=True, blank=True)
    # Empty until the offer has reached the firm: its time to answer does not run before.
    reply_by = models.DateTimeField("请于此前确认", null=True, blank=True)
    confirmed_at = models.DateTimeField("企业确认时间", null=True, blank=True)
    extra_reason = models.CharField("增加名额的理由", max_length=200, blank=True)

    class Meta:
        verbose_name = verbose_name_plural = "名额"
        ordering = ["day", "number"]
        constraints = [
            models.UniqueConstraint(fields=["day", "number"], name="seat_number_once_a_day"),
            models.UniqueConstraint(fields=["day", "uscc"], name="one_seat_a_firm_a_day"),
            models.CheckConstraint(
                condition=models.Q(uscc__isnull=False) | models.Q(confirmed_at__isnull=True),
                name="only_a_taken_seat_is_confirmed",
            ),
        ]

    def __str__(self):
        return f"{self.number}号名额"
