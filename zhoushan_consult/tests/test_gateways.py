"""SMS by real gateways: what they are sent, and that no answer of theirs loses a letter or gets its content into a log."""

import hmac
import json
import logging
from base64 import b64decode
from datetime import datetime, timedelta
from hashlib import md5, sha256
from urllib.parse import parse_qs, urlsplit

import pytest
from django.core.checks import run_checks
from django.test import override_settings

from zhoushan_consult.bureau.models import Division
from zhoushan_consult.clock import SHANGHAI
from zhoushan_consult.outbox.delivery import calls_to_make, deliver_due
from zhoushan_consult.outbox.delivery_reports import poll_reports
from zhoushan_consult.outbox.gateways import aliyun, https_client
from zhoushan_consult.outbox.models import Channel, State
from zhoushan_consult.outbox.posting import Recipient, post
from zhoushan_consult.outbox.sms_texts import kinds_by_sms, wordings

from . import letter_kinds
from .gateway import Gateway, babbles, drips, falls_silent, hangs_up, key_and_certificate, says
from .test_environment import check, production  # noqa: F401, a fixture

AT = datetime(2026, 12, 1, 9, 30, tzinfo=SHANGHAI)
MINUTE = timedelta(minutes=1)
MOBILE = "13800000001"
SECRET = "$Geheim-7键"
TEXT = "有一件“咨询日”答复待您审签：https://zixun.example.gov.cn/desk/，编号 A7"
HOME = "zhoushan_consult.outbox.gateways"
MAS, MAS_TEMPLATES, ALIYUN = (
    f"{HOME}.mas.MasAdapter",
    f"{HOME}.mas.MasTemplateAdapter",
    f"{HOME}.aliyun.AliyunAdapter",
)
ALL = [MAS, MAS_TEMPLATES, ALIYUN]
REGISTERED = """
[[signing]]
code = "SMS_1"
text = "别的话，编号 ${number}"
[[signing]]
code = "SMS_2"
text = "有一件${what}答复待您审签：https://zixun.example.gov.cn/desk/，编号 ${number}"
"""
TAKEN = {
    MAS: says('{"msgGroup": "0927152506001000833076", "rspcod": "success", "success": true}'),
    MAS_TEMPLATES: says('{"msgGroup": "0927152506001000833076", "rspcod": "success", "success": true}'),
    ALIYUN: says('{"Code": "OK", "Message": "OK", "BizId": "900619746936498440^0", "RequestId": "F655A8D5"}'),
}

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    paths = [tmp_path_factory.mktemp("tls") / name for name in ("key.pem", "certificate.pem")]
    for path, pem in zip(paths, key_and_certificate(), strict=True):
        path.write_bytes(pem)
    return paths[1], paths[0]


@pytest.fixture
def gateway(certificate, settings, tmp_path, monkeypatch):
    """A gateway that listens, and a site that is set to use it."""
    opened = Gateway(certificate)
    file = tmp_path / "notices" / "signing" / "sms.txt"
    file.parent.mkdir(parents=True)
    file.write_text(TEXT)
    settings.TEMPLATES = [{**settings.TEMPLATES[0], "DIRS": [tmp_path, *settings.TEMPLATES[0]["DIRS"]]}]
    settings.LETTER_KINDS = [*settings.LETTER_KINDS, letter_kinds.PATH]
    settings.SMS_CA = key_and_certificate()[1].decode()
    settings.SMS_SIGN_NAME, settings.SMS_TEMPLATES = "舟山市生态环境局", REGISTERED
    settings.MAS_URL = settings.ALIYUN_SMS_URL = opened.url
    settings.MAS_EC_NAME, settings.MAS_AP_ID, settings.MAS_SECRET_KEY = "舟山市生态环境局", "zshb", SECRET
    settings.MAS_SIGN, settings.MAS_ADD_SERIAL = "bM16CfN2B", "01"
    settings.ALIYUN_ACCESS_KEY_ID, settings.ALIYUN_ACCESS_KEY_SECRET = "LTAI-test", SECRET
    monkeypatch.setattr(https_client, "TOTAL_TIMEOUT", 5.0)
    yield opened
    opened.close()


