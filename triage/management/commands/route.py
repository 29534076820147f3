"""``manage.py route --jsonl FILE``: one JSON line for each text, so that anyone can measure the rules."""

import json
import sys
from collections.abc import Iterable, Iterator

from django.core.management.base import BaseCommand, CommandError

from triage import topicbook
from triage.routing import Decision
from triage.topic import DIVISIONS


class Command(BaseCommand):
    help = "按现行分办规则判断每行文字由哪个处室办理（不需要数据库）"
    requires_system_checks: list[str] = []

    def add_arguments(self, parser):
        parser.add_argument(
            "--jsonl", required=True, metavar="文件", help='每行 {"id": …, "text": …}；“-”为标准输入'
        )

    def handle(self, *args, jsonl: str, **options):
        _speak_utf8()
        book = topicbook.current()
        for number, line in enumerate(_lines(jsonl), 1):
            if line.strip():
                self._answer(book, number, line)

    def _answer(self, book, number: int, line: str) -> None:
        try:
            item = _item(line)
        except ValueError as fault:
            self.stderr.write(f"第 {number} 行：{fault}，已跳过。")
            return
        decision = book.route(item["text"], str(item.get("firm_name") or ""))
        self.stdout.write(
            json.dumps({"id": item.get("id", number), **_in_chinese(decision)}, ensure_ascii=False)
        )


def _speak_utf8() -> None:
    """Chinese comes out whatever the terminal's locale, and a lone surrogate as an escape that JSON knows."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")


def _lines(name: str) -> Iterator[str]:
    if name == "-":
        yield from _decoded(sys.stdin.buffer)
        return
    try:
        with open(name, "rb") as file:
            yield from _decoded(file)
    except OSError as fault:
        raise CommandError(f"打不开文件 {name}：{fault.strerror}") from fault


def _decoded(lines: Iterable[bytes]) -> Iterator[str]:
    return (line.decode("utf-8-sig", "replace") for line in lines)


def _item(line: str) -> dict:
    """The line's object. Raises ValueError, in Chinese, where it is none or has no text."""
    try:
        item = json.loads(line)
    except (ValueError, RecursionError):
        raise ValueError("不是有效的 JSON") from None
    if not isinstance(item, dict) or not isinstance(item.get("text"), str):
        raise ValueError("缺少文字字段 text")
    return item


def _in_chinese(decision: Decision) -> dict:
    return {
        "primary": DIVISIONS[decision.primary],
        "co": [DIVISIONS[division] for division in decision.co],
        "scope": decision.scope,
        "sure": decision.sure,
        "topics": [finding.code for finding in decision.findings],
        "why": decision.why,
    }
