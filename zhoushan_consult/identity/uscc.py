"""统一社会信用代码: GB 32100-2015, which contains the organisation code of GB 11714."""

import re

from django.core.exceptions import ValidationError
from stdnum.cn import uscc as mod_31_3

from .canonical import canonical

ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"  # without I, O, S, V, Z, which look like digits

# 登记管理部门代码, each with its 机构类别代码 (GB 32100-2015 with its amendment of 2016).
_CLASSES = {
    "1": "1239",  # 机构编制
    "2": "19",  # 外交
    "3": "123459",  # 司法行政
    "4": "19",  # 文化
    "5": "123459",  # 民政; 4 and 5 were added for 村民委员会 and 居民委员会
    "6": "129",  # 旅游
    "7": "129",  # 宗教
    "8": "19",  # 工会
    "9": "123",  # 工商
    "A": "19",  # 中央军委改革和编制办公室
    "N": "1239",  # 农业
    "Y": "1",  # 其他
}
_ORGANISATION_WEIGHTS = (3, 7, 9, 10, 5, 8, 4, 2)
_CALL_US = "如果与营业执照一致仍不能通过，请致电综合处，由工作人员核实后登记。"


def clean(text: str, *, admitted: bool = False) -> str:
    """The canonical 18 characters of a code as typed.

    `admitted`: an officer has seen the licence. Then only the length and the alphabet are checked, because some firms of
    the pilot years have codes with a wrong check digit. Raises ValidationError; its code is one of empty, too_long,
    characters, old_number, length, lookalike, class, region, organisation_digit, check_digit.
    """
    code = canonical(text)
    if not code:
        raise ValidationError("请填写营业执照上的统一社会信用代码。", code="empty")
    _check_shape(code)
    if not admitted:
        _check_head(code)
        _check_digits(code)
    return code


def organisation_digit(body: str) -> str:
    """The check digit (GB 11714) of the organisation code with the eight characters `body`.

    python-stdnum does not check it.
    """
    total = sum(weight * int(char, 36) for weight, char in zip(_ORGANISATION_WEIGHTS, body, strict=True))
    return "0X987654321"[total % 11]


def check_digit(head: str) -> str:
    """The last character (MOD 31-3) of the code that begins with the seventeen characters `head`."""
    return mod_31_3.calc_check_digit(head)


def _check_shape(code: str) -> None:
    if not re.fullmatch(r"[0-9A-Z]+", code):
        raise ValidationError("代码只由数字和大写字母组成，请对照营业执照填写。", code="characters")
    if re.fullmatch(r"[0-9]{15}", code):
        raise ValidationError(
            "这是旧的15位工商注册号，请填写营业执照上18位的统一社会信用代码。", code="old_number"
        )
    if len(code) != 18:
        raise ValidationError(
            f"统一社会信用代码应为18位，现在是{len(code)}位，请对照营业执照看是否漏填或多填。", code="length"
        )
    if set(code) - set(ALPHABET):
        raise ValidationError(
            "代码中没有字母I、O、S、V、Z，请看是否把数字1、0、5、2等错填成了字母。", code="lookalike"
        )


def _check_head(code: str) -> None:
    if code[1] not in _CLASSES.get(code[0], ""):
        raise ValidationError(
            "代码前两位不是规定的登记类别（企业一般为91、92或93），请对照营业执照核对前两位。", code="class"
        )
    if not re.fullmatch(r"[0-9]{6}", code[2:8]):
        raise ValidationError("代码第3至8位是行政区划，应全是数字，请对照营业执照核对。", code="region")


def _check_digits(code: str) -> None:
    if organisation_digit(code[8:16]) != code[16]:
        raise ValidationError(
            f"代码第9至17位有填错的，请对照营业执照逐位核对。{_CALL_US}", code="organisation_digit"
        )
    if check_digit(code[:17]) != code[17]:
        raise ValidationError(
            f"代码最后一位与前17位对不上，多半是有一位填错了，请对照营业执照逐位核对。{_CALL_US}",
            code="check_digit",
        )
