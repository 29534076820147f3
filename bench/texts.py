"""Made-up texts in any number: the halves of real questions, and of real words of the rules, put together differently.

They consist only of what the service knows, so they cost it more than random characters would. They are the same in
every run.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from random import Random

from triage.routing.labelled_texts import golden_cases, labelled_cases
from triage.routing.topic_files import shipped_topics

_SEED = 20191010
_CLAUSE = re.compile(r"[^，。；？！,;?!\n]+[，。；？！,;?!\n]*")


def golden() -> list[str]:
    return [case.text for case in golden_cases()]


def questions(count: int) -> list[str]:
    """So many different questions: the first half of one with the second half of another."""
    labelled = [case.text for case in (*golden_cases(), *labelled_cases())]
    return list(islice(_cross([_CLAUSE.findall(text) for text in labelled], "".join), count))


def words(count: int) -> list[str]:
    """So many different words that the rules do not have: 废油漆桶 and 排污许可证 give 废油许可证."""
    known = {word for topic in shipped_topics() for word in (*topic.whole_words, *topic.hints)}
    # A word of three characters has no halves that are still words.
    longer = sorted(word for word in known if len(word) > 3)
    made_up = (word for word in _cross(longer, str) if word not in known)
    return list(islice(made_up, count))


def _cross(wholes: Sequence, join: Callable) -> Iterator[str]:
    """Without end: the first half of one of `wholes` with the second half of another, each result once."""
    rng, made = Random(_SEED), set()
    while True:
        one, other = rng.choice(wholes), rng.choice(wholes)
        text = join(one[: (len(one) + 1) // 2] + other[len(other) // 2 :])
        if text not in made:
            made.add(text)
            yield text
