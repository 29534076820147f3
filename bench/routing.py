"""分办: one text judged by the shipped rules, and by rules with a thousand more topics."""

from triage.routing.classifier import shipped_classifier
from triage.routing.router import Router, shipped_router
from triage.routing.topic import Topic
from triage.routing.topic_files import shipped_topics

from .environment import BenchEnvironment
from .figures import Table, with_ratios
from .texts import golden, words
from .timing import interleaved_medians

MORE_TOPICS = 1000
WORDS_PER_TOPIC = 8
SHIPPED, LARGER = "the shipped rules", f"with {MORE_TOPICS:,} topics more"
# Milliseconds (the design, 9).
MAX_MEDIAN = 2.0
REPEATS = 3


def measure(environment: BenchEnvironment) -> Table:
    larger = Router([*shipped_topics(), *_made_up_topics()], shipped_classifier())
    calls = {SHIPPED: shipped_router().route, LARGER: larger.route}
    medians = interleaved_medians(calls, golden() * REPEATS)
    figures = with_ratios(SHIPPED, medians, {SHIPPED: MAX_MEDIAN, LARGER: MAX_MEDIAN})
    return Table(f"Routing one text: medians over the golden cases, and the ratio to {SHIPPED}", figures)


def _made_up_topics() -> list[Topic]:
    made_up = iter(words(MORE_TOPICS * WORDS_PER_TOPIC))
    return [_topic(number, [next(made_up) for _ in range(WORDS_PER_TOPIC)]) for number in range(MORE_TOPICS)]


def _topic(number: int, words_of_topic: list[str]) -> Topic:
    """As officials write them: words that decide, a word that only supports, and a pair that decides together."""
    *deciding, hint, one, other = words_of_topic
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
