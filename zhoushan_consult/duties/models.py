"""The rows of scheduled duties: which were due, which ran, which failed and which never ran."""

from django.db import models

from .kinds import kinds


class State(models.TextChoices):
    """The state of a duty."""

    DUE = "due", "待执行"
    RUNNING = "running", "执行中"
    DONE = "done", "已完成"
    FAILED = "failed", "失败待重试"
    MISSED = "missed", "错过未执行"
    WAIVED = "waived", "不再补做"


# RUNNING counts as open: its worker may have died, and after `next_try_at` another worker takes the duty over.
OPEN = [State.DUE, State.RUNNING, State.FAILED]
NEEDS_ATTENTION = [State.FAILED, State.MISSED]


class Duty(models.Model):
    """One duty at one due time. A worker claims it until `next_try_at`; then another worker may take it over."""

    kind = models.CharField("任务", max_length=40)
    about = models.CharField("期次", max_length=40, blank=True)
    due_at = models.DateTimeField("应执行时间")
    state = models.CharField("状态", max_length=8, choices=State, default=State.DUE)
    next_try_at = models.DateTimeField("下次执行时间", null=True, blank=True)
    attempts = models.PositiveSmallIntegerField("执行次数", default=0)
    started_at = models.DateTimeField("开始时间", null=True, blank=True)
    finished_at = models.DateTimeField("结束时间", null=True, blank=True)
    took = models.DurationField("用时", null=True, blank=True)
    # Set by runner.retry. From then on `useful_for` counts from here.
    asked_at = models.DateTimeField("要求再次执行的时间", null=True, blank=True)
    # None while it has not run; 0 if there was nothing to do.
    rows = models.PositiveIntegerField("处理条数", null=True, blank=True)
    last_error = models.CharField("失败原因", max_length=200, blank=True)

    class Meta:
        verbose_name = verbose_name_plural = "定时任务"
        ordering = ["-due_at", "kind"]
        # Two beats or workers that write down the same due time get one row.
        constraints = [models.UniqueConstraint(fields=["kind", "about", "due_at"], name="one_duty_a_moment")]
        indexes = [
            # Read by runner._create_due_rows (the last known due time) and by the schedule in duties/admin.py.
            models.Index(fields=["kind", "-due_at"], name="latest_of_a_kind"),
            # Read by runner._due and runner._mark_missed, once a minute. Rows that are done are not in it.
            models.Index(
                fields=["next_try_at"], condition=models.Q(state__in=OPEN), name="rounds_find_what_is_due"
            ),
        ]

    def __str__(self):
        return f"{self.label} {self.about}".strip()

    @property
    def label(self) -> str:
        return next((kind.label for kind in kinds() if kind.name == self.kind), "已停用的任务")

    @property
    def is_scheduled(self) -> bool:
        """Whether settings.DUTIES still names its kind."""
        return any(kind.name == self.kind for kind in kinds())

    @property
    def needs_attention(self) -> bool:
        """Whether a person should look at it: it failed, or it did not run in time."""
        return self.state in NEEDS_ATTENTION

    @property
    def seconds(self) -> str:
        """How long the last run took, as people read it: "0.3 秒"."""
        return f"{self.took.total_seconds():.1f} 秒" if self.took is not None else "—"


class Heartbeat(models.Model):
    """One row: when the runner last finished, and when its last interruption began and ended."""

    at = models.DateTimeField("最近巡查")
    silent_from = models.DateTimeField("上次中断时间", null=True, blank=True)
    silent_until = models.DateTimeField("上次恢复时间", null=True, blank=True)

    class Meta:
        verbose_name = verbose_name_plural = "巡查"

    def __str__(self):
        return f"{self.at}"
