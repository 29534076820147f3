"""Divisions, counties and zones, and the officers who work in them (实施方案 二, 七（二）)."""

from django.contrib.auth.models import AbstractUser, UserManager
from django.core.exceptions import PermissionDenied
from django.db import models
from django.utils import timezone
from django.utils.functional import cached_property

from .roles import Act, Role, acts_of, roles_that_may


class NotAllowed(PermissionDenied):
    """An officer asked for an act that none of their roles allows."""

    def __init__(self, act: Act):
        super().__init__(f"您的岗位不能进行“{act}”。如工作需要，请联系科监处调整权限。")


class Division(models.Model):
    """处室. It answers the questions that 实施方案 五（一） assigns to it."""

    code = models.SlugField("代码", max_length=20, unique=True)
    name = models.CharField("名称", max_length=20, unique=True)
    duty = models.CharField("职责", max_length=200, help_text="按实施方案五（一），企业在进度页会看到")
    order = models.PositiveSmallIntegerField("排序", default=0)

    class Meta:
        verbose_name = verbose_name_plural = "处室"
        ordering = ["order"]

    def __str__(self):
        return self.name


class Area(models.Model):
    """县（区）or 功能区 where a firm is located. Officers of the area may read its registrations."""

    class Kind(models.TextChoices):
        COUNTY = "county", "县（区）"
        ZONE = "zone", "功能区"

    code = models.SlugField("代码", max_length=20, unique=True)
    name = models.CharField("名称", max_length=30, unique=True)
    kind = models.CharField("类别", max_length=10, choices=Kind)
    order = models.PositiveSmallIntegerField("排序", default=0)

    class Meta:
        verbose_name = verbose_name_plural = "县区和功能区"
        ordering = ["order"]

    def __str__(self):
        return self.name


class OfficerManager(UserManager["Officer"]):
    """Finds officers by role."""

    def with_role(self, role: Role, division: Division | None = None):
        """The active officers who have `role`, in `division` if one is given."""
        officers = self.filter(is_active=True, groups__name=role)
        return officers.filter(division=division) if division else officers

    def who_may(self, act: Act, division: Division | None = None):
        """The active officers of whom a role allows `act`, in `division` if one is given."""
        officers = self.filter(is_active=True, groups__name__in=roles_that_may(act)).distinct()
        return officers.filter(division=division) if division else officers

    def get(self, *args, **kwargs) -> "Officer":
        """One officer, with division and area: every page of staff shows where its reader works, so the login reads both."""
        return self.select_related("division", "area").get(*args, **kwargs)


class Officer(AbstractUser):
    """工作人员. What an officer may do follows from their roles alone."""

    # Chinese names are not split into first and last name.
    first_name = last_name = None
    name = models.CharField("姓名", max_length=30)
    division = models.ForeignKey(Division, models.PROTECT, null=True, blank=True, verbose_name="处室")
    # The county or zone whose registrations the officer may read. Empty for officers of the bureau itself.
    area = models.ForeignKey(Area, models.PROTECT, null=True, blank=True, verbose_name="县区或功能区")
    phone = models.CharField("手机", max_length=20, blank=True, help_text="接收工作提醒")
    # Empty: the password has no term. The made-up officers of the demonstration have none.
    password_set_at = models.DateTimeField(
        "密码设定时间", null=True, blank=True, editable=False, default=timezone.now
    )
    # 系统管理 has read this password. It opens only the page on which it is changed.
    password_is_first = models.BooleanField("初始密码", editable=False, default=False)
    # Empty: none is bound. A session notes this instant, so a factor that is bound again ends it (`login.steps`).
    second_factor_at = models.DateTimeField("绑定动态口令时间", null=True, blank=True, editable=False)

    objects = OfficerManager()
    REQUIRED_FIELDS = ["name", "email"]

    class Meta:
        verbose_name = verbose_name_plural = "工作人员"
        ordering = ["division__order", "username"]

    def __str__(self):
        return f"{self.name}（{self.division}）" if self.division_id else self.name

    def get_full_name(self):
        return self.name

    def get_short_name(self):
        return self.name

    @cached_property
    def roles(self) -> frozenset[str]:
        """The names of the officer's roles. Cached: one request makes one query."""
        return frozenset(self.groups.values_list("name", flat=True))

    @cached_property
    def acts(self) -> frozenset[Act]:
        return acts_of(self.roles)

    def may(self, act: Act) -> bool:
        """Whether one of the officer's roles allows `act`."""
        return self.is_active and (self.is_superuser or act in self.acts)

    def must(self, act: Act) -> None:
        """Raises NotAllowed unless one of the officer's roles allows `act`."""
        if not self.may(act):
            raise NotAllowed(act)


class PastPassword(models.Model):
    """A password that an officer had before, as its hash: it may not be taken again (等保 8.1.4.1)."""

    officer = models.ForeignKey(
        Officer, models.PROTECT, related_name="past_passwords", verbose_name="工作人员"
    )
    password = models.CharField("密码摘要", max_length=128)
    replaced_at = models.DateTimeField("更换时间")

    class Meta:
        verbose_name = verbose_name_plural = "用过的密码"
        ordering = ["-replaced_at", "-pk"]

    def __str__(self):
        return str(self.officer)
