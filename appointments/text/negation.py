"""What a text says it is not about: 不涉及废水、没有危废、不排VOCs、废水不外排. Pure."""

import re

from .normalize import Span

_POLLUTANT = (
    "(?:(?:任何|什么|明显|生产|工业|工艺|生活|有机|新增|额外|其他|其它|涉|含){0,3}"
    "(?:废水|污水|废气|粉尘|烟尘|扬尘|颗粒物|油烟|异味|臭气|恶臭|固废|固体废物|危废|危险废物|废渣|噪声|噪音|辐射|放射源|放射性"
    "|vocs|voc|挥发性有机物|氮氧化物|二氧化硫|重金属|喷漆|喷涂|涂装|电镀|酸洗|锅炉|氨氮|cod|三废)(?:排放|产生)?)"
)
# Up to nine in a row: “不产生废水、废气，也没有危废”.
_POLLUTANTS = f"{_POLLUTANT}(?:(?:,?(?:也|又|和|及|与|或|以及|或者|还|均|都)?(?:不产生|没有|不排|不涉及|无|没)?|、){_POLLUTANT}){{0,8}}"
_STOP = r"[,，。;；?？!！\n:：()]"
# The look-behinds keep questions and doubled negations out: 是不是危废, 涉不涉及废水, 有没有废气.
_NEGATION = re.compile(
    # 不是A，就是B: only “不是A” is denied.
    "(?<!是)不是[^,，。;；?？!！\n]{1,12}(?=[,，](?:就|而|是|只|我))"
    f"|(?<!涉)(?:不涉及|不涉|未涉及|没有涉及|没涉及|不存在)[^的,，。;；?？!！\n]{{1,24}}"
    f"|{_POLLUTANTS}(?:等|指标|因子){{0,3}}[^,，。;；?？!！\n]{{0,16}}[,，]?不再涉及"
    "|(?<!是)(?:不是|并非)(?:要|想|来)?(?:问|咨询|说|办)[^,，。;；?？!！\n]{1,20}"
    # “没有废气处理设施” is a question about the equipment, so the pollutant must end the clause or be followed by these.
    "|(?<![有毫])(?:没有|没啥|没|并无|无|不产生|不会产生|未产生|没有产生|不会有|不含|不排放|不外排|不排|零)"
    f"{_POLLUTANTS}(?={_STOP}|$|的|产生|排放|外排|等|问题|只|就|但|仅|所以|而)"
    f"|{_POLLUTANTS}(?:全部|都|也|均|基本|是)?(?:循环使用|循环回用|循环|回用|综合利用)?"
    f"(?:没有|不产生|不涉及|不外排|不排放|不排|零排放|为零|没|不增加|不新增|没有增加|没有新增|没增加|不变)(?={_STOP}|$)"
)


def negated_spans(text: str) -> list[Span]:
    """Where normalized `text` says that something does not occur."""
    return [match.span() for match in _NEGATION.finditer(text)]
