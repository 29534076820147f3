"""``manage.py route --jsonl``: as anyone measures the rules, from a fresh clone without a database."""

import io
import json
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

ROOT = Path(__file__).resolve().parents[2]


def lines(*items) -> bytes:
    return b"".join(
        item if isinstance(item, bytes) else json.dumps(item, ensure_ascii=False).encode() + b"\n"
        for item in items
    )


@pytest.fixture
def routed(tmp_path):
    """Route the lines given; what came out, line by line, and what was said about odd ones."""

    def run(*items):
        file = tmp_path / "texts.jsonl"
        file.write_bytes(lines(*items))
        out, err = io.StringIO(), io.StringIO()
        call_command("route", "--jsonl", str(file), stdout=out, stderr=err)
        return [json.loads(line) for line in out.getvalue().splitlines()], err.getvalue()

    return run


def test_it_answers_each_line_with_chinese_divisions(routed):
    answers, said = routed(
        {"id": "a", "text": "废油漆桶怎么处置？另外喷漆废气要装RTO吗？"},
        {"id": "b", "text": "消防验收需要哪些材料？"},
    )
    assert said == ""
    first, second = answers
    assert (first["id"], first["primary"], first["co"], first["scope"]) == ("a", "土壤处", ["大气处"], "in")
    assert first["topics"] == ["soil.waste", "air.pollution"]
    assert (second["primary"], second["scope"]) == ("人工", "outside")
    assert all(answer["why"].endswith("。") for answer in answers)


def test_it_goes_on_after_an_odd_line_and_says_which(routed):
    answers, said = routed(
        b"{not json\n",
        b"\n",
        b"[1, 2]\n",
        {"id": 4, "text": None},
        b"\xff\xfe\n",
        {"id": 6, "text": "排污许可证怎么办？"},
    )
    assert [answer["id"] for answer in answers] == [6]
    assert [line[:6] for line in said.splitlines()] == ["第 1 行：", "第 3 行：", "第 4 行：", "第 5 行："]
    assert "不是有效的 JSON" in said and "缺少文字字段 text" in said


@pytest.mark.parametrize("text", ["", "\ud800环评", "\x00\x1b[31m", "废" * 5000, "{}", "😀‮"])
def test_it_answers_odd_texts(routed, text):
    file_line = json.dumps({"id": "odd", "text": text}).encode() + b"\n"
    answers, said = routed(file_line)
    assert [answer["id"] for answer in answers] == ["odd"] and said == ""


def test_it_says_when_the_file_cannot_be_opened():
    with pytest.raises(CommandError, match="打不开文件"):
        call_command("route", "--jsonl", "/nowhere/at-all.jsonl")


def test_it_needs_no_database_and_reads_standard_input(tmp_path):
    command = [sys.executable, str(ROOT / "manage.py"), "route", "--jsonl", "-"]
    environment = {"PATH": "/usr/bin:/bin", "VAR_DIR": str(tmp_path / "var"), "PYTHONIOENCODING": "ascii"}
    done = subprocess.run(  # a fresh clone: no keys, no database, an ASCII terminal
        command,
        input=lines({"id": 1, "text": "环评要多久？"}),
        capture_output=True,
        env=environment,
        check=True,
        cwd=ROOT,
    )
    assert json.loads(done.stdout)["primary"] == "环评处"
    assert not (tmp_path / "var" / "consult.sqlite3").exists()
