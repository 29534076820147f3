"""阿里云短信服务 by its HTTPS API (Dysmsapi 2017-05-25, SendSms), signed with ACS3-HMAC-SHA256."""

import hmac
import json
from datetime import UTC, datetime
from hashlib import sha256
from secrets import token_hex
from urllib.parse import quote, urlencode, urlsplit

from django.conf import settings

from zhoushan_consult.clock import SHANGHAI

from ..adapters import Adapter, DeliveryError, PermanentFailure, TemporaryFailure
from ..models import Notice
from . import https_client, registered
from .account import mainland_number, missing_settings, unsafe_address

REFUSED = {
    "isv.MOBILE_NUMBER_ILLEGAL": "短信网关认为手机号码格式不对",
    "isv.BLACK_KEY_CONTROL_LIMIT": "短信内容含有网关不允许的词",
    "isv.PARAM_LENGTH_LIMIT": "短信模板的某个变量过长",
    "isv.PARAM_NOT_SUPPORT_URL": "短信模板的变量里不能有网址",
}
"""Codes that refuse this one letter. All other codes concern our account or the gateway: the letter is tried again."""

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


DELIVERED = {2: False, 3: True}
"""SendStatus of an SMS. 1, not in the table, means that it is still on its way."""


class AliyunAdapter(Adapter):
    """Sends the registered template that gives exactly the text of the letter. OutId is the dedupe key."""

    supports_reports = True
    needs = ("ALIYUN_ACCESS_KEY_ID", "ALIYUN_ACCESS_KEY_SECRET", "SMS_SIGN_NAME")

    @classmethod
    def configuration_errors(cls) -> list[str]:
        return (
            missing_settings(cls.needs) + unsafe_address("ALIYUN_SMS_URL") + registered.configuration_errors()
        )

    def send(self, notice: Notice) -> str:
        code, variables = registered.match_template(notice)
        form = {
            "PhoneNumbers": mainland_number(notice),
            "SignName": settings.SMS_SIGN_NAME,
            "TemplateCode": code,
            "TemplateParam": json.dumps(variables, ensure_ascii=False),
            "OutId": notice.dedupe_key,
        }
        response = _call("SendSms", form)
        if response.get("Code") == "OK":
            return str(response.get("BizId") or "")
        raise _failure(str(response.get("Code") or ""))

    def was_delivered(self, notice: Notice) -> bool | None:
        form = {
            "PhoneNumber": mainland_number(notice),
            "BizId": notice.gateway_id,
            # The day of sending in China time: the gateway searches one day only.
            "SendDate": f"{notice.sent_at.astimezone(SHANGHAI):%Y%m%d}",
            "PageSize": "50",
            "CurrentPage": "1",
        }
        response = _call("QuerySendDetails", form)
        if response.get("Code") != "OK":
            raise _failure(str(response.get("Code") or ""))
        return next(
            (DELIVERED[state] for state in _states(response, notice.dedupe_key) if state in DELIVERED), None
        )


def _states(response: dict, key: str) -> list:
    """The SendStatus of the message with our `key`. The query also returns other messages to the same number."""
    details = response.get("SmsSendDetailDTOs")
    rows = details.get("SmsSendDetailDTO") if isinstance(details, dict) else None
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
    return https_client.post(settings.ALIYUN_SMS_URL, body, headers).json()


def signed(headers: dict[str, str], body: bytes, query: dict[str, str] | None = None) -> dict[str, str]:
    """The headers of a POST to /, with the digest of `body` and the ACS3 signature over all of it."""
    # The signature covers the headers in alphabetical order, and the Authorization header lists them in the same order.
    digest = sha256(body).hexdigest()
    signed_headers = dict(sorted((headers | {"x-acs-content-sha256": digest}).items()))
    names = ";".join(signed_headers)
    canonical_query = "&".join(
        f"{quote(k, safe='')}={quote(v, safe='')}" for k, v in sorted((query or {}).items())
    )
    lines = "".join(f"{name}:{value.strip()}\n" for name, value in signed_headers.items())
    canonical_request = "\n".join(["POST", "/", canonical_query, lines, names, digest])
    string_to_sign = f"ACS3-HMAC-SHA256\n{sha256(canonical_request.encode()).hexdigest()}"
    secret = settings.ALIYUN_ACCESS_KEY_SECRET.encode()
    signature = hmac.new(secret, string_to_sign.encode(), sha256).hexdigest()
    credential = f"Credential={settings.ALIYUN_ACCESS_KEY_ID}"
    signed_headers["Authorization"] = (
        f"ACS3-HMAC-SHA256 {credential},SignedHeaders={names},Signature={signature}"
    )
    return signed_headers


def _failure(code: str) -> DeliveryError:
    if code in REFUSED:
        return PermanentFailure(REFUSED[code])
    return TemporaryFailure(TROUBLE.get(code) or "短信网关没有接受，未说明原因")
