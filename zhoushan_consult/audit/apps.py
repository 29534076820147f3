from django.apps import AppConfig


class AuditConfig(AppConfig):
    """Refuses to start without its key: an act that cannot be recorded must not be done."""

    name = "zhoushan_consult.audit"
    label = "audit"
    verbose_name = "办理留痕"

    def ready(self) -> None:
        from .mac import load_key

        load_key()
