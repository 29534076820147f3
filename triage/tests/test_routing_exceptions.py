"""The two exceptions of 五（一）: VOCs 总量 is answered by 大气处, and 环评 of a project in the sea by 水处.

`data/exceptions.jsonl` asks for them in some two hundred ways, with a hundred texts that only look like one.
A third of both was written before the words of the rules were completed, the rest afterwards and run before each change.
"""

from pathlib import Path

import pytest

from triage.routing.classifier import Prediction
from triage.routing.reasoning import CLASSIFIER, NEITHER, RULES
from triage.routing.router import Router
from triage.routing.topic_files import from_mapping, shipped_topics

from .routing_measure import route_all, share, wrong

TEXTS = Path(__file__).with_name("data") / "exceptions.jsonl"
CODES = {"marine-eia": "exception.marine-eia", "vocs-total": "exception.vocs-total"}


def tagged(tag: str) -> list:
    return [result for result in route_all(TEXTS) if result.case["tags"] == [tag]]


def codes(result) -> set[str]:
    """The topics that were found by their words, and not by a similar example."""
    return {finding.code for finding in result.decision.findings if finding.words}


@pytest.mark.parametrize("tag", CODES)
def test_exception_is_found_whenever_it_applies(tag):
    results = tagged(tag)
    named = [result for result in results if result.case["primary"] in result.divisions]
    assert share(named, results) >= 0.99, wrong(results)
    assert share([result for result in results if result.right], results) >= 0.98, wrong(results)


@pytest.mark.parametrize("tag", CODES)
def test_exception_that_is_found_quotes_its_clause(tag):
    for result in tagged(tag):
        quoted = {finding.code for finding in result.decision.findings}
        assert not result.right or any(code.startswith(CODES[tag]) for code in quoted), result


def test_text_that_only_looks_like_an_exception_has_no_word_of_one():
    for result in tagged("counter-example"):
        assert not codes(result) & set(CODES.values()), result


def test_most_texts_that_only_look_like_an_exception_need_no_person():
    results = tagged("counter-example")
    assert share([result for result in results if result.right], results) >= 0.85, wrong(results)


# --- Against the classifier ------------------------------------------------------------------------------------------
class FirmClassifier:
    """Always says 环评处, by `margin`."""

    digest = ""

    def __init__(self, margin: float):
        self.margin = margin

    def predict(self, *variants):
        return Prediction("eia", self.margin)

    def nearest(self, text, label):
        return []

    def known_share(self, text, label):
        return 0.0


ASKED = "海上风电的环评找哪个处室？"
PARTLY_BACKGROUND = "我们要建海上风电，环评找哪个处室？"
REACHING_BACK = "海上风电的噪声有标准吗？另外环评找哪个处室？"


@pytest.mark.parametrize(
    "text, margin, primary, followed",
    [
        (ASKED, 0.0, "water", RULES),
        (ASKED, 1.0, "water", RULES),
        (PARTLY_BACKGROUND, 0.79, "water", RULES),
        (PARTLY_BACKGROUND, 0.8, "manual", NEITHER),
    ],
)
def test_exception_is_never_outweighed_and_doubted_only_by_firm_dissent(text, margin, primary, followed):
    reasoning = Router(shipped_topics(), FirmClassifier(margin)).explain(text)
    assert (reasoning.decision.primary, reasoning.comparisons[0].followed) == (primary, followed)


def test_exception_that_reaches_back_to_another_question_is_weighed_like_any_rule():
    reasoning = Router(shipped_topics(), FirmClassifier(0.3)).explain(REACHING_BACK)
    assert reasoning.comparisons[-1].followed == CLASSIFIER


def test_other_matters_are_still_outweighed():
    topic = {
        "code": "a",
        "name": "甲",
        "clause": "五（一）",
        "layer": "matter",
        "lead": "water",
        "include": "海上风电",
    }
    reasoning = Router([from_mapping(topic)], FirmClassifier(0.3)).explain(ASKED)
    assert reasoning.comparisons[0].followed == CLASSIFIER


# --- Words that cancel -----------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "text, division",
    [
        ("海上风电的升压站在陆上。环评找谁？", "eia"),
        ("码头后方要盖一座冷库。请问环评找谁？", "eia"),
        ("海上风电要上二期。请问环评找谁？", "water"),
        ("码头要加长六十米。请问环评找谁？", "water"),
    ],
)
def test_word_that_cancels_an_exception_counts_before_the_question_too(text, division):
    assert Router(shipped_topics()).route(text).primary == division


@pytest.mark.parametrize(
    "text",
    [
        "我们是上海上市公司的子公司，环评找谁？",
        "污水工程要做环评吗？",
        "地板制造地点变更，环评要重新报吗？",
        "酒店靠近海边，环评找谁？",
        "海上风电的排污许可归环评处吗？",
    ],
)
def test_word_inside_another_word_is_no_sea(text):
    found = [finding.code for finding in Router(shipped_topics()).route(text).findings]
    assert not any(code.startswith("exception.") for code in found)
