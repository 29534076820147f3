"""The doors of the bureau's officers: limits of guessing, password, second factor, the province's sign-on."""

from django.apps import AppConfig


class LoginConfig(AppConfig):
    name = "zhoushan_consult.login"
    label = "login"
    verbose_name = "登录"

    def ready(self):
        from . import checks  # noqa: F401  registers them
