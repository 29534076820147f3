"""Wording: a text as people type it, made plain for the rules; each character remembers where it stood.

Nothing here knows a division or a clause. All functions take any text whatever and never raise.
"""

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

from .misspellings import MEANT
from .simplified import SIMPLIFIED

# Marks that people put inside a word (“三同时”、VOCs 总量、《名录》), so they must not part it.
_DROPPED = set("\"'“”‘’「」『』《》〈〉【】*_-–—·•`~")
_CIRCLED = {chr(0x2460 + n): f"{n + 1}、" for n in range(20)}
_MISSPELT = re.compile("|".join(sorted(map(re.escape, MEANT), key=len, reverse=True)))


Span = tuple[int, int]


@dataclass(frozen=True)
class Plain:
    """A ``source`` text made plain. ``starts[i]`` and ``ends[i]`` bound, in the source, what became character ``i``."""

    source: str
    text: str
    starts: tuple[int, ...]
    ends: tuple[int, ...]

    def quote(self, start: int, end: int) -> tuple[str, int, int]:
        """What ``text[start:end]`` was in the source, and where it stands there."""
        if start >= end:
            return "", 0, 0
        first, last = self.starts[start], self.ends[end - 1]
        return self.source[first:last], first, last


@lru_cache(maxsize=20_000)
def _plain_character(character: str) -> str:
    if character in _CIRCLED:
        return _CIRCLED[character]
    folded = unicodedata.normalize("NFKC", character).lower()
    return "".join(_kept(c) for c in folded)


def _kept(character: str) -> str:
    if character in "\n\r\u2028\u2029":
        return "\n"
    unseen = character in _DROPPED or character.isspace() or unicodedata.category(character)[0] in "CM"
    return "" if unseen else SIMPLIFIED.get(character, character)


def plain(text: str) -> Plain:
    """Half-width, lower case, simplified, without blanks, quotes and hyphens; usual misspellings mended."""
    characters, starts, ends = [], [], []
    for place, character in enumerate(text):
        for kept in _plain_character(character):
            characters.append(kept)
            starts.append(place)
            ends.append(place + 1)
    plain_text = _mended("".join(characters), starts, ends)
    return Plain(text, plain_text, tuple(starts), tuple(ends))


def _mended(text: str, starts: list[int], ends: list[int]) -> str:
    """``text`` with misspelt words replaced by what was meant; ``starts`` and ``ends`` follow."""
    for found in reversed(list(_MISSPELT.finditer(text))):
        meant = MEANT[found.group()]
        if meant == found.group():
            continue
        first, last = starts[found.start()], ends[found.end() - 1]
        text = text[: found.start()] + meant + text[found.end() :]
        starts[found.start() : found.end()] = [first] * len(meant)
        ends[found.start() : found.end()] = [last] * len(meant)
    return text


# --- The firm's own name says nothing about the matter ---------------------------------------------------------------
_KIND = "(?:有限责任公司|股份有限公司|有限公司|集团公司|分公司|合伙企业|合作社|工作室|事务所|经营部)"
_SHORT_KIND = "(?:公司|集团|厂|店|院|中心|站|场|所|部|酒店|饭店|宾馆|码头|诊所|船坞|基地)"
_NAME = "[^,，。;；?？!！:：\n、的是在和与有把被让给向了吗我你请问贵本该诉报映询托]"
_PLACE = (
    "(?:舟山|定海|普陀|岱山|嵊泗|浙江|宁波|杭州|上海|朱家尖|六横|衢山|沈家门|临城|新城|金塘|白泉|小沙|马岙|岑港|虾峙"
    "|桃花|东极|长涂|高亭|秀山|泗礁|洋山|枸杞|册子|双桥|盐仓|展茅|东港|勾山|北蝉|干览|鱼山|中国|温州|台州|绍兴)"
)
_FIRM = re.compile(
    f"{_NAME}{{2,24}}{_KIND}"
    f"|{_PLACE}{_NAME}{{2,20}}?{_SHORT_KIND}(?=[,，:：;；。(\n]|咨询|想|请|我|有|是|$)"
    f"|^{_NAME}{{4,24}}(?:公司|集团|厂|酒店)(?=:)"
)
_TOWN = re.compile(f"^(?:{_PLACE}(?:省|市|县|区|镇)?)+")
_ENDING = re.compile(f"(?:{_KIND}|{_SHORT_KIND})$")


def firm_names(text: str, firm_name: str = "") -> list[Span]:
    """Where plain ``text`` names a firm: ``firm_name`` as registered or shortened, letterheads, …有限公司."""
    spans = [found.span() for found in _FIRM.finditer(text)]
    name = plain(firm_name).text
    short = _ENDING.sub("", _TOWN.sub("", name))
    for written in {name, _ENDING.sub("", name), short}:
        if len(written) >= 4:
            spans += [found.span() for found in re.finditer(re.escape(written), text)]
    return spans


# --- What the text says it is not about ------------------------------------------------------------------------------
_POLLUTANT = (
    "(?:(?:任何|什么|明显|生产|工业|工艺|生活|有机|新增|额外|其他|其它|涉|含){0,3}"
    "(?:废水|污水|废气|粉尘|烟尘|扬尘|颗粒物|油烟|异味|臭气|恶臭|固废|固体废物|危废|危险废物|废渣|噪声|噪音|辐射|放射源|放射性"
    "|vocs|voc|挥发性有机物|氮氧化物|二氧化硫|重金属|喷漆|喷涂|涂装|电镀|酸洗|锅炉|氨氮|cod|三废)(?:排放|产生)?)"
)
_POLLUTANTS = f"{_POLLUTANT}(?:(?:,?(?:也|又|和|及|与|或|以及|或者|还|均|都)?(?:不产生|没有|不排|不涉及|无|没)?|、){_POLLUTANT}){{0,8}}"
_HALT = r"[,，。;；?？!！\n:：()]"
_DENIED = re.compile(
    "(?<!是)不是[^,，。;；?？!！\n]{1,12}(?=[,，](?:就|而|是|只|我))"
    f"|(?<!涉)(?:不涉及|不涉|未涉及|没有涉及|没涉及|不存在)[^的,，。;；?？!！\n]{{1,24}}"
    f"|{_POLLUTANTS}(?:等|指标|因子){{0,3}}[^,，。;；?？!！\n]{{0,16}}[,，]?不再涉及"
    "|(?<!是)(?:不是|并非)(?:要|想|来)?(?:问|咨询|说|办)[^,，。;；?？!！\n]{1,20}"
    "|(?<![有毫])(?:没有|没啥|没|并无|无|不产生|不会产生|未产生|没有产生|不会有|不含|不排放|不外排|不排|零)"
    f"{_POLLUTANTS}(?={_HALT}|$|的|产生|排放|外排|等|问题|只|就|但|仅|所以|而)"
    f"|{_POLLUTANTS}(?:全部|都|也|均|基本|是)?(?:循环使用|循环回用|循环|回用|综合利用)?"
    f"(?:没有|不产生|不涉及|不外排|不排放|不排|零排放|为零|没)(?={_HALT}|$)"
)


def denials(text: str) -> list[Span]:
    """Where plain ``text`` says that something does not occur (不涉及废水、没有危废、不排VOCs、废水不外排)."""
    return [found.span() for found in _DENIED.finditer(text)]
