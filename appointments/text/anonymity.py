"""What in a text would tell whose question it was. It must not stand in a 公开答复. Pure."""

import re
import unicodedata
from collections.abc import Iterable

from .firm_names import LEGAL_FORM, written_forms

_NUMBERS = {
    "证件号码": re.compile(r"(?<![0-9])[0-9]{17}[0-9Xx](?![0-9])"),
    "统一社会信用代码": re.compile(r"(?<![0-9A-Za-z])[0-9A-HJ-NP-RT-UW-Y]{2}[0-9]{6}[0-9A-HJ-NP-RT-UW-Y]{10}(?![0-9A-Za-z])"),
    "手机号码": re.compile(r"(?<![0-9])(?:\+?86)?1[3-9][0-9]{9}(?![0-9])"),
    "电话号码": re.compile(r"(?<![0-9])0[0-9]{2,3}[0-9]{7,8}(?![0-9])"),
    "电子邮箱": re.compile(r"[\w.+]+@[\w.]+\.[A-Za-z]{2,}"),
}  # fmt: skip
# Any firm, whether or not it is the one that asked. Here a name may contain every character: to quote a few words too
# many in a refusal is harmless, to miss a name is not. `firm_names` is stricter, because it removes what it finds: for
# “有限公司变股份公司” it must not know 股份公司.
_FIRM_NAME = re.compile(rf"[^\s，。；：、“”（）]{{2,20}}(?:{LEGAL_FORM}|股份公司)")
_MIN_FORM = 3  # a shortened name of two characters (海洋) is an ordinary word


def identifying_details(text: str, names: Iterable[str] = ()) -> list[str]:
    """What in `text` identifies a person or a firm, each in Chinese; [] if nothing does.

    `names`: the firm and the person that the text came from.
    """
    joined = _joined(text)
    found = numbers_in(text)
    found += [f"企业名称“{firm[0]}”" for firm in [_FIRM_NAME.search(text)] if firm]
    found += [f"“{form}”" for name in names for form in _forms(_joined(name)) if form in joined]
    return list(dict.fromkeys(found))


def numbers_in(text: str) -> list[str]:
    """The kinds of numbers and mailboxes in `text`, each in Chinese: what must not stand in a trail that keeps everything."""
    joined = _joined(text)
    return [kind for kind, number in _NUMBERS.items() if number.search(joined)]


def _joined(text: str) -> str:
    """Without blanks and hyphens, by which numbers are grouped, and full-width characters as half-width ones."""
    return re.sub(r"[\s-]", "", unicodedata.normalize("NFKC", text))


def _forms(name: str) -> list[str]:
    """The whole name, however short (a person's may have two characters), and its shortened forms."""
    shortened = [form for form in written_forms(name) if len(form) >= _MIN_FORM]
    return [form for form in dict.fromkeys([name, *shortened]) if form]
