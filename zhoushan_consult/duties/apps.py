from django.apps import AppConfig


class DutiesConfig(AppConfig):
    name = "zhoushan_consult.duties"
    label = "duties"
    verbose_name = "定时任务"
