"""Names of firms in a text. A name says nothing about the question: 舟山××污水处理设备厂 may ask about welding smoke. Pure."""

import re
from collections.abc import Iterator

from .normalize import Span, normalize

# How the name of a company or a cooperative ends.
LEGAL_FORM = "(?:有限责任公司|股份有限公司|有限公司|合作社)"
_ORGANISATION = f"(?:{LEGAL_FORM}|集团公司|分公司|合伙企业|工作室|事务所|经营部)"
# These end the name of a firm, but ordinary words too (车间、码头), so `_FIRM_NAME` asks for more around them.
_SITE = "(?:公司|集团|厂|店|院|中心|站|场|所|部|酒店|饭店|宾馆|码头|诊所|船坞|基地)"
_CHARACTER = "[^,，。;；?？!！:：\n、的是在和与有把被让给向了吗我你请问贵本该诉报映询托]"
_PLACE = (
    "(?:舟山|定海|普陀|岱山|嵊泗|浙江|宁波|杭州|上海|朱家尖|六横|衢山|沈家门|临城|新城|金塘|白泉|小沙|马岙|岑港|虾峙"
    "|桃花|东极|长涂|高亭|秀山|泗礁|洋山|枸杞|册子|双桥|盐仓|展茅|东港|勾山|北蝉|干览|鱼山|中国|温州|台州|绍兴)"
)
_BUILDS = "(?:[新扩改修要想]建|[建造修]一|建[造个座])"
_FIRM_NAME = re.compile(
    f"{_CHARACTER}{{2,24}}{_ORGANISATION}"
    # Begins with a place and ends where a firm introduces itself: “定海阿明船厂咨询…”. But “定海建一座码头” is a project.
    f"|{_PLACE}(?!{_CHARACTER}{{0,12}}{_BUILDS}){_CHARACTER}{{2,20}}?{_SITE}(?=[,，:：;；。(\n]|咨询|想|请|我|有|是|$)"
    # A letterhead: “××酒店：”.
    f"|^{_CHARACTER}{{4,24}}(?:公司|集团|厂|酒店)(?=:)"
)
_LEADING_PLACE = re.compile(f"{_PLACE}(?:省|市|县|区|镇)?")
_ENDING = re.compile(f"(?:{_ORGANISATION}|医院|门诊部|{_SITE})$")
# A shorter form of a registered name is too often an ordinary word (海洋、东方) to be taken out of a text.
_MIN_FORM = 4


def firm_name_spans(text: str, firm_name: str = "") -> list[Span]:
    """Where normalized `text` names a firm: `firm_name` as registered or shortened, letterheads, …有限公司."""
    spans = [match.span() for match in _FIRM_NAME.finditer(text)]
    for form in set(written_forms(normalize(firm_name).text)):
        if len(form) >= _MIN_FORM:
            spans += [match.span() for match in re.finditer(re.escape(form), text)]
    return spans


def written_forms(name: str) -> Iterator[str]:
    """A registered name as people write it: with or without its places, with or without its ending.

    舟山定海鱼山石化有限公司 gives 定海鱼山石化有限公司, 鱼山石化 and others; the last ones may be very short, or "".
    """
    while True:
        yield name
        yield _ENDING.sub("", name)
        place = _LEADING_PLACE.match(name)
        if not place:
            return
        name = name[place.end() :]
