"""五（一）(二) on texts by hands that knew neither the vocabulary nor the precedents: what a stranger would measure.

One part was looked at while the rules were tuned, the other was not, until all was done (docs/routing.md has the figures).
"""

from pathlib import Path

import pytest

from .routing_measure import judged, routed, share, wrong

PATHS = sorted(Path(__file__).with_name("data").glob("unseen_*.jsonl"))
BOTH = pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)


@BOTH
def test_it_finds_the_division(path):
    results = judged(path)
    assert share([result for result in results if result.right], results) >= 0.85, wrong(results)


@BOTH
def test_it_is_right_where_it_decides_by_itself(path):
    decided = routed(judged(path))
    right = [result for result in decided if result.primary in result.case["accept"]]
    assert share(right, decided) >= 0.95, wrong(decided)


@BOTH
def test_it_decides_most_of_our_matters_by_itself(path):
    ours = [result for result in judged(path) if result.case["primary"] != "人工"]
    assert share(routed(ours), ours) >= 0.7


@BOTH
def test_it_suggests_to_reject_hardly_any_question_in_scope(path):
    inside = [result for result in judged(path) if result.case["scope"] == "in"]
    rejected = [result for result in inside if result.decision.scope in ("outside", "complaint")]
    assert share(rejected, inside) <= 0.01, [result.case["text"] for result in rejected]


def test_it_sends_hardly_any_outside_matter_to_a_division():
    outside = [r for path in PATHS for r in judged(path) if r.case["scope"] in ("outside", "complaint")]
    assert share(routed(outside), outside) <= 0.05, wrong(routed(outside))


def test_it_finds_the_supporting_divisions():
    asked = [(co, r) for path in PATHS for r in judged(path) for co in r.case["co"] if co != "人工"]
    found = [r for division, r in asked if division in r.divisions]
    assert share(found, asked) >= 0.6
