"""A text as people type it, in one normalized form for the rules and the models. Pure.

Each character of the normalized form remembers where it was in the source, so that a page can mark the words that decided.
Nothing here knows a division or a clause. Every function takes any text and never raises.
"""

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

from .misspellings import CORRECTIONS
from .simplified import SIMPLIFIED

# People put these inside a word (“三同时”、VOCs 总量、《名录》), where they would split it.
_DROPPED = set("\"'“”‘’「」『』《》〈〉【】*_-–—·•`~")
# Unicode would make ① a bare 1, which joins the digits that follow; as “1、” it still begins an item.
_CIRCLED_NUMBERS = {chr(0x2460 + n): f"{n + 1}、" for n in range(20)}
# Longer words first, so that 排污许可正 is not read as 排污正, nor a protected word by its part.
_MISSPELLING = re.compile("|".join(sorted(map(re.escape, CORRECTIONS), key=len, reverse=True)))

Span = tuple[int, int]


@dataclass(frozen=True)
class NormalizedText:
    """`source` as typed and its normalized `text`. `text[i]` comes from `source[starts[i]:ends[i]]`."""

    source: str
    text: str
    starts: tuple[int, ...]
    ends: tuple[int, ...]

    def quote(self, start: int, end: int) -> tuple[str, int, int]:
        """The words of the source behind `text[start:end]`, and their start and end in the source."""
        if start >= end:
            return "", 0, 0
        first, last = self.starts[start], self.ends[end - 1]
        return self.source[first:last], first, last


# Texts about the environment have some three thousand different characters; the limit keeps odd input from filling the memory.
@lru_cache(maxsize=20_000)
def _normalize_character(character: str) -> str:
    if character in _CIRCLED_NUMBERS:
        return _CIRCLED_NUMBERS[character]
    # NFKC may give several characters: ㎡ becomes m2.
    folded = unicodedata.normalize("NFKC", character).lower()
    return "".join(map(_simplify_or_drop, folded))


def _simplify_or_drop(character: str) -> str:
    if character in "\n\r\u2028\u2029":
        return "\n"
    # Categories C and M are control characters and combining marks.
    invisible = character.isspace() or unicodedata.category(character)[0] in "CM"
    return "" if invisible or character in _DROPPED else SIMPLIFIED.get(character, character)


def normalize(text: str) -> NormalizedText:
    """Half-width, lower case, simplified, without blanks, quotes and hyphens; usual misspellings corrected."""
    characters, starts, ends = [], [], []
    for position, typed in enumerate(text):
        for character in _normalize_character(typed):
            characters.append(character)
            starts.append(position)
            ends.append(position + 1)
    corrected = _correct_misspellings("".join(characters), starts, ends)
    return NormalizedText(text, corrected, tuple(starts), tuple(ends))


def _correct_misspellings(text: str, starts: list[int], ends: list[int]) -> str:
    """`text` with the misspelt words corrected; changes `starts` and `ends` accordingly."""
    # From the end, so that the positions of earlier matches stay valid when a correction changes the length.
    for match in reversed(list(_MISSPELLING.finditer(text))):
        correct = CORRECTIONS[match.group()]
        if correct == match.group():
            continue
        # Which character replaces which is unknown, so each gets the span of the whole misspelt word.
        first, last = starts[match.start()], ends[match.end() - 1]
        text = text[: match.start()] + correct + text[match.end() :]
        starts[match.start() : match.end()] = [first] * len(correct)
        ends[match.start() : match.end()] = [last] * len(correct)
    return text
