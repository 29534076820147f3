"""How often something was done of late, without saying by whom."""

from django.db import models


class Hit(models.Model):
    """How many came in one window of time. The bucket is a keyed hash: no address can be read from it."""

    bucket = models.CharField("对象", max_length=64)
    window_start = models.DateTimeField("起始时间")
    count = models.PositiveIntegerField("次数", default=0)

    class Meta:
        verbose_name = verbose_name_plural = "访问计数"
        constraints = [models.UniqueConstraint(fields=["bucket", "window_start"], name="one_count_a_window")]
        indexes = [models.Index(fields=["window_start"], name="purge_finds_the_old")]

    def __str__(self):
        return f"{self.bucket[:8]} {self.count}"
