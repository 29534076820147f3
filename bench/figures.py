"""What is printed: one figure a line, its ratio to what it stands beside, and what the design allows it to be."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import chain


@dataclass(frozen=True)
class Figure:
    """`times`: how many times the figure that it stands beside. `at_most`: the target of the design, in the same unit."""

    what: str
    value: float
    unit: str
    times: float | None = None
    at_most: float | None = None

    @property
    def is_kept(self) -> bool:
        return self.at_most is None or self.value <= self.at_most

    def __str__(self) -> str:
        ratio = f"{self.times:7.2f} ×" if self.times is not None else ""
        line = f"  {self.what:<46}{_number(self.value):>9} {self.unit:<13}{ratio:<11}"
        if self.at_most is None:
            return line.rstrip()
        return f"{line}at most {_number(self.at_most)}{'' if self.is_kept else ': OFF TARGET'}"


@dataclass(frozen=True)
class Table:
    """The figures of one measure; the title says what their ratios are to."""

    title: str
    figures: tuple[Figure, ...]

    def __str__(self) -> str:
        return "\n".join([self.title, *map(str, self.figures)])


def beside(
    first: str, medians: dict[str, float], at_most: dict[str, float] | None = None
) -> tuple[Figure, ...]:
    """The medians, seconds, as milliseconds, each with its ratio to the `first` one's; `at_most` in milliseconds."""
    return tuple(
        Figure(
            name,
            seconds * 1000,
            "ms",
            None if name == first else seconds / medians[first],
            (at_most or {}).get(name),
        )
        for name, seconds in medians.items()
    )


def verdict(tables: Iterable[Table]) -> str:
    """Which figures miss their target; what was not measured misses none."""
    figures = chain.from_iterable(table.figures for table in tables)
    missed = [
        f"{figure.what} ({_number(figure.value)} {figure.unit})" for figure in figures if not figure.is_kept
    ]
    return f"Off target: {'; '.join(missed)}" if missed else "Every figure measured is within its target."


def _number(value: float) -> str:
    """2,262; 14.7; 0.0610: counts whole, times to three digits."""
    return f"{value:,.0f}" if isinstance(value, int) or value >= 100 else f"{value:#.3g}"
