"""Precedents: a second opinion beside the rules; what the two see differently is nobody's guess."""

from dataclasses import replace

import pytest

from triage.routing import topic_files
from triage.routing.classifier import Precedent, Precedents
from triage.routing.decision import LIKELY, UNSURE
from triage.routing.ridge import Weights
from triage.routing.router import RuleBook

TOPICS = [
    topic_files.from_mapping({"code": "air.smoke", "name": "烟", "clause": "五（一）涉气", "layer": "medium", "lead": "air", "include": "黑烟 油烟"}),
    topic_files.from_mapping({"code": "water.sewage", "name": "污水", "clause": "五（一）涉水", "layer": "medium", "lead": "water", "include": "污水"}),
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


TORN = "船坞滩上那摊黑水边上的油烟怎么弄"


def test_it_leaves_to_a_person_what_rules_and_precedents_see_differently():
    assert RuleBook(TOPICS).route(TORN).primary == "air"
    decision = book.route(TORN)
    assert (decision.primary, decision.sure, decision.scope) == ("manual", UNSURE, "in")


def test_it_weighs_a_word_that_officials_added_more_than_the_precedents():
    decision = RuleBook(TOPICS, Precedents(PRECEDENTS), own_words=["油烟"]).route(TORN)
    assert (decision.primary, decision.findings[0].precedent) == ("air", "")


def test_it_weighs_a_topic_that_officials_moved_more_than_the_precedents():
    moved = [replace(topic, lead="soil") if topic.lead == "water" else topic for topic in TOPICS]
    text = "东边的船坞滩上那摊黑水算污水吗"
    assert RuleBook(moved, Precedents(PRECEDENTS), own_topics=["water.sewage"]).route(text).primary == "soil"


def test_it_leads_with_the_first_of_two_questions():
    decision = book.route("二楼灶头上那股油烟要装罩子吗？东边的船坞滩上那摊黑水算污水吗？")
    assert (decision.primary, decision.co) == ("air", ("water",))
    assert [finding.lead for finding in decision.findings] == ["air", "water"]


@pytest.mark.parametrize("text", ["", "您好", "食堂的合同在哪里签", "船坞"])
def test_it_says_nothing_where_the_precedents_say_nothing(text):
    decision = book.route(text)
    assert (decision.primary, decision.sure) == ("manual", UNSURE)


def test_it_names_no_precedent_that_the_rules_contradict():
    """Its topic and clause would not be those of the answer: the plainest topic of the division is named."""
    wrong = [Precedent(precedent.text.replace("污水", "油烟"), precedent.answer) for precedent in PRECEDENTS]
    decision = RuleBook(TOPICS, Precedents(wrong)).route("船坞滩上那摊黑水怎么弄")
    assert (decision.primary, decision.findings[0].code, decision.findings[0].precedent) == (
        "water",
        "water.sewage",
        "",
    )


class Neighbours:
    """The known matters near any text: so much of them is the division's."""

    digest = ""

    def __init__(self, share: float):
        self.share = lambda text, answer: share


@pytest.mark.parametrize("share, primary", [(0.0, "manual"), (0.5, "air")])
def test_it_leaves_to_a_person_what_no_known_matter_nearby_bears_out(share, primary):
    decision = RuleBook(TOPICS, Precedents(PRECEDENTS), Neighbours(share)).route("黑烟要装罩子吗")
    assert decision.primary == primary


def test_it_goes_by_what_was_learnt_from_these_very_texts():
    """After a change of the examples, `manage.py learn` is due."""
    assert (
        topic_files.WEIGHTS.exists()
        and Weights.load(topic_files.WEIGHTS).digest == topic_files.precedents().digest
    )


def test_it_keeps_what_was_learnt(tmp_path):
    learnt = Precedents(PRECEDENTS).weights
    learnt.save(tmp_path / "kept.npz")
    again = Precedents(PRECEDENTS, Weights.load(tmp_path / "kept.npz"))
    assert RuleBook(TOPICS, again).route("船坞滩上那摊黑水怎么弄") == book.route("船坞滩上那摊黑水怎么弄")


def test_it_sends_nothing_to_a_division_that_resembles_what_is_not_ours():
    outside = [Precedent(precedent.text, "outside") if precedent.answer == "water" else precedent for precedent in PRECEDENTS]  # fmt: skip
    assert RuleBook(TOPICS, Precedents(outside)).route("船坞滩上那摊黑水怎么弄").primary == "manual"


def test_it_counts_the_precedents_into_the_version():
    assert RuleBook(TOPICS, Precedents(PRECEDENTS)).version != RuleBook(TOPICS).version
