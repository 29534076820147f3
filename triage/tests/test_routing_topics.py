"""Topics as officials write them: read, checked, and refused with a sentence that says how to correct them."""

import pytest

from triage.routing import topic_files
from triage.routing.matcher import Matcher
from triage.routing.router import Router
from triage.routing.topic import Topic
from triage.routing.topic_files import shipped_topics
from triage.routing.validation import validate

CLAUSE = "五（一）涉水和涉海污染防治问题由水处研究回复"


def topic(code: str, **fields) -> Topic:
    entry = {"code": code, "name": code, "clause": CLAUSE, "layer": "matter", "lead": "water", **fields}
    return topic_files.from_mapping(entry)


def faults(*topics: Topic) -> str:
    return "\n".join(validate(topics))


def test_topic_survives_the_way_to_a_form_and_back():
    for shipped in shipped_topics():
        assert topic_files.from_mapping(topic_files.as_mapping(shipped)) == shipped


def test_words_are_read_from_plain_text():
    read = topic("a", include="废水 污水\n尾水", together="指标 + 转让 购买\n请 … 查处")
    assert read.include == ("废水", "污水", "尾水")
    assert read.together == ("指标 + 转让 购买", "请 … 查处")


def test_version_changes_with_any_word():
    one, other = (Router([topic("a", include=words)]) for words in ("废水", "废水 污水"))
    assert one.version != other.version
    assert one.version == Router([topic("a", include="废水")]).version


def test_word_of_two_topics_is_reported():
    assert "决定词“废水”同时写在“a”、“b”，请只留一处。" in faults(
        topic("a", include="废水"), topic("b", include="废水")
    )


def test_word_of_two_topics_in_different_spelling_is_reported():
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
def test_word_that_can_never_match_is_reported(word, reason):
    assert reason in faults(topic("a", include=f"污泥 {word}"))


def test_word_that_always_loses_is_reported():
    loser = topic("a", include="许可证延续", gives_way_to="b")
    assert "“许可证延续”永远不起作用" in faults(loser, topic("b", together="许可证延续 + 许可证延续"))


def test_topics_that_give_way_to_each_other_are_reported():
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
        ({"gives_way_to": "no-topic"}, "要让位于“no-topic”，但没有这个事项或层次"),
    ],
)
def test_missing_or_unknown_field_is_reported(fields, fault):
    assert fault in faults(topic("a", **{"include": "废水", **fields}))


def test_code_used_twice_is_reported():
    assert "代码“a”被“a”和“a”共用" in faults(topic("a", include="废水"), topic("a", include="污水"))


def test_all_faults_are_reported_at_once():
    reported = faults(topic("a", include="废水", clause=""), topic("b", include="污水", layer="none"))
    assert "没有写明所依据的条款" in reported and "层次“none”不存在" in reported


def test_added_topic_leads():
    router = Router([*shipped_topics(), topic("water.new", name="海参尾水", include="海参苗种池换水")])
    finding = router.route("海参苗种池换水怎么办？").findings[0]
    assert (finding.code, finding.lead) == ("water.new", "water")


def made_up_topics(count: int) -> list[Topic]:
    return [topic(f"t{n}", include=f"生造词{n}号甲 生造词{n}号乙") for n in range(count)]


def test_findings_do_not_depend_on_topics_without_words_in_the_text():
    few, many = Router(shipped_topics()), Router([*shipped_topics(), *made_up_topics(1000)])
    text = "蒸煮废水的COD怎么降？"
    assert many.route(text).findings == few.route(text).findings


def test_text_touches_only_topics_with_words_in_it():
    few, many = Matcher(shipped_topics()), Matcher([*shipped_topics(), *made_up_topics(1000)])
    assert len(many.match("蒸煮废水").hits) == len(few.match("蒸煮废水").hits)
