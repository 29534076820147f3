"""Sets of row numbers in compact form: 1-57,60. Each part is a `range` of consecutive numbers."""

from collections.abc import Iterable, Iterator

# The smallest number that a BIGINT column can hold.
LOWEST = -(2**63)


def format_ranges(numbers: Iterable[int]) -> str:
    """The numbers in order, as text: "1-57,60"."""
    return ",".join(f"{part[0]}-{part[-1]}" if len(part) > 1 else f"{part[0]}" for part in to_ranges(numbers))


def parse_ranges(text: str) -> list[range]:
    """The ranges of a text that `format_ranges` made."""
    ends = (part.partition("-") for part in text.split(","))
    return [range(int(first), int(last or first) + 1) for first, _, last in ends]


def to_ranges(numbers: Iterable[int]) -> list[range]:
    """The fewest ranges that contain exactly `numbers`."""
    ranges: list[range] = []
    for number in sorted(numbers):
        if ranges and number <= ranges[-1].stop:
            ranges[-1] = range(ranges[-1].start, max(ranges[-1].stop, number + 1))
        else:
            ranges.append(range(number, number + 1))
    return ranges


def gaps(ranges: Iterable[range], up_to: int) -> Iterator[range]:
    """The ranges up to and including `up_to` that `ranges` does not cover, also before the first one."""
    start = LOWEST
    for covered in sorted(ranges, key=lambda part: part.start):
        yield from _unless_empty(start, min(covered.start, up_to + 1))
        start = max(start, covered.stop)
    yield from _unless_empty(start, up_to + 1)


def _unless_empty(start: int, stop: int) -> Iterator[range]:
    if start < stop:
        yield range(start, stop)
