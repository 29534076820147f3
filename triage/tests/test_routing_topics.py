"""Topics as officials write them: read, checked, and refused with a sentence that says how to mend them."""

import pytest

from triage.routing import topic_files
from triage.routing.router import RuleBook
from triage.routing.topic import Topic

CLAUSE = "五（一）涉水和涉海污染防治问题由水处研究回复"


def topic(code: str, **fields) -> Topic:
    entry = {"code": code, "name": code, "clause": CLAUSE, "layer": "matter", "lead": "water", **fields}
    return topic_files.from_mapping(entry)


def faults(*topics: Topic) -> str:
    return "\n".join(topic_files.validate(topics))


def test_it_carries_a_topic_to_a_form_and_back():
    for shipped in topic_files.shipped():
        assert topic_files.from_mapping(topic_files.as_mapping(shipped)) == shipped


def test_it_reads_words_as_plain_text():
    read = topic("a", include="废水 污水\n尾水", together="指标 + 转让 购买\n请 … 查处")
    assert read.include == ("废水", "污水", "尾水")
    assert read.together == ("指标 + 转让 购买", "请 … 查处")


def test_it_changes_its_version_with_any_word():
    one, other = (RuleBook([topic("a", include=words)]) for words in ("废水", "废水 污水"))
    assert one.version != other.version
    assert one.version == RuleBook([topic("a", include="废水")]).version


def test_it_reports_a_word_that_two_topics_claim():
    assert "决定词“废水”同时写在“a”、“b”，请只留一处。" in faults(
        topic("a", include="废水"), topic("b", include="废水")
    )


def test_it_reports_a_word_claimed_twice_in_another_writing():
    assert "决定词“vocs总量”同时写在" in faults(
        topic("a", include="VOCs总量"), topic("b", include="ＶＯＣｓ總量")
    )


@pytest.mark.parametrize(
    "word, reason",
    [
        ("“”", "清洗后没有文字"),
        ("没有废水", "总被当作否定、名称或形近词略去"),
        ("舟山清源有限公司", "总被当作否定、名称或形近词略去"),
    ],
)
def test_it_reports_a_word_that_can_never_win(word, reason):
    assert reason in faults(topic("a", include=f"污泥 {word}"))


def test_it_reports_a_word_that_always_loses():
    loser = topic("a", include="许可证延续", gives_way_to="b")
    assert "“许可证延续”永远不起作用" in faults(loser, topic("b", together="许可证延续 + 许可证延续"))


def test_it_reports_topics_that_give_way_to_each_other():
    first, second, third = (
        topic("a", include="甲乙", gives_way_to="b"),
        topic("b", include="丙丁", gives_way_to="c"),
        topic("c", include="戊己", gives_way_to="a"),
    )
    assert faults(first, second, third).count("让位关系绕成了圈") == 3


@pytest.mark.parametrize(
    "fields, fault",
    [
        ({"clause": " "}, "没有写明所依据的条款"),
        ({"layer": "none"}, "层次“none”不存在"),
        ({"lead": "sea"}, "处室“sea”不存在"),
        ({"scope": "far"}, "范围“far”不存在"),
        ({"include": ""}, "没有任何词"),
        ({"together": "@没有的表 + 水"}, "词表“@没有的表”不存在"),
        ({"gives_way_to": "nobody"}, "要让位于“nobody”，但没有这个事项或层次"),
    ],
)
def test_it_reports_what_is_missing_or_unknown(fields, fault):
    assert fault in faults(topic("a", **{"include": "废水", **fields}))


def test_it_reports_a_code_used_twice():
    assert "代码“a”被“a”和“a”共用" in faults(topic("a", include="废水"), topic("a", include="污水"))


def test_it_refuses_to_compile_faulty_topics_and_says_all_that_is_wrong():
    with pytest.raises(topic_files.Unusable, match="没有写明所依据的条款.*层次“none”不存在"):
        topic_files.compiled(
            [topic("a", include="废水", clause=""), topic("b", include="污水", layer="none")]
        )


def test_it_lets_an_edited_topic_lead_at_once():
    edited = [*topic_files.shipped(), topic("water.new", name="海参尾水", include="海参苗种池换水")]
    finding = topic_files.compiled(edited).route("海参苗种池换水怎么办？").findings[0]
    assert (finding.code, finding.lead) == ("water.new", "water")


def test_it_needs_no_more_work_for_a_thousand_topics():
    """A text touches only the topics whose words stand in it."""
    many = [topic(f"t{n}", include=f"生造词{n}号甲 生造词{n}号乙") for n in range(1000)]
    few, with_many = RuleBook(topic_files.shipped()), RuleBook([*topic_files.shipped(), *many])
    text = "蒸煮废水的COD怎么降？"
    assert with_many.route(text).findings == few.route(text).findings
    assert len(with_many._ruling._vocabulary.read("蒸煮废水").hits) == len(
        few._ruling._vocabulary.read("蒸煮废水").hits
    )
