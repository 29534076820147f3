from django.apps import AppConfig


class UpkeepConfig(AppConfig):
    name = "zhoushan_consult.upkeep"
    label = "upkeep"
    verbose_name = "保障维护"
