"""The rules of the demonstration: one version that 综合处 saved after last month's review."""

from dataclasses import replace
from datetime import datetime, timedelta

from triage.rulebook import impact, versions
from zhoushan_consult.bureau.models import Officer
from zhoushan_consult.clock import local_date

CODE, NEW_WORDS = "soil.waste", ("旧浮子", "网箱浮子")


def add_version(now: datetime) -> None:
    """Save one version through the same check as the page, so that 修改记录 shows a change and its impact."""
    number, rules = versions.newest()
    rule = next(each for each in rules if each.topic.code == CODE)
    edited_rule = replace(rule, topic=replace(rule.topic, include=(*rule.topic.include, *NEW_WORDS)))
    edited, day = versions.replace_rule(rules, edited_rule, CODE), local_date(now)
    moved = impact.measure(versions.build_router(rules, day), versions.build_router(edited, day), now)
    versions.save(
        edited,
        "十月复核：养殖户问旧浮子处置，规则缺词，补“旧浮子、网箱浮子”",
        moved.as_figures(),
        base=number,
        by=Officer.objects.get(username="zonghe"),
        at=now - timedelta(days=12),
    )
