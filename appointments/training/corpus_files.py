"""The corpus: made-up questions of firms to train on, one file for each division and kind. The service never reads it.

A line is one question: `id`; who answers it, `lead` and `co`; `scope`; and `texts`, all the ways in which it is
asked, the official wording first. `hard_negatives.jsonl` holds questions that are easily confused.
"""

import hashlib
import json
from dataclasses import dataclass
from operator import itemgetter
from pathlib import Path
from typing import TypedDict

CORPUS = Path(__file__).with_name("corpus")
HARD_NEGATIVES = "hard_negatives.jsonl"
MIN_PARAPHRASES = 4  # with fewer, an example only teaches the classifier who answers it
# The series “other-…” sorts under the name of its file, as it always did. Another order trains an equally good embedding,
# but other single cases of the test sets come out right: three of 72 were different without this line.
_SORTED_AS = {"other": "unlisted"}


class Example(TypedDict):
    """A question as it stands in a file. `lead` and `co` are Chinese names of divisions, `lead` may be 人工."""

    id: str
    lead: str
    co: list[str]
    scope: str
    texts: list[str]


@dataclass(frozen=True)
class HardNegative:
    """A `query`, official wordings that ask the same (`positives`), and others like it that do not (`negatives`)."""

    query: str
    positives: list[str]
    negatives: list[str]


def examples() -> list[Example]:
    """Every example, in the order of the ids (series-number). Which file a line stands in makes no difference.

    Ids that follow each other belong to siblings. The trainer shows these together, because telling siblings apart is
    the hard part.
    """
    paths = (path for path in CORPUS.glob("*.jsonl") if path.name != HARD_NEGATIVES)
    lines = [json.loads(line) for path in paths for line in _lines(path)]
    return sorted(lines, key=_order)


def _order(example: Example) -> tuple[str, str]:
    series, _, number = example["id"].partition("-")
    return _SORTED_AS.get(series, series), number


def paraphrased_examples() -> list[Example]:
    """The examples that teach the embedding that different words can ask the same."""
    return [example for example in examples() if len(example["texts"]) >= MIN_PARAPHRASES]


def hard_negatives() -> list[HardNegative]:
    lines = sorted(map(json.loads, _lines(CORPUS / HARD_NEGATIVES)), key=itemgetter("id"))
    return [HardNegative(line["query"], line["same"], line["near"]) for line in lines]


def digest(*sources: Path) -> str:
    """Identifies the lines of the corpus, in any order and in any file, and the contents of `sources`."""
    checksum = hashlib.sha256()
    for line in sorted(line for path in CORPUS.glob("*.jsonl") for line in _lines(path)):
        checksum.update(line.encode() + b"\n")
    for path in sources:
        checksum.update(path.read_bytes())
    return checksum.hexdigest()[:12]


def _lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").splitlines()
