"""五（一）(二) on labelled texts: the golden cases of the bureau, and the precedents (docs/routing.md)."""

import re

import pytest

from triage.routing import topic_files
from triage.routing.decision import UNSURE
from triage.routing.topic import MANUAL

from .routing_measure import GOLDEN, PRECEDENTS, judged, routed, share, wrong

BOTH = pytest.mark.parametrize("path", [GOLDEN, PRECEDENTS], ids=["golden", "precedents"])


def test_it_finds_the_division_of_the_golden_cases():
    results = judged(GOLDEN)
    assert share([result for result in results if result.right], results) >= 0.98, wrong(results)


def test_it_finds_the_scope_of_the_golden_cases():
    missed = [r.case["text"] for r in judged(GOLDEN) if r.decision.scope not in r.case["accept_scope"]]
    assert missed == []


def test_it_finds_the_division_of_the_precedents():
    results = judged(PRECEDENTS)
    assert share([result for result in results if result.right], results) >= 0.95, wrong(results)


@BOTH
def test_it_is_right_where_it_decides_by_itself(path):
    decided = routed(judged(path))
    assert share([result for result in decided if result.right], decided) >= 0.95, wrong(decided)


@BOTH
def test_it_decides_most_texts_by_itself(path):
    """Of the texts that have a division at all."""
    with_division = [result for result in judged(path) if result.case["primary"] != "人工"]
    assert share(routed(with_division), with_division) >= 0.9


@BOTH
def test_it_sends_no_outside_matter_to_a_division(path):
    outside = [result for result in judged(path) if result.case["scope"] == "outside"]
    assert share(routed(outside), outside) <= 0.02, wrong(outside)


@BOTH
def test_it_suggests_to_reject_hardly_any_question_in_scope(path):
    inside = [result for result in judged(path) if result.case["scope"] == "in"]
    rejected = [result for result in inside if result.decision.scope in ("outside", "complaint")]
    assert share(rejected, inside) <= 0.01, [result.case["text"] for result in rejected]


@BOTH
def test_it_finds_the_supporting_divisions(path):
    asked = [(division, r) for r in judged(path) for division in r.case["co"] if division != "人工"]
    found = [1 for division, r in asked if division in (r.primary, *_names(r.decision.co))]
    assert share(found, asked) >= 0.9


@BOTH
def test_it_takes_complaints_for_complaints(path):
    complaints = [result for result in judged(path) if result.case["scope"] == "complaint"]
    seen = [result for result in complaints if result.decision.scope == "complaint"]
    assert share(seen, complaints) >= 0.9, [
        result.case["text"] for result in complaints if result not in seen
    ]


def test_it_quotes_the_clause_that_the_golden_case_names():
    for result in judged(GOLDEN):
        if result.case["scope"] == "in" and result.right and result.decision.primary != MANUAL:
            leading = next(f for f in result.decision.findings if f.lead == result.decision.primary)
            assert _clause(leading.clause) & _clause(result.case["note"]), (result.case, leading.clause)


def test_it_says_why_in_one_chinese_sentence():
    for result in (*judged(GOLDEN), *judged(PRECEDENTS)):
        why = result.decision.why
        assert why.endswith("。") and why.count("。") == 1 + sum(
            word.text.count("。") for word in _words(result)
        ), why
        assert not re.search(r"[a-z]+\.[a-z]+|\{|None", why), why


def test_it_leaves_what_is_not_sure_to_a_person():
    unsure = [f for r in judged(PRECEDENTS) for f in r.decision.findings if f.sure == UNSURE]
    assert unsure and {finding.lead for finding in unsure} == {MANUAL}


def test_it_marks_exactly_the_words_that_stand_in_the_text():
    for result in (*judged(GOLDEN), *judged(PRECEDENTS)):
        for word in _words(result):
            assert result.case["text"][word.start : word.end] == word.text != ""


def test_it_quotes_each_question_as_it_was_typed():
    for result in judged(PRECEDENTS):
        for finding in result.decision.findings:
            assert result.case["text"][finding.start : finding.end] == finding.text


def test_it_ships_topics_without_a_fault():
    assert topic_files.validate(topic_files.shipped()) == []


def _words(result):
    return [word for finding in result.decision.findings for word in finding.words]


def _clause(text: str) -> set[str]:
    """The paragraph and the matter that a clause is about: 五（一）环境信用 → {五一, 环境信用}."""
    matters = "涉水 涉气 涉土 核与辐射 VOCs 总量 环境信用 科技推广 自行监测 环评 排污许可 三同时 财政性资金 海洋 六 七".split()
    return {matter for matter in matters if matter in text}


def _names(codes):
    from triage.routing.topic import DIVISIONS

    return [DIVISIONS[code] for code in codes]
