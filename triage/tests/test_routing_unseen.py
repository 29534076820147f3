"""五（一）(二) on texts by authors who knew neither the words of the rules nor the examples (figures: docs/manual/routing.md).

One set was used to tune the rules. The others were run for the first time when everything was done.
"""

from pathlib import Path

import pytest

from .routing_measure import route_all, share, to_division, wrong

PATHS = sorted(Path(__file__).with_name("data").glob("unseen_*.jsonl"))
ALL_SETS = pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)


@ALL_SETS
def test_division_is_found(path):
    results = route_all(path)
    assert share([result for result in results if result.right], results) >= 0.85, wrong(results)


@ALL_SETS
def test_decisions_without_a_person_are_acceptable(path):
    decided = to_division(route_all(path))
    right = [result for result in decided if result.primary in result.case["accept"]]
    assert share(right, decided) >= 0.95, wrong(decided)


@ALL_SETS
def test_most_texts_with_a_division_need_no_person(path):
    with_division = [result for result in route_all(path) if result.case["primary"] != "人工"]
    assert share(to_division(with_division), with_division) >= 0.7


@ALL_SETS
def test_hardly_any_question_in_scope_is_suggested_for_rejection(path):
    inside = [result for result in route_all(path) if result.case["scope"] == "in"]
    rejected = [result for result in inside if result.decision.scope in ("outside", "complaint")]
    assert share(rejected, inside) <= 0.01, [result.case["text"] for result in rejected]


def test_hardly_any_outside_matter_reaches_a_division():
    outside = [r for path in PATHS for r in route_all(path) if r.case["scope"] in ("outside", "complaint")]
    assert share(to_division(outside), outside) <= 0.05, wrong(to_division(outside))


def test_supporting_divisions_are_found():
    asked = [(co, r) for path in PATHS for r in route_all(path) for co in r.case["co"] if co != "人工"]
    found = [r for division, r in asked if division in r.divisions]
    assert share(found, asked) >= 0.6
