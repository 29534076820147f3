from django.apps import AppConfig


class OutboxConfig(AppConfig):
    name = "zhoushan_consult.outbox"
    label = "outbox"
    verbose_name = "通知"

    def ready(self) -> None:
        from . import checks  # noqa: F401, which registers them
