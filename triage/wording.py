"""Wording: a text as people type it, made plain for the rules; each character remembers where it stood.

Nothing here knows a division or a clause. All functions take any text whatever and never raise.
"""

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

from .characters import SIMPLIFIED

# Marks that people put inside a word (“三同时”、VOCs 总量、《名录》), so they must not part it.
_DROPPED = set("\"'“”‘’「」『』《》〈〉【】*_-–—·•`~")
_CIRCLED = {chr(0x2460 + n): f"{n + 1}、" for n in range(20)}

# What is typed → what is meant. An entry that maps to itself only shields a word that looks misspelt.
_MISSPELT = {
    "威废": "危废", "危费": "危废", "微废": "危废", "危非": "危废", "危险费物": "危险废物", "危险废弃物": "危险废物",
    "危险废料": "危险废物", "固费": "固废", "故废": "固废", "固体废弃物": "固体废物", "污尼": "污泥",
    "报废汽车": "报废汽车", "废汽车": "废汽车", "废汽": "废气", "免费气": "免费气", "费气": "废气", "肺气": "废气",
    "肺气肿": "肺气肿", "尾汽": "尾气", "费水": "废水", "水费水": "水费水", "电费水": "电费水", "浪费水": "浪费水",
    "免费水": "免费水", "收费水": "收费水", "缴费水": "缴费水", "汚": "污", "汙": "污", "氺": "水", "油咽": "油烟",
    "油姻": "油烟", "燥声": "噪声", "燥音": "噪音", "造音": "噪音", "躁音": "噪音", "燥因": "噪音", "躁声": "噪声",
    "造声": "噪声", "制造声": "制造声", "制造音": "制造音", "打造音": "打造音",
    "排污许可正": "排污许可证", "排污许正": "排污许可证", "排污许证": "排污许可证", "排污许科证": "排污许可证",
    "排污需可证": "排污许可证", "排污许可政": "排污许可证", "排物许可": "排污许可", "排无许可": "排污许可",
    "排五许可": "排污许可", "排污许克": "排污许可", "排行许可": "排污许可", "排污正": "排污证", "排污政": "排污证",
    "循环平": "循环平", "环平台": "环平台", "环平": "环评", "环凭": "环评", "环坪": "环评", "环屏": "环评", "环瓶": "环评",
    "环萍": "环评", "环频": "环评", "循环频": "循环频", "循环瓶": "循环瓶", "坏评": "环评", "环境影像评价": "环境影响评价",
    "环境影响平价": "环境影响评价", "环镜": "环境", "环景": "环境", "循环景": "循环景",
    "会发性": "挥发性", "挥发姓": "挥发性", "有机无总量": "有机物总量", "v0c": "voc", "c0d": "cod",
    "恶嗅": "恶臭", "竣公": "竣工", "峻工": "竣工", "俊工": "竣工", "验手": "验收", "研收": "验收", "3同时": "三同时",
    "三童时": "三同时", "三同事": "三同时", "活性碳": "活性炭", "活姓炭": "活性炭", "布代": "布袋", "粉层": "粉尘",
    "扬层": "扬尘", "杨尘": "扬尘", "应及预案": "应急预案", "应急予案": "应急预案", "信用修付": "信用修复",
    "信用修副": "信用修复", "补帖": "补贴", "补住": "补助", "补铁": "补贴", "胺氮": "氨氮", "氨旦": "氨氮", "氨蛋": "氨氮",
    "安氮": "氨氮", "厂届": "厂界", "场界": "厂界", "审皮": "审批", "延序": "延续", "变跟": "变更", "备按": "备案",
    "登记标": "登记表", "报告标": "报告表", "未批先见": "未批先建", "总听": "总烃", "总径": "总烃", "总经": "总经",
    "自行检测": "自行监测", "自行监侧": "自行监测", "自行间测": "自行监测", "在线检测": "在线监测", "在线监侧": "在线监测",
    "油气回首": "油气回收", "排无口": "排污口", "排物口": "排污口", "化愤池": "化粪池", "化糞池": "化粪池", "化分池": "化粪池",
    "隔油迟": "隔油池", "转移连单": "转移联单", "转移联丹": "转移联单", "专项资经": "专项资金", "总亮": "总量",
    "幅射": "辐射", "福射": "辐射", "辅射": "辐射", "二恶英": "二噁英", "喷七": "喷漆",
    "喷膝": "喷漆", "油柒": "油漆", "油膝": "油漆", "粘胶剂": "胶粘剂", "胶黏剂": "胶粘剂", "黏": "粘",
}  # fmt: skip
_MISSPELT_WORD = re.compile("|".join(sorted(map(re.escape, _MISSPELT), key=len, reverse=True)))


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
    for found in reversed(list(_MISSPELT_WORD.finditer(text))):
        meant = _MISSPELT[found.group()]
        if meant == found.group():
            continue
        first, last = starts[found.start()], ends[found.end() - 1]
        text = text[: found.start()] + meant + text[found.end() :]
        starts[found.start() : found.end()] = [first] * len(meant)
        ends[found.start() : found.end()] = [last] * len(meant)
    return text


