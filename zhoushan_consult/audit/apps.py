from django.apps import AppConfig


class AuditConfig(AppConfig):
    name = "zhoushan_consult.audit"
    label = "audit"
    verbose_name = "办理留痕"
