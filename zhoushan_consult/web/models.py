"""Counters of requests, without the address of the visitor; and drafts, sealed."""

from django.db import models

from zhoushan_consult.vault.fields import SealedField


class Hit(models.Model):
    """The number of requests in one window of time. `bucket` is a keyed hash, from which no address can be read."""

    bucket = models.CharField("对象", max_length=64)
    window_start = models.DateTimeField("起始时间")
    count = models.PositiveIntegerField("次数", default=0)

    class Meta:
        verbose_name = verbose_name_plural = "访问计数"
        # The target of ON CONFLICT in throttle._count: two requests at the same time must not get two rows.
        constraints = [models.UniqueConstraint(fields=["bucket", "window_start"], name="one_count_a_window")]
        # Read by throttle.purge, once a day.
        indexes = [models.Index(fields=["window_start"], name="purge_finds_the_old")]

    def __str__(self):
        return f"{self.bucket[:8]} {self.count}"


class Draft(models.Model):
    """What one browser has typed into one form and not submitted. `browser` is a keyed hash of its cookie."""

    browser = models.CharField("浏览器", max_length=64)
    form = models.CharField("表单", max_length=60)
    content = SealedField("内容")
    saved_at = models.DateTimeField("暂存时间")

    class Meta:
        verbose_name = verbose_name_plural = "暂存的表单"
        # The target of ON CONFLICT in drafts.keep: typed on, it is still one draft.
        constraints = [
            models.UniqueConstraint(fields=["browser", "form"], name="one_draft_of_a_form_a_browser")
        ]
        # Read by drafts.purge, every ten minutes.
        indexes = [models.Index(fields=["saved_at"], name="purge_finds_old_drafts")]

    def __str__(self):
        return self.form
