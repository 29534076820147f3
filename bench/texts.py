"""Made-up texts in any number: real questions and real words of the rules, taken apart and put together anew.

Made of nothing but what the service knows, they give it more to do than random characters would. The same every time.
"""

import re
from collections.abc import Callable, Iterator
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
    return list(islice(_crossed([_CLAUSE.findall(text) for text in labelled], "".join), count))


def words(count: int) -> list[str]:
    """So many different words that are none of the rules': 废油漆桶 and 排污许可证 give 废油许可证."""
    known = {word for topic in shipped_topics() for word in (*topic.whole_words, *topic.hints)}
    longer = sorted(word for word in known if len(word) > 3)
    fresh = (word for word in _crossed(longer, str) if word not in known)
    return list(islice(fresh, count))


def _crossed(whole: list, joined: Callable) -> Iterator[str]:
    """The halves of two of `whole`, again and again, none of the results twice."""
    rng, seen = Random(_SEED), set()
    while True:
        one, other = rng.choice(whole), rng.choice(whole)
        made = joined(one[: (len(one) + 1) // 2] + other[len(other) // 2 :])
        if made not in seen:
            seen.add(made)
            yield made
