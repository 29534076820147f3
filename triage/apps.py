from django.apps import AppConfig


class TriageConfig(AppConfig):
    name = "triage"
    verbose_name = "初审交办与督办"
