"""Routing by rules alone: firm names, negation, background, two questions, stance, misspellings."""

import json
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appointments.text.normalize import normalize
from triage.routing.clauses import split_questions
from triage.routing.decision import UNSURE
from triage.routing.router import Router
from triage.routing.topic_files import shipped_topics

router = Router(shipped_topics())
route = router.route


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
def test_exceptions_of_the_clause_are_kept(text, division):
    assert lead(text) == division


def test_sea_named_before_the_question_counts():
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
def test_matter_leads_over_medium_and_thing_over_place(text, division):
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
def test_permit_is_recognised_by_its_full_name(permit, division, scope):
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
        "废水不增加，",
    ],
)
def test_denied_pollutant_does_not_count(denial):
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
def test_negative_wording_is_not_always_a_denial(text, division):
    assert lead(text) == division


def test_denied_pollutant_counts_if_the_text_says_nothing_else():
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
def test_firm_name_does_not_count(text, firm_name):
    decision = route(text, firm_name)
    assert decision.primary == "air"
    assert decision.co == ()


def test_project_at_a_place_is_no_firm_name():
    assert lead("想在嵊泗海边建一座浮码头，要不要做环评？") == "water"


def test_heading_that_is_no_firm_name_counts():
    assert lead("污水处理站：污泥怎么处置？") == "soil"


@pytest.mark.parametrize(
    "text, division",
    [
        ("我公司是水产加工企业，环评和验收都做完了，现在食堂油烟要装净化器吗？", "air"),
        ("环评已经批了，排污许可证什么时候申请？", "eia"),
        ("我们主要从事危险废物收集，想问一下锅炉烟囱要多高？", "air"),
    ],
)
def test_asking_clause_leads_over_what_is_already_done(text, division):
    assert lead(text) == division


def test_two_questions_are_judged_separately():
    decision = route("蒸煮废水的COD怎么降？另外烘干的臭气用什么办法除臭？")
    assert [finding.lead for finding in decision.findings] == ["water", "air"]
    assert (decision.primary, decision.co) == ("water", ("air",))
    assert [finding.text for finding in decision.findings] == [
        "蒸煮废水的COD怎么降？",
        "另外烘干的臭气用什么办法除臭？",
    ]


def test_numbered_questions_are_split_but_not_decimals():
    text = normalize("1.废水怎么处理 2、危废放哪里 （3）烟囱要3.5米还是15米").text
    assert len(split_questions(text)) == 3


def test_follow_up_stays_with_its_question():
    decision = route("污水处理站的污泥能送砖厂吗？需要鉴别吗？")
    assert (decision.primary, decision.co) == ("soil", ())


def test_support_of_the_topic_is_named():
    decision = route("土壤自行监测的点位怎么布？")
    assert (decision.primary, decision.co) == ("science", ("soil",))


def test_topic_that_gave_way_is_named_with_its_reason():
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
def test_complaint_is_recognised_by_its_stance(text):
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
def test_firm_complained_about_is_no_complaint(text, division):
    decision = route(text)
    assert (decision.primary, decision.scope) == (division, "in")


@pytest.mark.parametrize("text", ["", "  \n", "1111", "您好！", "详见附件", "谢谢", "？？？", "环保方面的事"])
def test_text_without_content_is_left_to_a_person(text):
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
def test_misspelt_and_traditional_words_are_recognised(text, division):
    assert lead(text) == division


def test_misspelt_word_is_marked_as_typed():
    text = "请问 排污许可正 怎么变更？"
    words = [word for finding in route(text).findings for word in finding.words]
    assert "排污许可正" in [word.text for word in words]
    assert all(text[word.start : word.end] == word.text for word in words)


def test_decision_survives_json():
    decision = route("污水站的臭气怎么收集，污泥怎么处置？")
    loaded = json.loads(json.dumps(decision.as_dict(), ensure_ascii=False))
    assert loaded["version"] == router.version
    assert [finding["lead"] for finding in loaded["findings"]] == ["air", "soil"]


ANY_TEXT = st.text(
    st.one_of(
        st.characters(),
        st.sampled_from("废水气渣证环评总量VOCs没有不涉及请查处海上？。；，、1.（） \n\t\x00\ud800‮😀"),
    ),
    max_size=200,
)


@given(ANY_TEXT, ANY_TEXT)
def test_any_text_gets_a_decision(text, firm_name):
    decision = route(text, firm_name)
    for finding in decision.findings:
        assert text[finding.start : finding.end] == finding.text
        assert all(text[word.start : word.end] == word.text for word in finding.words)


@pytest.mark.parametrize(
    "piece", ["废水", "请查处", "没有废水、", "废水怎么办？", "怎么", "舟山", "不涉及", "想问", "其他废水"]
)
def test_work_grows_in_proportion_to_the_text(piece):
    """Counted in calls, because time varies with the machine: twice the text is about twice the work."""
    short, long = (count_calls(piece * times) for times in (300, 600))
    assert long < short * 3


def count_calls(text: str) -> int:
    count = 0

    def on_event(frame, event, arg):
        nonlocal count
        count += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(on_event)
    try:
        route(text)
    finally:
        sys.setprofile(before)
    return count
