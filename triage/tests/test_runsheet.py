"""现场安排 (六（五）): no division at two tables in the same minute where that can be avoided."""

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as some

from triage.timetable_solver import Clash, Party, Place, arrange, clashes, join, minutes_each

DIVISIONS = ["水处", "大气处", "土壤处", "环评处"]


def guest(number: int, divisions: str = "") -> Party:
    return Party(number, frozenset(divisions.split()))


def guests(*divisions: str) -> list[Party]:
    return [guest(number, named) for number, named in enumerate(divisions, 1)]


@some.composite
def mornings(draw, most=12):
    needs = draw(some.lists(some.frozensets(some.sampled_from(DIVISIONS), max_size=3), max_size=most))
    return [Party(number, divisions) for number, divisions in enumerate(needs, 1)]


def test_firms_without_a_common_division_share_a_turn():
    water, air, more_water, soil = guests("水处", "大气处", "水处", "土壤处")
    placed = arrange([water, air, more_water, soil], tables=2, most_turns=10)
    assert placed == {water: (0, 1), air: (0, 2), more_water: (1, 1), soil: (1, 2)}


def test_firms_are_paired_across_the_queue_when_neighbours_share_a_division():
    placed = arrange(guests("水处", "水处", "大气处", "大气处"), tables=2, most_turns=10)
    assert sorted(placed.values()) == [(0, 1), (0, 2), (1, 1), (1, 2)]
    assert clashes(placed) == []


def test_table_stays_empty_rather_than_need_a_division_twice():
    placed = arrange(guests(*["环评处"] * 10), tables=2, most_turns=10)
    assert sorted(placed.values()) == [Place(turn, 1) for turn in range(10)]


def test_unavoidable_clashes_are_reported():
    placed = arrange(guests("水处", "水处", "水处"), tables=2, most_turns=2)
    assert clashes(placed) == [Clash(0, "水处", (1, 2))]


def test_more_firms_than_turns_still_get_places():
    placed = arrange(guests(*["水处"] * 30), tables=2, most_turns=10)
    assert len(set(placed.values())) == 30


def test_late_firm_is_placed_without_moving_the_others():
    water, air = guests("水处", "大气处")
    placed = arrange([water, air], tables=2, most_turns=10)
    assert join(guest(3, "水处"), placed, tables=2) == Place(1, 1)
    assert join(guest(3, "土壤处"), {water: Place(0, 1)}, tables=2) == Place(0, 2)


@pytest.mark.parametrize(
    "turns, minutes", [(0, 30), (3, 30), (5, 30), (6, 30), (7, 25), (9, 20), (10, 18), (12, 18)]
)
def test_morning_is_divided_evenly_among_the_turns(turns, minutes):
    assert minutes_each(turns, morning=180, least=18, most=30) == minutes


@given(mornings())
def test_every_firm_gets_its_own_place(firms):
    placed = arrange(firms, tables=2, most_turns=10)
    assert set(placed) == set(firms)
    assert len(set(placed.values())) == len(firms)
    assert all(place.turn < 10 and place.table in (1, 2) for place in placed.values())


@given(mornings(most=10))
def test_no_division_clashes_while_each_firm_can_have_its_own_turn(firms):
    assert clashes(arrange(firms, tables=2, most_turns=10)) == []


@given(mornings(), some.randoms())
def test_arrangement_does_not_depend_on_the_order_of_the_firms(firms, random):
    shuffled = random.sample(firms, len(firms))
    assert arrange(shuffled, tables=2, most_turns=8) == arrange(firms, tables=2, most_turns=8)


@given(mornings(most=5), some.integers(1, 4))
def test_arrangement_is_as_good_as_exhaustive_search(firms, most_turns):
    turns = max(most_turns, -(-len(firms) // 2))
    ways = (dict(zip(firms, way, strict=True)) for way in product(range(turns), repeat=len(firms)))
    allowed = [way for way in ways if all(list(way.values()).count(turn) <= 2 for turn in range(turns))]
    best = min(_cost(way.items()) for way in allowed)
    placed = arrange(firms, tables=2, most_turns=most_turns)
    assert _cost((firm, place.turn) for firm, place in placed.items()) == best
    if best == 0:
        fewest = min(len(set(way.values())) for way in allowed if _cost(way.items()) == 0)
        assert len({place.turn for place in placed.values()}) == fewest


def _cost(turns) -> int:
    return len(clashes({firm: Place(turn, 1) for firm, turn in turns}))
