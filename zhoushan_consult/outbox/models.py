"""通知: letters. A letter is written in the transaction of the act that it reports, and sent afterwards."""

from django.apps import apps
from django.db import models
from django.db.models import Q

from zhoushan_consult.bureau.models import Officer
from zhoushan_consult.identity.mask import mask_email, mask_phone
from zhoushan_consult.vault.blind_index import LENGTH
from zhoushan_consult.vault.fields import SealedField


class Channel(models.TextChoices):
    """How a letter reaches its reader. 进度页 and 电话 need no gateway."""

    SMS = "sms", "短信"
    EMAIL = "email", "邮件"
    CALL = "call", "电话"
    PAGE = "page", "进度页"


class State(models.TextChoices):
    """The state of a letter."""

    WAITING = "waiting", "待发送"
    INFLIGHT = "inflight", "发送中"
    SENT = "sent", "已送出"
    RETRY = "retry", "待重发"
    FAILED = "failed", "发送失败"
    CANCELLED = "cancelled", "已取消"


class CallOutcome(models.TextChoices):
    """How a telephone call ended."""

    REACHED = "reached", "已接通并告知"
    NO_ANSWER = "no_answer", "无人接听"
    WRONG_NUMBER = "wrong_number", "号码有误"


# INFLIGHT counts as open: its worker may have died, and after `next_try_at` another worker sends the letter.
OPEN = [State.WAITING, State.RETRY, State.INFLIGHT]


class Notice(models.Model):
    """One letter by one channel. A worker claims it until `next_try_at`; then another worker may take it over."""

    kind = models.CharField("种类", max_length=40)
    channel = models.CharField("方式", max_length=5, choices=Channel)
    about_kind = models.CharField("对象类别", max_length=60)
    about_id = models.CharField("对象编号", max_length=40)
    # 32 hexadecimal digits: see posting.dedupe_key.
    dedupe_key = models.CharField("去重码", max_length=32)
    # The same in the rows of one letter: one for each channel, and the call made instead of an SMS.
    letter = models.CharField("同一封信", max_length=32, blank=True, default="", editable=False)
    # What the author wrote down with it: ids and plain values, from which the text is rendered when the letter leaves.
    params = models.JSONField("依据", default=dict, editable=False)
    to_name = models.CharField("收件人", max_length=100, blank=True)
    to = SealedField("收件号码", blank=True)
    # The encrypted number is different in each row, so only its blind index can be compared.
    to_index = models.CharField("收件号码索引", max_length=LENGTH, blank=True, editable=False)
    subject = models.CharField("标题", max_length=150, blank=True)
    body = SealedField("内容")
    # The iCalendar text attached to an e-mail.
    calendar = SealedField("日历", blank=True)
    state = models.CharField("状态", max_length=9, choices=State, default=State.WAITING)
    created_at = models.DateTimeField("写信时间")
    due_at = models.DateTimeField("应送出时间")
    next_try_at = models.DateTimeField("下次发送时间", null=True, blank=True)
    attempts = models.PositiveSmallIntegerField("发送次数", default=0)
    claimed_by = models.CharField("发送进程", max_length=80, blank=True)
    sent_at = models.DateTimeField("送出时间", null=True, blank=True)
    arrived_at = models.DateTimeField("送达时间", null=True, blank=True)
    # A letter that failed, and with which an officer has decided not to try further (delivery.dismiss).
    dismissed_at = models.DateTimeField("不再处理的时间", null=True, blank=True)
    gateway_id = models.CharField("网关编号", max_length=120, blank=True)
    last_error = models.CharField("情况说明", max_length=200, blank=True)
    outcome = models.CharField("通话结果", max_length=12, choices=CallOutcome, blank=True)
    gist = SealedField("通话内容", blank=True)

    class Meta:
        verbose_name = verbose_name_plural = "通知"
        ordering = ["-created_at", "-pk"]
        # The same act posted twice, by a second click or a repeated duty, is one letter.
        constraints = [models.UniqueConstraint(fields=["dedupe_key"], name="one_notice_a_key")]
        indexes = [
            # Read by delivery._due every few seconds. Letters that were sent are not in it.
            models.Index(
                fields=["channel", "next_try_at"], condition=Q(state__in=OPEN), name="sweep_finds_due"
            ),
            # Read by posting (the progress page and what is told of one matter) and by reaching.ways_of.
            models.Index(fields=["about_kind", "about_id"], name="letters_of_one_matter"),
            # Read by delivery.failed: the first page of 系统管理, and every few minutes the duty of retraction.
            models.Index(fields=["channel"], condition=Q(state=State.FAILED), name="failed_letters"),
            # Read by delivery._is_over_daily_cap, before each SMS.
            models.Index(fields=["to_index", "created_at"], name="daily_cap_of_one_person"),
            # Read by the list in the admin, which is ordered in this way.
            models.Index(fields=["-created_at", "-id"], name="admin_lists_the_latest"),
        ]

    def __str__(self):
        return f"{self.subject or '通知'}（{self.get_channel_display()}）"

    @property
    def text(self) -> str:
        """The text as it was sent; before that, as it was when the letter was written.

        Only its reader, and the person who telephones, may see it.
        """
        return self.body.open()

    @property
    def masked_to(self) -> str:
        """The recipient's number or address, masked for lists."""
        address = self.to.open()
        return mask_email(address) if self.channel == Channel.EMAIL else mask_phone(address)

    def about(self) -> models.Model:
        """The record that the letter is about; the letter itself if that record is gone."""
        # The base manager: a record that the default manager hides is still what the letter is about.
        records = apps.get_model(self.about_kind)._base_manager
        return records.filter(pk=self.about_id).first() or self


class NoticeCall(models.Model):
    """电话通知记录: one attempt to telephone about one letter or several, however it ended. Never changed."""

    notices = models.ManyToManyField(Notice, related_name="calls", verbose_name="通知")
    by = models.ForeignKey(Officer, models.PROTECT, verbose_name="通话人")
    at = models.DateTimeField("通话时间")
    outcome = models.CharField("通话结果", max_length=12, choices=CallOutcome)
    gist = SealedField("通话内容", blank=True)

    class Meta:
        verbose_name = verbose_name_plural = "电话通知记录"
        ordering = ["-at", "-pk"]

    def __str__(self):
        return self.get_outcome_display()