@pytest.fixture(autouse=True)
def nothing_told(caplog):
    """In no case does a log name the text, the number or the key."""
    caplog.set_level(logging.DEBUG)
    yield
    for secret in (MOBILE, SECRET, "答复待您审签"):
        assert secret not in caplog.text


@pytest.fixture
def send(gateway, settings):
    """Delivers one letter by an adapter; returns it as it stands afterwards."""

    def one(adapter, to=f"+86{MOBILE}"):
        settings.OUTBOX_ADAPTERS = {"sms": adapter}
        about = Division.objects.get(name="水处")
        (notice,) = post("signing", about=about, to=Recipient("王测试", to), key="1", at=AT)
        deliver_due(AT)
        notice.refresh_from_db()
        return notice

    return one


# --- What is sent -------------------------------------------------------------------------------------------------


def test_mas_request_has_the_text_and_a_valid_mac(gateway, send):
    gateway.answers = [TAKEN[MAS]]
    notice = send(MAS)
    assert (notice.state, notice.gateway_id) == (State.SENT, "0927152506001000833076")
    (asked,) = gateway.asked
    said = json.loads(b64decode(asked.body, validate=True))
    whole = f"舟山市生态环境局zshb{SECRET}{MOBILE}{TEXT}bM16CfN2B01"
    assert asked.path == "/sms/norsubmit"
    assert said == {
        "ecName": "舟山市生态环境局",
        "apId": "zshb",
        "mobiles": MOBILE,
        "content": TEXT,
        "sign": "bM16CfN2B",
        "addSerial": "01",
        "mac": md5(whole.encode()).hexdigest(),
    }


def test_mas_template_request_has_the_registered_template_and_its_values(gateway, send):
    gateway.answers = [TAKEN[MAS]]
    assert send(MAS_TEMPLATES).state == State.SENT
    (asked,) = gateway.asked
    said = json.loads(b64decode(asked.body, validate=True))
    params = '["“咨询日”", "A7"]'
    whole = f"舟山市生态环境局zshb{SECRET}SMS_2{MOBILE}{params}bM16CfN2B01"
    assert asked.path == "/sms/tmpsubmit"
    assert (said["templateId"], said["params"], said["mac"]) == (
        "SMS_2",
        params,
        md5(whole.encode()).hexdigest(),
    )
    assert "content" not in said and SECRET not in str(said)


def test_aliyun_signature_matches_the_documented_example(settings):
    """The worked example of the documentation of ACS3-HMAC-SHA256."""
    settings.ALIYUN_ACCESS_KEY_ID, settings.ALIYUN_ACCESS_KEY_SECRET = (
        "YourAccessKeyId",
        "YourAccessKeySecret",
    )
    headers = {
        "host": "ecs.cn-shanghai.aliyuncs.com",
        "x-acs-action": "RunInstances",
        "x-acs-date": "2023-10-26T10:22:32Z",
        "x-acs-signature-nonce": "3156853299f313e23d1673dc12e1703d",
        "x-acs-version": "2014-05-26",
    }
    query = {"RegionId": "cn-shanghai", "ImageId": "win2019_1809_x64_dtc_zh-cn_40G_alibase_20230811.vhd"}
    assert aliyun.signed(headers, b"", query)["Authorization"] == (
        "ACS3-HMAC-SHA256 Credential=YourAccessKeyId,SignedHeaders=host;x-acs-action;x-acs-content-sha256;x-acs-date;"
        "x-acs-signature-nonce;x-acs-version,"
        "Signature=06563a9e1b43f5dfe96b81484da74bceab24a1d853912eee15083a6f0f3283c0"
    )


def test_aliyun_request_has_the_registered_template_and_the_dedupe_key(gateway, send):
    gateway.answers = [TAKEN[ALIYUN]]
    notice = send(ALIYUN)
    assert (notice.state, notice.gateway_id) == (State.SENT, "900619746936498440^0")
    (asked,) = gateway.asked
    form = {name: value for name, [value] in parse_qs(asked.body.decode(), strict_parsing=True).items()}
    assert form == {
        "PhoneNumbers": MOBILE,
        "SignName": "舟山市生态环境局",
        "TemplateCode": "SMS_2",
        "TemplateParam": '{"what": "“咨询日”", "number": "A7"}',
        "OutId": notice.dedupe_key,
    }
    assert verified(asked)


