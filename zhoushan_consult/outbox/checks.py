"""System checks: a channel that cannot send is reported before the service starts."""

from django.conf import settings
from django.core.checks import CheckMessage, Error, register
from django.utils.module_loading import import_string


@register()
def check_gateways(app_configs=None, **kwargs) -> list[CheckMessage]:
    """Each channel has an adapter, and the adapter has the settings that it needs."""
    return [error for channel, path in settings.OUTBOX_ADAPTERS.items() for error in _check(channel, path)]


def _check(channel: str, path: str) -> list[CheckMessage]:
    setting = f"{channel.upper()}_ADAPTER"
    try:
        adapter = import_string(path)
    except ImportError:
        hint = "可用的写法见 .env.example。"
        return [Error(f"{setting} 写的“{path}”不存在，这一路通知发不出去。", hint=hint, id="outbox.E001")]
    hint = f"选用了 {setting}={path}；各项的含义见 .env.example，密钥可用“名称_FILE=/路径”给出。"
    return [Error(error, hint=hint, id="outbox.E002") for error in adapter.configuration_errors()]
