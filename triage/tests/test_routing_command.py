"""`manage.py route --jsonl`: anyone can measure the rules from a fresh clone, without a database."""

import io
import json
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from triage.routing.router import shipped_router

ROOT = Path(__file__).resolve().parents[2]


def lines(*items) -> bytes:
    return b"".join(
        item if isinstance(item, bytes) else json.dumps(item, ensure_ascii=False).encode() + b"\n"
        for item in items
    )


@pytest.fixture
def command(tmp_path):
    """Run the command on lines; returns what it printed, and what it reported about lines that it skipped."""

    def run(*items, **options):
        file = tmp_path / "texts.jsonl"
        file.write_bytes(lines(*items))
        out, err = io.StringIO(), io.StringIO()
        call_command("route", "--jsonl", str(file), stdout=out, stderr=err, **options)
        return out.getvalue(), err.getvalue()

    return run


@pytest.fixture
def routed(command):
    def run(*items):
        printed, reported = command(*items)
        return [json.loads(line) for line in printed.splitlines()], reported

    return run


def test_each_line_is_answered_with_chinese_divisions(routed):
    answers, reported = routed(
        {"id": "a", "text": "废油漆桶怎么处置？另外喷漆废气要装RTO吗？"},
        {"id": "b", "text": "消防验收需要哪些材料？"},
    )
    assert reported == ""
    first, second = answers
    assert (first["id"], first["primary"], first["co"], first["scope"]) == ("a", "土壤处", ["大气处"], "in")
    assert first["topics"] == ["soil.waste", "air.pollution"]
    assert (second["primary"], second["scope"]) == ("人工", "outside")
    assert all(answer["why"].endswith("。") for answer in answers)


def test_exceptions_of_the_clause_are_answered_by_their_divisions(routed):
    answers, _ = routed(
        {"id": 1, "text": "海上风电项目环评找哪个处室？"},
        {"id": 2, "text": "陆上风电项目环评找哪个处室？"},
        {"id": 3, "text": "VOCs总量确认书找谁盖章？"},
    )
    assert [answer["primary"] for answer in answers] == ["水处", "环评处", "大气处"]
    assert "涉及海洋项目环评由水处研究回复" in answers[0]["why"]


def test_unusable_lines_are_reported_and_skipped(routed):
    answers, reported = routed(
        b"{not json\n",
        b"\n",
        b"[1, 2]\n",
        {"id": 4, "text": None},
        b"\xff\xfe\n",
        {"id": 6, "text": "排污许可证怎么办？"},
    )
    assert [answer["id"] for answer in answers] == [6]
    assert [line[:6] for line in reported.splitlines()] == [
        "第 1 行：",
        "第 3 行：",
        "第 4 行：",
        "第 5 行：",
    ]
    assert "不是有效的 JSON" in reported and "缺少文字字段 text" in reported


@pytest.mark.parametrize("text", ["", "\ud800环评", "\x00\x1b[31m", "废" * 5000, "{}", "😀‮"])
def test_odd_texts_are_answered(routed, text):
    file_line = json.dumps({"id": "odd", "text": text}).encode() + b"\n"
    answers, reported = routed(file_line)
    assert [answer["id"] for answer in answers] == ["odd"] and reported == ""


def test_missing_file_is_reported():
    with pytest.raises(CommandError, match="打不开文件"):
        call_command("route", "--jsonl", "/nowhere/at-all.jsonl")


def test_standard_input_is_read_without_a_database(tmp_path):
    arguments = [sys.executable, str(ROOT / "manage.py"), "route", "--jsonl", "-"]
    environment = {"PATH": "/usr/bin:/bin", "VAR_DIR": str(tmp_path / "var"), "PYTHONIOENCODING": "ascii"}
    # A fresh clone: no keys, no database, an ASCII terminal.
    done = subprocess.run(
        arguments,
        input=lines({"id": 1, "text": "环评要多久？"}),
        capture_output=True,
        env=environment,
        check=True,
        cwd=ROOT,
    )
    assert json.loads(done.stdout)["primary"] == "环评处"
    assert not (tmp_path / "var" / "consult.sqlite3").exists()


def test_explanation_begins_with_the_rules_used(command):
    printed, _ = command({"text": "环评要多久？"}, {"text": "废水怎么排？"}, explain=True)
    assert printed.startswith(f"所用规则：随系统提供的一版（{shipped_router().version}）")
    assert printed.count("所用规则") == 1


def test_explanation_names_words_clause_margin_and_what_was_followed(command):
    printed, _ = command({"id": "a", "text": "废油漆桶怎么处置？"}, explain=True)
    assert "【a】废油漆桶怎么处置？" in printed
    assert "词：废油漆桶" in printed and "条款：五（一）" in printed
    assert "标准例：土壤处，领先 " in printed and "结果：规则与标准例一致" in printed
    assert "决定：主办土壤处" in printed


def test_explanation_of_a_doubt_names_both_opinions(command):
    printed, _ = command({"text": "那台老设备旁边总是绕圈子一样出状况"}, explain=True)
    assert "规则：事项不明" in printed and "都不够有把握，交人工" in printed


def test_explanation_compares_each_of_several_questions(command):
    printed, _ = command({"text": "废油漆桶怎么处置？另外喷漆废气要装RTO吗？"}, explain=True)
    assert "比较第1问：“废油漆桶怎么处置？”" in printed and "比较第2问" in printed


def test_explanation_skips_unusable_lines(command):
    printed, reported = command(b"[1]\n", {"text": "环评要多久？"}, explain=True)
    assert reported.startswith("第 1 行：") and "决定：主办环评处" in printed
