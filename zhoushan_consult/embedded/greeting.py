"""The text in the terminal when everything runs: the addresses, and the accounts of the demonstration."""

from pathlib import Path
from unicodedata import east_asian_width

from .address import ListenAddress

HEADINGS = ["账号", "单位", "岗位", "密码"]
DEMO = "演示账号（只在本机有效，保存在 {file}）："


def text(address: ListenAddress) -> str:
    """The greeting, with the accounts of the demonstration if there are any."""
    addresses = [
        ["企业网站", f"{address.url}/"],
        ["综合处、局领导、系统管理", f"{address.url}/admin/"],
        ["处室、办公室、分局", f"{address.url}/desk/"],
        ["发出的短信和邮件", f"{_short(address.var_dir / 'letters')}/"],
    ]
    lines = ["", "企业环保咨询日已启动：", "", *_table(addresses), "", *_logins(address)]
    return "\n".join([*lines, "按 Ctrl-C 停止。", ""])


def _logins(address: ListenAddress) -> list[str]:
    file = address.var_dir / "logins.txt"
    if not file.exists():
        return []
    rows = [line.split("\t") for line in file.read_text(encoding="utf-8").splitlines()]
    return [DEMO.format(file=_short(file)), "", *_table([HEADINGS, *rows]), ""]


def _short(file: Path) -> Path:
    """The path relative to the current folder, if it is inside it."""
    return file.relative_to(Path.cwd()) if file.is_relative_to(Path.cwd()) else file


def _table(rows: list[list[str]]) -> list[str]:
    """The rows with aligned columns. Chinese characters are two columns wide."""
    widths = [max(map(_width, column)) for column in zip(*rows, strict=True)]
    return ["  " + "  ".join(map(_padded, row, widths)).rstrip() for row in rows]


def _padded(cell: str, width: int) -> str:
    return cell + " " * (width - _width(cell))


def _width(text: str) -> int:
    return sum(2 if east_asian_width(character) in "WF" else 1 for character in text)