def verified(asked) -> bool:
    """Checks the signature as the gateway does: over what it received."""
    told = dict(part.split("=", 1) for part in asked.headers["authorization"].split(" ", 1)[1].split(","))
    names = told["SignedHeaders"].split(";")
    lines = "".join(f"{name}:{asked.headers[name]}\n" for name in names)
    digest = sha256(asked.body).hexdigest()
    canonical = f"POST\n{urlsplit(asked.path).path}\n\n{lines}\n{told['SignedHeaders']}\n{digest}"
    words = f"ACS3-HMAC-SHA256\n{sha256(canonical.encode()).hexdigest()}".encode()
    expected = hmac.new(SECRET.encode(), words, sha256).hexdigest()
    vouched = {"host", "x-acs-action", "x-acs-content-sha256", "x-acs-date", "x-acs-signature-nonce"} <= set(
        names
    )
    return vouched and asked.headers["x-acs-content-sha256"] == digest and expected == told["Signature"]


def test_aliyun_retry_has_the_same_key_and_a_new_nonce(gateway, send, monkeypatch):
    monkeypatch.setattr(https_client, "TOTAL_TIMEOUT", 0.3)
    gateway.answers = [falls_silent, TAKEN[ALIYUN]]
    notice = send(ALIYUN)
    assert notice.state == State.RETRY
    monkeypatch.setattr(https_client, "TOTAL_TIMEOUT", 5.0)
    assert deliver_due(notice.next_try_at) == 1
    first, second = gateway.asked
    assert first.body == second.body and notice.dedupe_key.encode() in first.body
    assert first.headers["x-acs-signature-nonce"] != second.headers["x-acs-signature-nonce"]


# --- What a gateway may answer --------------------------------------------------------------------------------------

TROUBLE = {
    "silent": (falls_silent, "没有及时答复"),
    "dripping": (drips, "没有及时答复"),
    "5xx": (says("oops", 503), "出错（HTTP 503）"),
    "redirect": (says("", 302, Location="https://127.0.0.1:1/elsewhere"), "要转到别处（HTTP 302）"),
    "a page": (says("<html>登录</html>"), "不是约定的格式"),
    "not an object": (says('["success"]'), "不是约定的格式"),
    "deep": (says("[" * 60000), "不是约定的格式"),
    "noise": (says(b"\xff\xfe\x00{"), "不是约定的格式"),
    "nothing": (says(b""), "不是约定的格式"),
    "huge": (says(b" " * 200_000), "答复过长"),
    "half": (hangs_up, "不是约定的格式"),
    "no HTTP": (babbles, "不合 HTTP 格式"),
    "404": (says("not here", 404), "不是约定的格式（HTTP 404）"),
    "a strange object": (says('{"success": "true", "code": 0}'), "未说明原因"),
}


@pytest.mark.parametrize("adapter", [MAS, ALIYUN])
@pytest.mark.parametrize("name", TROUBLE)
def test_notice_is_retried_after_any_unusable_answer(gateway, send, monkeypatch, adapter, name):
    answer, reason = TROUBLE[name]
    if answer in (falls_silent, drips):
        monkeypatch.setattr(https_client, "TOTAL_TIMEOUT", 0.4)
    gateway.answers = [answer]
    notice = send(adapter)
    assert (notice.state, notice.attempts) == (State.RETRY, 1)
    assert reason in notice.last_error
    assert len(gateway.asked) == 1  # asked once, and the redirect not followed


@pytest.mark.parametrize("adapter", [MAS, ALIYUN])
def test_notice_is_retried_while_the_gateway_is_down(gateway, send, adapter):
    gateway.close()
    notice = send(adapter)
    assert (notice.state, notice.last_error) == (State.RETRY, "连不上短信网关（ConnectionRefusedError）")


