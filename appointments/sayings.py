"""Sayings: what a question is about, whatever words it uses. Pure.

``similar_words.toml`` lists, by facet (the thing, the permit, the pollutant, the action …), concepts and the ways in
which firms and officials say them. Reading a text gives its concepts, and its characters and pairs of characters without the words of asking.
"""

import re
import tomllib
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from .wording import plain

_WORDS = Path(__file__).with_name("similar_words.toml")
_GAP = 6  # characters between the halves of “漆…桶”
_PARTS = re.compile(r"[^,，。.?？!！:：;；、\n ()\[\]0-9]+")
# Words of asking and courtesy: everybody's, so nobody's.
_EMPTY = re.compile(
    "请问|您好|你好|领导|老师|我们|咱们|我司|我厂|我公司|本公司|本厂|贵局|公司|企业|单位|这个|那个|这种|哪些|哪里|什么|怎么|怎样|怎办"
    "|如何|是否|是不是|有没有|能不能|可不可以|要不要|需不需要|需要|可以|应当|应该|应如何|必须|能否|可否|还是|以及|或者|如果|因为|所以|但是"
    "|现在|目前|之前|以后|已经|一下|一个|一种|问题|情况|想问|想请教|请教|咨询|了解|知道|办理|进行|相关|有关|对于|关于|按照|根据|符合|情形|要求|规定|规范|有何|程序|手续|流程|建设项目|项目|设备|环保|环境保护|要求|规定|规范|有何|如何|程序|手续|流程|建设项目|项目|设备|环保|环境保护"
    "|谢谢|麻烦|吗|呢|啊|吧|的|了|着|过|和|与|及|或|在|是|有|要|能|会|被|把|给|让|就|也|都|还|又|很|不|没|我|你|他|它|其|该|本|为|于|由|从"
)


class Concept(NamedTuple):
    """A concept of a facet: (thing, 废油漆桶)."""

    facet: str
    name: str


@dataclass(frozen=True)
class Saying:
    """What a text says: its concepts by facet, and its characters and pairs of characters, words of asking apart."""

    concepts: Mapping[str, frozenset[Concept]]
    characters: frozenset[str]
    pairs: frozenset[str]


def said(text: str) -> Saying:
    """What ``text`` says. Any text whatever; nothing is raised."""
    written = plain(text).text
    parts = _PARTS.findall(_EMPTY.sub(" ", written))
    pairs = (one + two for part in parts for one, two in pairwise(part))
    return Saying(_by_facet(_recognised(written)), frozenset("".join(parts)), frozenset(pairs))


def _by_facet(concepts: set[Concept]) -> Mapping[str, frozenset[Concept]]:
    found: dict[str, set[Concept]] = defaultdict(set)
    for concept in concepts:
        found[concept.facet].add(concept)
        if broader := _implied().get(concept):
            found[broader.facet].add(broader)
    return {facet: frozenset(named) for facet, named in found.items()}


def _recognised(text: str) -> set[Concept]:
    """The concepts of a plain text, the long words first."""
    words = _vocabulary()
    found: set[Concept] = set()
    here = 0
    while here < len(text):
        here, concepts = _longest(words, text, here)
        found.update(concepts)
    return found


def _longest(words: "_Words", text: str, start: int) -> tuple[int, tuple[Concept, ...]]:
    for first, second, concepts in words.get(text[start], ()):
        if text.startswith(first, start):
            after = start + len(first)
            if not second:
                return after, concepts
            place = text.find(second, after, after + _GAP + len(second))
            if place >= 0 and not _PARTED.search(text, after, place):
                return after, concepts
    return start + 1, ()


_PARTED = re.compile(r"[,，。.?？!！;；\n]")
_Words = dict[str, list[tuple[str, str, tuple[Concept, ...]]]]


@cache
def _vocabulary() -> _Words:
    """Words by their first character, the longer first; each with what must follow closely, and its concepts."""
    named: dict[str, list[Concept]] = defaultdict(list)
    for concept, words in _entries():
        for word in words:
            named[word].append(concept)
    begun: _Words = defaultdict(list)
    for word, concepts in sorted(named.items(), key=lambda item: -len(item[0])):
        first, _, second = (plain(part).text for part in word.partition("…"))
        begun[first[0]].append((first, second, tuple(concepts)))
    return dict(begun)


def _entries() -> Iterator[tuple[Concept, list[str]]]:
    for facet, name, _, words in _lines():
        yield Concept(facet, name), [name, *words.split()]


@cache
def _implied() -> dict[Concept, Concept]:
    """环评报告表 → 环评, 废油漆桶 → 危险废物."""
    named = {name: Concept(facet, name) for facet, name, _, _ in _lines()}
    return {Concept(facet, name): named[broad] for facet, name, broad, _ in _lines() if broad}


@cache
def _lines() -> tuple[tuple[str, str, str, str], ...]:
    """Facet, name, what it implies, and its words."""
    listed = tomllib.loads(_WORDS.read_text(encoding="utf-8")).items()
    lines = ((facet, line.partition("：")) for facet, text in listed for line in text.strip().splitlines())
    return tuple(
        (facet, heading.partition("<")[0], heading.partition("<")[2], words)
        for facet, (heading, _, words) in lines
    )
