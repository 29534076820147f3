"""Similar questions (五（二）): how long it takes to find an earlier answer, among a thousand and among fifty thousand."""

from collections.abc import Callable
from time import perf_counter

from appointments.similarity.index import Index

from .environment import BenchEnvironment
from .figures import Figure, Table, with_ratios
from .texts import golden, questions
from .timing import interleaved_medians

FEW, MANY = 1_000, 50_000
# As many as the check page of the form shows.
LIMIT = 3
# Milliseconds: the check page waits for the search.
MAX_MEDIAN = 50.0


def measure(environment: BenchEnvironment) -> Table:
    built = {size: _build(size) for size in (FEW, MANY)}
    tasks = {_label(size): search for size, (search, _) in built.items()}
    medians = interleaved_medians(tasks, golden())
    build_times = [
        Figure(f"index of {size:,} built", seconds, "s", seconds / built[FEW][1] if size != FEW else None)
        for size, (_, seconds) in built.items()
    ]
    figures = with_ratios(_label(FEW), medians, dict.fromkeys(tasks, MAX_MEDIAN))
    title = f"Similar questions: medians over the golden cases, and the ratio to {FEW:,} answered ones"
    return Table(title, (*figures, *build_times))


def _label(size: int) -> str:
    return f"one search among {size:,}"


def _build(size: int) -> tuple[Callable[[str], object], float]:
    """A search among so many questions, and the seconds that it took to build the index."""
    pairs = list(enumerate(questions(size)))
    started = perf_counter()
    index = Index(pairs)
    return lambda text: index.search(text, LIMIT), perf_counter() - started
