"""Combinations: several words that mean something together, while each alone does not (指标 + 转让、请…查处)."""

import re
from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from .lexicon import Hit
from .topic import MEDIA, Topic, normalize_word

# Characters between the parts of “A…B”. Tuned by hand on the labelled texts (labelled.jsonl); golden cases guard it.
MAX_GAP = 12
EVERY_MEDIUM = "要素"  # a built-in list: every deciding word of a medium
INQUIRY = "提问"  # a built-in name, for exclude only: the text asks a question
# Stands for INQUIRY among the words. Normalised text never contains this character.
INQUIRY_MARK = "\0"
_SENTENCE_END = re.compile(r"[。;；?？!！\n]")


class Combination(NamedTuple):
    """One word of each group must occur in the question.

    `ordered`: in this order, close together, in one sentence. `cancellable`: an exclude word cancels it. That is
    so for `together`, but not for a deciding word in two parts.
    """

    groups: tuple[frozenset[str], ...]
    ordered: bool
    cancellable: bool


def word_lists(topics: Iterable[Topic]) -> dict[str, tuple[str, ...]]:
    """The lists that combinations and excludes may name as `@名`."""
    topics = tuple(topics)
    media = (
        word for topic in topics if topic.layer in MEDIA and topic.scope == "in" for word in topic.whole_words
    )
    lists = {topic.code: topic.whole_words for topic in topics if topic.layer == "words"}
    return {EVERY_MEDIUM: tuple(media), INQUIRY: (INQUIRY_MARK,), **lists}


def combinations(topic: Topic, lists: Mapping[str, tuple[str, ...]]) -> list[Combination]:
    """The combinations of `topic`, including its `A…B` words. Raises KeyError for an unknown `@名`."""
    together = [_combination(line, lists, cancellable=True) for line in topic.together]
    in_two_parts = [word for word in topic.include if "…" in word]
    return together + [_combination(word, lists, cancellable=False) for word in in_two_parts]


def expand_lists(words: Iterable[str], lists: Mapping[str, tuple[str, ...]]) -> list[str]:
    """`words` normalised, with each `@名` replaced by its list. Raises KeyError for an unknown name."""
    return [
        each for word in words for each in (lists[word[1:]] if word[0] == "@" else (normalize_word(word),))
    ]


def _combination(line: str, lists: Mapping[str, tuple[str, ...]], cancellable: bool) -> Combination:
    ordered = "…" in line
    parts = line.split("…" if ordered else "+")
    groups = tuple(frozenset(expand_lists(part.split(), lists)) for part in parts)
    return Combination(groups, ordered, cancellable)


def hits_of(combination: Combination, hits: Sequence[Hit], text: str) -> list[Hit]:
    """One of `hits` (ordered by start) for each group; [] if a group has none."""
    options = [[hit for hit in hits if hit.word in group] for group in combination.groups]
    if not all(options):
        return []
    return _in_order(options, text) if combination.ordered else [group[-1] for group in options]


def _in_order(options: list[list[Hit]], text: str) -> list[Hit]:
    return next(filter(None, (_chain(first, options[1:], text) for first in options[0])), [])


def _chain(hit: Hit, later: list[list[Hit]], text: str) -> list[Hit]:
    """`hit` and one hit of each of `later`, each closely after the one before, in the same sentence."""
    if not later:
        return [hit]
    for following in later[0][bisect_left(later[0], (hit.end,)) :]:
        between = text[hit.end : following.start]
        if len(between) > MAX_GAP or _SENTENCE_END.search(between):
            break
        rest = _chain(following, later[1:], text)
        if rest:
            return [hit, *rest]
    return []
