"""Counters of requests, without the address of the visitor."""

from django.db import models


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
