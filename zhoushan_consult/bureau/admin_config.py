"""The app config of the admin. It is apart from `site`: Django imports it before any model may be imported."""

from django.contrib.admin.apps import AdminConfig


class BureauAdminConfig(AdminConfig):
    default_site = "zhoushan_consult.bureau.site.BureauAdminSite"
    verbose_name = "管理后台"
