from django.apps import AppConfig


class VaultConfig(AppConfig):
    """Without usable keys no process starts. Otherwise the first registration of a firm would fail instead."""

    name = "zhoushan_consult.vault"
    label = "vault"
    verbose_name = "资料封存"

    def ready(self) -> None:
        from . import checks

        checks.self_test()
