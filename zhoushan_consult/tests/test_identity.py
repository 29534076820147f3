"""identity: what people type is normalised if it can be, and else refused with a sentence."""

import json
import random
import re
from datetime import date
from pathlib import Path

import pytest
from django.core.exceptions import ValidationError
from hypothesis import given
from hypothesis import strategies as st

from zhoushan_consult.identity import mailbox, mask, names, phone, postcode, resident_id, samples, uscc
from zhoushan_consult.identity.resident_id import IdType

TODAY = date(2026, 11, 22)
CASES = json.loads((Path(__file__).parent / "data" / "identity_cases.json").read_text("utf-8"))


def clean_id(text, kind=None):
    return resident_id.clean(text, today=TODAY, kind=kind)


CLEAN = {
    "resident_id": clean_id,
    "other": lambda text: clean_id(text, IdType.OTHER),
    "uscc": uscc.clean,
    "admitted": lambda text: uscc.clean(text, admitted=True),
    "phone": phone.clean,
}


def refusal(clean, *args, **kwargs):
    with pytest.raises(ValidationError) as refused:
        clean(*args, **kwargs)
    return refused.value


GOLDEN = [
    pytest.param(matter, case, id=f"{matter}-{case['value']}") for matter in CASES for case in CASES[matter]
]


@pytest.mark.parametrize("matter, case", GOLDEN)
def test_golden_case_is_accepted_or_refused_as_listed(matter, case):
    if case["valid"]:
        assert CLEAN[matter](case["value"]) == case["stored_as"], case["why"]
    else:
        assert refusal(CLEAN[matter], case["value"]).message, case["why"]


def blurred(text):
    """A number as people paste it: full width, lower case, set apart by blanks, dashes and invisible marks."""
    gaps = [" ", "\u3000", "-", "－", "\u2013", "\u200b", "\ufeff", "\u00ad", "\u202e", "\u2060", "\ufe0f"]
    wide = [chr(ord(char) + 0xFEE0) if index % 2 else char.lower() for index, char in enumerate(text)]
    return "\ufeff " + "".join(char + gap for char, gap in zip(wide, gaps * 3, strict=False)) + "\u3000\n"


@pytest.mark.parametrize("number", ["11010519491231002X", "81000019680808981X", "911826197806079817"])
def test_id_number_is_read_despite_blanks_full_width_and_invisible_marks(number):
    assert clean_id(blurred(number)) == number


def test_credit_code_is_read_despite_blanks_full_width_and_invisible_marks():
    assert uscc.clean(blurred("91330902MA28K00157")) == "91330902MA28K00157"


# Surrogates, NUL, and the characters that a number is made of, so that the search also gets past the first check.
anything = st.one_of(
    st.text(st.characters(), max_size=120),
    st.text(st.characters(codec=None, categories=["Cs", "Cc", "Cf", "Nd", "No", "Lm", "Zs"]), max_size=60),
    st.text("0123456789XxMA+-()转分机;ext=#/, ０５８\u200b\x00", max_size=40),
    st.from_regex(r"[0-9]{17}[0-9X]", fullmatch=True),
    st.from_regex(r"91[0-9]{6}[0-9A-HJ-NPQRTUWXY]{10}", fullmatch=True),
    st.from_regex(r"(\+|00)?[0-9]{5,16}(转[0-9]{1,6})?", fullmatch=True),
)


@pytest.mark.parametrize("matter", CLEAN)
@given(text=anything)
def test_any_text_gives_a_number_that_cleans_to_itself_or_a_sentence(matter, text):
    clean = CLEAN[matter]
    try:
        number = clean(text)
    except ValidationError as refused:
        assert re.search("[请填]", refused.message) and refused.message.endswith("。") and refused.code
    else:
        assert clean(number) == number


@pytest.mark.parametrize("matter", CLEAN)
@pytest.mark.parametrize(
    "text", ["1" * 2_000_000, "\ufdfa" * 99, "0-" * 50_000], ids=len
)  # \ufdfa unfolds to 18
def test_huge_text_is_refused_as_too_long(matter, text):
    assert refusal(CLEAN[matter], text).code == "too_long"


@pytest.mark.parametrize("matter", CLEAN)
@pytest.mark.parametrize("text", ["", "   ", "\u3000\u200b", "--"])
def test_text_without_visible_characters_is_refused_as_empty(matter, text):
    assert refusal(CLEAN[matter], text).code == "empty"


@pytest.mark.parametrize("matter", CLEAN)
def test_refusal_never_repeats_what_was_typed(matter):
    typed = "秘密330902197503159816秘密"
    try:
        CLEAN[matter](typed)
    except ValidationError as refused:
        assert "秘密" not in str(refused) and "19750315" not in str(refused)


