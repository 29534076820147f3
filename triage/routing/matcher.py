"""All topics compiled into one lexicon: a text is scanned once, and each word leads straight to its topics."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

from .clauses import is_inquiry
from .combinations import INQUIRY_MARK, Combination, combinations, expand_lists, word_lists
from .lexicon import Hit, Lexicon, inside_longer, overlapping
from .topic import Topic


@dataclass(frozen=True)
class MatchedText:
    """A normalised text and the words of the rules in it.

    `hits`: every word found. `uncovered`: those that are not part of a longer deciding word (许可证 in 排水许可证).
    `longest`: those that are not part of any longer word.
    """

    text: str
    hits: tuple[Hit, ...]
    uncovered: tuple[Hit, ...]

    @cached_property
    def longest(self) -> tuple[Hit, ...]:
        covered = inside_longer(self.hits, self.hits)
        return tuple(hit for hit in self.hits if hit not in covered)

    @cached_property
    def is_inquiry(self) -> bool:
        return is_inquiry(self.text)


class Matcher:
    """Words by their role. Raises KeyError if a combination or an exclude names an unknown `@名`."""

    def __init__(self, topics: Iterable[Topic]):
        topics = tuple(topics)
        self.deciding: dict[str, list[Topic]] = defaultdict(list)
        self.supporting: dict[str, list[Topic]] = defaultdict(list)
        # A word → codes of the topics whose combinations and hints it cancels.
        self._cancelling: dict[str, set[str]] = defaultdict(set)
        # Indexed by the words of the smallest group only, so that a text looks up few candidates.
        self._combinations: dict[str, list[tuple[Topic, Combination]]] = defaultdict(list)
        self._blocking: set[str] = set()
        self._covering: set[str] = set()
        words: set[str] = set()
        lists = word_lists(topics)
        for topic in topics:
            words.update(self._add(topic, lists))
        self._lexicon = Lexicon(words)

    def match(self, text: str, masked: Iterable[tuple[int, int]] = ()) -> MatchedText:
        """Every word of the rules in normalised `text`, except in the `masked` spans."""
        found = self._unblocked(_unmasked(self._lexicon.scan(text), text, masked))
        covered = inside_longer(found, [hit for hit in found if hit.word in self._covering])
        uncovered = tuple(hit for hit in found if hit not in covered)
        # A single character within a longer word means nothing, even in a combination: 废 in 废水.
        hits = tuple(hit for hit in found if len(hit.word) > 1 or hit not in covered)
        return MatchedText(text, hits, uncovered)

    def cancelled_codes(self, matched: MatchedText, hits: Iterable[Hit]) -> set[str]:
        """Codes of the topics whose combinations and hints are cancelled by `hits`, or by the text's question."""
        codes = set(self._cancelling.get(INQUIRY_MARK, ())) if matched.is_inquiry else set()
        return codes.union(*(self._cancelling[hit.word] for hit in hits if hit.word in self._cancelling))

    def candidate_combinations(self, hits: Iterable[Hit]) -> Iterable[tuple[Topic, Combination]]:
        """The combinations of which `hits` contain at least one word, each once."""
        pairs = {id(pair): pair for hit in hits for pair in self._combinations.get(hit.word, ())}
        return pairs.values()

    def _unblocked(self, hits: list[Hit]) -> list[Hit]:
        """Without words that a look-alike or another bureau's full term covers.

        水 in 水泥 is not water; 许可证到期 in 取水许可证到期 is not our permit.
        """
        blocked = overlapping(hits, [hit for hit in hits if hit.word in self._blocking])
        return [hit for hit in hits if hit not in blocked]

    def _add(self, topic: Topic, lists: Mapping[str, tuple[str, ...]]) -> set[str]:
        """Index `topic`; returns the words that the lexicon must find for it."""
        if topic.layer == "words":
            return set()
        hints, cancelling = expand_lists(topic.hints, lists), expand_lists(topic.exclude, lists)
        if topic.layer in ("lookalike", "outside"):
            self._blocking.update(topic.whole_words)
        if topic.layer != "complaint":
            self._covering.update(topic.whole_words, hints)
        if topic.layer == "lookalike":
            return set(topic.whole_words)
        for word in topic.whole_words:
            self.deciding[word].append(topic)
        for word in hints:
            self.supporting[word].append(topic)
        for word in cancelling:
            self._cancelling[word].add(topic.code)
        return {*topic.whole_words, *hints, *cancelling, *self._add_combinations(topic, lists)}

    def _add_combinations(self, topic: Topic, lists: Mapping[str, tuple[str, ...]]) -> set[str]:
        words: set[str] = set()
        for combination in combinations(topic, lists):
            pair = (topic, combination)
            for word in min(combination.groups, key=len):
                self._combinations[word].append(pair)
            words.update(*combination.groups)
        return words


def _unmasked(hits: list[Hit], text: str, masked: Iterable[tuple[int, int]]) -> list[Hit]:
    hidden = bytearray(len(text))
    for start, end in masked:
        hidden[start:end] = b"\1" * (end - start)
    return [hit for hit in hits if not any(hidden[hit.start : hit.end])]
