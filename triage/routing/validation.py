"""What is wrong with a set of topics, in Chinese sentences that say how to correct it.

Officials edit topics in the admin. A topic with a fault could break routing for every registration (an unknown word
list), or have no effect without anyone noticing (a word that never wins), so neither can be saved.
"""

from collections import defaultdict
from collections.abc import Iterable

from appointments.text.firm_names import firm_name_spans
from appointments.text.normalize import normalize

from .combinations import word_lists
from .keyword_rules import KeywordRules
from .topic import DIVISIONS, LAYERS, SCOPES, Topic, covers, normalize_word

# Layers whose topics decide nothing by themselves, so they need no clause.
WITHOUT_CLAUSE = ("words", "lookalike")


def validate(topics: Iterable[Topic]) -> list[str]:
    """Every fault of `topics`, each in a Chinese sentence that names the topic; [] if there is none."""
    topics = tuple(topics)
    faults = [fault for topic in topics for fault in _field_faults(topic)]
    faults += _duplicate_codes(topics) + _unknown_names(topics) + _duplicate_words(topics) + _cycles(topics)
    # Only sound topics can be compiled, and compiling is needed to find words without effect.
    return faults or _ineffective_words(topics)


def _field_faults(topic: Topic) -> list[str]:
    unknown = {topic.lead, *topic.support} - set(DIVISIONS)
    has_words = topic.include or topic.together or topic.hints
    checks = {
        "没有写明所依据的条款，请填写": topic.clause.strip() or topic.layer in WITHOUT_CLAUSE,
        f"的层次“{topic.layer}”不存在，可用：{'、'.join(LAYERS)}": topic.layer in LAYERS,
        f"的范围“{topic.scope}”不存在，可用：{'、'.join(SCOPES)}": topic.scope in SCOPES,
        f"的处室“{'、'.join(unknown)}”不存在，可用：{'、'.join(DIVISIONS)}": not unknown,
        "没有任何词，请至少写一个决定词、组合或线索词": has_words or topic.layer == "unclear",
    }
    return [f"事项“{topic.name}”{fault}。" for fault, passed in checks.items() if not passed]


def _duplicate_codes(topics: tuple[Topic, ...]) -> list[str]:
    names: dict[str, str] = {}
    faults = []
    for topic in topics:
        if topic.code in names:
            faults.append(f"代码“{topic.code}”被“{names[topic.code]}”和“{topic.name}”共用，请改其中一个。")
        names[topic.code] = topic.name
    return faults


def _unknown_names(topics: tuple[Topic, ...]) -> list[str]:
    lists = set(word_lists(topics))
    faults = []
    for topic in topics:
        faults += [
            f"事项“{topic.name}”用到的词表“@{name}”不存在，请先建立词表或改正名称。"
            for name in sorted(_named_lists(topic) - lists)
        ]
        faults += [
            f"事项“{topic.name}”要让位于“{pattern}”，但没有这个事项或层次。"
            for pattern in topic.gives_way_to
            if pattern not in LAYERS and not any(covers(pattern, other) for other in topics)
        ]
    return faults


def _named_lists(topic: Topic) -> set[str]:
    lines = (*topic.together, " ".join(topic.exclude))
    return {word[1:] for line in lines for word in line.split() if word[0] == "@"}


def _duplicate_words(topics: tuple[Topic, ...]) -> list[str]:
    owners: dict[str, list[str]] = defaultdict(list)
    # Lists may repeat words of topics. A complaint is judged on its own, so 投诉 may be a word of another topic too.
    for topic in topics:
        if topic.layer not in ("words", "complaint"):
            for word in set(topic.whole_words):
                owners[word].append(topic.name)
    return [
        f"决定词“{word}”同时写在{'、'.join(f'“{name}”' for name in names)}，请只留一处。"
        for word, names in owners.items()
        if len(names) > 1
    ]


def _cycles(topics: tuple[Topic, ...]) -> list[str]:
    """Topics that step back for each other: none of them would ever lead."""
    leads_over = {
        topic.code: [other for other in topics if other is not topic and topic.yields_to(other)]
        for topic in topics
    }
    return [
        f"“{topic.name}”的让位关系绕成了圈（它让位的事项又让位于它），请去掉其中一条。"
        for topic in topics
        if topic.code in _reachable(topic.code, leads_over)
    ]


def _reachable(code: str, leads_over: dict[str, list[Topic]]) -> set[str]:
    """Codes of the topics that `code` yields to, directly or through others."""
    reached: set[str] = set()
    pending = [code]
    while pending:
        for other in leads_over[pending.pop()]:
            if other.code not in reached:
                reached.add(other.code)
                pending.append(other.code)
    return reached


def _ineffective_words(topics: tuple[Topic, ...]) -> list[str]:
    """Deciding words that do not lead to their topic even if a text is nothing but that word."""
    rules = KeywordRules(topics)
    return [
        f"事项“{topic.name}”的决定词“{word}”永远不起作用（{reason}），请改写或删去。"
        for topic in topics
        if topic.layer not in ("words", "lookalike", "complaint", "unclear")
        for word in topic.include
        if "…" not in word and (reason := _why_ineffective(rules, topic, word))
    ]


def _why_ineffective(rules: KeywordRules, topic: Topic, word: str) -> str:
    """In Chinese; "" if the word has its effect."""
    if not normalize_word(word):
        return "清洗后没有文字"
    if not rules.matches_alone(word):
        return "总被当作否定、名称或形近词略去"
    written = normalize(word)
    finding = rules.find(written, firm_name_spans(written.text))[0]
    return "" if finding.code == topic.code else f"总被“{finding.name}”压过"
