"""中国移动云MAS by HTTPS: the plain text (norsubmit), or a registered one with its variables (tmpsubmit)."""

import json
from base64 import b64encode
from hashlib import md5

from django.conf import settings

from ..adapters import Adapter, Permanent, Temporary, Undelivered
from ..models import Notice
from . import https_client, registered
from .account import mainland_number, missing, unsafe_address

REFUSED = {"InvalidMobile": "短信网关认为手机号码格式不对"}
"""What is said of this letter; any other refusal means us, or the gateway itself."""

TROUBLE = {
    "IllegalMac": "短信网关说校验码不对，请核对 MAS_SECRET_KEY",
    "IllegalSignId": "短信签名编码无效，请核对 MAS_SIGN",
    "NoSignId": "短信签名编码无效，请核对 MAS_SIGN",
    "InvalidUsrOrPwd": "短信接口账号或密码不对，请核对 MAS_AP_ID 和 MAS_SECRET_KEY",
    "IllegalIpAddress": "本机地址不在短信网关的白名单里",
    "IllegalUseTemplate": "短信模板不可用，请核对 SMS_TEMPLATES",
    "NotLoadedSign": "短信签名还没有生效",
    "InvalidMessage": "短信网关没有读懂请求",
    "OverDailyMax": "已到短信网关的当日上限",
    "FlowOverLimit": "发送过快，短信网关要求稍后再发",
    "QueueOverLimit": "短信网关排队已满",
    "SystemBusy": "短信网关忙",
    "InternalError": "短信网关出错",
}


class MasAdapter(Adapter):
    """Sends the letter as it is written. 云MAS puts the 【signature】 before it and has no field for a number of ours."""

    path = "/sms/norsubmit"
    needs = ("MAS_URL", "MAS_EC_NAME", "MAS_AP_ID", "MAS_SECRET_KEY", "MAS_SIGN")

    @classmethod
    def faults(cls) -> list[str]:
        return missing(cls.needs) + unsafe_address("MAS_URL")

    def send(self, notice: Notice) -> str:
        body = b64encode(json.dumps(_vouched(self.matter(notice))).encode())
        answer = https_client.ask(
            settings.MAS_URL.rstrip("/") + self.path, body, {"Content-Type": "application/json"}
        )
        said = answer.told()
        if said.get("success") is True:
            return str(said.get("msgGroup") or "")
        raise _refusal(str(said.get("rspcod") or answer.status))

    def matter(self, notice: Notice) -> dict[str, str]:
        """What is sent and to whom, in the order in which it is vouched for."""
        return {"mobiles": mainland_number(notice), "content": notice.text}


class MasTemplateAdapter(MasAdapter):
    """Sends the registered text that says the letter."""

    path = "/sms/tmpsubmit"

    @classmethod
    def faults(cls) -> list[str]:
        return super().faults() + registered.faults()

    def matter(self, notice: Notice) -> dict[str, str]:
        code, variables = registered.filled(notice)
        params = json.dumps(list(variables.values()), ensure_ascii=False)
        return {"templateId": code, "mobiles": mainland_number(notice), "params": params}


def _vouched(matter: dict[str, str]) -> dict[str, str]:
    """The request with its `mac`, which is computed with the secret key; the key itself is not sent."""
    before = {"ecName": settings.MAS_EC_NAME, "apId": settings.MAS_AP_ID}
    after = {"sign": settings.MAS_SIGN, "addSerial": settings.MAS_ADD_SERIAL}
    parts = [*before.values(), settings.MAS_SECRET_KEY, *matter.values(), *after.values()]
    mac = md5("".join(parts).encode(), usedforsecurity=False).hexdigest()  # as the gateway prescribes
    return before | matter | after | {"mac": mac}


def _refusal(code: str) -> Undelivered:
    if code in REFUSED:
        return Permanent(REFUSED[code])
    return Temporary(TROUBLE.get(code) or "短信网关没有接受，未说明原因")
