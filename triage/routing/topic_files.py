"""The topics that are in force: read from the shipped ``topics/*.toml``, checked, compiled once.

A topic is data. ``from_mapping`` and ``as_mapping`` carry one between TOML, a form, a database row and the pure Topic,
so that topics edited elsewhere pass the same check (``validate``) and compile to the same RuleBook. The shipped
precedents stand beside every set of topics.
"""

import json
import tomllib
from collections import defaultdict
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path

from appointments.training.corpus_files import examples, paraphrased_examples

from .classifier import Precedent, Precedents
from .combinations import word_lists
from .neighbours import Neighbours
from .ridge import Weights
from .router import RuleBook
from .topic import CODES, DIVISIONS, LAYERS, SCOPES, Topic, as_written, covers

DATA = Path(__file__).with_name("data")
SHIPPED = DATA / "topics"
WEIGHTS = DATA / "classifier.npz"
_LISTS = ("support", "include", "hints", "exclude", "gives_way_to")


class Unusable(Exception):
    """Topics that cannot be compiled; the text lists, in Chinese, what is wrong with which topic."""


@cache
def shipped() -> tuple[Topic, ...]:
    """The topics that come with the service. Raises Unusable, KeyError or TOMLDecodeError for a broken file."""
    topics = [from_mapping(entry) for path in sorted(SHIPPED.glob("*.toml")) for entry in _entries(path)]
    return tuple(topics)


def _entries(path: Path) -> list[dict]:
    return tomllib.loads(path.read_text(encoding="utf-8"))["topic"]


@cache
def precedents() -> Precedents:
    """The labelled texts that come with the service: those written for the rules, and the examples of what firms ask."""
    written = [_precedent(case) for case in cases("labelled")]
    asked = [
        Precedent(text, _label(line["lead"], line["scope"])) for line in examples() for text in line["texts"]
    ]
    return Precedents([*written, *asked], Weights.load(WEIGHTS) if WEIGHTS.exists() else None)


@cache
def neighbours() -> Neighbours:
    """Who answers the known matters."""
    return Neighbours([_label(line["lead"], line["scope"]) for line in paraphrased_examples()])


@cache
def golden() -> tuple[Precedent, ...]:
    """The 标准例 of the bureau: every version of the rules is measured by them, none learns from them."""
    return tuple(_precedent(case) for case in cases("golden"))


