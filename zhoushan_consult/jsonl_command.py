"""Commands that read JSON Lines (`--jsonl FILE`) and answer line by line, to measure what the pages use."""

import json
import sys
from abc import abstractmethod
from collections.abc import Iterable, Iterator

from django.core.management.base import BaseCommand, CommandError


class JsonLinesCommand(BaseCommand):
    """Reads one object per line and prints one answer per line. A line that cannot be used is reported and skipped.

    Needs no database. Raises CommandError if the file cannot be read.
    """

    # The checks would need keys and a database, and this command needs neither.
    requires_system_checks: list[str] = []
    # An example of a line, for --help.
    shape = ""

    def add_arguments(self, parser):
        parser.add_argument(
            "--jsonl", required=True, metavar="文件", help=f"每行 {self.shape}；“-”为标准输入"
        )

    def handle(self, *args, jsonl: str, **options):
        _write_utf8()
        for number, line in enumerate(_lines(jsonl), 1):
            if line.strip():
                self._answer(number, line)

    @abstractmethod
    def answer(self, item: dict) -> dict:
        """The answer to `item`. Raises ValueError, with a Chinese message, if a field is missing."""

    def output(self, item: dict, number: int) -> str:
        """What is printed for `item`: one line of JSON, unless a command prints something else."""
        return json.dumps({"id": item.get("id", number), **self.answer(item)}, ensure_ascii=False)

    def _answer(self, number: int, line: str) -> None:
        try:
            item = _parse_object(line)
            output = self.output(item, number)
        except ValueError as error:
            self.stderr.write(f"第 {number} 行：{error}，已跳过。")
            return
        self.stdout.write(output)


def _write_utf8() -> None:
    """Write UTF-8 in any locale. A lone surrogate becomes an escape that JSON allows."""
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
    except OSError as error:
        raise CommandError(f"打不开文件 {name}：{error.strerror}") from error


def _decoded(lines: Iterable[bytes]) -> Iterator[str]:
    return (line.decode("utf-8-sig", "replace") for line in lines)


def _parse_object(line: str) -> dict:
    try:
        item = json.loads(line)
    except (ValueError, RecursionError):
        raise ValueError("不是有效的 JSON") from None
    if not isinstance(item, dict):
        raise ValueError("不是 JSON 对象")
    return item
