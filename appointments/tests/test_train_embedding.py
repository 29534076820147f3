"""Training the embedding: it learns that two ways to ask mean the same, and that two similar questions do not."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from appointments.similarity.concepts import extract
from appointments.similarity.embedding import Embedding
from appointments.training import corpus_files
from appointments.training.corpus_files import HardNegative
from appointments.training.train_embedding import train

# The official word and the firm's share no character: only the examples say that they mean the same.
WORDS = [
    "漆渣 糊糊",
    "油泥 黑汤",
    "飞灰 炉末",
    "尾水 塘换",
    "噪声 嗡嗡",
    "油烟 灶气",
    "底泥 河烂",
    "废炭 旧芯",
]
GROUPS = [
    [
        f"{official}如何处置",
        f"{official}的处置要求",
        f"那些{own}咋弄",
        f"一堆{own}给谁",
        f"{own}就是{official}",
    ]
    for official, own in map(str.split, WORDS)
]
FILES = {
    "水处": "water",
    "大气处": "air",
    "土壤处": "soil",
    "综合处": "general",
    "科监处": "science",
    "环评处": "eia",
    "办公室": "office",
    "人工": "unlisted",
}


def cosine(embedding: Embedding, one: str, other: str) -> float:
    return float(embedding.encode(extract(one)) @ embedding.encode(extract(other)))


def test_training_brings_words_of_one_meaning_together():
    embedding = train(GROUPS, [])
    for number, line in enumerate(WORDS):
        official, own = line.split()
        other = WORDS[number - 1].split()[0]
        right = cosine(embedding, f"{own}咋弄", f"{official}如何处置")
        assert right > cosine(embedding, f"{own}咋弄", f"{other}如何处置")


def test_hard_negatives_move_similar_questions_apart():
    negatives = ["糊糊可否存放", "糊糊可否填埋", "糊糊可否焚烧"]
    hard = [HardNegative("糊糊能卖吗", ["漆渣可否出售"] * 2, negatives)] * 6
    before, after = (
        cosine(embedding, "糊糊能卖吗", "漆渣可否出售") - cosine(embedding, "糊糊能卖吗", "糊糊可否存放")
        for embedding in (train(GROUPS, []), train(GROUPS, hard))
    )
    assert after > before


def test_training_writes_the_same_bytes_for_the_same_texts(tmp_path):
    files = [tmp_path / "one.npz", tmp_path / "other.npz"]
    for file in files:
        train(GROUPS, []).save(file)
    assert files[0].read_bytes() == files[1].read_bytes()


def test_training_reports_every_epoch():
    lines: list[str] = []
    train(GROUPS, [], lines.append)
    assert [line.split("/")[0] for line in lines] == [str(epoch) for epoch in range(1, len(lines) + 1)]


def test_questions_of_the_embedding_are_the_official_wordings():
    assert train(GROUPS, []).questions == tuple(group[0] for group in GROUPS)


# --- The corpus ------------------------------------------------------------------------------------------------------
def test_every_example_stands_in_the_file_of_its_division_or_kind():
    for path in corpus_files.CORPUS.glob("*.jsonl"):
        if path.name == corpus_files.HARD_NEGATIVES:
            continue
        for example in map(json.loads, path.read_text("utf-8").splitlines()):
            assert path.stem == file_of(example), example["id"]


def file_of(example: dict) -> str:
    if example["scope"] != "in":
        return example["scope"]
    return "mixed" if example["co"] else FILES[example["lead"]]


def test_no_id_of_the_corpus_occurs_twice():
    lines = [
        line for path in corpus_files.CORPUS.glob("*.jsonl") for line in path.read_text("utf-8").splitlines()
    ]
    ids = [json.loads(line)["id"] for line in lines]
    assert len(ids) == len(set(ids))


@pytest.fixture
def corpus(tmp_path, monkeypatch) -> Callable[..., Path]:
    """Put lines with these ids into a file of an otherwise empty corpus."""
    monkeypatch.setattr(corpus_files, "CORPUS", tmp_path)

    def put(name: str, *ids: str) -> Path:
        lines = [
            json.dumps({"id": each, "lead": "水处", "co": [], "scope": "in", "texts": [each]}) for each in ids
        ]
        path = tmp_path / name
        path.write_text("".join(f"{line}\n" for line in lines), "utf-8")
        return path

    return put


def test_examples_come_in_the_order_of_their_ids_from_any_file(corpus):
    corpus("water.jsonl", "b", "d")
    corpus("soil.jsonl", "c", "a")
    assert [example["id"] for example in corpus_files.examples()] == ["a", "b", "c", "d"]


def test_digest_stays_when_a_line_moves_to_another_file(corpus):
    corpus("water.jsonl", "a", "b")
    before = corpus_files.digest()
    corpus("water.jsonl", "b")
    corpus("soil.jsonl", "a")
    assert corpus_files.digest() == before


def test_digest_changes_with_a_line_and_with_a_source(corpus, tmp_path):
    corpus("water.jsonl", "a")
    source = tmp_path / "words.toml"
    source.write_text("漆桶", "utf-8")
    digests = {corpus_files.digest(), corpus_files.digest(source)}
    source.write_text("漆渣", "utf-8")
    digests.add(corpus_files.digest(source))
    corpus("water.jsonl", "a", "b")
    digests.add(corpus_files.digest(source))
    assert len(digests) == 4
