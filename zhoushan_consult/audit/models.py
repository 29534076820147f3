"""办理留痕: who did what, to which record, when and from where. Rows are added, never changed or removed."""

from django.db import models

from zhoushan_consult.bureau.models import Officer

from .verbs import Verb


class AppendOnlyError(TypeError):
    """Code tried to change or remove a row of an append-only table."""

    def __init__(self):
        super().__init__("办理留痕只能追加，不能修改或删除。需要更正时，请另行记录一条。")


class AppendOnlyQuerySet(models.QuerySet):
    """Reads and inserts only."""

    def update(self, **changes):
        raise AppendOnlyError

    def delete(self):
        raise AppendOnlyError

    def bulk_update(self, *args, **options):
        raise AppendOnlyError

    def bulk_create(self, objs, *, update_conflicts=False, **options):
        if update_conflicts:  # an "insert" that changes existing rows
            raise AppendOnlyError
        return super().bulk_create(objs, **options)


class AppendOnlyModel(models.Model):
    """A row that is saved once and never again."""

    objects = AppendOnlyQuerySet.as_manager()

    class Meta:
        abstract = True
        # Django itself uses the base manager, for example to refresh a row. It must be append-only too.
        base_manager_name = "objects"

    def save(self, *args, **options):
        if not self._state.adding:
            raise AppendOnlyError
        super().save(*args, **options)

    def delete(self, *args, **options):
        raise AppendOnlyError


class Entry(AppendOnlyModel):
    """One act, written and signed by `trail.record`. `stamp` is a salt and a MAC: it cannot be made without the key."""

    verb = models.CharField("事项", max_length=40, choices=Verb)
    about_kind = models.CharField("对象类别", max_length=60)
    about_id = models.CharField("对象编号", max_length=40)
    actor = models.ForeignKey(
        Officer, models.PROTECT, null=True, blank=True, related_name="+", verbose_name="工作人员"
    )
    actor_name = models.CharField("当时姓名", max_length=30, blank=True, help_text="企业或系统办理的为空")
    at = models.DateTimeField("时间")
    origin = models.CharField("来源", max_length=60, blank=True)
    facts = models.JSONField("要点", default=dict, blank=True)
    stamp = models.CharField("印记", max_length=80, editable=False)

    class Meta(AppendOnlyModel.Meta):
        verbose_name = verbose_name_plural = "办理留痕"
        ordering = ["pk"]
        indexes = [
            # Read by trail.about: the history on each record's page.
            models.Index(fields=["about_kind", "about_id"], name="trail_of_one_matter"),
            # No page reads it. It is for an inspection by hand: who saw ID numbers (查看证件号码) in the last year.
            models.Index(fields=["verb", "-at"], name="trail_of_one_kind_of_act"),
        ]
        # An entry that is copied in the database has a valid MAC, but the same stamp.
        constraints = [models.UniqueConstraint(fields=["stamp"], name="one_entry_a_stamp")]

    def __str__(self):
        return f"{self.get_verb_display()} {self.actor_name}".strip()


class Seal(AppendOnlyModel):
    """The entries that existed at one sealing, and the MAC that links them to all seals before."""

    number = models.PositiveIntegerField("序号")
    at = models.DateTimeField("封存时间")
    members = models.TextField("留痕编号", help_text="如 1-57,60")
    last_entry = models.BigIntegerField("最大编号")
    content = models.CharField("内容码", max_length=64, help_text="由所封存留痕的编号和印记算出")
    mac = models.CharField("校验码", max_length=64, help_text="由本次封存和上一次封存的校验码算出")

    class Meta(AppendOnlyModel.Meta):
        verbose_name = verbose_name_plural = "留痕封存"
        ordering = ["number"]
        # Two workers that seal at the same time would split the chain.
        constraints = [models.UniqueConstraint(fields=["number"], name="one_seal_a_number")]

    def __str__(self):
        return f"第{self.number}次封存"

    @property
    def receipt(self) -> str:
        """To be kept outside the database: it proves later that the end of the chain was not cut off."""
        return f"{self.number}:{self.mac}"
