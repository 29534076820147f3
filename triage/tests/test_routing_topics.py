"""Topics as officials write them: read, checked, and refused with a sentence that says how to correct them."""

import pytest

from triage.routing import topic_files
from triage.routing.clause_leads import contradiction
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


TOTAL = "五（一）总量指标（除VOCs由大气处研究回复外）由综合处研究回复"
SEA = "五（一）涉及海洋项目环评由水处研究回复"


@pytest.mark.parametrize(
    "fields, named",
    [
        ({"clause": "五（一）涉气污染防治问题由大气处研究回复", "lead": "air"}, ""),
        ({"clause": "五（一）涉气污染防治问题由大气处研究回复", "lead": "water"}, "大气处"),
        # What 五（一） says counts, not how it is misquoted.
        ({"clause": "五（一）涉气污染防治问题由水处研究回复", "lead": "water"}, "大气处"),
        ({"clause": TOTAL, "lead": "general"}, ""),
        ({"clause": TOTAL, "lead": "air"}, "综合处"),
        ({"clause": TOTAL, "lead": "air", "layer": "exception"}, ""),
        ({"clause": TOTAL, "lead": "general", "layer": "exception"}, "大气处"),
        ({"clause": TOTAL, "lead": "general", "layer": "exception", "support": "air"}, ""),
        ({"clause": SEA, "lead": "water", "layer": "exception"}, ""),
        ({"clause": SEA, "lead": "eia", "layer": "exception"}, "水处"),
        ({"clause": "五（一）建设项目环评审批问题由环评处研究回复", "lead": "water"}, "环评处"),
        ({"clause": "七（二）科监处负责网上预约登记系统的保障维护", "lead": "office"}, "科监处"),
        ({"clause": "五（一）其他事项按照局内部“三定方案”由相应的责任处室回复", "lead": "air"}, ""),
        ({"clause": "五（一）涉气污染防治问题由大气处研究回复", "lead": "manual"}, ""),
        ({"clause": "五（二）不包括信访、投诉问题，如涉气", "lead": "water", "scope": "complaint"}, ""),
    ],
)
def test_lead_that_contradicts_its_clause_is_told(fields, named):
    warning = contradiction(topic("a", include="某物", **fields))
    assert warning == "" if not named else f"写明由{named}研究回复" in warning


def test_no_shipped_topic_contradicts_its_clause():
    assert [warning for shipped in shipped_topics() if (warning := contradiction(shipped))] == []
