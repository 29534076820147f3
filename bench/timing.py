"""Taking turns: the median time of deeds done one after the other; and what can be counted instead of timed."""

import sys
from collections.abc import Callable, Iterable
from statistics import median
from time import perf_counter
from typing import NamedTuple, TypeVar

from django.db import connection

Given = TypeVar("Given")

_MARKS = ("BEGIN", "SAVEPOINT", "RELEASE", "ROLLBACK", "COMMIT")  # of transactions: they touch no row


def in_turns(
    deeds: dict[str, Callable[[Given], object]],
    given: Iterable[Given],
    *,
    at_a_time: int = 5,
    before: Callable[[str], object] = lambda name: None,
) -> dict[str, float]:
    """Median seconds of each deed. All of them do whatever is given, so many `at_a_time`; the first is only to warm up.

    After a long deed a processor has forgotten the short one. In a turn of several the median is that of a warm deed,
    or else a floor would look higher, and what stands on it lower, than it is. `before` is told whose turn it is, and
    is not timed.
    """
    first, *rest = given
    order = list(deeds)
    seconds: dict[str, list[float]] = {name: [] for name in deeds}
    for some in [[first], *(rest[start : start + at_a_time] for start in range(0, len(rest), at_a_time))]:
        for name in order:
            before(name)
            seconds[name] += [_seconds(deeds[name], thing) for thing in some]
        order.reverse()  # whoever comes second has it a little easier
    return {name: median(taken[1:]) for name, taken in seconds.items()}


def _seconds(deed: Callable[[Given], object], thing: Given) -> float:
    began = perf_counter()
    deed(thing)
    return perf_counter() - began


class Statements(NamedTuple):
    """How many statements a deed sent to the database, and how many of them within a transaction."""

    in_all: int
    in_transaction: int


def statements(deed: Callable[[], object]) -> Statements:
    """Counted as a deed sends them, those that only mark where a transaction begins and ends apart."""
    sent: list[bool] = []

    def count(execute, sql, params, many, context):
        if not sql.lstrip().upper().startswith(_MARKS):
            sent.append(connection.in_atomic_block)
        return execute(sql, params, many, context)

    with connection.execute_wrapper(count):
        deed()
    return Statements(len(sent), sum(sent))


def python_calls(deed: Callable[[], object]) -> int:
    """How many functions written in Python it enters: unlike time, the same on every machine."""
    entered = 0

    def count(frame, event, argument):
        nonlocal entered
        entered += event == "call"

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        deed()
    finally:
        sys.setprofile(before)
    return entered
