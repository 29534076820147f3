"""The texts of SMS: every text that a kind of letter can have, and how many segments a text is charged as."""

import re
from collections.abc import Iterable
from itertools import product
from pathlib import Path

from django.conf import settings
from django.template import Template
from django.template.base import Node, NodeList, TextNode, VariableNode
from django.template.defaulttags import IfNode
from django.template.loader import get_template

VARIABLE = re.compile(r"\$\{(\w+)\}")
# The GSM 03.38 alphabet. The characters of its extension table take two places.
GSM7 = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§"
    "¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
GSM7_DOUBLE = frozenset("\f^{}\\[~]|€")


def segments(text: str, signature: str = "") -> int:
    """How many messages a text is charged as, with the 【signature】 in front.

    UCS-2: 70 characters in one message, 67 in each of several. GSM 7-bit: 160 and 153.
    """
    whole = f"【{signature}】{text}" if signature else text
    if set(whole) <= GSM7 | GSM7_DOUBLE:
        return _parts([1 + (letter in GSM7_DOUBLE) for letter in whole], 160, 153)
    return _parts([1 + (letter > "\uffff") for letter in whole], 70, 67)


def _parts(widths: list[int], single: int, concatenated: int) -> int:
    """A character is never split, so a wide one can leave the last place of a segment empty."""
    if sum(widths) <= single:
        return 1
    parts, used = 1, 0
    for width in widths:
        if used + width > concatenated:
            parts, used = parts + 1, 0
        used += width
    return parts


def kinds_by_sms() -> list[str]:
    """The kinds of letters that have an SMS template."""
    folders = [Path(folder) for engine in settings.TEMPLATES for folder in engine.get("DIRS", [])]
    return sorted({path.parent.name for folder in folders for path in folder.glob("notices/*/sms.txt")})


def wordings(kind: str) -> list[str]:
    """Every text that the SMS of `kind` can have, with ${variables} as vendors write them. The site address is filled in."""
    template: Template = get_template(f"notices/{kind}/sms.txt", using="django").template
    return [text.strip() for text in _wordings(template.nodelist)]


def _wordings(nodes: NodeList) -> Iterable[str]:
    return map("".join, product(*map(_choices, nodes)))


def _choices(node: Node) -> list[str]:
    match node:
        case TextNode():
            return [node.s]
        case VariableNode():
            name = str(node.filter_expression.var)
            return [settings.SITE_URL if name == "site_url" else f"${{{name.replace('.', '_')}}}"]
        case IfNode():
            branches = [text for _, nodes in node.conditions_nodelists for text in _wordings(nodes)]
            has_else = node.conditions_nodelists[-1][0] is None
            return branches if has_else else [*branches, ""]
    raise TypeError(f"an SMS text may have variables and if only, not {node!r}")
