"""联系电话: "+86…" or "+86…;ext=8001" for every way in which people type a number."""

import re
from typing import NamedTuple

import phonenumbers
from django.core.exceptions import ValidationError
from django.utils.crypto import constant_time_compare
from phonenumbers import PhoneNumber, PhoneNumberFormat, PhoneNumberType

from .canonical import canonical, normalized

CHINA = 86
# The mainland, Hong Kong, Macao and Taiwan. To other countries we telephone: the price of an SMS there is not fixed.
SMS_COUNTRIES = frozenset([CHINA, 852, 853, 886])

_MOBILES = frozenset([PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE_OR_MOBILE])
# What stands before a number that is pasted from a card or a link.
_LABEL = re.compile(
    r"(?:tel|mob(?:ile)?|联系电话|联系方式|电话|手机|座机)(?:号码?)?\s*[:：.]?\s*", re.IGNORECASE
)
# What people write in front of an extension.
_EXTENSION = re.compile(
    r"(.+?)(?:转接|转|轉|分机号?|分機|内线|;ext=|ext\.?|x|#|,)[\s:：.]*([0-9]{1,6})", re.IGNORECASE
)
# 0580-2021234-8001
_HYPHEN_EXTENSION = re.compile(r"(.+)[-\u2010-\u2015\u2212]\s*([0-9]{1,5})")
# A separator between digits: phonenumbers would take the second number for an extension.
_TWO_NUMBERS = re.compile(r"[0-9)]\s*[/\\,;、，；|&\n和或]+\s*[(+0-9]")
# Seven or eight digits that begin with 2 to 9: a land line without its area code.
_WITHOUT_AREA_CODE = re.compile(r"[2-9][0-9]{6,7}(?![0-9])")
_MAIN = re.compile(r"\+?[0-9]+")


class _Parts(NamedTuple):
    """A parsed number: the main number for phonenumbers, and the extension or ""."""

    main: PhoneNumber
    extension: str

    def __str__(self) -> str:
        plain = phonenumbers.format_number(self.main, PhoneNumberFormat.E164)
        return f"{plain};ext={self.extension}" if self.extension else plain


def clean(text: str) -> str:
    """The canonical form of one telephone number as typed: "+8613800138000", "+865802021234;ext=8001".

    Raises ValidationError; its code is one of empty, too_long, two_numbers, no_area_code, characters,
    mobile_extension, invalid.
    """
    typed = normalized(text)
    if label := _LABEL.match(typed):
        typed = typed[label.end() :]
    if not canonical(typed):
        raise ValidationError("请填写联系电话。", code="empty")
    # A marked extension first: without its mark, the extension would be read as a part of the number.
    parts = _with_marked_extension(typed) or _plain(typed) or _with_hyphen_extension(typed)
    if parts is None:
        raise _error(typed)
    if parts.extension and _is_mobile(parts.main):
        raise ValidationError(
            "手机号码没有分机号，请只填手机号码，或改填带分机的座机。", code="mobile_extension"
        )
    return str(parts)


def receives_sms(phone: str) -> bool:
    """Whether a canonical number can get an SMS: a mobile number of one of SMS_COUNTRIES."""
    parts = _parse(phone)
    return parts is not None and parts.main.country_code in SMS_COUNTRIES and _is_mobile(parts.main)


def reaches(phone: str, registered: str) -> bool:
    """Whether a canonical `phone` is the `registered` one, or its main number typed without the extension."""
    same = constant_time_compare(phone, registered)
    return constant_time_compare(phone, registered.partition(";ext=")[0]) or same


def format_phone(phone: str) -> str:
    """A canonical number, grouped for reading: 138 0013 8000; 0580-2021234 转 8001. Other text is returned unchanged."""
    parts = _parse(phone)
    if parts is None:
        return phone
    grouped = _grouped(parts.main)
    return f"{grouped} 转 {parts.extension}" if parts.extension else grouped


def _parse(phone: str) -> _Parts | None:
    plain, _, extension = phone.partition(";ext=")
    main = _number(plain) if plain.startswith("+") else None
    return _Parts(main, extension) if main else None


def _with_marked_extension(typed: str) -> _Parts | None:
    found = _EXTENSION.fullmatch(typed)
    main = _number(_joined(found[1])) if found else None
    return _Parts(main, found[2]) if found and main else None


def _plain(typed: str) -> _Parts | None:
    main = _number(_joined(typed))
    return _Parts(main, "") if main else None


def _with_hyphen_extension(typed: str) -> _Parts | None:
    """A complete number may be followed by a hyphen and the extension."""
    found = _HYPHEN_EXTENSION.fullmatch(typed)
    main = _number(_joined(found[1])) if found else None
    return _Parts(main, found[2]) if found and main else None


def _joined(typed: str) -> str:
    return re.sub(r"[().]", "", canonical(typed))


def _number(digits: str) -> PhoneNumber | None:
    """The valid number that `digits` mean if they are typed in China, or None."""
    if not _MAIN.fullmatch(digits):
        return None
    try:
        number = phonenumbers.parse(_international(digits), None)
    except phonenumbers.NumberParseException:
        return None
    return number if phonenumbers.is_valid_number(number) else None


def _international(digits: str) -> str:
    """A land line must begin with 0. Without this rule, 2021234801 would be read as a number of Guangzhou (020)."""
    if digits.startswith("00"):
        return "+" + digits[2:]
    if digits.startswith("86") and len(digits) > 11:
        return "+" + digits
    if digits[:1] in "01" or digits[:3] in ("400", "800"):
        return f"+{CHINA}{digits}"
    return digits  # it begins with + already, or phonenumbers will refuse it


def _error(typed: str) -> ValidationError:
    digits = _joined(typed)
    if _TWO_NUMBERS.search(typed) or len(re.sub(r"[^0-9]", "", digits)) > 17:
        return ValidationError("这里只能填一个号码，请留下最容易联系到您的那一个。", code="two_numbers")
    if _WITHOUT_AREA_CODE.match(typed):
        return ValidationError("座机请在前面加上区号，例如0580-2021234。", code="no_area_code")
    if not re.fullmatch(r"\+?[0-9]*", digits):
        return ValidationError(
            "电话号码里有不能识别的文字，请填写如13800138000或0580-2021234转8001的号码。", code="characters"
        )
    return ValidationError(
        "这不是可以拨通的号码。手机请填11位数字，座机请填区号和号码，例如0580-2021234。", code="invalid"
    )


def _is_mobile(number: PhoneNumber) -> bool:
    return phonenumbers.number_type(number) in _MOBILES


def _grouped(number: PhoneNumber) -> str:
    if number.country_code != CHINA:
        return phonenumbers.format_number(number, PhoneNumberFormat.INTERNATIONAL)
    area = phonenumbers.length_of_geographical_area_code(number)
    digits = str(number.national_number)
    if area:
        return f"0{digits[:area]}-{digits[area:]}"
    national = phonenumbers.format_number(number, PhoneNumberFormat.NATIONAL)
    return national if _is_mobile(number) else national.replace(" ", "-")