@pytest.mark.parametrize(
    "change",
    [
        {"SMS_CA": ""},
        {"MAS_URL": "https://localhost:{port}"},  # which the certificate does not name
    ],
)
def test_gateway_with_an_untrusted_certificate_is_sent_nothing(gateway, send, settings, change):
    for name, value in change.items():
        setattr(settings, name, value.format(port=gateway.port))
    notice = send(MAS)
    assert (notice.state, gateway.asked) == (State.RETRY, [])
    assert "证书不可信" in notice.last_error


@pytest.mark.parametrize("address", ["http://127.0.0.1:{port}", "", "127.0.0.1:{port}"])
def test_gateway_address_without_https_is_sent_nothing(gateway, send, settings, address):
    settings.MAS_URL = address.format(port=gateway.port)
    notice = send(MAS)
    assert (notice.state, gateway.asked) == (State.RETRY, [])


@pytest.mark.parametrize(
    "adapter, said, state, reason",
    [
        (MAS, {"rspcod": "IllegalMac"}, State.RETRY, "请核对 MAS_SECRET_KEY"),
        (MAS, {"rspcod": "InvalidUsrOrPwd"}, State.RETRY, "请核对 MAS_AP_ID 和 MAS_SECRET_KEY"),
        (MAS, {"rspcod": "NoSignId"}, State.RETRY, "请核对 MAS_SIGN"),
        (MAS, {"rspcod": "OverDailyMax"}, State.RETRY, "当日上限"),
        (MAS, {"rspcod": "InvalidMobile"}, State.FAILED, "手机号码格式不对"),
        (MAS, {"rspcod": f"{SECRET}{MOBILE}"}, State.RETRY, "未说明原因"),
        (ALIYUN, {"Code": "SignatureDoesNotMatch"}, State.RETRY, "请核对 ALIYUN_ACCESS_KEY_SECRET"),
        (ALIYUN, {"Code": "InvalidAccessKeyId.NotFound"}, State.RETRY, "请核对 ALIYUN_ACCESS_KEY_ID"),
        (ALIYUN, {"Code": "isv.AMOUNT_NOT_ENOUGH"}, State.RETRY, "余额不足"),
        (ALIYUN, {"Code": "isv.BUSINESS_LIMIT_CONTROL"}, State.RETRY, "稍后再发"),
        (ALIYUN, {"Code": "isv.MOBILE_NUMBER_ILLEGAL"}, State.FAILED, "手机号码格式不对"),
        (ALIYUN, {"Code": "isv.PARAM_LENGTH_LIMIT"}, State.FAILED, "变量过长"),
        (ALIYUN, {"Code": [MOBILE]}, State.RETRY, "未说明原因"),
    ],
)
def test_refused_notice_fails_and_trouble_of_the_gateway_is_retried(
    gateway, send, adapter, said, state, reason
):
    gateway.answers = [says(json.dumps({"Message": f"{MOBILE} {TEXT}", "success": False, **said}), 400)]
    notice = send(adapter)
    assert notice.state == state
    assert reason in notice.last_error
    assert MOBILE not in notice.last_error and SECRET not in notice.last_error
    assert calls_to_make().exists() == (state == State.FAILED)  # then a person telephones


@pytest.mark.parametrize("adapter", ALL)
def test_number_that_the_gateway_does_not_serve_becomes_a_call(gateway, send, adapter):
    notice = send(adapter, to="+85251234567")
    assert (notice.state, gateway.asked) == (State.FAILED, [])
    assert calls_to_make().get().channel == Channel.CALL


@pytest.mark.parametrize("adapter", [MAS_TEMPLATES, ALIYUN])
def test_text_that_is_not_registered_is_not_sent(gateway, send, settings, adapter):
    settings.SMS_TEMPLATES = REGISTERED.replace("待您审签", "等您审签")
    notice = send(adapter)
    assert (notice.state, gateway.asked) == (State.RETRY, [])
    assert "没有与这条通知（signing）相符的报备模板" in notice.last_error


# --- What became of it ----------------------------------------------------------------------------------------------

LATER = AT + timedelta(minutes=5)


