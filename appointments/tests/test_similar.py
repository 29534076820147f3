"""五（二）之前已明确予以解答的重复事项: which answered question is the one asked again."""

import io
import json
from pathlib import Path

import pytest
from django.core.management import call_command
from hypothesis import given
from hypothesis import strategies as st

from appointments.similarity.cached_index import REFRESH_EVERY, CachedIndex
from appointments.similarity.embedding import load
from appointments.similarity.index import Index, best_match
from appointments.training.train_embedding import corpus_digest

DATA = Path(__file__).with_name("data")
NATURAL = pytest.mark.parametrize("name", ["similar_looked_at", "similar_untouched"])


def cases(name: str) -> list[dict]:
    return [json.loads(line) for line in (DATA / f"{name}.jsonl").read_text("utf-8").splitlines()]


def share(found: list[bool]) -> float:
    return sum(found) / len(found)


def found(case: dict) -> bool:
    return best_match(case["query"], case["answered"])[0] == case["match"]


@NATURAL
def test_right_answer_comes_first(name):
    """By writers who had seen neither the concepts nor the corpus. One part was not looked at during tuning."""
    assert share([found(case) for case in cases(name) if case["match"] >= 0]) >= 0.8


@NATURAL
def test_no_answer_matches_a_question_that_was_never_answered(name):
    assert share([found(case) for case in cases(name) if case["match"] < 0]) >= 0.7


def test_misleading_words_rather_hide_an_answer_than_give_a_wrong_one():
    """The worst case: the right answer shares hardly a character with the question, the wrong ones share many."""
    hard = [*cases("similar_hard_looked_at"), *cases("similar_hard_untouched")]
    results = [(case["match"], best_match(case["query"], case["answered"])[0]) for case in hard]
    assert share([answer < 0 for match, answer in results if match < 0]) >= 0.6


def test_embedding_was_trained_on_the_present_corpus():
    """If this fails, run `manage.py train`."""
    assert load().digest == corpus_digest()


@pytest.mark.parametrize(
    "query, right, wrong",
    [
        ("油漆用完剩下的空桶怎么处置", "废油漆桶应如何处置？", "漆渣应如何处置？"),
        ("喷漆房刮下来的漆渣交给谁处置", "漆渣如何处置？", "废油漆桶如何处置？"),
        ("排污证快到期了，怎么延续", "排污许可证延续如何办理？", "危险废物经营许可证延续如何办理？"),
        ("危废经营许可证到期怎么续", "危险废物经营许可证延续如何办理？", "排污许可证延续如何办理？"),
        ("公司换了老板，排污许可证要不要改", "排污许可证变更如何办理？", "排污许可证延续如何办理？"),
        ("排污许可证丢了", "排污许可证遗失如何补办？", "排污许可证注销如何办理？"),
        ("炒菜那个烟要不要装净化器", "餐饮油烟是否需要安装油烟净化设施？", "餐饮废水是否需要安装隔油池？"),
    ],
)
def test_similar_questions_about_other_things_do_not_match(query, right, wrong):
    assert best_match(query, [wrong, right])[0] == 1
    assert best_match(query, [wrong])[0] == -1


def test_each_question_of_a_text_finds_its_answer():
    index = Index(
        [
            ("drums", "废油漆桶是不是危险废物，怎么处置？"),
            ("permit", "排污许可证到期前多久申请延续？"),
            ("smoke", "油烟净化器多久清洗一次？"),
        ]
    )
    found = index.search("油漆用光的空桶算危废吗，怎么处置？还有排污证明年三月到期，提前多久去续")
    assert {match.key for match in found} == {"drums", "permit"}


def test_reason_names_the_concepts_that_both_mention():
    assert best_match("漆桶怎么处置", ["废油漆桶应如何处置？"]) == (0, "都说到废油漆桶、处置")


def test_misspelt_and_traditional_writing_finds_the_answer():
    assert best_match("排污许可正到期怎麼延續", ["排污许可证延续如何办理？"])[0] == 0


def test_matches_are_sorted_and_limited():
    index = Index(
        [("a", "废油漆桶如何处置？"), ("b", "废油漆桶贮存有何要求？"), ("c", "排污许可证如何延续？")]
    )
    assert [match.key for match in index.search("废油漆桶怎么处置")] == ["a", "b"]
    assert [match.key for match in index.search("废油漆桶", limit=1)] == ["a"]


@pytest.fixture
def answered() -> list[tuple[int, str]]:
    return [(1, "废油漆桶如何处置？")]


@pytest.fixture
def seconds() -> list[float]:
    """The clock of the index; a test sets it."""
    return [1000.0]


def cached_index(edition, pairs, seconds) -> CachedIndex[int]:
    return CachedIndex(edition, pairs, clock=lambda: seconds[0])


@pytest.fixture
def cached(answered, seconds) -> CachedIndex[int]:
    return cached_index(lambda: len(answered), lambda: list(answered), seconds)


def keys(cached: CachedIndex[int]) -> list[int]:
    return [match.key for match in cached.search("废油漆桶怎么处置", 5)]


def test_cached_index_finds_a_new_answer_when_it_is_refreshed(cached, answered, seconds):
    assert keys(cached) == [1]
    answered.append((2, "废油漆桶如何处置？"))
    seconds[0] += REFRESH_EVERY / 2
    assert keys(cached) == [1]
    seconds[0] += REFRESH_EVERY / 2
    assert keys(cached) == [1, 2]


def test_cached_index_is_not_built_again_while_its_edition_is_the_same(answered, seconds):
    built = []
    cached = cached_index(lambda: "same", lambda: built.append(1) or list(answered), seconds)
    for _ in range(3):
        keys(cached)
        seconds[0] += 60
    assert built == [1]


def test_cached_index_sees_its_own_change_after_invalidation(cached, answered):
    keys(cached)
    answered.append((2, "废油漆桶如何处置？"))
    cached.invalidate()
    assert keys(cached) == [1, 2]


@pytest.mark.parametrize("text", ["", "？？？", "您好", "\x00\ud800"])
def test_text_without_a_question_matches_nothing(text):
    assert Index([(1, "废油漆桶如何处置？")]).search(text) == []
    assert best_match(text, []) == (-1, "没有同一件事的答复")


@given(st.text(max_size=80), st.lists(st.text(max_size=40), max_size=4))
def test_any_texts_can_be_compared(query, answered):
    position, why = best_match(query, answered)
    assert -1 <= position < max(len(answered), 1) and why


def test_command_answers_line_by_line_and_reports_broken_lines(tmp_path):
    file = tmp_path / "pairs.jsonl"
    lines = [
        {"id": "x", "query": "漆桶怎么处置", "answered": ["漆渣如何处置？", "废油漆桶如何处置？"]},
        {"id": "y", "query": "漆桶怎么处置"},
        {"id": "z", "query": "漆桶怎么处置", "answered": ["漆渣如何处置？"]},
    ]
    file.write_text("\n".join(json.dumps(line, ensure_ascii=False) for line in lines), "utf-8")
    out, err = io.StringIO(), io.StringIO()
    call_command("similar", "--jsonl", str(file), stdout=out, stderr=err)
    answers = [json.loads(line) for line in out.getvalue().splitlines()]
    assert [(answer["id"], answer["match"]) for answer in answers] == [("x", 1), ("z", -1)]
    assert "第 2 行：缺少文字列表 answered" in err.getvalue()
