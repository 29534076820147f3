"""Topic: one rule of 分办, in plain words that officials write. The words of the 实施方案 are its clause."""

from dataclasses import dataclass

from appointments.text.normalize import normalize

DIVISIONS = {
    "water": "水处",
    "air": "大气处",
    "soil": "土壤处",
    "general": "综合处",
    "science": "科监处",
    "eia": "环评处",
    "office": "办公室",
    "manual": "人工",
}
CODES = {name: code for code, name in DIVISIONS.items()}
MANUAL = "manual"
SCOPES = {"in": "咨询范围内", "complaint": "信访投诉", "outside": "非本局职责", "unclear": "事项不明"}

# How a topic speaks, its name for officials, and its weight: weight × standing of the word ranks topics in a question.
LAYERS = {
    "exception": ("例外", 5.0),  # 五（一）的两处括号
    "matter": ("事项", 3.0),
    "outside": ("他部门职责", 2.5),
    "medium": ("要素", 1.0),
    "process": (
        "工艺与设施",
        0.8,
    ),  # 喷漆、沉淀池: say where, not what; a medium asked about in the same breath leads
    "trace": ("零散字词", 0.55),  # “水”“味道”: below a medium told (0.6), above one that only describes
    "other": ("泛指", 0.3),
    "unclear": ("事项不明", 0.1),
    "complaint": ("信访投诉", 0.0),  # judged on the whole text, by stance
    "words": ("词表", 0.0),  # a list that combinations name as @词表; never fires itself
    "lookalike": ("形近词", 0.0),  # looks like a rule's word but says nothing: 海洋公园、统一社会信用代码
}
MEDIA = ("medium", "process", "trace")


@dataclass(frozen=True)
class Topic:
    """One rule.

    ``include``: words that decide alone; ``A…B`` means A and closely after it B. ``together``: combinations, one a
    line: ``词 词 + 词 词`` (one word of each side) or ``词 … 词`` (in this order, closely); ``@名`` is a word list.
    ``hints``: words that only support. ``exclude``: words that void combinations and hints (a deciding word stands). ``gives_way_to``: codes (``money`` covers ``money.fund``) or layers before which this topic steps back.
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

    @property
    def whole_words(self) -> tuple[str, ...]:
        """The deciding words without those in two parts, in the form that a plain text has."""
        return tuple(as_written(word) for word in self.include if "…" not in word)

    def yields_to(self, other: "Topic") -> bool:
        """Whether this topic steps back where ``other`` fires too."""
        return any(pattern == other.layer or covers(pattern, other) for pattern in self.gives_way_to)


def covers(pattern: str, topic: Topic) -> bool:
    """Whether ``pattern``, a code or the first part of codes, means ``topic``."""
    return topic.code == pattern or topic.code.startswith(pattern + ".")


def as_written(word: str) -> str:
    """A rule's word in the form that a plain text has."""
    return normalize(word).text