def reported(*rows):
    """The answer of the gateway about a letter, asked for by its number."""
    shown = [{"PhoneNum": MOBILE, "Content": TEXT, "OutId": key, "SendStatus": state} for key, state in rows]
    details = {"SmsSendDetailDTO": shown}
    return says(json.dumps({"Code": "OK", "TotalCount": len(shown), "SmsSendDetailDTOs": details}))


@pytest.fixture
def sent_by_aliyun(gateway, send):
    gateway.answers = [TAKEN[ALIYUN]]
    notice = send(ALIYUN)
    gateway.asked.clear()
    return notice


def test_delivery_report_is_asked_for_until_it_is_final(gateway, sent_by_aliyun):
    gateway.answers = [reported((sent_by_aliyun.dedupe_key, 1)), reported((sent_by_aliyun.dedupe_key, 3))]
    assert [poll_reports(LATER), poll_reports(LATER + MINUTE), poll_reports(LATER + 2 * MINUTE)] == [0, 1, 0]
    sent_by_aliyun.refresh_from_db()
    assert (sent_by_aliyun.state, sent_by_aliyun.arrived_at) == (State.SENT, LATER + MINUTE)
    first, _ = gateway.asked  # after a final report there is no third request
    form = {name: value for name, [value] in parse_qs(first.body.decode()).items()}
    assert first.headers["x-acs-action"] == "QuerySendDetails" and verified(first)
    assert form == {
        "PhoneNumber": MOBILE,
        "BizId": "900619746936498440^0",
        "SendDate": "20261201",
        "PageSize": "50",
        "CurrentPage": "1",
    }


def test_undelivered_sms_becomes_a_call(gateway, sent_by_aliyun):
    gateway.answers = [reported((sent_by_aliyun.dedupe_key, 2))]
    assert [poll_reports(LATER), poll_reports(LATER)] == [1, 0]
    sent_by_aliyun.refresh_from_db()
    assert (sent_by_aliyun.state, sent_by_aliyun.arrived_at) == (State.FAILED, None)
    assert "运营商没有送达" in sent_by_aliyun.last_error
    assert calls_to_make().get().about_id == sent_by_aliyun.about_id


class Overtaken(aliyun.AliyunAdapter):
    """Gets its report after another worker has asked for and stored one."""

    def was_delivered(self, notice):
        with override_settings(OUTBOX_ADAPTERS={"sms": ALIYUN}):
            poll_reports(LATER)
        return super().was_delivered(notice)


def test_first_final_delivery_report_stands(gateway, sent_by_aliyun, settings):
    """Two workers ask at the same time, and the later report contradicts the earlier one."""
    gateway.answers = [reported((sent_by_aliyun.dedupe_key, 3)), reported((sent_by_aliyun.dedupe_key, 2))]
    settings.OUTBOX_ADAPTERS = {"sms": f"{__name__}.Overtaken"}
    assert (poll_reports(LATER), len(gateway.asked)) == (0, 2)
    sent_by_aliyun.refresh_from_db()
    assert (sent_by_aliyun.state, sent_by_aliyun.arrived_at) == (State.SENT, LATER)
    assert not calls_to_make().exists()


@pytest.mark.parametrize(
    "answer",
    [
        reported(),
        reported(("another-letter", 2)),
        reported(("another-letter", 3)),
        says('{"Code": "OK"}'),
        says('{"Code": "OK", "SmsSendDetailDTOs": {"SmsSendDetailDTO": [7, {"SendStatus": [2]}]}}'),
        says('{"Code": "isv.MOBILE_NUMBER_ILLEGAL"}'),
        says('{"Code": "Throttling.User"}'),
        says("oops", 503),
        babbles,
    ],
)
def test_delivery_report_that_is_not_about_this_notice_is_ignored(gateway, sent_by_aliyun, answer):
    gateway.answers = [answer]
    assert poll_reports(LATER) == 0
    sent_by_aliyun.refresh_from_db()
    assert (sent_by_aliyun.state, sent_by_aliyun.arrived_at) == (State.SENT, None)
    assert not calls_to_make().exists()


def test_delivery_report_is_asked_for_in_time_and_from_a_gateway_that_has_them(
    gateway, sent_by_aliyun, settings
):
    for moment in (AT, AT + timedelta(days=4)):
        assert poll_reports(moment) == 0
    settings.OUTBOX_ADAPTERS = {"sms": MAS}
    assert (poll_reports(LATER), gateway.asked) == (0, [])


