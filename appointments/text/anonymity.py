"""What in a text would tell whose question it was: it may not stand in a 公开答复. Pure."""

import re
import unicodedata
from collections.abc import Iterable, Iterator

_NUMBERS = {
    "证件号码": re.compile(r"(?<![0-9])[0-9]{17}[0-9Xx](?![0-9])"),
    "统一社会信用代码": re.compile(r"(?<![0-9A-Za-z])[0-9A-HJ-NP-RT-UW-Y]{2}[0-9]{6}[0-9A-HJ-NP-RT-UW-Y]{10}(?![0-9A-Za-z])"),
    "手机号码": re.compile(r"(?<![0-9])(?:\+?86)?1[3-9][0-9]{9}(?![0-9])"),
    "电话号码": re.compile(r"(?<![0-9])0[0-9]{2,3}[0-9]{7,8}(?![0-9])"),
    "电子邮箱": re.compile(r"[\w.+]+@[\w.]+\.[A-Za-z]{2,}"),
}  # fmt: skip
_FIRM = re.compile(r"[^\s，。；：、“”（）]{2,20}(?:有限公司|有限责任公司|股份公司|合作社)")
_SUFFIX = re.compile(r"(?:有限责任公司|股份有限公司|有限公司|公司|厂|合作社|酒店|医院|门诊部|诊所)$")
_TOWN = re.compile(r"^(?:浙江省?|舟山市?|定海区?|普陀区?|岱山县?|嵊泗县?)+")
_LEAST = 3  # characters of a firm's short name that mean this firm and no word


def telling(text: str, names: Iterable[str] = ()) -> list[str]:
    """What stands in ``text`` that names a person or a firm, each in Chinese; ``names``: those of the firm it came from."""
    joined = re.sub(r"[\s-]", "", unicodedata.normalize("NFKC", text))
    found = [kind for kind, number in _NUMBERS.items() if number.search(joined)]
    found += [f"企业名称“{firm[0]}”" for firm in [_FIRM.search(text)] if firm]
    found += [f"“{name}”" for name in _written(names) if name in joined]
    return list(dict.fromkeys(found))


def _written(names: Iterable[str]) -> Iterator[str]:
    """The names, whole and as people shorten them."""
    for name in filter(None, names):
        yield name
        short = _SUFFIX.sub("", _TOWN.sub("", name))
        if len(short) >= _LEAST:
            yield short