# --- The firm's own name says nothing about the matter ---------------------------------------------------------------
_PLACES = (
    "舟山 定海 普陀 岱山 嵊泗 浙江 宁波 杭州 上海 朱家尖 六横 衢山 沈家门 临城 新城 金塘 白泉 小沙 马岙 岑港 "
    "虾峙 桃花 东极 长涂 高亭 秀山 泗礁 洋山 枸杞 册子 双桥 盐仓 展茅 东港 勾山 北蝉 干览 鱼山 中国 温州 台州 绍兴"
).split()
_KIND = "(?:有限责任公司|股份有限公司|有限公司|集团公司|分公司|合伙企业|合作社|工作室|事务所|经营部)"
_SHORT_KIND = "(?:公司|集团|厂|店|院|中心|站|场|所|部|酒店|饭店|宾馆|码头|诊所|船坞|基地)"
_NAME = "[^,，。;；?？!！:：\n、的是在和与有把被让给向了吗我你请问贵本该诉报映询托]"
_PLACE = "(?:" + "|".join(_PLACES) + ")"
_FIRM = re.compile(
    f"{_NAME}{{2,24}}{_KIND}"
    f"|{_PLACE}{_NAME}{{2,20}}?{_SHORT_KIND}(?=[,，:：;；。(\n]|咨询|想|请|我|有|是|$)"
    f"|^{_NAME}{{4,24}}(?:公司|集团|厂|酒店)(?=:)"
)
_TOWN = re.compile(f"^(?:{_PLACE}(?:省|市|县|区|镇)?)+")
_ENDING = re.compile(f"(?:{_KIND}|{_SHORT_KIND})$")


def firm_names(text: str, firm_name: str = "") -> list[tuple[int, int]]:
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
    "(?:(?:任何|什么|明显|生产|工业|工艺|生活|有机|新增|额外|其他|其它|涉|含)*"
    "(?:废水|污水|废气|粉尘|烟尘|扬尘|颗粒物|油烟|异味|臭气|恶臭|固废|固体废物|危废|危险废物|废渣|噪声|噪音|辐射|放射源|放射性"
    "|vocs|voc|挥发性有机物|氮氧化物|二氧化硫|重金属|喷漆|喷涂|涂装|电镀|酸洗|锅炉|氨氮|cod|三废)(?:排放|产生)?)"
)
_POLLUTANTS = f"{_POLLUTANT}(?:(?:,?(?:也|又|和|及|与|或|以及|或者|还|均|都)?(?:不产生|没有|不排|不涉及|无|没)?|、){_POLLUTANT})*"
_HALT = r"[,，。;；?？!！\n:：()]"
_DENIED = re.compile(
    "(?<!是)不是[^,，。;；?？!！\n]{1,12}(?=[,，](?:就|而|是|只|我))"
    f"|(?<!涉)(?:不涉及|不涉|未涉及|没有涉及|没涉及|不存在)[^的,，。;；?？!！\n]{{1,24}}"
    "|(?<!是)(?:不是|并非)(?:要|想|来)?(?:问|咨询|说|办)[^,，。;；?？!！\n]{1,20}"
    "|(?<![有毫])(?:没有|没啥|没|并无|无|不产生|不会产生|未产生|没有产生|不会有|不含|不排放|不外排|不排|零)"
    f"{_POLLUTANTS}(?={_HALT}|$|的|产生|排放|外排|等|问题|只|就|但|仅|所以|而)"
    f"|{_POLLUTANTS}(?:全部|都|也|均|基本|是)?(?:循环使用|循环回用|循环|回用|综合利用)?"
    f"(?:没有|不产生|不涉及|不外排|不排放|不排|零排放|为零|没)(?={_HALT}|$)"
)


def denials(text: str) -> list[tuple[int, int]]:
    """Where plain ``text`` says that something does not occur (不涉及废水、没有危废、不排VOCs、废水不外排)."""
    return [found.span() for found in _DENIED.finditer(text)]
