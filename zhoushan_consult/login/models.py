"""The second factor of an officer. Its secret is sealed, and of recovery codes only a keyed hash is kept."""

from django.db import models

from zhoushan_consult.bureau.models import Officer
from zhoushan_consult.vault.blind_index import LENGTH
from zhoushan_consult.vault.fields import SealedField


class Authenticator(models.Model):
    """动态口令: the secret that the officer's telephone shares with us (TOTP, RFC 6238)."""

    officer = models.OneToOneField(
        Officer, models.PROTECT, related_name="authenticator", verbose_name="工作人员"
    )
    # Base32.
    key = SealedField("密钥")
    # Steps of 30 seconds since 1970. A code of this step, or of one before it, is not taken again.
    last_step = models.BigIntegerField("上次口令的时段")

    class Meta:
        verbose_name = verbose_name_plural = "动态口令"

    def __str__(self):
        return str(self.officer)


class RecoveryCode(models.Model):
    """备用码: opens the door once, when the telephone is not at hand."""

    officer = models.ForeignKey(
        Officer, models.PROTECT, related_name="recovery_codes", verbose_name="工作人员"
    )
    digest = models.CharField("摘要", max_length=LENGTH, unique=True)
    used_at = models.DateTimeField("使用时间", null=True, blank=True)

    class Meta:
        verbose_name = verbose_name_plural = "备用码"

    def __str__(self):
        return str(self.officer)
