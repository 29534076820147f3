"""Read the shipped topics, and carry a topic between TOML, a form, a database row and the pure Topic.

Topics that officials edit take the same way as the shipped ones, so both pass the same check (`validation`).
"""

import tomllib
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path

from .topic import Topic

SHIPPED = Path(__file__).with_name("data") / "topics"
_WORD_LISTS = ("support", "include", "hints", "exclude", "gives_way_to")


@cache
def shipped_topics() -> tuple[Topic, ...]:
    """The topics that come with the service. Raises KeyError or TOMLDecodeError for a broken file."""
    topics = [from_mapping(entry) for path in sorted(SHIPPED.glob("*.toml")) for entry in _entries(path)]
    return tuple(topics)


def _entries(path: Path) -> list[dict]:
    return tomllib.loads(path.read_text(encoding="utf-8"))["topic"]


def from_mapping(entry: Mapping) -> Topic:
    """A Topic from TOML or a form. A word list may be one text separated by blanks, combinations one text of lines.

    Raises KeyError for a missing code, name, clause or layer, and TypeError for an unknown field.
    """
    fields = dict(entry)
    for name in _WORD_LISTS:
        fields[name] = _words(fields.get(name, ()))
    fields["together"] = _lines(fields.get("together", ()))
    return Topic(fields.pop("code"), fields.pop("name"), fields.pop("clause"), fields.pop("layer"), **fields)


def as_mapping(topic: Topic) -> dict:
    """The reverse of `from_mapping`, with lists as plain text."""
    return {
        **{name: getattr(topic, name) for name in ("code", "name", "clause", "layer", "lead", "scope")},
        **{name: " ".join(getattr(topic, name)) for name in _WORD_LISTS},
        "together": "\n".join(topic.together),
    }


def _words(value: str | Iterable[str]) -> tuple[str, ...]:
    # A word typed twice counts once, and the order that the official typed stays.
    return tuple(dict.fromkeys(value.split() if isinstance(value, str) else value))


def _lines(value: str | Iterable[str]) -> tuple[str, ...]:
    lines = value.splitlines() if isinstance(value, str) else value
    return tuple(" ".join(line.split()) for line in lines if line.strip())