# --- What must be set -----------------------------------------------------------------------------------------------


def complaints() -> list[str]:
    return [found.msg for found in run_checks() if found.id.startswith("outbox.")]


@pytest.fixture
def all_registered(gateway, settings):
    return "".join(
        f"[[{kind}]]\ncode = 'SMS_9'\ntext = {json.dumps(text, ensure_ascii=False)}\n"
        for kind in kinds_by_sms()
        for text in wordings(kind)
    )


@pytest.mark.parametrize("adapter", ALL)
def test_check_accepts_a_complete_gateway_configuration(gateway, settings, all_registered, adapter):
    settings.OUTBOX_ADAPTERS, settings.SMS_TEMPLATES = {"sms": adapter}, all_registered
    assert complaints() == []


@pytest.mark.parametrize(
    "adapter, name, value, complaint",
    [
        (MAS, "MAS_SECRET_KEY", "", "没有设置 MAS_SECRET_KEY。"),
        (MAS_TEMPLATES, "MAS_SIGN", "", "没有设置 MAS_SIGN。"),
        (MAS, "MAS_URL", "http://10.1.2.3:1992", "MAS_URL 应是 https:// 开头的网关地址"),
        (MAS, "MAS_URL", "https://u:p@example.com", "不带用户名和口令"),
        (ALIYUN, "ALIYUN_ACCESS_KEY_ID", "", "没有设置 ALIYUN_ACCESS_KEY_ID。"),
        (ALIYUN, "SMS_SIGN_NAME", "", "没有设置 SMS_SIGN_NAME。"),
        (ALIYUN, "SMS_TEMPLATES", "", "缺少与现行文本一致、填好编号的模板：answer_dropped、"),
        (ALIYUN, "SMS_TEMPLATES", f"[[signing]]\ncode = ''\ntext = '{TEXT}'", "、signing、"),
        (ALIYUN, "SMS_TEMPLATES", "[[signing]]\ncode = '1'\ntext = '原来的话'", "、signing、"),
        (MAS_TEMPLATES, "SITE_URL", "https://moved.example.cn", "缺少与现行文本一致、填好编号的模板"),
        (ALIYUN, "SMS_TEMPLATES", "[[x]]\nkode = ''", "不是 manage.py sms_templates 印出的格式"),
        (ALIYUN, "SMS_TEMPLATES", "x = 1", "不是 manage.py sms_templates 印出的格式"),
        (ALIYUN, "SMS_TEMPLATES", "这不是", "不是 manage.py sms_templates 印出的格式"),
        (ALIYUN, "SMS_TEMPLATES", "[[x]]\ncode='1'\ntext='${a}和${a}'", "变量名有重复：x"),
        ("zhoushan_consult.outbox.gateways.missing.Adapter", "MAS_URL", "", "SMS_ADAPTER 写的“"),
    ],
)
def test_check_names_the_missing_or_wrong_setting(
    gateway, settings, all_registered, adapter, name, value, complaint
):
    settings.OUTBOX_ADAPTERS, settings.SMS_TEMPLATES = {"sms": adapter}, all_registered
    setattr(settings, name, value)
    assert any(complaint in said for said in complaints()), complaints()


def test_deploy_check_refuses_a_half_configured_gateway_and_reads_secret_files(tmp_path, production):  # noqa: F811
    account = {"SMS_ADAPTER": MAS, "MAS_EC_NAME": "舟山", "MAS_AP_ID": "zshb", "MAS_SIGN": "bM16"}
    refused = check(tmp_path, **production, **account)
    assert refused.returncode == 1
    assert "没有设置 MAS_SECRET_KEY。" in refused.stderr
    (tmp_path / "key").write_text(f"{SECRET}\n")
    filed = {"MAS_URL": "https://mas.example.cn:28888", "MAS_SECRET_KEY_FILE": str(tmp_path / "key")}
    accepted = check(tmp_path, **production, **account, **filed)
    assert accepted.returncode == 0, accepted.stderr
