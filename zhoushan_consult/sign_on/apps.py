"""The seam for the province's sign-on of staff (浙政钉、统一身份) and of legal persons (浙江政务服务网)."""

from django.apps import AppConfig


class SignOnConfig(AppConfig):
    name = "zhoushan_consult.sign_on"
    label = "sign_on"
    verbose_name = "统一身份登录"
