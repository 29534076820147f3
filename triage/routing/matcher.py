"""Vocabulary: all topics compiled, so that a text is read once and every word leads straight to its topics."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

from .clauses import inquires
from .combinations import INQUIRY_MARK, Combination, combinations, spelled_out, word_lists
from .lexicon import Hit, Lexicon, encroaching, inside_longer
from .topic import Topic


@dataclass(frozen=True)
class Reading:
    """A plain text as the rules see it.

    ``hits``: every word found. ``standing``: those that stand for themselves, not within a longer deciding word
    (许可证 in 排水许可证). ``longest``: those within no other word at all.
    """

    text: str
    hits: tuple[Hit, ...]
    standing: tuple[Hit, ...]

    @cached_property
    def longest(self) -> tuple[Hit, ...]:
        covered = inside_longer(self.hits, self.hits)
        return tuple(hit for hit in self.hits if hit not in covered)

    @cached_property
    def inquires(self) -> bool:
        return inquires(self.text)


class Vocabulary:
    """Words by what they do. Raises KeyError where a combination or exclude names an unknown ``@名``."""

    def __init__(self, topics: Iterable[Topic]):
        topics = tuple(topics)
        self.deciding: dict[str, list[Topic]] = defaultdict(list)
        self.supporting: dict[str, list[Topic]] = defaultdict(list)
        self.voiding: dict[str, set[str]] = defaultdict(set)  # a word → codes of the topics it voids
        self.combined: dict[str, list[tuple[Topic, Combination]]] = defaultdict(
            list
        )  # by the words of the rarest group
        self._blinding: set[str] = set()
        self._covering: set[str] = set()
        words: set[str] = set()
        lists = word_lists(topics)
        for topic in topics:
            words.update(self._learn(topic, lists))
        self._lexicon = Lexicon(words)

    def read(self, text: str, masked: Iterable[tuple[int, int]] = ()) -> Reading:
        """Every word of the rules in ``text``, except where ``masked``."""
        found = self._unblinded(_unmasked(self._lexicon.scan(text), text, masked))
        covered = inside_longer(found, [hit for hit in found if hit.word in self._covering])
        standing = tuple(hit for hit in found if hit not in covered)
        # A single character within a longer word says nothing even in a combination: 废 in 废水.
        return Reading(text, tuple(hit for hit in found if len(hit.word) > 1 or hit not in covered), standing)

    def voided(self, reading: Reading, hits: Iterable[Hit]) -> set[str]:
        """Codes of the topics whose combinations and hints ``hits`` (or the text's asking) make void."""
        codes = set(self.voiding.get(INQUIRY_MARK, ())) if reading.inquires else set()
        return codes.union(*(self.voiding[hit.word] for hit in hits if hit.word in self.voiding))

    def combinations_begun(self, hits: Iterable[Hit]) -> Iterable[tuple[Topic, Combination]]:
        """The combinations that ``hits`` may meet, each once."""
        pairs = {id(pair): pair for hit in hits for pair in self.combined.get(hit.word, ())}
        return pairs.values()

    def _unblinded(self, hits: list[Hit]) -> list[Hit]:
        """Without what a look-alike or another bureau's full term takes up: 水 in 水泥, 许可证到期 in 取水许可证到期."""
        taken = encroaching(hits, [hit for hit in hits if hit.word in self._blinding])
        return [hit for hit in hits if hit not in taken]

    def _learn(self, topic: Topic, lists: Mapping[str, tuple[str, ...]]) -> set[str]:
        """Take ``topic`` in; the words by which it is recognised."""
        if topic.layer == "words":
            return set()
        hints, voiding = spelled_out(topic.hints, lists), spelled_out(topic.exclude, lists)
        if topic.layer in ("lookalike", "outside"):
            self._blinding.update(topic.whole_words)
        if topic.layer != "complaint":
            self._covering.update(topic.whole_words, hints)
        if topic.layer == "lookalike":
            return set(topic.whole_words)
        for word in topic.whole_words:
            self.deciding[word].append(topic)
        for word in hints:
            self.supporting[word].append(topic)
        for word in voiding:
            self.voiding[word].add(topic.code)
        return {*topic.whole_words, *hints, *voiding, *self._combine(topic, lists)}

    def _combine(self, topic: Topic, lists: Mapping[str, tuple[str, ...]]) -> set[str]:
        words: set[str] = set()
        for combination in combinations(topic, lists):
            pair = (topic, combination)
            for word in min(combination.groups, key=len):
                self.combined[word].append(pair)
            words.update(*combination.groups)
        return words


def _unmasked(hits: list[Hit], text: str, masked: Iterable[tuple[int, int]]) -> list[Hit]:
    hidden = bytearray(len(text))
    for start, end in masked:
        hidden[start:end] = b"\1" * (end - start)
    return [hit for hit in hits if not any(hidden[hit.start : hit.end])]
