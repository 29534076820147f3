"""Medians of tasks that run alternately; and what can be counted instead of timed."""

import sys
from collections.abc import Callable, Iterable
from statistics import median
from time import perf_counter
from typing import NamedTuple, TypeVar

from django.db import connection

Argument = TypeVar("Argument")

# These statements mark a transaction and touch no row.
_TRANSACTION_MARKS = ("BEGIN", "SAVEPOINT", "RELEASE", "ROLLBACK", "COMMIT")


def interleaved_medians(
    tasks: dict[str, Callable[[Argument], object]],
    arguments: Iterable[Argument],
    *,
    at_a_time: int = 5,
    before: Callable[[str], object] = lambda name: None,
) -> dict[str, float]:
    """The median seconds of each task. Each task gets all `arguments`; the first one only warms it up.

    The tasks take turns, with `at_a_time` arguments in each turn: a busy machine then slows all of them down alike.
    Several in a turn, because after a long task the caches of the processor are cold, and a short task measured alone
    would look slower than it is. `before(name)` is called at the start of a turn, and is not timed.
    """
    first, *rest = arguments
    order = list(tasks)
    seconds: dict[str, list[float]] = {name: [] for name in tasks}
    for batch in [[first], *(rest[start : start + at_a_time] for start in range(0, len(rest), at_a_time))]:
        for name in order:
            before(name)
            seconds[name] += [_seconds(tasks[name], argument) for argument in batch]
        # The second task in a turn has an advantage, so it must not always be the same one.
        order.reverse()
    return {name: median(taken[1:]) for name, taken in seconds.items()}


def _seconds(task: Callable[[Argument], object], argument: Argument) -> float:
    started = perf_counter()
    task(argument)
    return perf_counter() - started


class Statements(NamedTuple):
    """How many SQL statements a task sent, and how many of them inside a transaction."""

    in_all: int
    in_transaction: int


def count_statements(task: Callable[[], object]) -> Statements:
    """The SQL statements of one run of the task, without those that only begin or end a transaction."""
    sent: list[bool] = []

    def count(execute, sql, params, many, context):
        if not sql.lstrip().upper().startswith(_TRANSACTION_MARKS):
            sent.append(connection.in_atomic_block)
        return execute(sql, params, many, context)

    with connection.execute_wrapper(count):
        task()
    return Statements(len(sent), sum(sent))


def count_python_calls(task: Callable[[], object]) -> int:
    """How many Python functions one run of the task calls. Unlike time, this is the same on every machine."""
    calls = 0

    def count(frame, event, argument):
        nonlocal calls
        calls += event == "call"

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        task()
    finally:
        sys.setprofile(before)
    return calls
