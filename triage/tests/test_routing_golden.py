"""五（一）(二) on labelled texts: the golden cases of the bureau, and those written along with the rules."""

import re

import pytest

from triage.routing.decision import UNSURE
from triage.routing.labelled_texts import GOLDEN, LABELLED
from triage.routing.topic import DIVISIONS, MANUAL
from triage.routing.topic_files import shipped_topics
from triage.routing.validation import validate

from .routing_measure import route_all, share, to_division, wrong

BOTH_SETS = pytest.mark.parametrize("path", [GOLDEN, LABELLED], ids=["golden", "labelled"])


def test_division_of_golden_cases_is_found():
    results = route_all(GOLDEN)
    assert share([result for result in results if result.right], results) >= 0.98, wrong(results)


def test_scope_of_golden_cases_is_found():
    missed = [r.case["text"] for r in route_all(GOLDEN) if r.decision.scope not in r.case["accept_scope"]]
    assert missed == []


def test_division_of_labelled_texts_is_found_by_rules_alone():
    results = route_all(LABELLED)
    assert share([result for result in results if result.right], results) >= 0.95, wrong(results)


@BOTH_SETS
def test_decisions_without_a_person_are_right(path):
    decided = to_division(route_all(path))
    assert share([result for result in decided if result.right], decided) >= 0.95, wrong(decided)


@BOTH_SETS
def test_most_texts_with_a_division_need_no_person(path):
    with_division = [result for result in route_all(path) if result.case["primary"] != "人工"]
    assert share(to_division(with_division), with_division) >= 0.9


@BOTH_SETS
def test_outside_matters_reach_no_division(path):
    outside = [result for result in route_all(path) if result.case["scope"] == "outside"]
    assert share(to_division(outside), outside) <= 0.02, wrong(outside)


@BOTH_SETS
def test_hardly_any_question_in_scope_is_suggested_for_rejection(path):
    inside = [result for result in route_all(path) if result.case["scope"] == "in"]
    rejected = [result for result in inside if result.decision.scope in ("outside", "complaint")]
    assert share(rejected, inside) <= 0.01, [result.case["text"] for result in rejected]


@BOTH_SETS
def test_supporting_divisions_are_found(path):
    asked = [(division, r) for r in route_all(path) for division in r.case["co"] if division != "人工"]
    found = [1 for division, r in asked if division in (r.primary, *_names(r.decision.co))]
    assert share(found, asked) >= 0.9


@BOTH_SETS
def test_complaints_are_recognised(path):
    complaints = [result for result in route_all(path) if result.case["scope"] == "complaint"]
    seen = [result for result in complaints if result.decision.scope == "complaint"]
    assert share(seen, complaints) >= 0.9, [
        result.case["text"] for result in complaints if result not in seen
    ]


def test_quoted_clause_is_that_of_the_golden_case():
    for result in route_all(GOLDEN):
        if result.case["scope"] == "in" and result.right and result.decision.primary != MANUAL:
            leading = next(f for f in result.decision.findings if f.lead == result.decision.primary)
            assert _clause(leading.clause) & _clause(result.case["note"]), (result.case, leading.clause)


def test_reason_is_one_chinese_sentence():
    for result in (*route_all(GOLDEN), *route_all(LABELLED)):
        why = result.decision.why
        assert why.endswith("。") and why.count("。") == 1 + sum(
            word.text.count("。") for word in _words(result)
        ), why
        assert not re.search(r"[a-z]+\.[a-z]+|\{|None", why), why


def test_unsure_findings_are_left_to_a_person():
    unsure = [f for r in route_all(LABELLED) for f in r.decision.findings if f.sure == UNSURE]
    assert unsure and {finding.lead for finding in unsure} == {MANUAL}


def test_marked_words_are_those_of_the_text():
    for result in (*route_all(GOLDEN), *route_all(LABELLED)):
        for word in _words(result):
            assert result.case["text"][word.start : word.end] == word.text != ""


def test_each_question_is_quoted_as_typed():
    for result in route_all(LABELLED):
        for finding in result.decision.findings:
            assert result.case["text"][finding.start : finding.end] == finding.text


def test_shipped_topics_have_no_fault():
    assert validate(shipped_topics()) == []


def _words(result):
    return [word for finding in result.decision.findings for word in finding.words]


def _clause(text: str) -> set[str]:
    """The paragraph and the matter that a clause is about: 五（一）环境信用 → {五一, 环境信用}."""
    matters = "涉水 涉气 涉土 核与辐射 VOCs 总量 环境信用 科技推广 自行监测 环评 排污许可 三同时 财政性资金 海洋 六 七".split()
    return {matter for matter in matters if matter in text}


def _names(codes):
    return [DIVISIONS[code] for code in codes]
