"""证件号码 of the person who registers: GB 11643 numbers, and other documents.

The county is never checked: a number keeps the code that was valid when it was issued, and county codes change.
"""

import re
from datetime import date

from django.core.exceptions import ValidationError
from django.db.models import TextChoices
from stdnum.iso7064 import mod_11_2

from .canonical import canonical


class IdType(TextChoices):
    """证件类型."""

    RESIDENT = "resident", "居民身份证"
    HMT = "hmt", "港澳台居民居住证"
    FOREIGN = "foreign", "外国人永久居留身份证"
    OTHER = "other", "其他证件"


# No person who registers is older. An earlier birth date is a typing error.
MAX_AGE_YEARS = 130

_PROVINCE_RANGES = ((11, 15), (21, 23), (31, 37), (41, 46), (50, 54), (61, 65))
_PROVINCES = frozenset(str(code) for first, last in _PROVINCE_RANGES for code in range(first, last + 1))
_HMT_REGIONS = frozenset(["810000", "820000", "830000"])
_SHAPE = re.compile(r"[0-9]{17}[0-9X]")
# The old numbers of residents and of foreigners get a message of their own.
_OLD_RESIDENT = re.compile(r"[0-9]{15}")
_OLD_FOREIGN = re.compile(r"[A-Z]{3}[0-9]{12}")
# 军官证 and similar documents have Chinese characters in their numbers.
_OTHER_SHAPE = re.compile(r"(?=.*[0-9])[0-9A-Z()./\u4e00-\u9fff]{4,30}")
_USE_OTHER = f"如果使用护照、港澳身份证等证件，请把证件类型改选为“{IdType.OTHER.label}”。"


def clean(text: str, *, today: date | None = None, kind: str | None = None) -> str:
    """The canonical form of an ID number as typed: 18 characters, or 4 to 30 for 其他证件.

    `kind` is the chosen IdType; without it, any of the three numbered kinds is accepted. `today` limits the birth date;
    without it, the clock of the machine does. Raises ValidationError; its code is one of empty, too_long, characters,
    length, old_number, region, kind, birth_date, birth_future, birth_past, check_digit.
    """
    number = canonical(text)
    if not number:
        raise ValidationError("请填写证件号码。", code="empty")
    if kind == IdType.OTHER:
        return _clean_other(number)
    _check_shape(number)
    _check_kind(number, kind)
    _check_birth(number, today or date.today())
    _check_digit(number)
    return number


def kind_of(number: str) -> IdType | None:
    """The kind of document of an 18-character number, by its region; None if there is no such region."""
    if number[:2] in _PROVINCES:
        return IdType.RESIDENT
    if number[:6] in _HMT_REGIONS:
        return IdType.HMT
    if number[0] == "9" and number[1:3] in _PROVINCES:
        return IdType.FOREIGN
    return None


def _clean_other(number: str) -> str:
    if not _OTHER_SHAPE.fullmatch(number):
        raise ValidationError(
            "证件号码应为4至30个字母、数字或汉字，其中至少有一位数字，请对照证件填写。", code="characters"
        )
    return number


def _check_shape(number: str) -> None:
    if _SHAPE.fullmatch(number):
        return
    if _OLD_RESIDENT.fullmatch(number):
        raise ValidationError("15位的旧身份证号码已经停用，请填写现在的18位号码。", code="old_number")
    if _OLD_FOREIGN.fullmatch(number):
        raise ValidationError(
            f"这是旧版外国人永久居留证的号码，请把证件类型改选为“{IdType.OTHER.label}”。", code="old_number"
        )
    if not re.fullmatch(r"[0-9]*X?", number):
        raise ValidationError(f"号码应为17位数字，加最后一位数字或字母X。{_USE_OTHER}", code="characters")
    raise ValidationError(
        f"号码应为18位，现在是{len(number)}位，请对照证件看是否漏填或多填。{_USE_OTHER}", code="length"
    )


def _check_kind(number: str, kind: str | None) -> None:
    found = kind_of(number)
    if found is None:
        raise ValidationError("号码开头的地区代码不存在，请对照证件核对前几位。", code="region")
    if kind is not None and kind != found:
        raise ValidationError(
            f"这是{found.label}的号码，请把证件类型改选为“{found.label}”，或核对号码前几位。", code="kind"
        )


def _check_birth(number: str, today: date) -> None:
    year, month, day = int(number[6:10]), int(number[10:12]), int(number[12:14])
    try:
        born = date(year, month, day)
    except ValueError:
        raise ValidationError(
            "号码第7至14位应是出生日期，现在填的不是真实存在的日期，请对照证件核对。", code="birth_date"
        ) from None
    if born > today:
        raise ValidationError("号码第7至14位的出生日期晚于今天，请对照证件核对。", code="birth_future")
    # Compared as numbers: date(year + 130, 2, 29) does not always exist.
    if (year + MAX_AGE_YEARS, month, day) < (today.year, today.month, today.day):
        raise ValidationError(
            f"号码第7至14位的出生日期距今超过{MAX_AGE_YEARS}年，请对照证件核对。", code="birth_past"
        )


def _check_digit(number: str) -> None:
    if mod_11_2.calc_check_digit(number[:17]) != number[17]:
        raise ValidationError(
            "号码最后一位与前17位对不上，多半是有一位填错了，请对照证件逐位核对。", code="check_digit"
        )
