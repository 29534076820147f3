"""Precedents: a second opinion where the rules are silent, never against them."""

import pytest

from triage import topicbook
from triage.decision import LIKELY, UNSURE
from triage.precedents import Precedent, Precedents
from triage.routing import RuleBook

TOPICS = [
    topicbook.from_mapping({"code": "air.smoke", "name": "烟", "clause": "五（一）涉气", "layer": "medium", "lead": "air", "include": "黑烟 油烟"}),
    topicbook.from_mapping({"code": "water.sewage", "name": "污水", "clause": "五（一）涉水", "layer": "medium", "lead": "water", "include": "污水"}),
]  # fmt: skip
PRECEDENTS = [
    *(Precedent(f"{who}的船坞滩上那摊黑水算污水吗", "water") for who in ("东边", "西边", "南边", "北边")),
    *(Precedent(f"{who}灶头上那股油烟要装罩子吗", "air") for who in ("一楼", "二楼", "三楼", "四楼")),
]
book = RuleBook(TOPICS, Precedents(PRECEDENTS))


def test_it_likens_a_text_without_a_rules_word_to_a_precedent():
    decision = book.route("船坞滩上那摊黑水怎么弄")
    finding = decision.findings[0]
    assert (decision.primary, decision.sure, finding.code) == ("water", LIKELY, "water.sewage")
    assert finding.precedent in {precedent.text for precedent in PRECEDENTS}
    assert decision.why.startswith("与标准例“") and "五（一）涉水" in decision.why


def test_it_lets_the_rules_go_first():
    decision = book.route("船坞滩上那摊黑水边上的油烟怎么弄")
    assert (decision.primary, decision.findings[0].precedent) == ("air", "")


@pytest.mark.parametrize("text", ["", "您好", "食堂的合同在哪里签", "船坞"])
def test_it_says_nothing_where_the_precedents_say_nothing(text):
    decision = book.route(text)
    assert (decision.primary, decision.sure) == ("manual", UNSURE)


def test_it_goes_by_no_precedent_that_the_rules_contradict():
    """Its topic and clause would not be those of the answer."""
    wrong = [Precedent(precedent.text.replace("污水", "油烟"), precedent.answer) for precedent in PRECEDENTS]
    assert RuleBook(TOPICS, Precedents(wrong)).route("船坞滩上那摊黑水怎么弄").primary == "manual"


def test_it_sends_nothing_to_a_division_that_resembles_what_is_not_ours():
    outside = [Precedent(precedent.text, "outside") if precedent.answer == "water" else precedent for precedent in PRECEDENTS]  # fmt: skip
    assert RuleBook(TOPICS, Precedents(outside)).route("船坞滩上那摊黑水怎么弄").primary == "manual"


def test_it_counts_the_precedents_into_the_version():
    assert RuleBook(TOPICS, Precedents(PRECEDENTS)).version != RuleBook(TOPICS).version
