"""分办: one text judged by the shipped rules, and by rules with a thousand topics more (the design, 9)."""

from triage.routing import topic_files
from triage.routing.router import RuleBook
from triage.routing.topic import Topic

from .environment import BenchEnvironment
from .figures import Table, with_ratios
from .texts import golden, words
from .timing import interleaved_medians

MORE = 1000
WORDS = 8  # in each topic
SHIPPED, LARGER = "the shipped rules", f"with {MORE:,} topics more"
AT_MOST = 2.0  # ms
TIMES = 3  # each case is judged


def measure(environment: BenchEnvironment) -> Table:
    larger = RuleBook(
        [*topic_files.shipped(), *_generated()], topic_files.precedents(), topic_files.neighbours()
    )
    tasks = {SHIPPED: topic_files.current().route, LARGER: larger.route}
    medians = interleaved_medians(tasks, golden() * TIMES)
    figures = with_ratios(SHIPPED, medians, {SHIPPED: AT_MOST, LARGER: AT_MOST})
    return Table(f"Routing one text: medians over the golden cases, and the ratio to {SHIPPED}", figures)


def _generated() -> list[Topic]:
    made = iter(words(MORE * WORDS))
    return [_topic(number, [next(made) for _ in range(WORDS)]) for number in range(MORE)]


def _topic(number: int, own: list[str]) -> Topic:
    """As officials write them: words that decide, words that only support, and a pair that decides together."""
    *deciding, hint, one, other = own
    return Topic(
        f"bench.{number}",
        deciding[0],
        "五（一）",
        "medium",
        "water",
        include=tuple(deciding),
        hints=(hint,),
        together=(f"{one} + {other}",),
    )