def cases(name: str) -> list[dict]:
    lines = (DATA / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def _precedent(case: dict) -> Precedent:
    return Precedent(case["text"], _label(case["primary"], case["scope"]))


def _label(division: str, scope: str) -> str:
    """Division by its Chinese name, or a scope that is not ours."""
    return CODES[division] if scope == "in" else scope


@cache
def current() -> RuleBook:
    """The rules in force, compiled once per process: the shipped topics, which a test has checked."""
    return RuleBook(shipped(), precedents(), neighbours=neighbours())


def compiled(topics: Iterable[Topic]) -> RuleBook:
    """A RuleBook of ``topics``. Raises Unusable with every fault that ``validate`` finds."""
    topics = tuple(topics)
    faults = validate(topics)
    if faults:
        raise Unusable("；".join(faults))
    return RuleBook(topics, precedents(), neighbours=neighbours())


def from_mapping(entry: Mapping) -> Topic:
    """A Topic from TOML or a form: word lists may be one text parted by blanks, combinations one text of lines.

    Raises KeyError for a missing code, name, clause or layer and TypeError for an unknown field.
    """
    fields = dict(entry)
    for name in _LISTS:
        fields[name] = _words(fields.get(name, ()))
    fields["together"] = _lines(fields.get("together", ()))
    return Topic(fields.pop("code"), fields.pop("name"), fields.pop("clause"), fields.pop("layer"), **fields)


def as_mapping(topic: Topic) -> dict:
    """The reverse of ``from_mapping``, lists as plain text."""
    return {
        **{name: getattr(topic, name) for name in ("code", "name", "clause", "layer", "lead", "scope")},
        **{name: " ".join(getattr(topic, name)) for name in _LISTS},
        "together": "\n".join(topic.together),
    }


def _words(value: str | Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(value.split() if isinstance(value, str) else value))


def _lines(value: str | Iterable[str]) -> tuple[str, ...]:
    lines = value.splitlines() if isinstance(value, str) else value
    return tuple(" ".join(line.split()) for line in lines if line.strip())


# --- What is wrong with a set of topics ------------------------------------------------------------------------------
def validate(topics: Iterable[Topic]) -> list[str]:
    """Every fault of ``topics`` in a Chinese sentence that names the topic and how to mend it; [] if none."""
    topics = tuple(topics)
    faults = [fault for topic in topics for fault in _own_faults(topic)]
    faults += _doubled_codes(topics) + _unknown_names(topics) + _claimed_twice(topics) + _loops(topics)
    return faults or _never_winning(topics)


def _own_faults(topic: Topic) -> list[str]:
    checks = {
        "没有写明所依据的条款，请填写": topic.clause.strip() or topic.layer in ("words", "lookalike"),
        f"的层次“{topic.layer}”不存在，可用：{'、'.join(LAYERS)}": topic.layer in LAYERS,
        f"的范围“{topic.scope}”不存在，可用：{'、'.join(SCOPES)}": topic.scope in SCOPES,
        f"的处室“{'、'.join({topic.lead, *topic.support} - set(DIVISIONS))}”不存在，可用：{'、'.join(DIVISIONS)}": {
            topic.lead, *topic.support,
        } <= set(DIVISIONS),
        "没有任何词，请至少写一个决定词、组合或线索词": topic.include or topic.together or topic.hints or topic.layer == "unclear",
    }  # fmt: skip
    return [f"事项“{topic.name}”{fault}。" for fault, sound in checks.items() if not sound]


def _doubled_codes(topics: tuple[Topic, ...]) -> list[str]:
    seen: dict[str, str] = {}
    faults = []
    for topic in topics:
        if topic.code in seen:
            faults.append(f"代码“{topic.code}”被“{seen[topic.code]}”和“{topic.name}”共用，请改其中一个。")
        seen[topic.code] = topic.name
    return faults


def _unknown_names(topics: tuple[Topic, ...]) -> list[str]:
    lists = set(word_lists(topics))
    faults = []
    for topic in topics:
        named = {
            word[1:]
            for line in (*topic.together, " ".join(topic.exclude))
            for word in line.split()
            if word[0] == "@"
        }
        faults += [
            f"事项“{topic.name}”用到的词表“@{name}”不存在，请先建立词表或改正名称。"
            for name in sorted(named - lists)
        ]
        known = [
            pattern
            for pattern in topic.gives_way_to
            if pattern in LAYERS or any(covers(pattern, t) for t in topics)
        ]
        faults += [
            f"事项“{topic.name}”要让位于“{p}”，但没有这个事项或层次。"
            for p in topic.gives_way_to
            if p not in known
        ]
    return faults


def _claimed_twice(topics: tuple[Topic, ...]) -> list[str]:
    owners: dict[str, list[str]] = defaultdict(list)
    for topic in topics:
        if topic.layer not in ("words", "complaint"):
            for word in set(topic.whole_words):
                owners[word].append(topic.name)
    return [
        f"决定词“{word}”同时写在{'、'.join(f'“{name}”' for name in names)}，请只留一处。"
        for word, names in owners.items()
        if len(names) > 1
    ]


def _loops(topics: tuple[Topic, ...]) -> list[str]:
    behind = {t.code: [o for o in topics if o is not t and t.yields_to(o)] for t in topics}
    names = {topic.code: topic.name for topic in topics}
    faults = []
    for topic in topics:
        if any(
            back.code == topic.code for other in behind[topic.code] for back in _all_behind(other, behind)
        ):
            faults.append(
                f"“{names[topic.code]}”的让位关系绕成了圈（它让位的事项又让位于它），请去掉其中一条。"
            )
    return faults


def _all_behind(topic: Topic, behind: dict[str, list[Topic]]) -> list[Topic]:
    reached, waiting = {}, [topic]
    while waiting:
        one = waiting.pop()
        for other in behind[one.code]:
            if other.code not in reached:
                reached[other.code] = other
                waiting.append(other)
    return list(reached.values())


def _never_winning(topics: tuple[Topic, ...]) -> list[str]:
    """Words that do not move their own topic even when a text is nothing but that word."""
    book = RuleBook(topics)
    return [
        f"事项“{topic.name}”的决定词“{word}”永远不起作用（{reason}），请改写或删去。"
        for topic in topics
        if topic.layer not in ("words", "lookalike", "complaint", "unclear")
        for word in topic.include
        if "…" not in word and (reason := _idle(book, topic, word))
    ]


def _idle(book: RuleBook, topic: Topic, word: str) -> str:
    """Why ``word`` does nothing; "" if it does."""
    if not as_written(word):
        return "清洗后没有文字"
    if not book.stands(word):
        return "总被当作否定、名称或形近词略去"
    finding = book.route(word).findings[0]
    return "" if finding.code == topic.code else f"总被“{finding.name}”压过"
