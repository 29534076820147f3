from django.apps import AppConfig


class VaultConfig(AppConfig):
    """Refuses to start, web, worker and command line alike, without sound keys: not later, at the first firm."""

    name = "zhoushan_consult.vault"
    label = "vault"
    verbose_name = "资料封存"

    def ready(self) -> None:
        from . import checks

        checks.self_test()
