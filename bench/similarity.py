"""Similar questions (五（二）): whether one was answered before, among a thousand and among fifty thousand."""

from collections.abc import Callable
from time import perf_counter

from appointments.similarity.index import Index

from .environment import BenchEnvironment
from .figures import Figure, Table, with_ratios
from .texts import golden, questions
from .timing import interleaved_medians

FEW, MANY = 1_000, 50_000
LIMIT = 3  # as the check page of the form shows them
AT_MOST = 50.0  # ms


def measure(environment: BenchEnvironment) -> Table:
    built = {size: _built(size) for size in (FEW, MANY)}
    tasks = {_among(size): lookup for size, (lookup, _) in built.items()}
    medians = interleaved_medians(tasks, golden())
    seconds = [
        Figure(f"its index of {size:,} built", taken, "s", taken / built[FEW][1] if size != FEW else None)
        for size, (_, taken) in built.items()
    ]
    figures = with_ratios(_among(FEW), medians, dict.fromkeys(tasks, AT_MOST))
    title = f"Similar questions: medians over the golden cases, and the ratio to {FEW:,} answered ones"
    return Table(title, (*figures, *seconds))


def _among(size: int) -> str:
    return f"one looked up among {size:,}"


def _built(size: int) -> tuple[Callable[[str], object], float]:
    """How to look up a text among so many, and the seconds it took to get ready for that."""
    pairs = list(enumerate(questions(size)))
    began = perf_counter()
    index = Index(pairs)
    return lambda text: index.closest(text, LIMIT), perf_counter() - began
