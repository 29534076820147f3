"""中国移动云MAS over HTTPS: plain text (norsubmit), or a registered template with its variables (tmpsubmit)."""

import json
from base64 import b64encode
from hashlib import md5

from django.conf import settings

from ..adapters import Adapter, DeliveryError, PermanentFailure, TemporaryFailure
from ..models import Notice
from . import https_client, registered
from .account import mainland_number, missing_settings, unsafe_address

REFUSED = {"InvalidMobile": "短信网关认为手机号码格式不对"}
"""Codes that refuse this one letter. All other codes concern our account or the gateway: the letter is tried again."""

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
    """Sends the text of the letter. 云MAS adds the 【signature】 in front, and has no field for a number of ours."""

    path = "/sms/norsubmit"
    needs = ("MAS_URL", "MAS_EC_NAME", "MAS_AP_ID", "MAS_SECRET_KEY", "MAS_SIGN")

    @classmethod
    def configuration_errors(cls) -> list[str]:
        return missing_settings(cls.needs) + unsafe_address("MAS_URL")

    def send(self, notice: Notice) -> str:
        body = b64encode(json.dumps(_signed(self.message(notice))).encode())
        response = https_client.post(
            settings.MAS_URL.rstrip("/") + self.path, body, {"Content-Type": "application/json"}
        )
        result = response.json()
        if result.get("success") is True:
            return str(result.get("msgGroup") or "")
        raise _failure(str(result.get("rspcod") or response.status))

    def message(self, notice: Notice) -> dict[str, str]:
        """The number and the text. The signature is computed over the values in this order."""
        return {"mobiles": mainland_number(notice), "content": notice.text}


class MasTemplateAdapter(MasAdapter):
    """Sends the registered template that gives exactly the text of the letter."""

    path = "/sms/tmpsubmit"

    @classmethod
    def configuration_errors(cls) -> list[str]:
        return super().configuration_errors() + registered.configuration_errors()

    def message(self, notice: Notice) -> dict[str, str]:
        code, variables = registered.match_template(notice)
        params = json.dumps(list(variables.values()), ensure_ascii=False)
        return {"templateId": code, "mobiles": mainland_number(notice), "params": params}


def _signed(message: dict[str, str]) -> dict[str, str]:
    """The request with its `mac`. The secret key goes into the mac, and is not sent itself."""
    before = {"ecName": settings.MAS_EC_NAME, "apId": settings.MAS_AP_ID}
    after = {"sign": settings.MAS_SIGN, "addSerial": settings.MAS_ADD_SERIAL}
    parts = [*before.values(), settings.MAS_SECRET_KEY, *message.values(), *after.values()]
    mac = md5("".join(parts).encode(), usedforsecurity=False).hexdigest()  # the protocol prescribes MD5
    return before | message | after | {"mac": mac}


def _failure(code: str) -> DeliveryError:
    if code in REFUSED:
        return PermanentFailure(REFUSED[code])
    return TemporaryFailure(TROUBLE.get(code) or "短信网关没有接受，未说明原因")
