"""How many segments an SMS has, and that none of ours has more than two, or three where it tells the place."""

import tomllib

import pytest
from django.core.management import call_command

from zhoushan_consult.bureau.models import Division
from zhoushan_consult.clock import SHANGHAI
from zhoushan_consult.outbox.gateways.registered import RegisteredTemplate
from zhoushan_consult.outbox.models import Notice
from zhoushan_consult.outbox.posting import Recipient, post
from zhoushan_consult.outbox.sms_texts import VARIABLE, kinds_by_sms, segments, wordings
from zhoushan_consult.tests import letter_kinds

SIGNATURE = "舟山市生态环境局"
SITE = "https://zixun.zhoushan.gov.cn"
PLACE = "舟山市普陀区东港街道海天大道681号市行政中心东二号楼一楼企业服务大厅102会议室"
LONGEST = {
    "appointment_reference": "K7M2-9QRT-4WXP-2H",
    "place": PLACE[:35],  # the most that a vendor takes for a variable; a longer value is cut
    "day_label": "12月10日（周四）上午8:30—11:30",
    "reply_by": "12月31日（周四）20:00",
    "about_row_division_name": "总量控制与污染防治处",
    "matter_division_name": "总量控制与污染防治处",
}
COUNTS = {"pending", "accepted", "carried", "waiting", "count"}
MOMENT = "12月31日（周四）"
"""For every other variable: a date, or a moment."""


@pytest.mark.parametrize(
    "text, signature, count",
    [
        ("", "", 1),
        ("字" * 70, "", 1),
        ("字" * 71, "", 2),
        ("字" * 134, "", 2),
        ("字" * 135, "", 3),
        ("字" * 60, SIGNATURE, 1),
        ("字" * 61, SIGNATURE, 2),
        ("字" * 124, SIGNATURE, 2),
        ("字" * 125, SIGNATURE, 3),
        ("a" * 160, "", 1),
        ("a" * 161, "", 2),
        ("a" * 306, "", 2),
        ("a" * 307, "", 3),
        ("a" * 61, SIGNATURE, 2),  # the signature alone makes it UCS-2
        ("€" * 80, "", 1),
        ("€" * 81, "", 2),
        ("a" * 152 + "€" + "a" * 152, "", 3),  # a character of two units is not split
        ("😀" * 35, "", 1),
        ("😀" * 36, "", 2),
        ("字" * 66 + "😀" + "字" * 66, "", 3),
        ("a" * 69 + "　", "", 1),
        ("a" * 70 + "　", "", 2),
    ],
)
def test_segments_are_counted_as_operators_do(text, signature, count):
    assert segments(text, signature) == count


def filled(wording: str) -> str:
    return VARIABLE.sub(lambda found: LONGEST.get(found[1], "500" if found[1] in COUNTS else MOMENT), wording)


@pytest.mark.parametrize("kind", kinds_by_sms())
def test_each_sms_text_fits_into_two_segments_or_three_with_a_place(kind, settings):
    settings.SITE_URL = SITE
    for wording in wordings(kind):
        at_most = 3 if "${place}" in wording else 2
        assert segments(filled(wording), SIGNATURE) <= at_most, filled(wording)


@pytest.mark.parametrize("kind", kinds_by_sms())
def test_registered_template_matches_each_sms_text_and_gives_its_variables(kind):
    for wording in wordings(kind):
        variables = RegisteredTemplate("SMS_1", wording).match(filled(wording))
        said = VARIABLE.sub(lambda found, values=variables: values[found[1]], wording)
        assert said == filled(wording)


def test_sms_templates_command_prints_the_texts_to_register(settings, capsys):
    settings.SITE_URL = SITE
    call_command("sms_templates")
    printed = tomllib.loads(capsys.readouterr().out)
    assert sorted(printed) == kinds_by_sms()
    assert all(one["code"] == "" for texts in printed.values() for one in texts)
    assert "地点：${place}，" in "".join(one["text"] for one in printed["day_near"])
    assert f"逾期名额递补给下一家：{SITE}/status/" in printed["seat_offered"][0]["text"]


@pytest.mark.django_db
def test_admin_shows_the_number_of_segments_of_an_sms(client, coordinator, settings, tmp_path):
    from datetime import datetime

    file = tmp_path / "notices" / "long" / "sms.txt"
    file.parent.mkdir(parents=True)
    file.write_text("字" * 61)
    settings.TEMPLATES = [{**settings.TEMPLATES[0], "DIRS": [tmp_path, *settings.TEMPLATES[0]["DIRS"]]}]
    settings.SMS_SIGN_NAME = SIGNATURE
    settings.LETTER_KINDS = [*settings.LETTER_KINDS, letter_kinds.PATH]
    at = datetime(2026, 12, 1, 9, 30, tzinfo=SHANGHAI)
    to = Recipient("王测试", "+8613800000001")
    post("long", about=Division.objects.get(name="水处"), to=to, key="1", at=at)
    client.force_login(coordinator)
    page = client.get(f"/admin/outbox/notice/{Notice.objects.get().pk}/change/").content.decode()
    assert "短信条数" in page and "2条（含签名）" in page
    assert "字字字" not in page
