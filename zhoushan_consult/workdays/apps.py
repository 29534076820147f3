from django.apps import AppConfig


class WorkdaysConfig(AppConfig):
    name = "zhoushan_consult.workdays"
    label = "workdays"
    verbose_name = "工作日"
