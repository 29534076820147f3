"""A topic is one rule of 分办 in plain words that officials can edit. It names the clause that it follows."""

from dataclasses import dataclass
from functools import lru_cache

from appointments.text.normalize import normalize

# Codes are stored (topics, traces, labelled texts), so they stay; people read the Chinese names.
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

# Layer → its Chinese name and its weight. Topics in one question are ranked by weight × strength of the word, where
# strength is 1.0 in a clause that asks and 0.6 in one that gives background (`clauses`). So the distance between two
# weights decides which topic leads when one is asked about and the other is only background.
LAYERS = {
    # 五（一）的两处括号
    "exception": ("例外", 5.0),
    "matter": ("事项", 3.0),
    "outside": ("他部门职责", 2.5),
    "medium": ("要素", 1.0),
    # 喷漆、沉淀池 tell the place, not the problem, so a medium in the same sentence leads.
    "process": ("工艺与设施", 0.8),
    # “水”“味道”: below a medium in the background (0.6), above a medium that only describes another word (0.5).
    "trace": ("零散字词", 0.55),
    "other": ("泛指", 0.3),
    "unclear": ("事项不明", 0.1),
    # Complaints are judged on the whole text, so they take no part in the ranking.
    "complaint": ("信访投诉", 0.0),
    # A list that combinations name as @词表. It decides nothing by itself.
    "words": ("词表", 0.0),
    # Looks like a word of a rule but means something else: 海洋公园、统一社会信用代码.
    "lookalike": ("形近词", 0.0),
}
MEDIA = ("medium", "process", "trace")


@dataclass(frozen=True)
class Topic:
    """One rule.

    `include`: words that decide alone. `A…B` means A, and B closely after it.
    `together`: combinations, one per line: `词 词 + 词 词` (one word of each side) or `词 … 词` (in this order,
    close together). `@名` is a word list.
    `hints`: words that only support.
    `exclude`: words that cancel combinations and hints; a deciding word still counts.
    `gives_way_to`: topic codes (`money` covers `money.fund`) or layers that lead instead of this topic.
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
        """The normalised deciding words, without those in two parts (`A…B`)."""
        return tuple(normalize_word(word) for word in self.include if "…" not in word)

    def yields_to(self, other: "Topic") -> bool:
        """Whether `other` leads instead of this topic when both match."""
        return any(pattern == other.layer or covers(pattern, other) for pattern in self.gives_way_to)


def covers(pattern: str, topic: Topic) -> bool:
    """Whether `pattern`, a topic code or its first part, means `topic`."""
    return topic.code == pattern or topic.code.startswith(pattern + ".")


# The shipped topics have 7,000 words, three times over. Each edit of the rules compiles them several times.
@lru_cache(maxsize=8_192)
def normalize_word(word: str) -> str:
    """A word of a rule in the form in which it occurs in normalised text."""
    return normalize(word).text