# --- ID numbers -----------------------------------------------------------------------------------------------------

RESIDENT, HMT, FOREIGN = "330902198603159817", "81000019680808981X", "911826197806079817"


@pytest.mark.parametrize("number, kind", [(RESIDENT, "resident"), (HMT, "hmt"), (FOREIGN, "foreign")])
def test_id_number_of_another_kind_is_refused_with_the_right_kind(number, kind):
    assert clean_id(number, kind) == number
    for other in {"resident", "hmt", "foreign"} - {kind}:
        refused = refusal(clean_id, number, other)
        assert refused.code == "kind" and f"改选为“{IdType(kind).label}”" in refused.message


@pytest.mark.parametrize(
    "text, stored_as",
    [
        ("P174468(6)", "P174468(6)"),
        ("e 1234-5678", "E12345678"),
        ("军字第２００１９８８号", "军字第2001988号"),
    ],
)
def test_number_of_another_document_is_only_normalised(text, stored_as):
    assert clean_id(text, IdType.OTHER) == stored_as


@pytest.mark.parametrize("text", ["无", "没有证件", "123", "1" * 31, "<b>1234</b>", "1234\x00"])
def test_text_that_is_no_document_number_is_refused(text):
    assert refusal(clean_id, text, IdType.OTHER).code == "characters"


@pytest.mark.parametrize(
    "text, code, advice",
    [
        ("360198910283844", "old_number", "18位"),
        ("USA311082082901", "old_number", "其他证件"),
        ("33090219860315981", "length", "17位"),
        ("P174468(6)", "characters", "其他证件"),
        ("330902198603159818", "check_digit", "逐位核对"),
        ("33090219900230981X", "birth_date", "第7至14位"),
    ],
)
def test_refused_id_number_has_its_reason_and_advice(text, code, advice):
    refused = refusal(clean_id, text)
    assert refused.code == code and advice in refused.message


def id_of(born):
    return samples.resident_id(random.Random(1), born=born)


def test_birth_date_is_accepted_from_130_years_ago_to_today():
    for born in (TODAY, date(1896, 11, 22)):
        assert clean_id(id_of(born))
    assert refusal(clean_id, id_of(date(2026, 11, 23))).code == "birth_future"
    assert refusal(clean_id, id_of(date(1896, 11, 21))).code == "birth_past"


def test_130_years_are_counted_from_a_29th_of_february():
    assert resident_id.clean(id_of(date(1896, 2, 29)), today=date(2026, 2, 28))
    assert refusal(resident_id.clean, id_of(date(1896, 2, 29)), today=date(2026, 3, 1)).code == "birth_past"


@pytest.mark.parametrize("position", range(17))
def test_id_number_with_one_wrong_digit_is_refused(position):
    digit = str((int(RESIDENT[position]) + 1) % 10)
    refusal(clean_id, RESIDENT[:position] + digit + RESIDENT[position + 1 :])


# --- Credit codes ---------------------------------------------------------------------------------------------------


def test_credit_code_with_a_wrong_check_digit_can_be_admitted_by_staff():
    assert refusal(uscc.clean, "91330902MA28K00158").code == "check_digit"
    assert uscc.clean("91330902ma28k00158", admitted=True) == "91330902MA28K00158"


@pytest.mark.parametrize("code", ["9133090MA28K00158", "91330902MI28K00157", "91330902MA28K0015号"])
def test_text_that_cannot_be_a_credit_code_is_refused_even_from_staff(code):
    refusal(uscc.clean, code, admitted=True)


@pytest.mark.parametrize("head", ["91", "92", "93", "11", "12", "35", "54", "A9", "N3", "Y1"])
def test_credit_code_of_each_class_in_the_standard_is_accepted(head):
    code = samples.uscc(random.Random(1), head=head)
    assert uscc.clean(code) == code


@pytest.mark.parametrize("head", ["94", "14", "90", "Y2", "B1", "X9", "1A"])
def test_credit_code_of_an_unknown_class_is_refused(head):
    assert refusal(uscc.clean, samples.uscc(random.Random(1), head=head)).code == "class"


@pytest.mark.parametrize("position", range(18))
def test_credit_code_with_one_wrong_character_is_refused(position):
    code = "91330902MA28K00157"
    refusal(uscc.clean, code[:position] + ("1" if code[position] != "1" else "7") + code[position + 1 :])


