"""The admin site of the bureau: Chinese, ours, and open to officers with a role there."""

from django.contrib.admin import AdminSite
from django.contrib.admin.apps import AdminConfig


class BureauAdminConfig(AdminConfig):
    default_site = "zhoushan_consult.bureau.site.BureauAdminSite"
    verbose_name = "管理后台"


class BureauAdminSite(AdminSite):
    site_title = "企业环保咨询日"
    site_header = "企业环保咨询日 · 工作台"
    index_title = "待办事项"
    site_url = "/"
    empty_value_display = "—"
