"""The printed tables: one figure per line, with its ratio to a baseline and its target."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import chain


@dataclass(frozen=True)
class Figure:
    """`times` is the ratio to the baseline. `at_most` is the target of the design (13), in the same unit."""

    name: str
    value: float
    unit: str
    times: float | None = None
    at_most: float | None = None

    @property
    def is_on_target(self) -> bool:
        return self.at_most is None or self.value <= self.at_most

    def __str__(self) -> str:
        ratio = f"{self.times:7.2f} ×" if self.times is not None else ""
        line = f"  {self.name:<46}{_number(self.value):>9} {self.unit:<13}{ratio:<11}"
        if self.at_most is None:
            return line.rstrip()
        return f"{line}at most {_number(self.at_most)}{'' if self.is_on_target else ': OFF TARGET'}"


@dataclass(frozen=True)
class Table:
    """The figures of one measure. The title names the baseline of the ratios."""

    title: str
    figures: tuple[Figure, ...]

    def __str__(self) -> str:
        return "\n".join([self.title, *map(str, self.figures)])


def with_ratios(
    baseline: str, medians: dict[str, float], at_most: dict[str, float] | None = None
) -> tuple[Figure, ...]:
    """The medians, given in seconds, in milliseconds with their ratio to `baseline`. `at_most` is in milliseconds."""
    return tuple(
        Figure(
            name,
            seconds * 1000,
            "ms",
            None if name == baseline else seconds / medians[baseline],
            (at_most or {}).get(name),
        )
        for name, seconds in medians.items()
    )


def verdict(tables: Iterable[Table]) -> str:
    """A sentence that lists the figures off target."""
    figures = chain.from_iterable(table.figures for table in tables)
    off_target = [
        f"{figure.name} ({_number(figure.value)} {figure.unit})"
        for figure in figures
        if not figure.is_on_target
    ]
    return (
        f"Off target: {'; '.join(off_target)}"
        if off_target
        else "Every figure measured is within its target."
    )


def _number(value: float) -> str:
    """2,262; 14.7; 0.0610. Counts are whole numbers, times have three digits."""
    return f"{value:,.0f}" if isinstance(value, int) or value >= 100 else f"{value:#.3g}"
