"""Similar questions (五（二）): whether one was answered before, among a thousand and among fifty thousand."""

from collections.abc import Callable
from time import perf_counter

from appointments.similarity.index import Index

from .environment import Ground
from .figures import Figure, Table, beside
from .texts import golden, questions
from .timing import in_turns

FEW, MANY = 1_000, 50_000
LIMIT = 3  # as the check page of the form shows them
AT_MOST = 50.0  # ms


def measure(ground: Ground) -> Table:
    built = {size: _built(size) for size in (FEW, MANY)}
    deeds = {_among(size): lookup for size, (lookup, _) in built.items()}
    medians = in_turns(deeds, golden())
    seconds = [
        Figure(f"its index of {size:,} built", taken, "s", taken / built[FEW][1] if size != FEW else None)
        for size, (_, taken) in built.items()
    ]
    figures = beside(_among(FEW), medians, dict.fromkeys(deeds, AT_MOST))
    title = f"Similar questions: medians over the golden cases, and the ratio to {FEW:,} answered ones"
    return Table(title, (*figures, *seconds))


def _among(size: int) -> str:
    return f"one looked up among {size:,}"


def _built(size: int) -> tuple[Callable[[str], object], float]:
    """How to look up a text among so many, and the seconds it took to get ready for that."""
    pairs = list(enumerate(questions(size)))
    began = perf_counter()
    index = Index(pairs)
    return lambda text: index.search(text, LIMIT), perf_counter() - began
