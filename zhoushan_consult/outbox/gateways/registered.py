"""Texts registered with a vendor (报备模板). Chinese vendors send only these, filled in.

A letter is already a finished text. A registered text says the same letter with the right variables; they are
read back out of the letter, so what a phone shows is the letter, word for word, or it is not sent at all.
"""

import re
import tomllib
from dataclasses import dataclass
from functools import cached_property

from django.conf import settings

from zhoushan_consult.outbox.sms_texts import VARIABLE, kinds_by_sms, wordings

from ..adapters import Temporary
from ..models import Notice


@dataclass(frozen=True)
class Registered:
    """A text with ${variables}, under the code that the vendor gave it."""

    code: str
    text: str

    @cached_property
    def names(self) -> list[str]:
        return VARIABLE.findall(self.text)

    def read(self, letter: str) -> dict[str, str] | None:
        """The variables with which this text says exactly `letter`, in order; None where it never does."""
        fixed = VARIABLE.split(self.text)[::2]
        found = re.fullmatch("(.+?)".join(map(re.escape, fixed)), letter, re.DOTALL)
        return dict(zip(self.names, found.groups(), strict=True)) if found else None


def filled(notice: Notice) -> tuple[str, dict[str, str]]:
    """The code and the variables that make the vendor send this letter. Raises Temporary: it may be registered yet."""
    letter = notice.text
    for one in registered().get(notice.kind, []):
        variables = one.read(letter)
        if variables is not None:
            return one.code, variables
    raise Temporary(f"没有与这条通知（{notice.kind}）相符的报备模板，请核对 SMS_TEMPLATES")


def registered() -> dict[str, list[Registered]]:
    """SMS_TEMPLATES, by kind of letter. Raises ValueError where it is not what `manage.py sms_templates` prints."""
    try:
        kinds = tomllib.loads(settings.SMS_TEMPLATES)
        return {kind: [Registered(**one) for one in texts] for kind, texts in kinds.items()}
    except (TypeError, AttributeError) as error:
        raise ValueError(str(error)) from None


def faults() -> list[str]:
    """What is wrong with SMS_TEMPLATES, in words for whoever runs the site."""
    try:
        known = registered()
    except ValueError:
        return ["SMS_TEMPLATES 不是 manage.py sms_templates 印出的格式。"]
    twice = sorted(k for k, texts in known.items() for one in texts if len(set(one.names)) < len(one.names))
    unsaid = sorted(kind for kind in kinds_by_sms() if not _say_all(known.get(kind, []), kind))
    return [f"SMS_TEMPLATES 里这些通知缺少与现行文本一致、填好编号的模板：{'、'.join(unsaid)}。"] * bool(
        unsaid
    ) + [f"SMS_TEMPLATES 里这些通知的变量名有重复：{'、'.join(twice)}。"] * bool(twice)


def _say_all(texts: list[Registered], kind: str) -> bool:
    """Whether every wording of today is registered; the names of variables are the vendor's affair."""
    fixed = {VARIABLE.sub("${}", one.text) for one in texts if one.code}
    return fixed >= {VARIABLE.sub("${}", wording) for wording in wordings(kind)}
