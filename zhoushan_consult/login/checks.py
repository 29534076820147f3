"""`manage.py check --deploy` says where the doors are weaker than 等保三级 asks."""

from django.conf import settings
from django.core.checks import Tags, Warning, register


@register(Tags.security, deploy=True)
def check_second_factor(app_configs, **kwargs) -> list[Warning]:
    if settings.STAFF_SECOND_FACTOR:
        return []
    hint = "去掉 STAFF_SECOND_FACTOR=false；工作人员下次登录时会被引导绑定。"
    return [Warning("工作人员登录不要求动态口令。", hint=hint, id="login.W001")]