# --- Telephones -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text, stored_as",
    [
        ("（0580）2021234 转 8001", "+865802021234;ext=8001"),
        ("0580 202 1234 分机号：012", "+865802021234;ext=012"),
        ("0580-2021234－8001", "+865802021234;ext=8001"),
        ("tel:+86-138-0013-8000", "+8613800138000"),
        ("手机号码：138 0013 8000", "+8613800138000"),
        ("电话 0580-2021234 转 8001", "+865802021234;ext=8001"),
        ("010-6552-9988", "+861065529988"),
        ("+86 (0)580 2021234", "+865802021234"),
        ("86 138 0013 8000", "+8613800138000"),
        ("0086 13800138000", "+8613800138000"),
        ("013800138000", "+8613800138000"),
        ("400-860-8608转3", "+864008608608;ext=3"),
    ],
)
def test_telephone_number_is_read_in_any_usual_format(text, stored_as):
    assert phone.clean(text) == stored_as


@pytest.mark.parametrize(
    "text, code",
    [
        ("2021234", "no_area_code"),
        ("2021234-801", "no_area_code"),  # not Guangzhou
        ("2021234转801", "no_area_code"),
        ("13800138000、13800138001", "two_numbers"),
        ("0580-2021234 13800138000", "two_numbers"),
        ("0580-2021234/5", "two_numbers"),
        ("13800138000转8001", "mobile_extension"),
        ("13800138000-123", "mobile_extension"),
        ("13800138000 王先生", "characters"),
        ("1380013800", "invalid"),
    ],
)
def test_refused_telephone_number_has_its_reason(text, code):
    assert refusal(phone.clean, text).code == code


@pytest.mark.parametrize(
    "stored, reads, masked, sms",
    [
        ("+8613800138000", "138 0013 8000", "138****8000", True),
        ("+865802021234;ext=8001", "0580-2021234 转 8001", "0580-****234 转 ****", False),
        ("+861065529988", "010-65529988", "010-****9988", False),
        ("+864008608608", "400-860-8608", "400-860-**08", False),
        ("+85291234567", "+852 9123 4567", "+852 ****4567", True),
        ("+886227208889", "+886 2 2720 8889", "+886 *****8889", False),
        ("+447400123456", "+44 7400 123456", "+44 ******3456", False),  # a mobile too far abroad to text
    ],
)
def test_stored_telephone_number_is_formatted_and_masked(stored, reads, masked, sms):
    assert (phone.format_phone(stored), mask.mask_phone(stored), phone.receives_sms(stored)) == (
        reads,
        masked,
        sms,
    )


@given(text=anything)
def test_any_stored_text_can_be_formatted_and_masked(text):
    assert isinstance(phone.format_phone(text), str) and phone.receives_sms(text) in (True, False)
    for hide in (mask.mask_id, mask.mask_phone, mask.mask_name):
        assert isinstance(hide(text), str)


# --- Masks and samples ----------------------------------------------------------------------------------------------


def test_mask_hides_the_whole_birth_date_of_an_id_number():
    assert mask.mask_id("330902198603150012") == "3309**********0012"


@pytest.mark.parametrize(
    "number, masked", [("E12345678", "E1*****78"), ("A123", "A**3"), ("A1", "**"), ("", "")]
)
def test_mask_hides_at_least_half_of_any_other_number(number, masked):
    assert mask.mask_id(number) == masked


@pytest.mark.parametrize(
    "name, masked", [("王小明", "王**"), ("王伟", "王*"), ("买买提·吐尔逊", "买**"), ("王", "*"), ("", "")]
)
def test_mask_shows_only_the_first_character_of_a_name(name, masked):
    assert mask.mask_name(name) == masked


def test_samples_are_valid_and_repeat_for_the_same_seed():
    def some(rng):
        return [
            (samples.resident_id(rng), samples.uscc(rng), samples.mobile(rng), samples.land_line(rng))
            for _ in range(200)
        ]

    made = some(random.Random(7))
    assert made == some(random.Random(7)) and len(set(made)) == 200
    for number, code, mobile, land_line in made:
        assert (clean_id(number, "resident"), uscc.clean(code)) == (number, code)
        assert (phone.clean(mobile), phone.clean(land_line)) == (mobile, land_line)
        assert phone.receives_sms(mobile) and not phone.receives_sms(land_line)


# --- Pasted from letters, tables and chats --------------------------------------------------------------------------

GAPS = ["\u3000", "\u200b", "\ufeff", "\u00ad", "\u202e", "\u2060", "\xa0"]


@pytest.mark.parametrize("after", [*"。．，、；：！？…,.;", "。\u200b ", "。。"])
@pytest.mark.parametrize(
    "clean, typed, stored_as",
    [
        (uscc.clean, "91330902MA28K00157", "91330902MA28K00157"),
        (clean_id, "330902198603159817", "330902198603159817"),
        (phone.clean, "13800138000", "+8613800138000"),
        (phone.clean, "0580-2021234转8001", "+865802021234;ext=8001"),
        (postcode.clean, "316021", "316021"),
        (mailbox.clean, "name@qq.com", "name@qq.com"),
    ],
)
def test_punctuation_after_a_pasted_text_is_ignored(clean, typed, stored_as, after):
    assert clean(typed + after) == stored_as


