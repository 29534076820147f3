"""Whether a topic's lead is the division that its clause names (五（一）). Pure."""

from .topic import CODES, DIVISIONS, MANUAL, Topic

# What 五（一） says, matter by matter. A matter is named by the words that a quotation of its clause contains.
_LEADS = {
    "涉水": "water",
    "涉海污染": "water",
    "涉气": "air",
    "涉土": "soil",
    "固废": "soil",
    "核与辐射": "soil",
    "总量指标": "general",
    "环境信用": "general",
    "科技推广": "science",
    "自行监测": "science",
    "环评审批": "eia",
    "排污许可": "eia",
    "三同时": "eia",
    "财政性资金": "office",
}
# The two in brackets. They hold for topics of the layer “例外” only.
_EXCEPTIONS = {"VOC": "air", "海洋项目": "water"}


def contradiction(topic: Topic) -> str:
    """A Chinese sentence if the topic leads to another division than its clause; "" if not, or if the clause names none."""
    named = _named(topic)
    if topic.lead == MANUAL or topic.scope != "in" or not named or topic.lead in named:
        return ""
    divisions = "、".join(DIVISIONS[code] for code in DIVISIONS if code in named)
    return (
        f"事项“{topic.name}”的主办是{DIVISIONS[topic.lead]}，而它依据的条款“{topic.clause}”写明由{divisions}研究回复。"
        "请核对主办处室和条款。"
    )


def _named(topic: Topic) -> set[str]:
    """The divisions that may lead by the clause: by what 五（一） says of its matters, else those that it mentions."""
    exceptional = {code for words, code in _EXCEPTIONS.items() if words in topic.clause.upper()}
    by_law = {code for words, code in _LEADS.items() if words in topic.clause}
    if topic.layer == "exception" and exceptional:
        # With fixed support it is the meeting of an exception with the general rule: either may lead.
        return exceptional | (by_law if topic.support else set())
    return by_law or exceptional or {code for name, code in CODES.items() if name in topic.clause}
