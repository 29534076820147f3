"""`manage.py check --deploy` says where the doors are weaker than 等保三级 asks."""

from django.conf import settings
from django.core.checks import Tags, Warning, register

from zhoushan_consult.sign_on.trial import TrialProvider


@register(Tags.security, deploy=True)
def check_second_factor(app_configs, **kwargs) -> list[Warning]:
    if settings.STAFF_SECOND_FACTOR:
        return []
    hint = "去掉 STAFF_SECOND_FACTOR=false；工作人员下次登录时会被引导绑定。"
    return [Warning("工作人员登录不要求动态口令。", hint=hint, id="login.W001")]


@register(Tags.security, deploy=True)
def check_sign_on(app_configs, **kwargs) -> list[Warning]:
    trial = f"{TrialProvider.__module__}.{TrialProvider.__name__}"
    named = [name for name in ("STAFF_SIGN_ON", "FIRM_SIGN_ON") if getattr(settings, name) == trial]
    hint = "试完后删去这一项，或换成省平台的接口。"
    return [Warning(f"{name} 用的是试用的统一身份登录。", hint=hint, id="login.W002") for name in named]
