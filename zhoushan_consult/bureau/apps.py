"""The bureau: its divisions, its officers and what each may do."""

from django.apps import AppConfig


class BureauConfig(AppConfig):
    name = "zhoushan_consult.bureau"
    label = "bureau"
    verbose_name = "机构与人员"