@pytest.mark.parametrize("gap", GAPS)
def test_postcode_mailbox_and_name_are_read_despite_blanks_and_invisible_marks(gap):
    assert postcode.clean(f"{gap}３１６{gap}０２１{gap}") == "316021"
    assert mailbox.clean(f"{gap}ｎａ{gap}ｍｅ＠ｑｑ．ＣＯＭ{gap}") == "name@qq.com"
    assert names.clean(f"{gap}舟山ＡＢ１２{gap}") == "舟山AB12"


@pytest.mark.parametrize("typed", ["邮编：316021", "邮政编码 316021", "316 021", "316-021"])
def test_postcode_is_read_with_its_label(typed):
    assert postcode.clean(typed) == "316021"


@pytest.mark.parametrize("typed", ["31602", "3160211", "３１６０２", "舟山", "无", "31602A"])
def test_postcode_of_other_than_six_digits_is_refused_with_an_example(typed):
    assert "如 316021" in refusal(postcode.clean, typed).message


@pytest.mark.parametrize(
    "typed, stored_as",
    [
        ("Zhang.San@QQ.COM", "Zhang.San@qq.com"),
        ("邮箱：name@qq.com", "name@qq.com"),
        ("电子邮箱地址 name@qq.com", "name@qq.com"),
        ("mailto:name@qq.com", "name@qq.com"),
        ("email@qq.com", "email@qq.com"),
        ("<name@qq.com>", "name@qq.com"),
        ("name@qq。com", "name@qq.com"),
        ("a–b@x－y.cn", "a-b@x-y.cn"),
        ("", ""),
        ("\u3000\u200b", ""),
    ],
)
def test_mailbox_is_read_as_people_write_it(typed, stored_as):
    assert mailbox.clean(typed) == stored_as


@pytest.mark.parametrize(
    "typed, code",
    [
        ("name@qq.com手机同微信", "characters"),
        ("name@qq.com（张三）", "characters"),
        ("张三@qq.com", "characters"),
        ("a@qq.com b@qq.com", "two_addresses"),
        ("a@qq.com、b@qq.com", "two_addresses"),
        ("name@qq", "invalid"),
        ("name@qq,com", "invalid"),
        ("没有", "invalid"),
        ("a" * 120 + "@qq.com", "too_long"),
    ],
)
def test_text_that_cannot_be_one_mailbox_is_refused_with_its_reason(typed, code):
    assert refusal(mailbox.clean, typed).code == code


@pytest.mark.parametrize(
    "typed, stored_as",
    [
        ("舟山（海宁）有限公司。", "舟山（海宁）有限公司"),
        ("舟山\n海试　 有限公司", "舟山 海试 有限公司"),
        ("Zhoushan Co., Ltd.", "Zhoushan Co., Ltd."),
        ("⼭⽥船厂", "山田船厂"),
        ("阿卜杜拉•买买提", "阿卜杜拉·买买提"),
    ],
)
def test_name_is_kept_as_written_on_one_line(typed, stored_as):
    assert names.clean(typed) == stored_as


@pytest.mark.parametrize(
    "name", ["王䶮", "𠮷野", "葛\U000e0100城", "㛃", "\U00030edd", "Ñandú", "王\ue863", "字" * 100]
)
def test_rare_characters_are_welcome_in_a_name(name):
    assert names.clean_person(name) == name


@pytest.mark.parametrize("typed", ["123", "——", "。", "()（）", "😀"])
def test_name_needs_a_letter_or_ideograph(typed):
    assert refusal(names.clean, typed).code == "no_letter"


@pytest.mark.parametrize("typed", ["张三13800138000", "张三 zhang@qq.com"])
def test_number_or_mailbox_after_a_name_is_refused_with_where_it_belongs(typed):
    assert "请填在下面的栏里" in refusal(names.clean_person, typed).message


def test_name_over_the_limit_is_refused_with_its_length():
    assert "已写 1,234 字，最多 100 字" in refusal(names.clean, "字" * 1234).message


@pytest.mark.parametrize("clean", [names.clean, names.clean_person, mailbox.clean, postcode.clean])
@given(text=anything)
def test_any_name_or_address_cleans_to_itself_or_gets_a_sentence(clean, text):
    try:
        stored = clean(text)
    except ValidationError as refused:
        assert refused.message.endswith("。") and refused.code
    else:
        assert clean(stored) == stored
