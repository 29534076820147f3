"""The days that 科监处 enters when 国务院办公厅 has announced a year that chinesecalendar does not know yet."""

from django.db import models


class WorkdayOverride(models.Model):
    """One date that is worked although the calendar says it is off, or the reverse."""

    date = models.DateField("日期")
    works = models.BooleanField("当天安排", choices=[(False, "放假"), (True, "上班")], default=False)
    note = models.CharField("说明", max_length=100, blank=True, help_text="例如：春节调休。")

    class Meta:
        verbose_name = "工作日调整"
        verbose_name_plural = "工作日调整"
        ordering = ["date"]
        constraints = [
            # Two rows for a date could contradict each other.
            models.UniqueConstraint(
                fields=["date"],
                name="workday_override_once_a_date",
                violation_error_message="这一天已经有一条调整，请直接修改那一条。",
            )
        ]

    def __str__(self) -> str:
        return f"{self.date.year}年{self.date.month}月{self.date.day}日 {self.get_works_display()}"
