"""现场安排 (六（五）): a time and a table for each firm, so that no division is needed at two tables at once.

Pure. The morning is cut into turns; in each turn every table hears one firm. The fewest turns that keep every division
at one table are taken, for the fewer turns, the longer each slot. Where even the most turns do not suffice, as few
divisions as possible are needed twice, and `clashes` says which.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import combinations, count
from typing import NamedTuple

EXACT_UP_TO = 12
"""Firms that are ordered together, exactly; of more, each dozen for itself."""


@dataclass(frozen=True, order=True)
class Party:
    """A firm by the number of its seat, and the divisions that must sit with it."""

    number: int
    divisions: frozenset[str] = frozenset()


class Place(NamedTuple):
    """A turn of the morning, from 0, and a table, from 1."""

    turn: int
    table: int


@dataclass(frozen=True)
class Clash:
    """A division that is needed at more than one table in one turn, and the seats that need it."""

    turn: int
    division: str
    numbers: tuple[int, ...]


Group = tuple[Party, ...]
"""The firms of one turn."""


def arrange(parties: Iterable[Party], *, tables: int, most_turns: int) -> dict[Party, Place]:
    """A place for everyone, lower seats earlier. The same parties in any order get the same places."""
    turns = [group for dozen in _dozens(sorted(parties), tables, most_turns) for group in dozen]
    return {
        party: Place(turn, table) for turn, group in enumerate(turns) for table, party in enumerate(group, 1)
    }


def _dozens(parties: list[Party], tables: int, most_turns: int) -> Iterator[list[Group]]:
    for start in range(0, len(parties), EXACT_UP_TO):
        dozen = tuple(parties[start : start + EXACT_UP_TO])
        yield _fewest_turns(dozen, tables, most_turns * len(dozen) // len(parties))


def _fewest_turns(parties: Group, tables: int, most: int) -> list[Group]:
    least = -(-len(parties) // tables)
    most = max(least, most)
    for turns in range(least, most + 1):
        if (found := _share_out(parties, tables, turns, 0)) is not None:
            return found
    shared = (_share_out(parties, tables, most, needed_twice) for needed_twice in count(1))
    return next(found for found in shared if found is not None)


def _share_out(parties: Group, tables: int, turns: int, needed_twice: int) -> list[Group] | None:
    """The parties in so many turns with at most so many divisions needed twice; None where there is no such way."""

    @cache
    def rest_of(parties: Group, turns: int, spare: int) -> list[Group] | None:
        if not parties:
            return []
        if len(parties) > turns * tables:
            return None
        for group in _turns_of(parties[0], parties[1:], tables):
            if (cost := sum(n - 1 for n in _needed(group).values())) <= spare:
                left = tuple(party for party in parties if party not in group)
                if (found := rest_of(left, turns - 1, spare - cost)) is not None:
                    return [group, *found]
        return None

    return rest_of(parties, turns, needed_twice)


def _turns_of(first: Party, others: Group, tables: int) -> Iterator[Group]:
    """Every group for a turn with the first party in it: full turns first, next neighbours first."""
    for company in range(tables - 1, -1, -1):
        for companions in combinations(others, company):
            yield (first, *companions)


def _needed(group: Iterable[Party]) -> Counter[str]:
    return Counter(division for party in group for division in party.divisions)


def join(party: Party, placed: Mapping[Party, Place], *, tables: int) -> Place:
    """A place for one more firm while the others keep theirs: the first one where no division is needed twice."""
    taken = set(placed.values())
    free = (Place(turn, table) for turn in count() for table in range(1, tables + 1))
    return next(place for place in free if place not in taken and _suits(party, place, placed))


def _suits(party: Party, place: Place, placed: Mapping[Party, Place]) -> bool:
    same_turn = (other for other, there in placed.items() if there.turn == place.turn)
    return not any(party.divisions & other.divisions for other in same_turn)


def clashes(placed: Mapping[Party, Place]) -> list[Clash]:
    """Every division that is needed at two tables in one turn, in the order of the morning."""
    found = []
    for turn in sorted({place.turn for place in placed.values()}):
        group = sorted(party for party, place in placed.items() if place.turn == turn)
        for division, times in sorted(_needed(group).items()):
            if times > 1:
                numbers = tuple(party.number for party in group if division in party.divisions)
                found.append(Clash(turn, division, numbers))
    return found


def minutes_each(turns: int, *, morning: int, least: int, most: int) -> int:
    """How long each firm is heard: the morning shared out evenly, within what is sensible."""
    return max(least, min(most, morning // max(turns, 1)))
