"""What a password must be (等保三级 8.1.4.1). Each rule is a validator of settings.AUTH_PASSWORD_VALIDATORS.

Its help text is shown before anything is typed. Every number and word comes from the settings.
"""

import re
from datetime import date, datetime, timedelta

from django.conf import settings
from django.contrib.auth.hashers import check_password
from django.contrib.auth.password_validation import (
    CommonPasswordValidator,
    get_default_password_validators,
    password_validators_help_texts,
    validate_password,
)
from django.core.exceptions import ValidationError

from zhoushan_consult.clock import local_date

from .models import Officer

# What people write for letters: Zh0u$han is Zhoushan.
LOOKALIKES = str.maketrans({"0": "o", "1": "i", "3": "e", "4": "a", "5": "s", "@": "a", "$": "s", "!": "i"})
# What people add to a common word so that a rule takes it: trustno1-2026!
TAIL, TAIL_OF_SIGNS = re.compile(r"[\W_\d]+$"), re.compile(r"[\W_][\W_\d]*$")
# Shorter parts of a name stand in many passwords by chance.
SHORTEST_NAME = 3


class Kinds:
    """Upper case, lower case, digits, signs: at least so many of the four."""

    def __init__(self, kinds: int):
        self.kinds = kinds

    def validate(self, password: str, user=None) -> None:
        # Chinese characters are signs here: they are neither upper nor lower case.
        tests = (str.isupper, str.islower, str.isdigit, lambda sign: not (sign.isascii() and sign.isalnum()))
        if sum(any(map(test, password)) for test in tests) < self.kinds:
            raise ValidationError(self.get_error_message(), code="password_kinds")

    def get_error_message(self) -> str:
        return f"密码里的种类太少：大写字母、小写字母、数字、符号至少要有 {self.kinds} 种。"

    def get_help_text(self) -> str:
        return f"大写字母、小写字母、数字、符号，至少有 {self.kinds} 种。"


class NoKnownNames:
    """No name of the place, the trade or the person: guessing begins with them."""

    def __init__(self, words: list[str]):
        self.words = [word.lower() for word in words]

    def validate(self, password: str, user: Officer | None = None) -> None:
        forms = (password.lower(), _letters(password))
        if any(word in form for word in [*self.words, *_names_of(user)] for form in forms):
            raise ValidationError(self.get_error_message(), code="password_known_name")

    def get_error_message(self) -> str:
        return "密码里有地名、单位或行业用词，或您自己的姓名、用户名，容易被猜到，请换一个。"

    def get_help_text(self) -> str:
        return "不含舟山、环保等地名和行业用词及其拼音，不含本人姓名、用户名、邮箱名。"


class NotUsedBefore:
    """Not one of the last passwords, the present one included."""

    def __init__(self, history: int):
        self.history = history

    def validate(self, password: str, user: Officer | None = None) -> None:
        if user is None or user.pk is None or not self.history:
            return
        past = user.past_passwords.values_list("password", flat=True)[: self.history - 1]
        if any(check_password(password, hashed) for hashed in [user.password, *past]):
            raise ValidationError(self.get_error_message(), code="password_used_before")

    def get_error_message(self) -> str:
        return f"这个密码近期用过，不能与最近 {self.history} 次的密码相同，请换一个。"

    def get_help_text(self) -> str:
        return f"不能与最近 {self.history} 次的密码相同。"


class NotCommon(CommonPasswordValidator):
    """Not on the list of the 20,000 most common ones, also with capitals, figures for letters, or a tail of signs."""

    def validate(self, password: str, user=None) -> None:
        lower = password.lower()
        for form in (lower, _letters(lower), TAIL.sub("", lower), TAIL_OF_SIGNS.sub("", lower)):
            super().validate(form, user)


def _letters(password: str) -> str:
    """The letters that are meant, without what was put between them: Zhou-5han → zhoushan."""
    return "".join(filter(str.isalpha, password.lower().translate(LOOKALIKES)))


def _names_of(officer: Officer | None) -> list[str]:
    """The officer's own names. User names are the name in pinyin, or a number."""
    if officer is None:
        return []
    names = [officer.username, officer.email.partition("@")[0]]
    parts = [part.lower() for part in names if len(part) >= SHORTEST_NAME]
    return parts + [officer.name] * (len(officer.name) > 1)


def meets_the_rules(password: str) -> bool:
    """Whether a password would be taken from an officer without a name."""
    try:
        validate_password(password)
    except ValidationError:
        return False
    return True


def rules() -> list[str]:
    """Every rule in Chinese, for the page on which a password is chosen."""
    return [str(text) for text in password_validators_help_texts(get_default_password_validators()) if text]


def expires_on(officer: Officer) -> date | None:
    """The first day on which the password is too old. None if it has no term."""
    if not settings.PASSWORD_DAYS or officer.password_set_at is None:
        return None
    return local_date(officer.password_set_at) + timedelta(days=settings.PASSWORD_DAYS)


def is_due(officer: Officer, now: datetime) -> bool:
    """Whether the password must be changed before anything else: it is the first one, or too old."""
    end = expires_on(officer)
    return officer.password_is_first or (end is not None and local_date(now) >= end)


def days_left(officer: Officer, now: datetime) -> int | None:
    """The days until the password is too old, if they are few enough for a reminder."""
    end = expires_on(officer)
    left = (end - local_date(now)).days if end else None
    return left if left is not None and left <= settings.PASSWORD_REMIND_DAYS else None
