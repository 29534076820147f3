from django.apps import AppConfig


class WebConfig(AppConfig):
    name = "zhoushan_consult.web"
    label = "web"
    verbose_name = "网站"
