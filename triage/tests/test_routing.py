"""Routing, one rule of thumb at a time: names, negations, background, two questions, stance, misspellings."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appointments.text.normalize import normalize
from triage.routing import topic_files
from triage.routing.clauses import split
from triage.routing.decision import UNSURE
from triage.routing.router import RuleBook

book = RuleBook(topic_files.shipped())  # the rules by themselves
route = book.route


def lead(text: str, firm_name: str = "") -> str:
    return route(text, firm_name).primary


@pytest.mark.parametrize(
    "text, division",
    [
        ("新增VOCs总量从哪里调剂？", "air"),
        ("新增氮氧化物总量从哪里调剂？", "general"),
        ("跨海大桥的环评报哪里？", "water"),
        ("跨省高速公路的环评报哪里？", "eia"),
        ("海景餐厅要办环评登记表吗？", "eia"),
    ],
)
def test_it_keeps_the_two_exceptions_of_the_clause(text, division):
    assert lead(text) == division


def test_it_remembers_the_sea_told_before_the_question():
    assert lead("我们准备在外海建一个海上风电场。海底电缆由中标单位铺设。环评由谁审批？") == "water"


@pytest.mark.parametrize(
    "text, division",
    [
        ("废气治理改造有补助吗？", "office"),
        ("废水自行监测多久一次？", "science"),
        ("喷漆房搬迁要重新做环评吗？", "eia"),
        ("危废仓库的废气要不要收集？", "air"),
        ("污水处理站的污泥怎么处置？", "soil"),
        ("废气处理产生的废水怎么排？", "water"),
    ],
)
def test_it_puts_the_matter_before_the_medium_and_the_thing_before_its_place(text, division):
    assert lead(text) == division


@pytest.mark.parametrize(
    "permit, division, scope",
    [
        ("排污许可证", "eia", "in"),
        ("危险废物经营许可证", "soil", "in"),
        ("辐射安全许可证", "soil", "in"),
        ("城镇污水排入排水管网许可证", "manual", "outside"),
        ("取水许可证", "manual", "outside"),
        ("食品经营许可证", "manual", "outside"),
        ("危险化学品经营许可证", "manual", "outside"),
    ],
)
def test_it_reads_a_permit_by_its_full_name(permit, division, scope):
    decision = route(f"我们的{permit}到期了，怎么延续？")
    assert (decision.primary, decision.scope) == (division, scope)


@pytest.mark.parametrize(
    "denial",
    [
        "不涉及废水，",
        "不涉及废水和危废，",
        "没有废水，",
        "无生产废水、无危废，",
        "我厂不产生废水，也没有危废，",
        "废水不外排，",
        "生产废水全部回用不外排，",
        "不是问废水，",
    ],
)
def test_it_does_not_ask_what_the_text_denies(denial):
    decision = route(f"{denial}只有打磨粉尘，布袋除尘够不够？")
    assert (decision.primary, decision.co) == ("air", ())


@pytest.mark.parametrize(
    "text, division",
    [
        ("无组织粉尘怎么控制？", "air"),
        ("没有危废间怎么办？", "soil"),
        ("没有环评能生产吗？", "eia"),
        ("有没有废水排放的限值？", "water"),
        ("废水没有地方排怎么办？", "water"),
        ("是不是危险废物？", "soil"),
    ],
)
def test_it_does_not_take_everything_that_sounds_negative_for_a_denial(text, division):
    assert lead(text) == division


def test_it_goes_by_what_is_denied_where_nothing_else_is_said():
    assert lead("生产废水不外排，可以吗？") == "water"


@pytest.mark.parametrize(
    "text, firm_name",
    [
        ("舟山清源污水处理设备厂：电焊烟尘要收集吗？", ""),
        ("我们是舟山市清源污水处理有限公司，电焊烟尘要收集吗？", ""),
        ("清源污水处理的电焊烟尘要收集吗？", "舟山清源污水处理有限公司"),
        ("电焊烟尘要收集吗？——舟山清源污水处理有限公司", ""),
    ],
)
def test_it_reads_nothing_out_of_the_firms_own_name(text, firm_name):
    decision = route(text, firm_name)
    assert decision.primary == "air"
    assert decision.co == ()


def test_it_does_not_lose_the_matter_to_a_heading_that_is_no_name():
    assert lead("污水处理站：污泥怎么处置？") == "soil"


@pytest.mark.parametrize(
    "text, division",
    [
        ("我公司是水产加工企业，环评和验收都做完了，现在食堂油烟要装净化器吗？", "air"),
        ("环评已经批了，排污许可证什么时候申请？", "eia"),
        ("我们主要从事危险废物收集，想问一下锅炉烟囱要多高？", "air"),
    ],
)
def test_it_goes_by_what_is_asked_not_by_what_is_done(text, division):
    assert lead(text) == division


def test_it_judges_two_questions_by_themselves():
    decision = route("蒸煮废水的COD怎么降？另外烘干的臭气用什么办法除臭？")
    assert [finding.lead for finding in decision.findings] == ["water", "air"]
    assert (decision.primary, decision.co) == ("water", ("air",))
    assert [finding.text for finding in decision.findings] == [
        "蒸煮废水的COD怎么降？",
        "另外烘干的臭气用什么办法除臭？",
    ]


def test_it_parts_numbered_questions_but_no_decimals():
    text = normalize("1.废水怎么处理 2、危废放哪里 （3）烟囱要3.5米还是15米").text
    assert len(split(text)) == 3


def test_it_keeps_a_follow_up_with_its_question():
    decision = route("污水处理站的污泥能送砖厂吗？需要鉴别吗？")
    assert (decision.primary, decision.co) == ("soil", ())


def test_it_names_the_support_that_a_topic_itself_brings():
    decision = route("土壤自行监测的点位怎么布？")
    assert (decision.primary, decision.co) == ("science", ("soil",))


def test_it_says_which_topic_gave_way_and_why():
    finding = route("VOCs总量替代比例是多少？").findings[0]
    assert ("general.total", "让位于“VOCs 总量指标”") in [(way.code, way.why) for way in finding.gave_way]


@pytest.mark.parametrize(
    "text",
    [
        "隔壁船厂天天打砂，灰尘满天，请你们来查处。",
        "楼下饭店的油烟天天往我家窗户里灌，孩子都咳嗽了。",
        "我要举报一家化工厂半夜偷排污水。",
        "窗口工作人员态度恶劣，互相推诿。",
        "河里的水又黑又臭，怎么就没人管？",
    ],
)
def test_it_hears_a_complaint_by_its_stance(text):
    decision = route(text)
    assert (decision.primary, decision.scope) == ("manual", "complaint")


@pytest.mark.parametrize(
    "text, division",
    [
        ("我们饭店的油烟被楼上居民投诉，怎么整改才能达标？", "air"),
        ("周边村民反映我厂臭味大，用什么工艺除臭？", "air"),
        ("偷排污水的处罚和信用扣分是什么关系，信用怎么修复？", "general"),
    ],
)
def test_it_does_not_take_a_firms_own_trouble_for_a_complaint(text, division):
    decision = route(text)
    assert (decision.primary, decision.scope) == (division, "in")


@pytest.mark.parametrize("text", ["", "  \n", "1111", "您好！", "详见附件", "谢谢", "？？？", "环保方面的事"])
def test_it_does_not_guess_where_nothing_is_said(text):
    decision = route(text)
    assert (decision.primary, decision.sure) == ("manual", UNSURE)


@pytest.mark.parametrize(
    "text, division",
    [
        ("排污许可正怎么申请？", "eia"),
        ("环平要多久？", "eia"),
        ("威废放哪里？", "soil"),
        ("廢氣怎麼處理？", "air"),
        ("ＶＯＣｓ 总 量找谁？", "air"),
        ("“三同时”验收找谁？", "eia"),
        ("循环平台的报废汽车怎么办理废机油转移？", "soil"),
    ],
)
def test_it_reads_what_was_meant(text, division):
    assert lead(text) == division


def test_it_marks_a_misspelt_word_as_it_was_typed():
    text = "请问 排污许可正 怎么变更？"
    words = [word for finding in route(text).findings for word in finding.words]
    assert "排污许可正" in [word.text for word in words]
    assert all(text[word.start : word.end] == word.text for word in words)


def test_it_gives_a_trace_that_json_can_keep():
    decision = route("污水站的臭气怎么收集，污泥怎么处置？")
    kept = json.loads(json.dumps(decision.as_dict(), ensure_ascii=False))
    assert kept["version"] == book.version
    assert [finding["lead"] for finding in kept["findings"]] == ["air", "soil"]


ODD = st.text(
    st.one_of(
        st.characters(),
        st.sampled_from("废水气渣证环评总量VOCs没有不涉及请查处海上？。；，、1.（） \n\t\x00\ud800‮😀"),
    ),
    max_size=200,
)


@given(ODD, ODD)
def test_it_has_a_decision_for_any_text_whatever(text, firm_name):
    decision = route(text, firm_name)
    for finding in decision.findings:
        assert text[finding.start : finding.end] == finding.text
        assert all(text[word.start : word.end] == word.text for word in finding.words)


@pytest.mark.parametrize(
    "piece", ["废水", "请查处", "没有废水、", "废水怎么办？", "怎么", "舟山", "不涉及", "想问", "其他废水"]
)
def test_it_does_work_in_proportion_to_the_text(piece):
    """Counted in calls, not in time: twice the text is about twice the work."""
    short, long = (_calls(piece * times) for times in (300, 600))
    assert long < short * 3


def _calls(text: str) -> int:
    import sys

    count = 0

    def counted(frame, event, arg):
        nonlocal count
        count += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(counted)
    try:
        route(text)
    finally:
        sys.setprofile(before)
    return count
