"""The rows that the form of the 交办 is filled with: each question to its division, and no word of the firm is lost."""

import json
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from appointments.text.normalize import normalize
from appointments.training import corpus_files
from triage.models import Part
from triage.routing.clauses import split_questions
from triage.routing.labelled_texts import GOLDEN, LABELLED
from triage.routing.router import Router, shipped_router
from triage.routing.topic_files import shipped_topics
from triage.rulebook.explanation import portions

from . import factories as made
from .test_admin_registration import show

UNSEEN = sorted(Path(__file__).with_name("data").glob("unseen_*.jsonl"))
RULES = Router(shipped_topics())
TEST_SETS = [GOLDEN, LABELLED, *UNSEEN, corpus_files.CORPUS / "mixed.jsonl"]


def questions(text: str, router: Router | None = None) -> dict[str, str]:
    """By division: what it would be asked as the lead."""
    rows = portions((router or shipped_router()).route(text), text)
    return {row["division"]: row["question"] for row in rows if row["part"] == Part.LEAD}


def letters(text: str) -> str:
    return "".join(text.split())


def is_in_order(part: str, whole: str) -> bool:
    rest = iter(letters(whole))
    return all(letter in rest for letter in letters(part))


def fault(text: str, router: Router | None = None) -> str:
    """What is wrong with the rows; "" if every letter is in one of them, and the letters of each are in the order of the text."""
    rows = questions(text, router)
    lost = Counter(letters(text)) - Counter(letters("".join(rows.values())))
    if lost:
        return f"{text!r} loses {''.join(lost)}"
    return next(
        (f"{row!r} is not in the order of {text!r}" for row in rows.values() if not is_in_order(row, text)),
        "",
    )


def of_several_questions(texts: Iterable[str]) -> list[str]:
    """A text with one question is never split."""
    return [text for text in texts if len(split_questions(normalize(text).text)) > 1]


def corpus() -> list[str]:
    """The texts on which the classifier was trained."""
    return [text for example in corpus_files.examples() for text in example["texts"]]


def several_divisions() -> list[str]:
    """Texts that firms could have sent, and those of the corpus that several divisions answer."""
    lines = [line for path in TEST_SETS for line in path.read_text(encoding="utf-8").splitlines()]
    cases = [json.loads(line) for line in lines]
    return [text for case in cases for text in case.get("texts", [case.get("text")])]


def test_no_text_of_the_corpus_loses_a_word_by_the_rules_alone():
    texts = of_several_questions(corpus())
    assert len(texts) > 4000
    assert [found for text in texts if (found := fault(text, RULES))] == []


def test_no_text_loses_a_word_by_rules_and_classifier():
    texts = of_several_questions(several_divisions())
    assert len(texts) > 900
    assert [found for text in texts if (found := fault(text))] == []


PIECES = st.sampled_from(
    [
        "废水怎么排？",
        "另外废气呢？",
        "消防验收找谁？",
        "您好，",
        "食堂在哪？",
        "第一，",
        "2、危废放哪",
        "没有废水。",
        "“”",
        "\n",
        "　",
        "谢谢！",
        "VOCs总量",
        "环评",
    ]
)


@given(st.lists(st.one_of(PIECES, st.text(max_size=8)), max_size=12).map("".join))
def test_no_text_at_all_loses_a_word(text):
    assert fault(text, RULES) == ""


@settings(max_examples=10)
@given(st.lists(PIECES, min_size=300, max_size=300).map(lambda pieces: "".join(pieces)[:2000]))
def test_question_of_a_long_text_is_never_cut(text):
    assert all(len(question) <= 2000 for question in questions(text, RULES).values())
    assert fault(text, RULES) == ""


BETWEEN = "蒸煮废水的COD怎么降？食堂在哪里吃饭？另外烘干的臭气用什么办法除臭？谢谢领导百忙之中答复！"


def test_clause_of_no_question_joins_the_question_before_it():
    assert questions(BETWEEN) == {
        "water": "蒸煮废水的COD怎么降？食堂在哪里吃饭？",
        "air": "另外烘干的臭气用什么办法除臭？谢谢领导百忙之中答复！",
    }


def test_division_of_two_questions_gets_both_and_not_the_one_between():
    text = "废油漆桶怎么处置？另外喷漆废气要装RTO吗？还有废油漆桶放哪里？"
    assert questions(text) == {
        "soil": "废油漆桶怎么处置？\n还有废油漆桶放哪里？",
        "air": "另外喷漆废气要装RTO吗？",
    }


def test_text_for_one_division_is_not_split():
    text = "  废油漆桶怎么处置？\n食堂在哪里吃饭？ "
    assert questions(text) == {"soil": text}


@pytest.mark.django_db
def test_form_of_the_acceptance_has_every_clause(coordinator, signed_in):
    page = show(signed_in(coordinator), made.appointment(summary=BETWEEN))
    assert ">\n蒸煮废水的COD怎么降？食堂在哪里吃饭？</textarea>" in page
    assert ">\n另外烘干的臭气用什么办法除臭？谢谢领导百忙之中答复！</textarea>" in page
