"""Topic: one rule of 分办, in plain words that officials write. The words of the 实施方案 are its clause."""

import re
from dataclasses import dataclass
from typing import NamedTuple

from .wording import plain

DIVISIONS = {
    "water": "水处", "air": "大气处", "soil": "土壤处", "general": "综合处", "science": "科监处", "eia": "环评处",
    "office": "办公室", "manual": "人工",
}  # fmt: skip
MANUAL = "manual"
SCOPES = {"in": "咨询范围内", "complaint": "信访投诉", "outside": "非本局职责", "unclear": "事项不明"}
# A layer is how a topic speaks; among topics that fire on one question the greater weight × standing leads.
LAYERS = {
    "exception": ("例外", 5.0),  # 五（一）的两处括号
    "matter": ("事项", 3.0),
    "outside": ("他部门职责", 2.5),
    "medium": ("要素", 1.0),
    "trace": ("零散字词", 0.55),
    "other": ("泛指", 0.3),
    "unclear": ("事项不明", 0.1),
    "complaint": ("信访投诉", 0.0),  # judged on the whole text, by stance
    "words": ("词表", 0.0),  # a list that combinations name as @词表; never fires itself
    "lookalike": ("形近词", 0.0),  # looks like a rule's word but says nothing: 海洋公园、统一社会信用代码
}


class Combination(NamedTuple):
    """All of ``groups`` must stand in one question (one word of each); ``near``: in this order, closely."""

    groups: tuple[tuple[str, ...], ...]
    near: bool


@dataclass(frozen=True)
class Topic:
    """One rule.

    ``include``: words that decide alone; ``A…B`` means A and closely after it B. ``together``: combinations, one a
    line: ``词 词 + 词 词`` (one word of each side) or ``词 … 词`` (in this order, closely); ``@名`` is a word list.
    ``hints``: words that only support. ``exclude``: words that void combinations and hints (a deciding word stands).
    ``gives_way_to``: codes (``money`` covers ``money.fund``) or layers before which this topic steps back.
    """

    code: str
    name: str
    clause: str
    layer: str
    lead: str = MANUAL
    support: tuple[str, ...] = ()
    scope: str = "in"
    include: tuple[str, ...] = ()
    together: tuple[str, ...] = ()
    hints: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    gives_way_to: tuple[str, ...] = ()

    @property
    def weight(self) -> float:
        return LAYERS[self.layer][1]

    def yields_to(self, other: "Topic") -> bool:
        """Whether this topic steps back where ``other`` fires too."""
        return any(_names(pattern, other) for pattern in self.gives_way_to)


def _names(pattern: str, topic: Topic) -> bool:
    return pattern == topic.layer or topic.code == pattern or topic.code.startswith(pattern + ".")


def as_written(word: str) -> str:
    """A rule's word in the form that the cleaned text has."""
    return plain(word).text


def combinations(topic: Topic, lists: dict[str, tuple[str, ...]]) -> tuple[Combination, ...]:
    """The combinations of ``topic``, its ``A…B`` words among them. Raises KeyError for an unknown @词表."""
    written = [*topic.together, *(word for word in topic.include if "…" in word)]
    return tuple(_combination(line, lists) for line in written)


def _combination(line: str, lists: dict[str, tuple[str, ...]]) -> Combination:
    near = "…" in line
    parts = re.split("…" if near else r"\+", line)
    return Combination(tuple(_group(part, lists) for part in parts), near)


def _group(part: str, lists: dict[str, tuple[str, ...]]) -> tuple[str, ...]:
    words: list[str] = []
    for word in part.split():
        words.extend(lists[word[1:]] if word.startswith("@") else [as_written(word)])
    return tuple(words)
