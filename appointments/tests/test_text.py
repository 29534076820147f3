"""A text as people type it: normalized for rules and models, without the firm's name, and free of what would identify someone."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appointments.text.anonymity import identifying_details
from appointments.text.firm_names import firm_name_spans
from appointments.text.misspellings import CORRECTIONS
from appointments.text.negation import negated_spans
from appointments.text.normalize import normalize
from appointments.text.simplified import SIMPLIFIED


@pytest.mark.parametrize(
    "typed, normalized",
    [
        ("ＶＯＣｓ 总量", "vocs总量"),
        ("“三同时”", "三同时"),
        ("①危废 ②固废", "1、危废2、固废"),
        ("排污许可正", "排污许可证"),
        ("報廢汽車", "报废汽车"),
        ("二恶英", "二噁英"),
        ("二噁英", "二噁英"),
    ],
)
def test_text_is_normalized(typed, normalized):
    assert normalize(typed).text == normalized


def test_quote_finds_the_words_as_they_were_typed():
    normalized = normalize("请问：排 污 許 可 正怎么办")
    start = normalized.text.index("排污许可证")
    assert normalized.quote(start, start + 5) == ("排 污 許 可 正", 3, 12)


@given(st.text(max_size=80))
def test_any_text_can_be_normalized_and_quoted(text):
    normalized = normalize(text)
    quoted, start, end = normalized.quote(0, len(normalized.text))
    assert quoted == text[start:end]


def test_every_misspelling_can_occur_in_a_normalized_text():
    """Otherwise it would never be found: 化糞池 is simplified to 化粪池 before misspellings are corrected."""
    folded = {
        wrong: "".join(SIMPLIFIED.get(character, character) for character in wrong) for wrong in CORRECTIONS
    }
    assert [wrong for wrong, typed in folded.items() if typed != wrong] == []


def test_every_correction_is_itself_normalized():
    assert [right for right in CORRECTIONS.values() if normalize(right).text != right] == []


def test_one_character_becomes_one_character():
    """The positions in the source rely on it."""
    assert [old for old, new in SIMPLIFIED.items() if len(old) != 1 or len(new) != 1] == []


@pytest.mark.parametrize("traditional, simplified", ["樁桩", "噸吨", "鑑鉴", "銲焊", "燐磷", "衹只", "囬回"])
def test_characters_of_opencc_and_our_variants_are_simplified(traditional, simplified):
    assert SIMPLIFIED[traditional] == simplified


@pytest.mark.parametrize(
    "text, name",
    [
        ("舟山海蓝水处理有限公司咨询电焊烟尘", "舟山海蓝水处理有限公司"),
        ("定海阿明船厂:废气怎么收", "定海阿明船厂"),
    ],
)
def test_firm_name_is_found_in_a_text(text, name):
    assert (text.index(name), len(name)) in firm_name_spans(text)


@pytest.mark.parametrize("written", ["舟山定海鱼山石化有限公司", "鱼山石化", "定海鱼山石化"])
def test_registered_name_is_found_as_people_shorten_it(written):
    text = f"这是{written}的废气"
    assert (2, 2 + len(written)) in firm_name_spans(text, "舟山定海鱼山石化有限公司")


@pytest.mark.parametrize("text", ["我们不涉及废水", "没有危废产生", "废水不外排"])
def test_negation_is_found(text):
    assert negated_spans(text)


@pytest.mark.parametrize("text", ["是不是危废", "有没有废气要求", "涉不涉及废水"])
def test_question_is_not_taken_for_a_negation(text):
    assert negated_spans(text) == []


@pytest.mark.parametrize(
    "text, found",
    [
        ("请打 138 0580 1234", ["手机号码"]),
        ("舟山海蓝船舶有限公司来问", ["企业名称“舟山海蓝船舶有限公司”"]),
        ("废油漆桶怎么处置", []),
    ],
)
def test_identifying_details_are_named(text, found):
    assert identifying_details(text) == found


@pytest.mark.parametrize("written", ["定海阿明饭店", "阿明饭店", "浙江自贸区（舟山）能源"])
def test_firm_that_asked_is_recognised_as_people_write_it(written):
    names = ["定海阿明饭店", "浙江自贸区（舟山）能源有限公司"]
    assert f"“{written}”".replace("（", "(").replace("）", ")") in identifying_details(
        f"{written}的油烟", names
    )
