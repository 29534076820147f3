"""Sets of row numbers as people write them: 1-57,60. A run is a `range` of numbers that follow each other."""

from collections.abc import Iterable, Iterator

LOWEST = -(2**63)  # a database takes no smaller number


def written(numbers: Iterable[int]) -> str:
    """The numbers, in order, as text."""
    return ",".join(f"{run[0]}-{run[-1]}" if len(run) > 1 else f"{run[0]}" for run in joined(numbers))


def read(text: str) -> list[range]:
    """The runs of a text that `written` made."""
    ends = (part.partition("-") for part in text.split(","))
    return [range(int(first), int(last or first) + 1) for first, _, last in ends]


def joined(numbers: Iterable[int]) -> list[range]:
    """The fewest runs that hold exactly `numbers`."""
    runs: list[range] = []
    for number in sorted(numbers):
        if runs and number <= runs[-1].stop:
            runs[-1] = range(runs[-1].start, max(runs[-1].stop, number + 1))
        else:
            runs.append(range(number, number + 1))
    return runs


def gaps(runs: Iterable[range], upto: int) -> Iterator[range]:
    """The stretches through `upto` that no run covers, the one before the first run included."""
    start = LOWEST
    for run in sorted(runs, key=lambda run: run.start):
        yield from _stretch(start, min(run.start, upto + 1))
        start = max(start, run.stop)
    yield from _stretch(start, upto + 1)


def _stretch(start: int, stop: int) -> Iterator[range]:
    if start < stop:
        yield range(start, stop)
