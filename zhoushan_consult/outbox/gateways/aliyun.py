"""阿里云短信服务 by its HTTPS API (Dysmsapi 2017-05-25, SendSms), signed with ACS3-HMAC-SHA256."""

import hmac
import json
from datetime import UTC, datetime
from hashlib import sha256
from secrets import token_hex
from urllib.parse import quote, urlencode, urlsplit

from django.conf import settings
from django.utils.timezone import localtime

from ..adapters import Adapter, Permanent, Temporary, Undelivered
from ..models import Notice
from . import https_client, registered
from .account import mainland_number, missing, unsafe_address

REFUSED = {
    "isv.MOBILE_NUMBER_ILLEGAL": "短信网关认为手机号码格式不对",
    "isv.BLACK_KEY_CONTROL_LIMIT": "短信内容含有网关不允许的词",
    "isv.PARAM_LENGTH_LIMIT": "短信模板的某个变量过长",
    "isv.PARAM_NOT_SUPPORT_URL": "短信模板的变量里不能有网址",
}
"""What is said of this letter; any other refusal means us, or the gateway itself."""

TROUBLE = {
    "SignatureDoesNotMatch": "短信网关不认请求的签名，请核对 ALIYUN_ACCESS_KEY_SECRET",
    "IncompleteSignature": "短信网关不认请求的签名，请核对 ALIYUN_ACCESS_KEY_SECRET",
    "InvalidAccessKeyId.NotFound": "短信账号不存在，请核对 ALIYUN_ACCESS_KEY_ID",
    "InvalidAccessKeyId.Inactive": "短信账号已停用，请核对 ALIYUN_ACCESS_KEY_ID",
    "InvalidTimeStamp.Expired": "本机时间不准，请校时",
    "isp.RAM_PERMISSION_DENY": "这个账号没有发送短信的权限",
    "isv.SMS_SIGNATURE_ILLEGAL": "短信签名没有报备，请核对 SMS_SIGN_NAME",
    "isv.SMS_SIGN_ILLEGAL": "短信签名没有报备，请核对 SMS_SIGN_NAME",
    "isv.SMS_TEMPLATE_ILLEGAL": "短信模板没有报备，请核对 SMS_TEMPLATES",
    "isv.TEMPLATE_MISSING_PARAMETERS": "短信模板的变量与报备的不一致，请核对 SMS_TEMPLATES",
    "isv.AMOUNT_NOT_ENOUGH": "短信账户余额不足",
    "isv.OUT_OF_SERVICE": "短信账户已停机",
    "isv.BUSINESS_LIMIT_CONTROL": "发给这个号码的短信过密，短信网关要求稍后再发",
    "isv.DAY_LIMIT_CONTROL": "已到短信网关的当日上限",
    "isp.SYSTEM_ERROR": "短信网关出错",
    "Throttling.User": "发送过快，短信网关要求稍后再发",
}


ARRIVED = {2: False, 3: True}
"""SendStatus of an SMS; 1 is still under way."""


class AliyunAdapter(Adapter):
    """Sends the registered text that says the letter; the dedupe key goes along as OutId."""

    reports = True
    needs = ("ALIYUN_ACCESS_KEY_ID", "ALIYUN_ACCESS_KEY_SECRET", "SMS_SIGN_NAME")

    @classmethod
    def faults(cls) -> list[str]:
        return missing(cls.needs) + unsafe_address("ALIYUN_SMS_URL") + registered.faults()

    def send(self, notice: Notice) -> str:
        code, variables = registered.filled(notice)
        form = {
            "PhoneNumbers": mainland_number(notice),
            "SignName": settings.SMS_SIGN_NAME,
            "TemplateCode": code,
            "TemplateParam": json.dumps(variables, ensure_ascii=False),
            "OutId": notice.dedupe_key,
        }
        said = _call("SendSms", form)
        if said.get("Code") == "OK":
            return str(said.get("BizId") or "")
        raise _refusal(str(said.get("Code") or ""))

    def arrived(self, notice: Notice) -> bool | None:
        form = {
            "PhoneNumber": mainland_number(notice),
            "BizId": notice.gateway_id,
            "SendDate": f"{localtime(notice.sent_at):%Y%m%d}",
            "PageSize": "50",
            "CurrentPage": "1",
        }
        said = _call("QuerySendDetails", form)
        if said.get("Code") != "OK":
            raise _refusal(str(said.get("Code") or ""))
        return next((ARRIVED[state] for state in _states(said, notice.dedupe_key) if state in ARRIVED), None)


def _states(said: dict, key: str) -> list:
    """What is said of the letter that went under `key`, and of no other."""
    shell = said.get("SmsSendDetailDTOs")
    rows = shell.get("SmsSendDetailDTO") if isinstance(shell, dict) else None
    return [
        row.get("SendStatus")
        for row in (rows if isinstance(rows, list) else [])
        if isinstance(row, dict) and row.get("OutId") == key and isinstance(row.get("SendStatus"), int)
    ]


def _call(action: str, form: dict[str, str]) -> dict:
    body = urlencode(form).encode()
    headers = signed(
        {
            "host": urlsplit(settings.ALIYUN_SMS_URL).netloc,
            "content-type": "application/x-www-form-urlencoded",
            "x-acs-action": action,
            "x-acs-version": "2017-05-25",
            "x-acs-date": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}",
            "x-acs-signature-nonce": token_hex(16),
        },
        body,
    )
    return https_client.ask(settings.ALIYUN_SMS_URL, body, headers).told()


def signed(headers: dict[str, str], body: bytes, query: dict[str, str] | None = None) -> dict[str, str]:
    """`headers` of a POST to /, with the digest of `body` and the Authorization that vouches for all of it."""
    digest = sha256(body).hexdigest()
    told = dict(sorted((headers | {"x-acs-content-sha256": digest}).items()))
    names = ";".join(told)
    asked = "&".join(f"{quote(k, safe='')}={quote(v, safe='')}" for k, v in sorted((query or {}).items()))
    lines = "".join(f"{name}:{value.strip()}\n" for name, value in told.items())
    canonical = "\n".join(["POST", "/", asked, lines, names, digest])
    words = f"ACS3-HMAC-SHA256\n{sha256(canonical.encode()).hexdigest()}"
    seal = hmac.new(settings.ALIYUN_ACCESS_KEY_SECRET.encode(), words.encode(), sha256).hexdigest()
    told["Authorization"] = (
        f"ACS3-HMAC-SHA256 Credential={settings.ALIYUN_ACCESS_KEY_ID},SignedHeaders={names},Signature={seal}"
    )
    return told


def _refusal(code: str) -> Undelivered:
    if code in REFUSED:
        return Permanent(REFUSED[code])
    return Temporary(TROUBLE.get(code) or "短信网关没有接受，未说明原因")
