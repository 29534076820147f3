"""Templates registered with a vendor (报备模板). Chinese vendors send nothing but these, with variables filled in.

A letter is already a finished text. We look for the template that gives exactly this text, and read the variables out
of the letter. So the phone shows the letter word for word, or the letter is not sent.
"""

import re
import tomllib
from dataclasses import dataclass
from functools import cached_property

from django.conf import settings

from zhoushan_consult.outbox.sms_texts import VARIABLE, kinds_by_sms, wordings

from ..adapters import TemporaryFailure
from ..models import Notice


@dataclass(frozen=True)
class RegisteredTemplate:
    """A text with ${variables}, and the code that the vendor gave it."""

    code: str
    text: str

    @cached_property
    def names(self) -> list[str]:
        return VARIABLE.findall(self.text)

    def match(self, letter: str) -> dict[str, str] | None:
        """The variables that make this template equal to `letter`, in order; None if none do."""
        # split() returns text, name, text, …; every second item is fixed text. Variables match as little as possible.
        fixed = VARIABLE.split(self.text)[::2]
        found = re.fullmatch("(.+?)".join(map(re.escape, fixed)), letter, re.DOTALL)
        return dict(zip(self.names, found.groups(), strict=True)) if found else None


def match_template(notice: Notice) -> tuple[str, dict[str, str]]:
    """The code and the variables that make the vendor send exactly this letter.

    Raises TemporaryFailure if no template matches: it may be registered later.
    """
    letter = notice.text
    for template in load_templates().get(notice.kind, []):
        variables = template.match(letter)
        if variables is not None:
            return template.code, variables
    raise TemporaryFailure(f"没有与这条通知（{notice.kind}）相符的报备模板，请核对 SMS_TEMPLATES")


def load_templates() -> dict[str, list[RegisteredTemplate]]:
    """The templates of SMS_TEMPLATES by kind of letter. Raises ValueError if it is not in the format of sms_templates."""
    try:
        kinds = tomllib.loads(settings.SMS_TEMPLATES)
        return {kind: [RegisteredTemplate(**one) for one in texts] for kind, texts in kinds.items()}
    except (TypeError, AttributeError) as error:
        raise ValueError(str(error)) from None


def configuration_errors() -> list[str]:
    """What is wrong with SMS_TEMPLATES, in Chinese, for the system check."""
    try:
        templates = load_templates()
    except ValueError:
        return ["SMS_TEMPLATES 不是 manage.py sms_templates 印出的格式。"]
    errors = []
    if incomplete := [
        kind for kind in kinds_by_sms() if not _covers_all_texts(templates.get(kind, []), kind)
    ]:
        listed = "、".join(sorted(incomplete))
        errors.append(f"SMS_TEMPLATES 里这些通知缺少与现行文本一致、填好编号的模板：{listed}。")
    if duplicated := [kind for kind, texts in templates.items() for one in texts if _repeats_a_variable(one)]:
        listed = "、".join(sorted(duplicated))
        errors.append(f"SMS_TEMPLATES 里这些通知的变量名有重复：{listed}。")
    return errors


def _repeats_a_variable(template: RegisteredTemplate) -> bool:
    return len(set(template.names)) < len(template.names)


def _covers_all_texts(texts: list[RegisteredTemplate], kind: str) -> bool:
    """Whether every present text of `kind` has a template. The vendor may have renamed the variables."""
    # A template without a code is not registered yet.
    fixed = {VARIABLE.sub("${}", one.text) for one in texts if one.code}
    return fixed >= {VARIABLE.sub("${}", wording) for wording in wordings(kind)}
