"""Combinations: what several words say together, where none would alone (指标 + 转让、请…查处)."""

import re
from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from .lexicon import Hit
from .topic import MEDIA, Topic, as_written

NEAR = 12  # characters between the parts of “A…B”
EVERY_MEDIUM = "要素"  # the one word list that is gathered: every word that decides for a medium
INQUIRY = "提问"  # for exclude: a text that asks something to be answered
INQUIRY_MARK = "\0"  # stands for it among the words; no plain text has this character
_SENTENCE = re.compile(r"[。;；?？!！\n]")


class Combination(NamedTuple):
    """One word of each group must stand in the question; ``near``: in this order, closely, in one sentence."""

    groups: tuple[frozenset[str], ...]
    near: bool
    voidable: bool  # an exclude voids what is written in together, not a deciding word in two parts


def word_lists(topics: Iterable[Topic]) -> dict[str, tuple[str, ...]]:
    """The lists that combinations and excludes may name as ``@名``."""
    topics = tuple(topics)
    media = (
        word for topic in topics if topic.layer in MEDIA and topic.scope == "in" for word in topic.whole_words
    )
    lists = {topic.code: topic.whole_words for topic in topics if topic.layer == "words"}
    return {EVERY_MEDIUM: tuple(media), INQUIRY: (INQUIRY_MARK,), **lists}


def combinations(topic: Topic, lists: Mapping[str, tuple[str, ...]]) -> list[Combination]:
    """The combinations of ``topic``, its ``A…B`` words among them. Raises KeyError for an unknown ``@名``."""
    together = [_combination(line, lists, voidable=True) for line in topic.together]
    return together + [_combination(word, lists, voidable=False) for word in topic.include if "…" in word]


def spelled_out(words: Iterable[str], lists: Mapping[str, tuple[str, ...]]) -> list[str]:
    """``words`` as a plain text has them, every ``@名`` replaced by its list. Raises KeyError for an unknown one."""
    return [each for word in words for each in (lists[word[1:]] if word[0] == "@" else (as_written(word),))]


def _combination(line: str, lists: Mapping[str, tuple[str, ...]], voidable: bool) -> Combination:
    near = "…" in line
    parts = line.split("…" if near else "+")
    return Combination(tuple(frozenset(spelled_out(part.split(), lists)) for part in parts), near, voidable)


def met(combination: Combination, hits: Sequence[Hit], text: str) -> list[Hit]:
    """One of ``hits`` (in order of place) for each group; [] where a group has none."""
    options = [[hit for hit in hits if hit.word in group] for group in combination.groups]
    if not all(options):
        return []
    return _in_order(options, text) if combination.near else [group[-1] for group in options]


def _in_order(options: list[list[Hit]], text: str) -> list[Hit]:
    return next(filter(None, (_chain(first, options[1:], text) for first in options[0])), [])


def _chain(hit: Hit, later: list[list[Hit]], text: str) -> list[Hit]:
    """``hit`` and one follower out of each of ``later``, each close behind the one before in the same sentence."""
    if not later:
        return [hit]
    for follower in later[0][bisect_left(later[0], (hit.end,)) :]:
        between = text[hit.end : follower.start]
        if len(between) > NEAR or _SENTENCE.search(between):
            break
        rest = _chain(follower, later[1:], text)
        if rest:
            return [hit, *rest]
    return []
